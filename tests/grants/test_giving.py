"""Giving, confirming and revoking grants: who may, how far, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NeedsProof, NotFound, TooLarge
from assent.domain.grants import GrantStatus
from assent.domain.people import Actor, Assurance, Via
from assent.store.queries import grants
from assent.store.tables import LedgerEventRow
from tests.activities.stage import at_once
from tests.grants.bureau import FAY, GRANTS, LEO, SAM, SUE, TWO_GROUPS, Bureau, card
from tests.world import ANN, EVE

LEADS_ALONE = """
  desk.pay:
    tier: approve
    approval:
      raise:
        - {when: args.amount > 500.0, need: [{of: finance-leads}], because: Over 500 a finance lead decides.}
      grants: {by: ["role:approver"], uses: 5, lasts: 10d}
"""
OPEN: dict[str, Any] = {"kind": "range", "min": 0}
WIDE: dict[str, Any] = {"to": {"kind": "any"}, "amount": {"kind": "range", "min": 0, "max": 600}}


def test_a_grant_that_its_giver_could_approve_alone_counts_at_once(bureau: Bureau) -> None:
    grant = bureau.grant(note="  Bob gets his lunch money. ", approval_id="ap-1")
    assert grant.status is GrantStatus.ACTIVE
    assert (grant.note, grant.approval_id, grant.given_by) == ("Bob gets his lunch money.", "ap-1", FAY)
    assert [word.by for word in grant.words] == [FAY]
    assert bureau.events(kind="grant.given") == ["grant.given"]
    bureau.check_chain()


def test_the_same_click_twice_gives_one_grant(bureau: Bureau) -> None:
    terms = bureau.terms()
    first = bureau.grant(terms=terms, grant_id="grant-click")
    assert bureau.grant(terms=terms, grant_id="grant-click") == first
    with pytest.raises(Conflict, match="another grant"):
        bureau.grant(LEO, terms, grant_id="grant-click")
    with bureau.database.read() as session:
        assert len(grants.page(session, now=bureau.clock()).items) == 1


def test_a_grant_wider_than_its_givers_authority_is_refused(bureau: Bureau) -> None:
    bureau.publish(card(LEADS_ALONE))
    assert bureau.grant(ANN).status is GrantStatus.ACTIVE
    anybody: dict[str, Any] = {"to": {"kind": "any"}}
    wide = [WIDE, anybody | {"amount": {"kind": "any"}}, anybody | {"amount": OPEN}]
    for patterns in wide:
        with pytest.raises(Forbidden, match=r"reaches further than you may approve.*finance-leads"):
            bureau.grant(ANN, bureau.terms(**patterns))
    assert bureau.events(kind="grant.given") == ["grant.given"]
    assert bureau.events(kind="grant.refused") == ["grant.refused"] * 3
    assert bureau.grant(LEO, bureau.terms(**WIDE)).status is GrantStatus.ACTIVE


def test_a_raise_that_takes_two_people_makes_the_grant_wait_for_the_second(bureau: Bureau) -> None:
    pending = bureau.grant(LEO, bureau.terms(**WIDE))
    assert pending.status is GrantStatus.PENDING
    assert "finance" in pending.missing
    assert bureau.pay(amount=600).status is ActionStatus.AWAITING
    active = bureau.do(bureau.gateway.confirm_grant(pending.id, digest=pending.digest, by=FAY))
    assert active.status is GrantStatus.ACTIVE
    assert bureau.pay("b", amount=600).status is ActionStatus.DONE
    assert bureau.pay("c", amount=601).status is ActionStatus.AWAITING


@pytest.mark.parametrize("by", [ANN, EVE, SAM, Actor(id="nobody", name="Nobody", via=Via.WEB)])
def test_only_those_whom_the_card_names_give(bureau: Bureau, by: Actor) -> None:
    bureau.publish(card().replace("by: [finance, sre]", "by: [finance]"))
    with pytest.raises(Forbidden):
        bureau.grant(by)


def test_naming_a_group_that_may_give_is_not_enough_to_approve(bureau: Bureau) -> None:
    with pytest.raises(Forbidden, match="not among those who decide"):
        bureau.grant(SAM)


def test_a_card_that_says_nothing_of_grants_lets_nobody_give(bureau: Bureau) -> None:
    bureau.publish(card().replace(GRANTS, ""))
    with pytest.raises(Forbidden, match="lets nobody give"):
        bureau.grant()


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"uses": 6}, InvalidInput, "at most 5 uses"),
        ({"days": -1}, InvalidInput, "passed already"),
        ({"days": 11}, InvalidInput, "10d at most"),
        ({"condition": "args.colour == 'red'"}, InvalidInput, "no argument 'colour'"),
        ({"condition": "args.amount"}, InvalidInput, "cannot be evaluated"),
    ],
)
def test_terms_beyond_the_card_are_refused(bureau: Bureau, changed: dict[str, object], error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        bureau.grant(terms=bureau.terms(**changed))  # type: ignore[arg-type]
    assert bureau.events(kind="grant.given") == []


def test_unknown_agents_types_and_ideas_are_refused(bureau: Bureau) -> None:
    terms = bureau.terms()
    with pytest.raises(NotFound, match="no agent"):
        bureau.grant(terms=terms.model_copy(update={"agent": "nobody"}))
    with pytest.raises(InvalidInput, match="does not list"):
        bureau.grant(terms=terms.model_copy(update={"action_type": "desk.burn"}))
    with pytest.raises(InvalidInput, match="only ever suggested"):
        bureau.grant(terms=terms.model_copy(update={"action_type": "desk.idea"}))
    with pytest.raises(TooLarge):
        bureau.grant(note="x" * 4_001)


def test_a_secret_is_never_written_into_a_grant(bureau: Bureau) -> None:
    bureau.declare("desk.pay", secrets=frozenset({"to"}))
    bureau.publish(card().replace("Bo Owner", "Bo The Owner"))
    with pytest.raises(InvalidInput, match="secret"):
        bureau.grant()
    with bureau.database.read() as session:
        kept = session.execute(select(col(LedgerEventRow.body)).where(col(LedgerEventRow.kind) == "grant.refused"))
        assert ["bob" in body for body in kept.scalars()] == [False]


def test_a_proof_that_the_card_asks_for_must_be_there(bureau: Bureau) -> None:
    bureau.publish(card().replace("need: [{of: finance}]", "need: [{of: finance}]\n      assurance: fresh"))
    with pytest.raises(NeedsProof):
        bureau.grant(FAY.model_copy(update={"assurance": Assurance.SESSION}))
    fresh = FAY.model_copy(update={"assurance": Assurance.FRESH})
    assert bureau.grant(fresh).status is GrantStatus.ACTIVE
    assert bureau.pay().status is ActionStatus.DONE


def test_where_several_must_approve_several_must_give_their_word(bureau: Bureau) -> None:
    bureau.publish(card(TWO_GROUPS))
    grant = bureau.grant()
    assert grant.status is GrantStatus.PENDING
    assert bureau.pay("a").status is ActionStatus.AWAITING

    def confirm(by: Actor) -> GrantStatus:
        return bureau.do(bureau.gateway.confirm_grant(grant.id, digest=grant.digest, by=by)).status

    with pytest.raises(Conflict, match="your word already"):
        confirm(FAY)
    with pytest.raises(Forbidden):
        confirm(ANN)
    assert confirm(SAM) is GrantStatus.PENDING
    with bureau.database.read() as session:
        assert "sre" in grants.one(session, grant.id, now=bureau.clock()).missing
    assert confirm(SUE) is GrantStatus.ACTIVE
    with pytest.raises(Conflict, match="is active"):
        confirm(LEO)
    assert bureau.pay("b").status is ActionStatus.DONE
    assert bureau.events(kind="grant.confirmed") == ["grant.confirmed"] * 2
    bureau.reassign(SUE, leaves="sre")
    assert bureau.pay("c").status is ActionStatus.AWAITING, "one of those who gave their word may not decide any more"


def test_a_confirmation_is_bound_to_the_terms(bureau: Bureau) -> None:
    bureau.publish(card(TWO_GROUPS))
    grant = bureau.grant()
    with pytest.raises(Conflict, match="not what you saw"):
        bureau.do(bureau.gateway.confirm_grant(grant.id, digest="0" * 64, by=SAM))
    bureau.clock.turn(days=2)
    with pytest.raises(Conflict, match="is expired"):
        bureau.do(bureau.gateway.confirm_grant(grant.id, digest=grant.digest, by=SAM))


def test_confirmed_by_many_at_once_it_becomes_active_once(bureau: Bureau) -> None:
    bureau.publish(card(TWO_GROUPS))
    grant = bureau.grant()

    def confirm(number: int) -> str:
        try:
            by = (SAM, SUE)[number % 2]
            return bureau.do(bureau.gateway.confirm_grant(grant.id, digest=grant.digest, by=by)).status.value
        except AssentError as error:
            return error.code

    answers = at_once(6, confirm)
    assert sorted(answers) == ["active"] + ["conflict"] * 4 + ["pending"]
    with bureau.database.read() as session:
        assert len(grants.one(session, grant.id, now=bureau.clock()).words) == 3


def test_revoking_twice_is_told(bureau: Bureau) -> None:
    grant = bureau.grant()
    bureau.do(bureau.gateway.revoke_grant(grant.id, by=EVE))
    with pytest.raises(Conflict, match="revoked already"):
        bureau.do(bureau.gateway.revoke_grant(grant.id, by=EVE))
    with pytest.raises(NotFound):
        bureau.do(bureau.gateway.revoke_grant("grant-none", by=EVE))


def test_there_is_an_end_to_how_many_grants_one_type_has(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.store.grants.MOST_AT_ONCE", 2)
    bureau.grant()
    bureau.grant()
    with pytest.raises(Conflict, match="has 2 grants"):
        bureau.grant()


def test_an_offer_fits_exactly_the_request_in_front(bureau: Bureau) -> None:
    asked = bureau.pay(amount=7)
    assert asked.approval_id is not None
    offer = bureau.do(bureau.gateway.grant_offer(asked.approval_id, by=FAY))
    assert offer.allowed
    assert offer.alone
    assert offer.terms is not None
    assert (offer.max_uses, offer.longest.days, offer.arguments) == (5, 10, ["amount", "to"])
    bureau.grant(FAY, offer.terms, approval_id=asked.approval_id)
    assert bureau.pay("b", amount=7).status is ActionStatus.DONE
    assert bureau.pay("c", amount=7.5).status is ActionStatus.AWAITING


def test_an_offer_says_why_there_is_none(bureau: Bureau) -> None:
    asked = bureau.pay(amount=7)
    assert asked.approval_id is not None
    assert "lets only finance, sre give" in bureau.do(bureau.gateway.grant_offer(asked.approval_id, by=ANN)).why_not
    bureau.publish(card(LEADS_ALONE))
    dear = bureau.pay("b", amount=700)
    assert dear.approval_id is not None
    assert "reaches further" in bureau.do(bureau.gateway.grant_offer(dear.approval_id, by=ANN)).why_not
    with pytest.raises(NotFound):
        bureau.do(bureau.gateway.grant_offer("ap-none", by=FAY))


def test_lists_by_agent_and_by_where_a_grant_is(bureau: Bureau) -> None:
    made = [bureau.grant(terms=bureau.terms(uses=1)), bureau.grant(LEO, bureau.terms(days=5)), bureau.grant()]
    bureau.do(bureau.gateway.revoke_grant(made[2].id, by=FAY))
    bureau.pay()

    def listed(status: GrantStatus | None, **where: str) -> list[str]:
        with bureau.database.read() as session:
            return [each.id for each in grants.page(session, now=bureau.clock(), status=status, **where).items]  # type: ignore[arg-type]

    assert listed(None) == [grant.id for grant in reversed(made)]
    assert listed(None, agent="nobody") == []
    assert listed(GrantStatus.SPENT, agent="desk-clerk") == [made[0].id]
    assert listed(GrantStatus.ACTIVE) == [made[1].id]
    assert listed(GrantStatus.REVOKED) == [made[2].id]
    bureau.clock.turn(days=2)
    assert listed(GrantStatus.EXPIRED) == [made[0].id]
    assert listed(GrantStatus.PENDING) == []
