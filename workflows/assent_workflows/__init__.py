"""The workflows: deterministic, with every side effect behind a typed port."""

from assent_workflows.agent_run import AgentRun
from assent_workflows.pause import Pause
from assent_workflows.rollback import PreviewRollback, Rollback

WORKFLOWS = [AgentRun, Pause, Rollback, PreviewRollback]
"""Everything a worker registers."""

__all__ = ["WORKFLOWS", "AgentRun", "Pause", "PreviewRollback", "Rollback"]
