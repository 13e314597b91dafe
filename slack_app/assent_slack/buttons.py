"""What buttons and dialogs carry, and the names Slack calls them back by."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydantic import BaseModel, Field, ValidationError

from assent.domain.approvals import Verb
from assent.domain.errors import InvalidInput

APPROVE = "assent.approve"
REJECT = "assent.reject"
OBJECT = "assent.object"
EDIT = "assent.edit"
TALK = "assent.talk"
TAKE_BACK = "assent.take_back"
PAUSE = "assent.pause"
"""On messages of earlier versions; today's have :data:`STOP`."""
STOP = "assent.stop"
RESUME = "assent.resume"
DIRECT = "assent.direct"
CHECKS_READ = "assent.checks_read"
OPEN = "assent.open"
"""Buttons that only open a page; Slack wants them acknowledged all the same."""
MENU = "assent.menu"
"""The menu of pages to open; likewise."""

REJECT_VIEW = "assent.reject.reason"
EDIT_VIEW = "assent.edit.form"
TALK_VIEW = "assent.talk.text"
STOP_VIEW = "assent.stop.form"
RESUME_VIEW = "assent.resume.form"
CHOOSE_VIEW = "assent.resume.choose"
WAIT_VIEW = "assent.wait"
REASON_BLOCK = "reason"
REASON_FIELD = "text"
KIND_BLOCK = "kind"
KIND_FIELD = "choice"
FORM_BLOCK = "f:"
"""Beginning of the block ids of an edit's fields; the field's name follows."""
FORM_FIELD = "value"
MOST_VALUE = 1_900
"""Bytes of a button's value at most; Slack takes 2,000 characters."""
SCOPE_BLOCK = "scope"
NAME_BLOCK = "name"
DISPOSITION_BLOCK = "disposition"
CAUSE_BLOCK = "cause"
CHANGED_BLOCK = "changed"
CHECKS_BLOCK = "checks"
AT_ONCE_BLOCK = "at_once"
PAUSE_BLOCK = "pause"
DECIDE_BLOCK = "decide"
MORE_BLOCK = "more"


class Deciding(BaseModel):
    """Which request a button decides, and the digest of the whole of what was shown with it."""

    approval_id: str = Field(alias="a", min_length=1, max_length=100)
    digest: str = Field(alias="d", pattern=r"^[0-9a-f]{64}$")

    def written(self) -> str:
        """As the value of a button."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def read(cls, value: str) -> Deciding:
        """Read the value of a button.

        Raises:
            InvalidInput: It is not one that this version of Assent made.
        """
        try:
            return cls.model_validate_json(value)
        except ValidationError as error:
            raise InvalidInput(
                "This button says nothing that Assent understands.",
                where="button",
                todo="Decide in Assent itself; the message may be from another version.",
            ) from error


class Stopping(BaseModel):
    """What a Stop button stands beside: the run, its agent and the action type, for the dialog to offer."""

    agent: str = Field(default="", alias="g", max_length=200)
    run_id: str = Field(default="", alias="r", max_length=200)
    type: str = Field(default="", alias="t", max_length=200)
    approval_id: str = Field(default="", alias="a", max_length=100)

    @classmethod
    def beside(cls, *, agent: str, run_id: str, type: str, approval_id: str) -> Stopping:
        """What a request is about; a name that is no text, or longer than names are, offers nothing."""
        try:
            return cls(g=agent, r=run_id, t=type, a=approval_id)
        except ValidationError:
            return cls()

    def written(self) -> str:
        """As the value of a button; what is too long for one is left out."""
        whole = self.model_dump_json(by_alias=True, exclude_defaults=True)
        return whole if len(whole.encode()) <= MOST_VALUE else "{}"

    @classmethod
    def read(cls, value: str) -> Stopping:
        """Read the value of a button; one that this version did not make offers nothing in particular."""
        try:
            return cls.model_validate_json(value)
        except ValidationError:
            return cls()


class Opened(BaseModel):
    """What a dialog about pauses remembers: where it was opened, about what, and which resume it showed."""

    channel: str = ""
    response_url: str = ""
    beside: Stopping = Stopping()
    pause_id: str = ""
    agreeing: bool = False
    asked_at: datetime | None = None

    def written(self) -> str:
        """As the private metadata of a dialog."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)


class Asking(BaseModel):
    """What a dialog remembers of the click that opened it."""

    deciding: Deciding
    channel: str = ""
    response_url: str = ""

    def written(self) -> str:
        """As the private metadata of a dialog."""
        return self.model_dump_json(by_alias=True)


def decision_id(deciding: Deciding, verb: Verb, person_id: str, before: int = 0) -> str:
    """The id of a decision: the same for a click that is delivered twice, or made twice.

    Args:
        deciding: What is decided.
        verb: How.
        person_id: By whom.
        before: How often this person took an approval of it back, so that they can approve again.
    """
    said = f"{deciding.approval_id}\n{deciding.digest}\n{verb.value}\n{person_id}"
    said += f"\n{before}" if before else ""
    return f"slack-{hashlib.sha256(said.encode()).hexdigest()[:32]}"
