"""Editing the arguments of pending requests."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from assent.domain.canonical import Json
from assent.domain.errors import BrokenArguments, Conflict, Forbidden, InvalidInput, NeedsProof
from assent.domain.forms import Form, form_of
from assent.domain.people import MAX_REASON, Actor
from assent.domain.revisions import Edit, same_arguments, with_kept_secrets
from assent.gateway.decisions import DecisionDoor
from assent.gateway.door import bounded, is_there, reason_within
from assent.policy.arguments import argument_faults
from assent.store.queries import revisions
from assent.store.queries.revisions import Editable, EditView

_LOOK_EVERY = 0.05
"""Seconds between looks at an edit that is waited for."""


class ReviseDoor(DecisionDoor):
    """What approvers come through to change what a request asks for."""

    async def edit_form(self, approval_id: str) -> tuple[Editable, Form]:
        """What an edit starts from, and the form for it. No secret is in the form.

        Raises:
            NotFound: There is no such request.
            Unavailable: The database is away.
        """
        start = await self._in_thread(lambda: self._editable(approval_id))
        schema, secrets = (start.type.arguments, start.type.secrets) if start.type else ({}, frozenset())
        return start, form_of(schema, start.arguments, secrets=secrets)

    async def revise(
        self,
        approval_id: str,
        arguments: Mapping[str, Json],
        *,
        digest: str,
        by: Actor,
        reason: str = "",
        edit_id: str | None = None,
    ) -> Edit:
        """Send a person's change of the arguments to the run, where admission weighs them again.

        The request gets a new revision and a new digest, and votes given before lapse; or the edit is refused and the
        request stays as it is. :meth:`edited` tells which.

        Args:
            approval_id: The request.
            arguments: The new arguments, whole; dots (``SECRET``) stand for a secret that stays as it is.
            digest: Digest of what the person was shown.
            by: The person.
            reason: Why; shown to everybody, and given to the agent.
            edit_id: Id of this click, so that sending it twice counts once.

        Raises:
            NotFound: There is no such request.
            Conflict: It is decided, expired or withdrawn, or shows something else by now.
            Forbidden: The person may not decide it, or the card lets nobody edit it.
            BrokenArguments: The arguments do not fit the action type; it names every place.
            InvalidInput: Nothing was changed.
            TooLarge: The arguments are over ``MAX_PAYLOAD``, or the reason is too long.
            Unavailable: Temporal or the database is away; nothing was changed.
        """
        reason_within(MAX_REASON, reason)
        bounded(dict(arguments), "arguments")

        def check() -> tuple[str, str]:
            return self._check_edit(approval_id, arguments, digest, by)

        action_id, run_id = await self._in_thread(check)
        edit = Edit(
            id=edit_id or uuid.uuid4().hex,
            approval_id=approval_id,
            action_id=action_id,
            digest=digest,
            arguments=dict(arguments),
            reason=reason.strip(),
            by=by,
            at=self._clock(),
        )
        await self._tell_run(run_id, "revise", edit, check)
        return edit

    async def edited(self, edit_id: str, *, wait_seconds: float = 0) -> EditView | None:
        """What became of an edit: the revision it made, or why it made none; ``None`` if the run has not said yet.

        Args:
            edit_id: The edit.
            wait_seconds: Wait so long for it.

        Raises:
            Unavailable: The database is away.
        """
        return await self._look_until(
            lambda: self._edit(edit_id), is_there, wait_seconds=wait_seconds, every=_LOOK_EVERY
        )

    def _check_edit(self, approval_id: str, arguments: Mapping[str, Json], digest: str, by: Actor) -> tuple[str, str]:
        """The check, with every refusal in the ledger."""
        try:
            return self._fits(approval_id, arguments, digest, by)
        except (Forbidden, Conflict, BrokenArguments) as error:
            if not isinstance(error, NeedsProof):
                body = {"approval": approval_id, "verb": "edit"}
                self._refusals.record(
                    "approval.refused", error.what, where=error.where, via=by.via, actor=by, body=body
                )
            raise

    def _fits(self, approval_id: str, arguments: Mapping[str, Json], digest: str, by: Actor) -> tuple[str, str]:
        """Refuse what cannot count; gives the action's and the run's id."""
        checked = self._check_decision(approval_id, digest, by)
        start = self._editable(approval_id)
        if not start.allowed:
            raise Forbidden(
                "The card lets nobody edit this request.", where="arguments", todo="Approve it as it is, or reject it."
            )
        if start.type is None:
            raise Conflict(
                f"The card of {start.agent} does not list this action any more.",
                where="arguments",
                todo="Reject the request.",
            )
        wanted = with_kept_secrets(arguments, start.raw, start.type.secrets)
        if faults := argument_faults(start.type, wanted):
            raise BrokenArguments(faults)
        if same_arguments(wanted, start.raw):
            raise InvalidInput(
                "Nothing was changed.", where="arguments", todo="Change something, or decide it as it is."
            )
        return checked

    def _editable(self, approval_id: str) -> Editable:
        with self._database.read() as session:
            return revisions.editable(session, approval_id)

    def _edit(self, edit_id: str) -> EditView | None:
        with self._database.read() as session:
            return revisions.edit(session, edit_id)
