"""``/assent incident``: open one, or see which are open."""

from __future__ import annotations

import asyncio

from assent.domain.errors import Forbidden
from assent.domain.incidents import READERS
from assent.domain.words import counted
from assent.gateway import NewIncident
from assent.store.queries import incidents
from assent.store.queries.paging import PageRequest
from assent_slack.blocks.excerpts import one_line
from assent_slack.blocks.lists import SHOWN
from assent_slack.blocks.notices import fallback, notice
from assent_slack.blocks.pieces import Message, bullets, link, rich, section, words
from assent_slack.listeners.commands.asked import Asked


async def incident(asked: Asked) -> Message:
    """Open an incident by its title; without one, list those that are open."""
    title = asked.rest(0)
    if not title:
        return await asyncio.to_thread(_open_ones, asked)
    incident_id = await asked.deps.gateway.open_incident(NewIncident(title=title), by=asked.acting)
    return notice(
        "✔ The incident is open. It stops nothing by itself: /assent pause does.",
        asked.deps.links.incident(incident_id),
        "Open the incident in Assent",
    )


def _open_ones(asked: Asked) -> Message:
    if not READERS & set(asked.person.roles):
        raise Forbidden("You may not read incidents.", where="role", todo="It needs the role operator or owner.")
    with asked.deps.database.read() as session:
        found = incidents.page(session, only_open=True, request=PageRequest(limit=SHOWN)).items
        total = incidents.count_open(session)
    if not found:
        return notice("No incident is open. /assent incident TITLE opens one.", asked.deps.links.incidents())
    heading = f"{counted(total, 'incident')} {'is' if total == 1 else 'are'} open"
    lines = [
        [
            words(f"{each.severity.value} · {each.state.value} · {one_line(each.title, 120)[0]} · "),
            link(asked.deps.links.incident(each.id), "open"),
        ]
        for each in found
    ]
    return Message(fallback(heading), [rich([section([words(heading, bold=True)]), bullets(lines)])])
