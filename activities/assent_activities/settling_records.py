"""Writing down what became of an effect that nobody knew about, once: its outcome, its budget and the ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.canonical import Json
from assent.domain.catalogue import changes_without_secrets
from assent.domain.effects import EffectStatus, Performed
from assent.domain.people import Actor
from assent.domain.settling import Reconciled, SettledBy, Settlement
from assent.store import claims, grants, ledger, projection, questions, usage
from assent.store.tables import ActionRow, UnknownEffectRow
from assent_activities.dependencies import Dependencies
from assent_activities.outcomes import Answer, answer_of

_STATUS = {EffectStatus.DONE: ActionStatus.DONE, EffectStatus.FAILED: ActionStatus.FAILED}


class SettlingRecords:
    """Settles effects, each in one transaction.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    def conclude(
        self,
        action_id: str,
        performed: Performed,
        status: EffectStatus,
        said: str,
        by: Actor,
        settlement: Settlement | None = None,
    ) -> Reconciled:
        """Give an effect its outcome, unless it has one.

        Args:
            action_id: The action.
            performed: What happened, as far as it is known.
            status: Done or failed.
            said: What the connector said; empty where a person says it.
            by: Who asked, or who found out.
            settlement: What a person found out; ``None`` if the connector said it.

        Returns:
            What is known now; ``settled`` is false if it had an outcome.
        """
        answer = answer_of(performed, action_id)

        def write(session: Session) -> Reconciled:
            now = self._deps.clock()
            row = projection.read_action(session, action_id, for_update=True)
            assert row is not None, action_id
            if not self._write(session, row, answer, status, said, by, settlement, now):
                return standing(session, action_id)
            how = SettledBy.PERSON if settlement else SettledBy.CONNECTOR
            return Reconciled(
                action_id=action_id, status=status, settled=True, by=how, said=_message(status, said, by, settlement)
            )

        return self._deps.database.together(write)

    def _write(
        self,
        session: Session,
        row: ActionRow,
        answer: Answer,
        status: EffectStatus,
        said: str,
        by: Actor,
        settlement: Settlement | None,
        now: datetime,
    ) -> bool:
        operation = self._deps.registry.get(row.type)
        changes = changes_without_secrets(answer.changes, operation.type.secrets if operation else ())
        message = _message(status, said, by, settlement)
        counts = claims.settle(
            session,
            action_id=row.action_id,
            status=status,
            at=now,
            changes=changes,
            undo_data=answer.undo_data,
            message=message,
            attested=settlement is not None and settlement.happened and answer.undo_data is None,
        )
        if not counts:
            return False
        to = _STATUS[status]
        projection.settle_action(session, row.action_id, status=to, result=answer.result, message=message, at=now)
        if status is EffectStatus.FAILED:
            usage.release(session, row.action_id)
            grants.give_back(session, row.action_id, at=now)
        questions.close(
            session,
            row.action_id,
            now=to,
            at=now,
            by=by,
            how=SettledBy.PERSON if settlement else SettledBy.CONNECTOR,
            note=settlement.note if settlement else said,
            reference=settlement.reference if settlement else "",
        )
        body: dict[str, Json] = {
            "status": status.value,
            "said_by": SettledBy.PERSON.value if settlement else SettledBy.CONNECTOR.value,
            "message": message,
            "note": settlement.note if settlement else "",
            "reference": settlement.reference if settlement else "",
            "changes": [change.model_dump(mode="json") for change in changes],
            "result_digest": answer.digest,
        }
        ledger.append_of(session, row, "effect.settled", body, at=now, actor=by)
        word = "it happened" if status is EffectStatus.DONE else "it did not happen"
        projection.show_step(session, row.run_id, f"{row.sentence}: {word}", at=now)
        return True


def standing(session: Session, action_id: str) -> Reconciled:
    """What is known of an effect that needs no settling, or is settled already."""
    claim = claims.read_claim(session, action_id)
    question = session.get(UnknownEffectRow, action_id, populate_existing=True)
    if question is None or question.settled_at is None:
        return Reconciled(action_id=action_id, status=claim.status if claim else None)
    by = Actor.model_validate(question.settled_by).name if question.settled_by else "Assent"
    word = "it happened" if question.happened else "it did not happen"
    return Reconciled(
        action_id=action_id,
        status=claim.status if claim else None,
        by=SettledBy(question.how) if question.how else None,
        said=f"{by} settled it: {word}.",
    )


def _message(status: EffectStatus, said: str, by: Actor, settlement: Settlement | None) -> str:
    if settlement is None:
        return said
    word = "it happened" if status is EffectStatus.DONE else "it did not happen"
    reference = f" Reference: {settlement.reference}." if settlement.reference else ""
    return f"{by.name} found out that {word}: {settlement.note.rstrip('.')}.{reference}"
