"""What drills act on: records of their own, in a database of their own, with everything a real system has."""

from assent_activities.connectors.scratch.operations import RESOURCES, ScratchConnector, scratch_type_name, with_scratch
from assent_activities.connectors.scratch.records import ScratchRecords

__all__ = ["RESOURCES", "ScratchConnector", "ScratchRecords", "scratch_type_name", "with_scratch"]
