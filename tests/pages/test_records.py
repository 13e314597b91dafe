"""Records before and after, as a table shows them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assent.domain.effects import ResourceChange
from assent_ui.rendering.records import RecordRows, plain, records

TEXT = st.text("ab c", max_size=60)


def _one(before: object, after: object) -> RecordRows:
    (record,) = records([ResourceChange(resource="shop/orders/W1", before=before, after=after)])
    return record


def test_what_becomes_of_a_record() -> None:
    assert _one(None, {"a": 1}).word == "created"
    assert _one({"a": 1}, None).word == "deleted"
    assert _one({"a": 1}, {"a": 2}).word == "changed"
    assert _one({"a": 1}, {"a": 1}).word == "not changed"
    assert _one(None, None).word == "content not known"


def test_unchanged_fields_are_kept_apart() -> None:
    record = _one({"status": "open", "name": "x"}, {"status": "closed", "name": "x"})
    assert [row.path for row in record.different] == [("status",)]
    assert [row.path for row in record.same] == [("name",)]


def test_only_the_changed_words_of_a_longer_text_are_marked() -> None:
    record = _one({"address": "12 Harbour Road, Portland, 97201"}, {"address": "4 Mill Lane, Portland, 97201"})
    (row,) = record.different
    assert [part.text for part in row.before if part.changed] == ["12 Harbour Road"]
    assert [part.text for part in row.after if part.changed] == ["4 Mill Lane"]


def test_nothing_stands_for_null() -> None:
    (row,) = _one({"a": None, "b": 1}, {"a": ["x"], "b": 1}).different
    assert row.before == ()
    assert [part.text for part in row.after] == ['["x"]']


@given(TEXT, TEXT)
def test_parts_are_the_whole_text(before: str, after: str) -> None:
    record = _one({"text": before}, {"text": after})
    (row,) = record.different + record.same
    assert "".join(part.text for part in row.before) == before
    assert "".join(part.text for part in row.after) == after


def test_texts_have_no_quotes_and_other_values_are_json() -> None:
    assert plain("a") == "a"
    assert plain(True) == "true"
    assert plain({"ä": [1]}) == '{"ä": [1]}'
