"""A text about an incident as a message."""

from __future__ import annotations

from assent.store.queries.incidents import IncidentView, TellingView
from assent_slack.blocks.excerpts import told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Message, link, paragraph

ROOM = 2_800
"""Characters of a text that are shown, so that a message stays within Slack's size however many bytes each takes."""

LINK = "Open the incident in Assent"


def incident_message(incident: IncidentView, telling: TellingView, url: str) -> Message:
    """The text, whole, and the page of the incident."""
    blocks = [paragraph(*told(telling.text, ROOM, url)), paragraph(link(url, LINK))]
    return Message(fallback(f"{incident.severity.value.capitalize()} incident: {incident.title}"), blocks)
