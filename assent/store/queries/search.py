"""Finding requests by words, newest first.

Each word is a range of an index in the order of the requests, so a search walks the range of its rarest word and asks
the index of every other one whether that request has it, too. Nothing is sorted, on neither database.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Select, exists, func, literal, select
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from assent.domain.search_words import words_of
from assent.store.queries.paging import Order, PageRequest, encode
from assent.store.tables import ApprovalWordRow

MOST_TERMS = 8
"""Words of a question that count."""

BEGINNINGS = 24
"""Longer words that one word of a question stands for."""

RARE = 200
"""Where counting ends when the rarest word is looked for."""

_NEWEST = Order("search", [col(ApprovalWordRow.created_at), col(ApprovalWordRow.approval_id)])


@dataclass(frozen=True, slots=True)
class Found:
    """Requests that have all words.

    Attributes:
        ids: Their ids, newest first.
        next_cursor: What to go on with; ``None`` at the end.
    """

    ids: tuple[str, ...]
    next_cursor: str | None = None


def find(session: Session, question: str, request: PageRequest) -> Found:
    """Requests, waiting or decided, that have a word beginning with each word of a question; newest first."""
    terms = words_of(question)[:MOST_TERMS]
    expanded = [_beginning_with(session, term) for term in terms]
    if not terms or not all(expanded):
        return Found(())
    expanded.sort(key=lambda words: _how_many(session, words))
    rarest, others = expanded[0], expanded[1:]
    lists = [_walk(session, word, others, request) for word in rarest]
    merged: Iterator[tuple[datetime, str]] = heapq.merge(*lists, reverse=True)
    unique = [position for position, _ in groupby(merged)][: request.limit + 1]
    shown = unique[: request.limit]
    more = len(unique) > request.limit
    return Found(tuple(id for _, id in shown), encode(_NEWEST.name, shown[-1]) if more else None)


def _walk(
    session: Session, word: str, others: Sequence[Sequence[str]], request: PageRequest
) -> list[tuple[datetime, str]]:
    chosen: Select[datetime, str] = select(col(ApprovalWordRow.created_at), col(ApprovalWordRow.approval_id)).where(
        col(ApprovalWordRow.word) == word, *(_has_one_of(words) for words in others)
    )
    return [(at, id) for at, id in session.execute(_NEWEST.window(chosen, request))]


def _has_one_of(words: Sequence[str]) -> ColumnElement[bool]:
    other = aliased(ApprovalWordRow)
    return exists().where(
        col(other.word).in_(words),
        col(other.created_at) == col(ApprovalWordRow.created_at),
        col(other.approval_id) == col(ApprovalWordRow.approval_id),
    )


def _beginning_with(session: Session, term: str) -> list[str]:
    """Words there are that begin with a term, at most :data:`BEGINNINGS`, each found by one step in the index."""
    word = col(ApprovalWordRow.word)
    start = select(word.label("word"), literal(1).label("place")).where(word >= term).order_by(word).limit(1).subquery()
    steps = select(start.c.word, start.c.place).cte("steps", recursive=True)
    following = col(aliased(ApprovalWordRow, name="ahead").word)
    ahead = select(following).where(following > steps.c.word).order_by(following).limit(1).scalar_subquery()
    steps = steps.union_all(select(ahead, steps.c.place + 1).where(steps.c.place < BEGINNINGS, ahead.is_not(None)))
    found = session.execute(select(steps.c.word)).scalars()
    return [each for each in found if each is not None and each.startswith(term)]


def _how_many(session: Session, words: Sequence[str]) -> int:
    total = 0
    for word in words:
        some = select(col(ApprovalWordRow.approval_id)).where(col(ApprovalWordRow.word) == word).limit(RARE)
        total += session.execute(select(func.count()).select_from(some.subquery())).scalar_one()
        if total >= RARE:
            break
    return total
