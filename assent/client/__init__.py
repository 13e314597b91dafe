"""What agents import to act through Assent::

    from assent.client import Assent

    with Assent("http://127.0.0.1:8484", "assent_…") as assent:
        run = assent.start_run(goal="Answer Mrs Miller", received=letter)
        outcome = run.act("shop.refund_order", {"order_id": "W1", "amount": 45}, reason="It arrived broken.", wait=600)
        run.end(f"The refund is {outcome.status}: {outcome.message or outcome.result}")

``AsyncAssent`` is the same with ``await``. Requests that got no answer are sent again by themselves: every run and
every action has an id, so nothing is done twice. It needs httpx and pydantic, and nothing else of Assent.
"""

from assent.client.answers import Grant, Outcome, Plan, Question, Reason, RunState
from assent.client.asynchronous import AsyncAssent, AsyncRun
from assent.client.blocking import Assent, Run
from assent.client.errors import AssentApiError

__all__ = [
    "Assent",
    "AssentApiError",
    "AsyncAssent",
    "AsyncRun",
    "Grant",
    "Outcome",
    "Plan",
    "Question",
    "Reason",
    "Run",
    "RunState",
]
