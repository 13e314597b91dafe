"""The agent: who writes, what about, and which handler answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assent_activities.connectors.sql_rows import Row
from assent_shop.support import money, orders, questions
from assent_shop.support.case import Case
from assent_shop.support.conversation import Conversation, GaveUp, Run, done
from assent_shop.support.letters import Letter
from assent_shop.support.reading import Wish, read

_HANDLERS: Mapping[Wish, Callable[[Case], str]] = {
    Wish.CANCEL: orders.cancel,
    Wish.MOVE_ORDER: orders.move,
    Wish.SWAP: orders.swap,
    Wish.RETURN: orders.send_back,
    Wish.PAY: money.pay_otherwise,
    Wish.MONEY: money.make_up_for_it,
    Wish.LATE: money.late,
    Wish.MOVED: questions.moved,
    Wish.WHERE: questions.where,
    Wish.STOCK: questions.stock,
    Wish.NOTE: questions.note,
}


def handle(run: Run, letter: Letter) -> str:
    """Answer one letter in an open run, and end the run.

    Returns:
        What was achieved, in a sentence or two.
    """
    talk = Conversation(run)
    try:
        summary = _answer(talk, letter)
    except GaveUp as error:
        summary = _hand_over(talk, letter, str(error))
    talk.end(summary)
    return summary


def _answer(talk: Conversation, letter: Letter) -> str:
    user = _customer(talk, letter)
    reading = read(letter.text)
    if reading.wish is Wish.UNCLEAR:
        raise GaveUp(f"I do not understand what {letter.name} wants")
    return _HANDLERS[reading.wish](Case(talk, letter, reading, user))


def _customer(talk: Conversation, letter: Letter) -> Row:
    found = talk.act("find_user_id_by_email", "The letter came from this address.", email=letter.sender)
    if not done(found):
        first, _, last = letter.name.partition(" ")
        why = "Nobody has this mail address, so I try the name and postal code they sign with."
        found = talk.act("find_user_id_by_name_zip", why, first_name=first, last_name=last or first, zip=letter.zip)
    if not done(found):
        raise GaveUp(f"I cannot find out who {letter.name} is")
    user: Row = talk.look_up("get_user_details", "To know their orders and payment methods.", user_id=found.result)
    return user


def _hand_over(talk: Conversation, letter: Letter, why: str) -> str:
    talk.act(
        "transfer_to_human_agents",
        "I cannot settle this by myself.",
        summary=f"{letter.name} ({letter.sender}) wrote: “{letter.text}” {why}.",
    )
    return f"Handed over to a colleague: {why}."
