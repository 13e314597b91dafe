"""Cards: what is written in YAML is what is stored as JSON and what is read back."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.canonical import canonical_json
from assent.domain.errors import BrokenCard
from assent.policy.cards import AgentCard, read_card
from assent.policy.conditions import check_condition
from assent.policy.durations import parse_duration, write_duration
from tests.desk import CARD
from tests.domain.json_values import texts

check_condition("true")  # CEL raises Python's recursion limit when it is first used, which Hypothesis would notice.
_words = texts.filter(bool)
_contacts = st.fixed_dictionaries(
    {"name": _words, "email": st.sampled_from(["bo@example.com", "ops+agents@example.org"])},
    optional={"slack": texts},
)
_durations = st.one_of(
    st.sampled_from(["90s", "10m", "24h", "7d", "1 m", "PT1H30M"]),
    st.integers(60, 2_592_000),
    st.integers(60, 2_592_000).map(lambda seconds: f"{min(seconds, 999_999)}s"),
)
_conditions = st.sampled_from(["true", 'args.to == "mallory"', "args.amount > 5", "size(reason) > 3 || agent == 'x'"])
_limits = st.fixed_dictionaries(
    {
        "argument": st.sampled_from(["amount", "count"]),
        "per": st.sampled_from(["action", "run", "hour"]),
        "max": st.integers(0, 10**6) | st.floats(0, 10**6),
    },
    optional={"over": st.sampled_from(["approve", "refuse"])},
)
_stops = st.fixed_dictionaries(
    {"when": _conditions, "because": _words},
    optional={"then": st.sampled_from(["refuse", "suggest", "approve", "auto"])},
)
_approvers = st.sampled_from(["finance", "role:approver", "anna@example.com", "business-owner", "escalation"])
_one_need = st.fixed_dictionaries({"of": _approvers})
_blocks = st.fixed_dictionaries(
    {},
    optional={
        "need": st.lists(_one_need, max_size=2),
        "never_by": st.lists(st.sampled_from(["requester", "technical-owner", "auditors"]), max_size=2),
        "deny": st.integers(1, 3),
        "raise": st.lists(
            st.fixed_dictionaries(
                {"when": _conditions, "need": st.lists(_one_need, min_size=1, max_size=2), "because": _words}
            ),
            max_size=2,
        ),
        "remind": st.lists(_durations, max_size=2),
        "escalate": st.lists(
            st.fixed_dictionaries({"after": _durations, "to": st.lists(_approvers, min_size=1, max_size=2)}), max_size=2
        ),
        "on_silence": st.sampled_from(["reject", "hold", "escalate"]),
        "hours": st.fixed_dictionaries(
            {"zone": st.sampled_from(["UTC", "Europe/Berlin"])}, optional={"from": st.just("07:30")}
        ),
        "assurance": st.sampled_from(["slack", "session", "fresh"]),
        "grants": st.fixed_dictionaries(
            {"by": st.lists(_approvers, min_size=1, max_size=2)}, optional={"lasts": _durations}
        ),
        "edit": st.booleans(),
        "opened": st.booleans(),
    },
)
_rules = st.fixed_dictionaries(
    {"tier": st.sampled_from(["suggest", "approve", "auto", "AUTO", "Approve"])},
    optional={
        "limits": st.lists(_limits, max_size=2),
        "stop": st.lists(_stops, max_size=2),
        "expires": _durations,
        "on_silence": st.sampled_from(["reject", "hold", "escalate"]),
    },
)
_nevers = st.fixed_dictionaries({"action": _words, "because": _words}, optional={"when": _conditions})
cards = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True),
        "purpose": _words,
        "business_owner": _contacts,
        "technical_owner": _contacts,
        "model_steward": _contacts,
        "escalation": _contacts,
        "actions": st.dictionaries(_words, _rules, min_size=1, max_size=3),
    },
    optional={"title": texts, "never": st.lists(_nevers, max_size=2)},
)


@given(cards, st.booleans())
def test_a_card_survives_yaml_and_json(written: dict[str, Any], unicode: bool) -> None:
    card = read_card(yaml.safe_dump(written, allow_unicode=unicode))
    stored = card.model_dump(mode="json")
    assert AgentCard.model_validate(json.loads(json.dumps(stored))) == card
    assert read_card(yaml.safe_dump(stored)) == card
    assert canonical_json(AgentCard.model_validate(stored).model_dump(mode="json")) == canonical_json(stored)


@given(_blocks, _blocks)
def test_what_is_said_of_approval_survives_yaml_and_json(general: dict[str, Any], own: dict[str, Any]) -> None:
    written = yaml.safe_load(CARD) | {"approval": general, "on_call": ["anna@example.com"]}
    written["actions"]["desk.pay"]["approval"] = own
    card = read_card(yaml.safe_dump(written))
    stored = json.loads(json.dumps(card.model_dump(mode="json")))
    again = AgentCard.model_validate(stored)
    assert again == card
    assert again.approving("desk.pay") == card.approving("desk.pay")
    assert set(stored["actions"]["desk.pay"]["approval"]) == set(own)
    assert read_card(yaml.safe_dump(stored)) == card


@given(st.integers(1, 10**8))
def test_a_duration_is_read_as_it_was_written(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    written = write_duration(span)
    if len(written) <= 7:
        assert parse_duration(written) == span


@pytest.mark.parametrize("expires", ["90.5", "PT90.5S", "90.25"])
def test_a_part_of_a_second_is_refused(expires: str) -> None:
    """It would be lost where the card is stored."""
    with pytest.raises(BrokenCard, match="whole"):
        read_card(CARD.replace("expires: 1h", f"expires: {expires}"))


@given(st.text(max_size=200))
def test_any_text_is_a_card_or_broken(text: str) -> None:
    with contextlib.suppress(BrokenCard):
        read_card(text)


@given(
    st.dictionaries(
        st.sampled_from(["name", "actions", "never", "purpose"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        ),
    )
)
def test_any_mapping_is_a_card_or_broken(content: dict[str, Any]) -> None:
    with pytest.raises(BrokenCard):
        read_card(yaml.safe_dump(content))
