"""Standing grants at work: what they cover, how often, and what ends them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.grants import GrantStatus
from assent.domain.tiers import Speed
from assent.store import consistency
from assent.store.queries import grants
from assent.store.queries.grants import GrantView
from assent.store.tables import ActionRow, GrantUseRow
from assent_activities.connectors import ActionFailed, Call
from tests.activities.stage import at_once, tried_again, until_settled
from tests.desk import unreachable
from tests.grants.bureau import FAY, GRANTS, LEO, Bureau, card
from tests.world import action


def now(bureau: Bureau, grant: GrantView) -> GrantView:
    with bureau.database.read() as session:
        return grants.one(session, grant.id, now=bureau.clock())


def why(outcome: ActionOutcome) -> list[str]:
    return [reason.sentence for reason in outcome.reasons if reason.rule in ("grant", "plan", "plan-drift")]


def test_a_covered_action_runs_at_once_and_says_why(bureau: Bureau) -> None:
    grant = bureau.grant()
    outcome = bureau.pay()
    assert outcome.status is ActionStatus.DONE
    assert why(outcome) == [f"Covered by the standing grant {grant.id} of Fay, use 1 of 2."]
    assert bureau.desk.done == ["run-1:a"]
    assert bureau.events(action_id="run-1:a") == ["action.proposed", "grant.used", "effect.claimed", "effect.done"]
    row = bureau.row(ActionRow, "run-1:a")
    assert row.tier == 1, "it is an action of tier approve still"
    assert now(bureau, grant).used == 1
    with bureau.database.read() as session:
        (use,) = grants.uses(session, grant.id).items
    assert (use.action_id, use.status, use.given_back_at) == ("run-1:a", "done", None)
    assert consistency.compare(bureau.database) == (1, [])
    bureau.check_chain()


def test_without_a_grant_people_are_asked(bureau: Bureau) -> None:
    assert bureau.pay().status is ActionStatus.AWAITING
    bureau.grant()
    assert bureau.pay().status is ActionStatus.AWAITING, "a request that was made stays a request"


@pytest.mark.parametrize(("amount", "to"), [(51, "bob"), (5, "ann"), (5, "Bob")])
def test_what_does_not_fit_asks(bureau: Bureau, amount: float, to: str) -> None:
    bureau.grant()
    outcome = bureau.pay(amount=amount, to=to)
    assert outcome.status is ActionStatus.AWAITING
    assert why(outcome) == []


def test_a_grant_is_for_one_agent_and_type(bureau: Bureau) -> None:
    bureau.publish(card().replace("name: desk-clerk", "name: night-clerk"))
    other = bureau.terms().model_copy(update={"agent": "night-clerk"})
    bureau.grant(terms=other)
    assert bureau.pay().status is ActionStatus.AWAITING


def test_it_covers_so_often_and_no_more(bureau: Bureau) -> None:
    grant = bureau.grant()
    statuses = [bureau.pay(key).status for key in ("a", "b", "c")]
    assert statuses == [ActionStatus.DONE, ActionStatus.DONE, ActionStatus.AWAITING]
    assert now(bureau, grant).status is GrantStatus.SPENT


def test_the_same_proposal_again_uses_it_once(bureau: Bureau) -> None:
    grant = bureau.grant()
    assert [bureau.pay("a").status for _ in range(3)] == [ActionStatus.DONE] * 3
    assert now(bureau, grant).used == 1


def test_many_at_once_never_use_it_more_often_than_it_allows(bureau: Bureau) -> None:
    grant = bureau.grant(terms=bureau.terms(uses=5))
    outcomes = at_once(12, lambda number: bureau.pay(f"a{number}", run_id=f"run-{number}"))
    assert sum(outcome.status is ActionStatus.DONE for outcome in outcomes) == 5
    assert sum(outcome.status is ActionStatus.AWAITING for outcome in outcomes) == 7
    assert len(bureau.desk.done) == 5
    assert now(bureau, grant).used == 5


def test_revoked_it_covers_nothing(bureau: Bureau) -> None:
    grant = bureau.grant()
    assert bureau.pay("a").status is ActionStatus.DONE
    revoked = bureau.do(bureau.gateway.revoke_grant(grant.id, by=LEO, reason="Enough"))
    assert (revoked.status, revoked.revoke_reason) == (GrantStatus.REVOKED, "Enough")
    assert bureau.pay("b").status is ActionStatus.AWAITING
    assert bureau.events(agent="desk-clerk", kind="grant.revoked") == ["grant.revoked"]


def test_expired_it_covers_nothing(bureau: Bureau) -> None:
    grant = bureau.grant()
    bureau.clock.turn(days=2)
    assert bureau.pay().status is ActionStatus.AWAITING
    assert now(bureau, grant).status is GrantStatus.EXPIRED


def test_it_ends_with_its_givers_authority(bureau: Bureau) -> None:
    bureau.grant()
    bureau.reassign(FAY, leaves="finance")
    assert bureau.pay("a").status is ActionStatus.AWAITING


def test_it_ends_with_its_givers_account(bureau: Bureau) -> None:
    bureau.grant()
    bureau.reassign(FAY, disabled=True)
    assert bureau.pay("a").status is ActionStatus.AWAITING


def test_a_card_that_lets_nobody_grant_any_more_asks(bureau: Bureau) -> None:
    bureau.grant()
    bureau.publish(card().replace(GRANTS, ""))
    assert bureau.pay("a").status is ActionStatus.AWAITING


def test_a_raise_that_came_with_a_new_card_asks(bureau: Bureau) -> None:
    bureau.grant()
    bureau.publish(card().replace("args.amount > 500.0", "args.amount > 3.0"))
    assert bureau.pay("a", 2).status is ActionStatus.DONE
    assert bureau.pay("b", 4).status is ActionStatus.AWAITING


def test_whoever_started_the_run_covers_nothing_in_it(bureau: Bureau) -> None:
    bureau.grant()
    assert bureau.step(bureau.paying(), run_id="run-9", by=FAY).status is ActionStatus.AWAITING
    assert bureau.step(bureau.paying(), run_id="run-8").status is ActionStatus.DONE


def test_never_do_stop_rules_limits_and_pauses_are_stricter(bureau: Bureau) -> None:
    stricter = """
  desk.pay:
    tier: approve
    limits: [{argument: amount, per: run, max: 20}]
    stop: [{when: args.amount == 13.0, because: Thirteen is never paid lightly.}]
    approval: {need: [{of: finance}], grants: {by: [finance], uses: 20}}
"""
    bureau.publish(card(stricter))
    anybody = bureau.terms(to={"kind": "any"}, amount={"kind": "range", "min": 0, "max": 50}, uses=10)
    grant = bureau.grant(terms=anybody)
    assert bureau.pay("a", 5, "mallory").status is ActionStatus.REFUSED
    assert bureau.pay("b", 13).status is ActionStatus.AWAITING
    bureau.pause()
    assert bureau.pay("c", 6).status is ActionStatus.HELD
    assert now(bureau, grant).used == 0
    bureau.resume()
    assert bureau.pay("c", 6).status is ActionStatus.DONE
    assert bureau.pay("d", 14.5).status is ActionStatus.AWAITING, "6 and 14.5 are over the limit of the run"
    assert now(bureau, grant).used == 1


def test_a_failed_effect_gives_its_use_back(bureau: Bureau) -> None:
    def refuses(call: Call) -> None:
        raise ActionFailed("The till is empty.")

    grant = bureau.grant()
    bureau.desk.trouble = refuses
    assert bureau.pay("a").status is ActionStatus.FAILED
    assert now(bureau, grant).used == 0
    assert bureau.events(action_id="run-1:a")[-2:] == ["grant.returned", "effect.failed"]
    bureau.desk.trouble = lambda call: None
    assert [bureau.pay(key).status for key in ("b", "c")] == [ActionStatus.DONE] * 2
    assert consistency.compare(bureau.database)[1] == []


def test_a_claim_that_was_given_back_uses_it_once_in_the_end(bureau: Bureau) -> None:
    grant = bureau.grant()
    bureau.desk.trouble = unreachable(2)
    outcome = until_settled(bureau, bureau.pay)
    assert outcome.status is ActionStatus.DONE
    assert now(bureau, grant).used == 1
    with bureau.database.read() as session:
        rows = session.execute(select(GrantUseRow).order_by(col(GrantUseRow.id))).scalars().all()
    assert [row.given_back_at is None for row in rows] == [False, False, True]


def test_revoked_between_a_claim_given_back_and_the_next_it_asks(bureau: Bureau) -> None:
    grant = bureau.grant()
    bureau.desk.trouble = unreachable(1)
    tried_again(bureau.pay)
    bureau.do(bureau.gateway.revoke_grant(grant.id, by=FAY))
    assert bureau.pay().status is ActionStatus.AWAITING
    assert bureau.desk.done == []


def test_a_long_action_is_covered_when_it_is_claimed(bureau: Bureau) -> None:
    bureau.declare("desk.pay", speed=Speed.LONG)
    grant = bureau.grant()
    cleared = bureau.pay("a")
    assert cleared.status is ActionStatus.CLEARED
    assert now(bureau, grant).used == 1
    assert bureau.execute(bureau.paying("a")).status is ActionStatus.DONE
    assert now(bureau, grant).used == 1
    assert bureau.events(action_id="run-1:a").count("grant.used") == 1
    assert consistency.compare(bureau.database)[1] == []


def test_a_long_action_whose_grant_was_revoked_is_asked_about(bureau: Bureau) -> None:
    bureau.declare("desk.pay", speed=Speed.LONG)
    grant = bureau.grant()
    bureau.pay("a")
    bureau.do(bureau.gateway.revoke_grant(grant.id, by=FAY))
    held = bureau.execute(bureau.paying("a"))
    assert held.status is ActionStatus.HELD
    assert bureau.pay("a").status is ActionStatus.AWAITING
    assert bureau.desk.done == []
    assert now(bureau, grant).used == 0


def test_a_long_action_that_is_withdrawn_gives_its_use_back(bureau: Bureau) -> None:
    bureau.declare("desk.pay", speed=Speed.LONG)
    grant = bureau.grant()
    cleared = bureau.pay("a")
    bureau.close(cleared, ActionStatus.WITHDRAWN)
    assert now(bureau, grant).used == 0
    bureau.pay("b")
    bureau.finish()
    assert now(bureau, grant).used == 0


def test_of_several_grants_the_one_that_ends_first_is_used(bureau: Bureau) -> None:
    later = bureau.grant(terms=bureau.terms(days=5))
    sooner = bureau.grant(LEO, bureau.terms(days=1, uses=1))
    assert bureau.pay("a").status is ActionStatus.DONE
    assert (now(bureau, sooner).used, now(bureau, later).used) == (1, 0)
    assert bureau.pay("b").status is ActionStatus.DONE
    assert now(bureau, later).used == 1


def test_secrets_are_open_in_a_grant_and_cannot_be_probed(bureau: Bureau) -> None:
    bureau.declare("desk.pay", secrets=frozenset({"to"}))
    bureau.publish(card().replace("Bo Owner", "Bo The Owner"))
    grant = bureau.grant(terms=bureau.terms(to={"kind": "any"}, amount={"kind": "range", "max": 50}))
    assert bureau.pay("a", 5, "hunter2").status is ActionStatus.DONE
    assert now(bureau, grant).used == 1


def test_an_effect_that_nobody_allowed_is_noticed(bureau: Bureau) -> None:
    bureau.grant()
    bureau.pay("a")
    bureau.submit(action("b", "desk.tip", to="bob", amount=2))
    assert consistency.compare(bureau.database) == (2, [])
    with bureau.database.write() as session:
        row = session.get(ActionRow, "run-1:b")
        assert row is not None
        row.tier = 1
    (fault,) = consistency.compare(bureau.database)[1]
    assert fault == ("run-1:b", "has an effect that nobody allowed: no request, no grant, no approved plan")
