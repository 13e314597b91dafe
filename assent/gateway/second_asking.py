"""What whoever may agree to a resume is told when it waits for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.pauses import ResumeAnswers, Scope
from assent.domain.people import Actor, Via
from assent.gateway import stop_rights
from assent.gateway.stop_rights import StopRules
from assent.store import electorate, words_asked
from assent.store.people import Person
from assent.store.words_asked import WordAsked


def ask_for_second(
    session: Session,
    pause_id: str,
    scope: Scope,
    rules: StopRules,
    answers: ResumeAnswers,
    channels: Sequence[str],
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Tell everybody whose word would let a pause go, in the transaction that left it waiting; each once.

    Mails keep to what each person chose, and wait for their quiet hours unless they want to be pressed in them. Slack's
    channel is told once for all; the page shows it to everybody.

    Args:
        session: That transaction.
        pause_id: The pause.
        scope: What it covers.
        rules: Who may resume.
        answers: What whoever asked said.
        channels: The ways of this installation.
        by: Who asked.
        at: When.
    """
    headline = f"A second person has to agree: {by.name} wants {scope.sentence} to go on"
    said = [("Cause", answers.cause), ("Changed", answers.changed), *(("Check", each) for each in answers.checks)]
    text = "\n".join([*(f"{name}: {words}" for name, words in said), "Until somebody else agrees, everything is held."])
    asked = WordAsked(f"second-{pause_id}-{at.timestamp():.6f}", pause_id, headline, text, f"/stop#{pause_id}")
    words_asked.tell_people(session, asked, who_may_agree(session, rules, by, at), channels, at=at, presses=True)


def who_may_agree(session: Session, rules: StopRules, first: Actor, at: datetime) -> list[Person]:
    """Whose word would let a pause go that somebody asked to resume, by name; whoever asked is not among them."""
    tokens = frozenset().union(*rules.resume)
    found = electorate.people_behind(session, tokens).values()
    able = [
        person
        for person in found
        if stop_rights.may_resume(session, person.acting(Via.WEB), rules, at)
        and not stop_rights.is_same_person(session, first, person.acting(Via.WEB), at)
    ]
    return sorted(able, key=lambda person: (person.name, person.id))
