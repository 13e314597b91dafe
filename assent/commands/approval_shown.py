"""A request as it is printed: byte for byte what an approver is shown, and beside it how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from assent.commands.printing import ago, note, tell
from assent.domain.errors import Conflict

if TYPE_CHECKING:
    from assent.store.queries.approvals import ApprovalView
    from assent.store.queries.shown import Shown


def show_request(found: ApprovalView, seen: Shown) -> None:
    """Print what is shown, byte for byte, and beside it how things stand."""
    if seen.sound:
        typer.echo(seen.text, nl=False)
    else:
        tell(seen.text)
    state = f"{found.status.value}, due {ago(found.expires_at)}" if found.decided_at is None else found.status.value
    by = f" by {found.decided_by.name}" if found.decided_by else ""
    note(f"Request {found.id}, revision {seen.revision}: {state}{by}{_ended(found)}. Digest {seen.digest}.")
    if not seen.kept:
        note("It is older than kept texts: this text was made now, from the card that was kept.")


def vouch(seen: Shown) -> None:
    """Refuse to pass off as seen what does not give its digest.

    Raises:
        Conflict: Card or arguments are not those that the digest was taken of.
    """
    if not seen.sound:
        raise Conflict(
            "The card that is kept does not give its digest: it is not what was shown.",
            where=f"revision {seen.revision}",
            todo="`assent verify` says what else does not fit; the ledger has the original in `approval.requested`.",
        )


def _ended(found: ApprovalView) -> str:
    why = f", because: {found.decision_reason}" if found.decision_reason else ""
    return f" {ago(found.decided_at)}{why}" if found.decided_at else ""
