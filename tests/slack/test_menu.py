"""The menu under a request leads to what no button has room for, as far as its card and its run have it."""

from __future__ import annotations

from assent.domain.actions import ProposedAction
from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import ApprovalRules
from assent.domain.people import SYSTEM
from assent.domain.voting import Electorate
from assent.runtime.cards import publish_card
from assent.store import plan_approvals
from assent_activities.connectors import build_registry
from assent_slack.buttons import MENU
from tests.desk import Desk
from tests.grants.bureau import card as granting_card
from tests.slack.fake_blocks import live, pages
from tests.slack.office import PAGES, Office


def publish(office: Office) -> None:
    """The desk clerk's card, which lets people give grants for paying."""
    publish_card(office.database, build_registry([Desk()]), granting_card(), where="test card", by=SYSTEM)


def plan(office: Office) -> None:
    """The run began with a plan of two steps."""
    steps = [ProposedAction(key=key, type="desk.pay", arguments={"to": "bob", "amount": 1}) for key in ("a", "b")]
    with office.database.write() as session:
        plan_approvals.keep_plan(session, "run-1", steps, at=office.now())


async def test_everything_that_can_be_done_with_it_is_one_choice_away(office: Office) -> None:
    publish(office)
    plan(office)
    ann = office.approver()
    approval_id, message = await office.posted(agent="desk-clerk", action_type="desk.pay")
    here = f"{PAGES}/approvals/{approval_id}"
    assert pages(message) == {
        "Approve from now on…": f"{here}/grant",
        "Approve the whole plan…": f"{here}/plan",
        "Ask somebody else…": f"{here}/hand",
        "Everything that waits for you": f"{PAGES}/",
    }
    [direct] = office.slack.direct(ann)
    assert pages(direct) == pages(message)
    assert live(message, PAGES) == []
    assert (await office.people.press(ann, message, MENU)).in_time
    assert office.gateway.sent == []
    assert office.refusals() == []


async def test_what_the_card_or_the_run_has_not_is_not_offered(office: Office) -> None:
    publish(office)
    office.approver()
    _, message = await office.posted(agent="desk-clerk", action_type="desk.note")
    assert pages(message).keys() == {"Ask somebody else…", "Everything that waits for you"}
    _, unknown = await office.posted()
    assert pages(unknown).keys() == {"Ask somebody else…", "Everything that waits for you"}


async def test_a_veto_window_and_a_closed_request_have_no_menu(office: Office) -> None:
    publish(office)
    plan(office)
    rules = ApprovalRules(electorate=Electorate(veto=True))
    _, message = await office.posted(rules=rules, agent="desk-clerk", action_type="desk.pay")
    assert pages(message) == {}
    office.approver()
    approval_id, asked = await office.posted(agent="desk-clerk", action_type="desk.pay")
    assert pages(asked)
    office.close(approval_id, ApprovalStatus.EXPIRED)
    await office.deliver()
    assert pages(office.slack.messages[-1]) == {}
