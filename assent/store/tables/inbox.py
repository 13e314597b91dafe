"""What the inbox has besides the requests: words to find them by, and people's saved views."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from assent.store.types import WORD, UtcDateTime


class ApprovalWordRow(SQLModel, table=True):
    """A word under which a request is found; in the order of its key, so that a word's requests are in theirs."""

    __tablename__ = "approval_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: str = Field(primary_key=True, sa_type=WORD)
    created_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    approval_id: str = Field(primary_key=True)


class SavedViewRow(SQLModel, table=True):
    """Filters and order of the inbox under a name of somebody's own."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("person_id", "name", name="saved_views_by_person"),)

    id: str = Field(primary_key=True)
    person_id: str
    name: str
    query: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
