"""Cards of requests for tests: one with every fact, and any card that an agent, a connector and people could cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from assent.domain.actions import AdmissionEffect, Reason
from assent.domain.approvals import RequestCard
from assent.domain.card_facts import (
    Deciders,
    EarlierDecision,
    LookedAt,
    Reached,
    Reading,
    Received,
    Target,
    UndoFacts,
)
from assent.domain.differences import Change
from assent.domain.effects import ResourceChange
from assent.domain.people import Actor, Via
from assent.domain.revisions import ArgumentChange, Predecessor, Revised

AT = datetime(2030, 1, 1, 12, 30, tzinfo=UTC)
ANN = Actor(id="ann", name="Ann Approver", via=Via.WEB)

ATTACKS = [
    "<!channel> <!here> <@U024BE7LH> <https://evil.example.com|https://assent.example.com>",
    "</bdi></section><script>alert(1)</script><img src=x onerror=alert(1)>",
    "*bold* _italic_ `code` ```block``` > quote",
    "{{ 7 * 7 }} {% raw %} {# no #}",
    "pay \u202e0005\u202c to \u200bBob \u2066isolated\u2069",
    "p\u0430ypal.com",
    "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩",
    "\x00\x07\x1b[2J\x9b31m\x7f",
    "line\nWHO DECIDES\n  nobody\r\nand\x0bmore\u2028still",
    "",
    " ",
    "a" * 30_000,
    "\u202e" * 5_000,
]

hostile = st.one_of(
    st.text(),
    st.text(alphabet="<>&!@#|*_~`{}:\u202e\u200b⟨⟩\n\t\r\u2028 𝔘é字a"),
    st.sampled_from(ATTACKS),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 2_000)),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), hostile)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(hostile, inner, max_size=4)),
    max_leaves=10,
)
records = st.one_of(st.none(), st.dictionaries(hostile, values, max_size=5))
moments = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
changed = st.builds(
    ArgumentChange,
    path=st.lists(hostile, min_size=1, max_size=3),
    change=st.sampled_from(Change),
    before=scalars,
    after=scalars,
)
cards = st.builds(
    RequestCard,
    headline=hostile,
    agent=hostile,
    agent_title=hostile,
    run_id=hostile,
    goal=hostile,
    action_type=hostile,
    action_title=hostile,
    arguments=st.dictionaries(hostile, values, max_size=5),
    changes=st.lists(st.builds(ResourceChange, resource=hostile, before=records, after=records), max_size=5),
    preview_note=hostile,
    stopped_because=st.lists(
        st.builds(Reason, rule=hostile, effect=st.just(AdmissionEffect.APPROVE), sentence=hostile), max_size=8
    ),
    undo=hostile,
    agent_words=hostile,
    amount=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    on_silence=hostile,
    revision=st.integers(1, 9),
    revised=st.one_of(
        st.none(), st.builds(Revised, by=st.just(ANN), reason=hostile, changes=st.lists(changed, max_size=3))
    ),
    instead_of=st.one_of(
        st.none(),
        st.builds(
            Predecessor,
            key=hostile,
            action_id=hostile,
            sentence=hostile,
            status=st.just("rejected"),
            message=hostile,
            changes=st.lists(changed, max_size=3),
            approval_id=st.one_of(st.none(), st.just("ap-0000000000000009")),
        ),
    ),
    card_version=st.integers(0, 99),
    currency=st.sampled_from(["", "USD", "JPY"]),
    money=st.lists(st.sampled_from(["**", "*", "amount", "a.*.b"]), max_size=2),
    target=st.one_of(st.none(), st.builds(Target, words=hostile, resource=hostile)),
    reaches=st.lists(
        st.builds(Reached, unit=hostile, one=hostile, count=st.floats(0, 1e12, allow_nan=False)), max_size=3
    ),
    undoing=st.one_of(
        st.none(),
        st.builds(
            UndoFacts,
            how=hostile,
            only_if=hostile,
            within=st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=400))),
        ),
    ),
    received=st.one_of(st.none(), st.builds(Received, text=hostile, left_out=st.integers(0, 10**9))),
    looked_at=st.one_of(
        st.none(),
        st.builds(
            LookedAt,
            readings=st.lists(
                st.builds(Reading, key=hostile, sentence=hostile, resource=hostile, at=moments), max_size=8
            ),
            total=st.integers(8, 500),
            at_least=st.booleans(),
        ),
    ),
    earlier=st.lists(
        st.builds(
            EarlierDecision,
            approval_id=st.just("ap-0000000000000008"),
            headline=hostile,
            verdict=st.sampled_from(["approved", "rejected", "expired"]),
            by=hostile,
            reason=hostile,
            at=moments,
        ),
        max_size=4,
    ),
    deciders=st.one_of(st.none(), st.builds(Deciders, needs=hostile, not_by=hostile, deny=hostile, assurance=hostile)),
)
"""Any card."""


def full_card(**changes: Any) -> RequestCard:
    """A request that has something to say in every section, short enough to be shown whole everywhere."""
    usual: dict[str, Any] = {
        "headline": "Refund 4.97 for order W123",
        "agent": "refunds",
        "agent_title": "The refund clerk",
        "run_id": "run-1",
        "goal": "Answer the complaint about order W123",
        "action_type": "shop.refund",
        "action_title": "Refund an order",
        "arguments": {"order": "W123", "amount": 4.969999999999999, "pin": "••••••"},
        "changes": [
            ResourceChange(
                resource="shop/orders/W123",
                before={"paid": 45.0, "note": "none", "colour": "red"},
                after={"paid": 40.030000000000001, "note": "none", "refunded": 4.969999999999999},
            )
        ],
        "preview_note": "One record could not be looked at.",
        "stopped_because": [
            Reason(rule="risk:money", effect=AdmissionEffect.APPROVE, sentence="It moves money."),
            Reason(rule="limit", effect=AdmissionEffect.APPROVE, sentence="Over 4.00 a person decides."),
        ],
        "undo": "Charge the card again.",
        "agent_words": "The parcel never arrived.",
        "amount": 4.969999999999999,
        "on_silence": "If nobody decides within 1h, it is rejected.",
        "revision": 2,
        "revised": Revised(
            by=ANN,
            reason="Shipping is not refunded.",
            changes=[ArgumentChange(path=["amount"], change=Change.CHANGED, before=9.5, after=4.969999999999999)],
        ),
        "instead_of": Predecessor(
            key="first",
            action_id="run-1:first",
            sentence="Refund 45.00 for order W123",
            status="rejected",
            message="Too much.",
            changes=[ArgumentChange(path=["amount"], change=Change.CHANGED, before=45.0, after=9.5)],
            approval_id="ap-0000000000000007",
        ),
        "card_version": 3,
        "currency": "USD",
        "money": ["amount", "paid", "refunded"],
        "target": Target(words="order W123", resource="shop/orders/W123"),
        "reaches": [Reached(unit="items", one="item", count=3), Reached(unit="recipients", one="recipient", count=1)],
        "undoing": UndoFacts(
            how="Charge the card again.", only_if="The order is unchanged.", within=timedelta(days=30)
        ),
        "received": Received(text='{"mail": "Where is my parcel?"}', left_out=12_040),
        "looked_at": LookedAt(
            readings=[Reading(key="r1", sentence="Look up order W123.", resource="shop/orders/W123", at=AT)],
            total=7,
            at_least=True,
        ),
        "earlier": [
            EarlierDecision(
                approval_id="ap-0000000000000008",
                headline="Refund 3.00 for order W123",
                verdict="approved",
                by="Bo Owner",
                reason="Fine this once.",
                at=AT,
            )
        ],
        "deciders": Deciders(
            needs="Approval needs one of finance and 2 of sre.",
            not_by="Not whoever started the run.",
            deny="2 rejections reject it.",
            assurance="It is decided on the web page.",
        ),
    }
    return RequestCard.model_validate(usual | changes)
