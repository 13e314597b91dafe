"""What can be done about a request from a message: buttons that decide, or that lead to where it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from assent.domain.approvals import Verb
from assent_slack.blocks.excerpts import told
from assent_slack.blocks.pieces import Block, Element, actions, button, menu, paragraph, words
from assent_slack.buttons import (
    APPROVE,
    DECIDE_BLOCK,
    EDIT,
    MENU,
    MORE_BLOCK,
    OBJECT,
    OPEN,
    REJECT,
    STOP,
    TAKE_BACK,
    TALK,
    Deciding,
    Stopping,
)
from assent_slack.links import Links
from assent_slack.standing import Standing

NAMES_ROOM = 400


@dataclass(frozen=True, slots=True)
class Face:
    """Who looks at a copy.

    Attributes:
        person_id: The one person whose direct message it is; empty in a channel.
        asked: They are asked; everybody in a channel may be.
        operates: They may stop something; everybody in a channel may be able to.
    """

    person_id: str = ""
    asked: bool = True
    operates: bool = True


CHANNEL = Face()


def controls(standing: Standing, face: Face, links: Links) -> list[Block]:
    """The rows of buttons under a request."""
    url = links.request(standing.view.id)
    value = Deciding(a=standing.view.id, d=standing.view.digest).written()
    if not standing.pending:
        return [actions(DECIDE_BLOCK, [_open(url), *_stop(standing, face)])]
    rows = [actions(DECIDE_BLOCK, _deciding(standing, face, value, url))]
    rows.append(actions(MORE_BLOCK, _more(standing, face, value, links)))
    if not face.asked:
        rows.insert(0, paragraph(words("It does not wait for you any more.", italic=True)))
    return [*_so_far(standing, url), *rows]


def _so_far(standing: Standing, url: str) -> list[Block]:
    """Whose approvals count already, where more than one is needed."""
    names = ", ".join(vote.by.name for vote in standing.votes if vote.verb == Verb.APPROVE and vote.in_force)
    if not names:
        return []
    needs = standing.rules.needs_words
    elements = [words("Approved so far by ", bold=True), *told(names, NAMES_ROOM, url, bold=True)]
    if needs:
        elements += [words(" · "), *told(needs, NAMES_ROOM, url)]
    return [paragraph(*elements)]


def _deciding(standing: Standing, face: Face, value: str, url: str) -> list[Element]:
    if standing.veto:
        return [button("Object", OBJECT, value=value, style="danger"), _open(url)]
    if not face.asked:
        return [_open(url)]
    if not standing.a_click_is_enough:
        # A click in Slack does not show well enough who it was: the page asks for more.
        return [button("Decide on the web", OPEN, url=url, style="primary")]
    elements = [
        button("Approve", APPROVE, value=value, style="primary"),
        button("Reject", REJECT, value=value, style="danger"),
    ]
    if standing.rules.edit:
        elements.append(button("Edit", EDIT, value=value))
    return [*elements, _open(url)]


def _more(standing: Standing, face: Face, value: str, links: Links) -> list[Element]:
    elements = [button("Comment or ask", TALK, value=value)]
    if _has_approvals(standing, face) and standing.a_click_is_enough:
        elements.append(button("Take back my approval", TAKE_BACK, value=value))
    elements += _stop(standing, face)
    return [*elements, menu(MENU, _pages(standing, links))] if face.asked and not standing.veto else elements


def _pages(standing: Standing, links: Links) -> list[tuple[str, str]]:
    """What is done on pages of its own, because no button has room for it; who may is said there."""
    id = standing.view.id
    pages = [("Approve from now on…", links.grant(id))] if standing.grants else []
    if standing.planned:
        pages.append(("Approve the whole plan…", links.plan(id)))
    return [*pages, ("Ask somebody else…", links.hand(id)), ("Everything that waits for you", links.inbox())]


def _stop(standing: Standing, face: Face) -> list[Element]:
    """The button that asks what of this to stop."""
    view = standing.view
    beside = Stopping.beside(agent=view.agent, run_id=view.run_id, type=view.type, approval_id=view.id)
    return [button("Stop…", STOP, value=beside.written(), style="danger")] if face.operates else []


def _has_approvals(standing: Standing, face: Face) -> bool:
    return any(
        vote.verb == Verb.APPROVE and vote.in_force and face.person_id in {"", vote.by.id} for vote in standing.votes
    )


def _open(url: str) -> Element:
    return button("Open in Assent", OPEN, url=url)
