"""Whether an edit of a pending request counts, before admission weighs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain import assurance
from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import Silence
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.domain.revisions import Edit, same_arguments, with_kept_secrets
from assent.domain.voting import why_not_approve
from assent.store import electorate
from assent.store.tables import ActionRow, ApprovalRow


class EditRefused(Exception):
    """The edit changes nothing, and why; the text is for people."""


def require_pending(request: ApprovalRow | None, row: ActionRow, edit: Edit, held: Sequence[str]) -> None:
    """Refuse an edit of what is not asked any more, or of something else than is asked now.

    Raises:
        EditRefused: It is.
    """
    if request is None or request.id != edit.approval_id:
        raise EditRefused("Nobody was asked about it.")
    if request.status != ApprovalStatus.PENDING.value:
        raise EditRefused(f"It was already {request.status}.")
    if row.status != ActionStatus.AWAITING.value:
        raise EditRefused("It was already settled.")
    silence = electorate.rules_of(request).silence
    ends = silence is Silence.REJECT or (silence is Silence.ESCALATE and request.silent_at is not None)
    if ends and edit.at > request.expires_at and not held:
        raise EditRefused("It came after the time to decide was over.")
    if edit.digest != request.digest:
        raise EditRefused("The edit is about something other than what is asked now.")


def require_editor(session: Session, request: ApprovalRow, edit: Edit, now: datetime) -> None:
    """Refuse an edit by somebody who may not approve the request now, or where the card lets nobody edit.

    Raises:
        EditRefused: It is.
    """
    rules = electorate.rules_of(request)
    if not rules.edit:
        raise EditRefused("The card lets nobody edit it.")
    voter = electorate.voter_on(session, request, edit.by.id, now)
    if voter is None:
        raise EditRefused(f"{edit.by.name} is nobody who may decide it.")
    if why_not := why_not_approve(rules.electorate, voter, assurance.of_actor(edit.by)):
        raise EditRefused(why_not)


def edited_arguments(edit: Edit, row: ActionRow, type: ActionType) -> dict[str, Json]:
    """The edited arguments with the secrets that stay.

    Raises:
        EditRefused: They cannot be read, or are what they were.
    """
    try:
        arguments = with_kept_secrets(edit.arguments, row.arguments, type.secrets)
        same = same_arguments(arguments, row.arguments)
    except InvalidInput as error:
        raise EditRefused(str(error)) from error
    if same:
        raise EditRefused("Nothing was changed.")
    return arguments
