"""What a link of the ledger is the hash of: canonical JSON (RFC 8785), as anybody can compute it."""

from __future__ import annotations

import hashlib
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from assent.domain.canonical import canonical_json
from assent.store import ledger
from assent.store.tables import LedgerEventRow
from tests.domain.json_values import MOST, texts

_NUMBERS = st.integers(1, MOST)
_EVENTS = st.builds(
    LedgerEventRow,
    id=_NUMBERS,
    at=st.datetimes(timezones=st.just(UTC)),
    kind=texts,
    run_id=texts,
    action_id=texts,
    agent=texts,
    actor=texts,
    body=texts,
)


@given(_NUMBERS, texts, _EVENTS)
def test_a_link_is_the_hash_of_the_canonical_json_of_its_event(seq: int, previous: str, event: LedgerEventRow) -> None:
    whole = {
        "seq": seq,
        "previous": previous,
        "event": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "run": event.run_id,
        "action": event.action_id,
        "agent": event.agent,
        "actor": event.actor,
        "body": event.body,
    }
    assert ledger.link_hash(seq, previous, event) == hashlib.sha256(canonical_json(whole)).hexdigest()
