"""People, groups and cards for tests of who decides."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Decision, Verb
from assent.domain.people import Actor, Assurance, Role, Via
from assent.store.tables import ApprovalRow, AskedRow, DecisionRow, GroupMemberRow, GroupRow, PersonRow
from tests.activities.stage import Stage
from tests.desk import CARD
from tests.world import action

PAY = action("a", "desk.pay", to="bob", amount=40)
FIN, FIN2, SRE, SRE2, OUT, DUTY = (
    Actor(id=name, name=name.capitalize(), via=Via.WEB) for name in ("fin", "fin2", "sre", "sre2", "out", "duty")
)
_GROUPS = {"finance": ["fin", "fin2"], "sre": ["sre", "sre2"], "both": []}
_WAITS = "  desk.pay:\n    tier: approve\n    expires: 1h\n"


def card_with(approval: str, *, expires: str = "1h", more: str = "", tier: str = "approve") -> str:
    """The desk clerk's card with an approval block for all types, in the flow style of YAML."""
    pay = f"  desk.pay:\n    tier: {tier}\n    expires: {expires}\n"
    return CARD.replace(_WAITS, pay) + f"approval: {{{approval}}}\n{more}"


class Election:
    """A stage with people in groups, and what tests of voting do on it.

    Args:
        stage: The stage.
        approval: The card's approval block.
        expires: How long people have.
        more: More of the card.
    """

    def __init__(self, stage: Stage, approval: str = "", *, expires: str = "1h", more: str = "") -> None:
        self.stage = stage
        self._votes = 0
        now = datetime.now(UTC)
        with stage.database.write() as session:
            for person in (FIN, FIN2, SRE, SRE2, OUT, DUTY):
                session.add(
                    PersonRow(
                        id=person.id,
                        email=f"{person.id}@example.com",
                        mailbox=f"{person.id}@example.com",
                        name=person.name,
                        roles=[Role.APPROVER.value],
                        created_at=now,
                    )
                )
            for name, members in _GROUPS.items():
                session.add(GroupRow(name=name, title=name, created_at=now))
                session.add_all(GroupMemberRow(group_name=name, person_id=one, added_at=now) for one in members)
        if approval:
            stage.publish(card_with(approval, expires=expires, more=more))

    def ask(self) -> ActionOutcome:
        """A payment that waits."""
        waiting = self.stage.submit(PAY)
        assert waiting.status is ActionStatus.AWAITING, waiting
        return waiting

    def vote(
        self, waiting: ActionOutcome, by: Actor, verb: Verb = Verb.APPROVE, *, assurance: Assurance | None = None
    ) -> ActionOutcome:
        """Somebody decides; gives the action as it is then."""
        decision = self.decision(waiting, by, verb, assurance=assurance)
        if verb is Verb.REJECT:
            return self.stage.close(waiting, ActionStatus.REJECTED, decision)
        return self.stage.execute(PAY, decision)

    def decision(
        self, waiting: ActionOutcome, by: Actor, verb: Verb = Verb.APPROVE, *, assurance: Assurance | None = None
    ) -> Decision:
        """A decision with an id of its own; the newest one is ``last``."""
        self._votes += 1
        by = by.model_copy(update={"assurance": assurance})
        reason = "No." if verb is Verb.REJECT else ""
        return self.stage.decision(waiting, verb, by=by, id=f"vote-{self._votes}", reason=reason)

    @property
    def last(self) -> DecisionRow:
        """The newest decision."""
        return self.stage.row(DecisionRow, f"vote-{self._votes}")

    def row(self, number: int) -> DecisionRow:
        """A decision by its number, from one."""
        return self.stage.row(DecisionRow, f"vote-{number}")

    def request(self, waiting: ActionOutcome) -> ApprovalRow:
        """The request's row."""
        assert waiting.approval_id is not None
        return self.stage.row(ApprovalRow, waiting.approval_id)

    def asked(self, waiting: ActionOutcome) -> dict[str, str]:
        """Who is asked, by token, and why; only while it waits."""
        wanted = select(AskedRow).where(col(AskedRow.approval_id) == waiting.approval_id, col(AskedRow.pending))
        with self.stage.database.read() as session:
            return {row.token: row.why for row in session.execute(wanted).scalars()}

    def leave(self, group: str, person: Actor) -> None:
        """Somebody is no longer in a group."""
        with self.stage.database.write() as session:
            session.execute(
                delete(GroupMemberRow).where(
                    col(GroupMemberRow.group_name) == group, col(GroupMemberRow.person_id) == person.id
                )
            )

    def join(self, group: str, person: Actor) -> None:
        """Somebody comes into a group."""
        with self.stage.database.write() as session:
            values = {"group_name": group, "person_id": person.id, "added_at": datetime.now(UTC)}
            session.execute(insert(GroupMemberRow).values(values))

    def pass_time(self, waiting: ActionOutcome, **by: float) -> ActionOutcome:
        """Time passes, and the run looks at what it brought."""
        self.stage.clock.turn(**by)
        return self.stage.close(waiting, ActionStatus.EXPIRED)

    def events(self) -> list[str]:
        """What the ledger says of the payment, without what comes before the vote."""
        kinds = self.stage.events(action_id="run-1:a")
        return [kind for kind in kinds if kind not in ("action.proposed", "approval.requested")]
