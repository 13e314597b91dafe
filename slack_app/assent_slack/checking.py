"""Seeded checks in Slack: answered by the buttons and dialogs of a request, and told at once for what they are.

The gateway's doors for requests know no check. What they refuse as unknown is looked for here among the checks of
whoever clicked; everybody else's stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from assent.domain.approvals import Verb
from assent.domain.canonical import Json
from assent.domain.errors import NotFound
from assent.domain.forms import Form
from assent.domain.people import Via
from assent.store.people import Person
from assent.store.queries.revisions import Editable
from assent_slack.blocks.check import check_notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import Deciding
from assent_slack.dependencies import Dependencies


async def decided(deps: Dependencies, person: Person, deciding: Deciding, verb: Verb, reason: str) -> Message | None:
    """Decide a check of somebody's; ``None`` if they have none such.

    Raises:
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(deciding.approval_id, person.id) is None:
        return None
    check = await deps.gateway.decide_check(
        deciding.approval_id,
        verb=verb,
        digest=deciding.digest,
        by=person.acting(Via.SLACK),
        reason=reason,
        # A message shows excerpts; where a card asks for more, its page does.
        opened=False,
    )
    return check_notice(check, deps.links)


async def asked_about(deps: Dependencies, person: Person, approval_id: str, text: str) -> Message | None:
    """Somebody commented on a check of theirs, or asked about it; ``None`` if they have none such.

    Raises:
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(approval_id, person.id) is None:
        return None
    check = await deps.gateway.ask_about_check(approval_id, text, by=person.acting(Via.SLACK))
    return check_notice(check, deps.links)


async def edit_form(deps: Dependencies, person: Person, approval_id: str) -> tuple[Editable, Form]:
    """What an edit of a request starts from, or of a check of somebody's.

    Raises:
        NotFound: There is neither.
        Unavailable: The database is away.
    """
    try:
        return await deps.gateway.edit_form(approval_id)
    except NotFound:
        found = await deps.gateway.check_form(approval_id, person.id)
        if found is None:
            raise
        return found


async def changed(
    deps: Dependencies, person: Person, deciding: Deciding, arguments: Mapping[str, Json], reason: str
) -> Message | None:
    """Somebody set out to change a check of theirs; ``None`` if they have none such.

    Raises:
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(deciding.approval_id, person.id) is None:
        return None
    check = await deps.gateway.change_check(
        deciding.approval_id, arguments, digest=deciding.digest, by=person.acting(Via.SLACK), reason=reason
    )
    return check_notice(check, deps.links)
