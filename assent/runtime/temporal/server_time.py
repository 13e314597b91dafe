"""The time of a Temporal server's clock, asked for without leaving anything in it.

The server notes when a worker asked it for a task last. So a question for a task that will never be there, on a queue
of its own, and a look at who asks there, give the server's time within the length of the two calls.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollActivityTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

POLL_TIMEOUT = timedelta(seconds=5)
"""The server takes no question for a task that gives it less than two seconds; it is broken off long before."""

LOOKS = 20
LOOK_SECONDS = 0.02
"""How often, and how far apart, it is looked who asks; the first look nearly always suffices."""


async def server_time(client: Client, prefix: str) -> datetime | None:
    """The server's time, up to a few milliseconds old; ``None`` if it does not say.

    Args:
        client: Connected to the server.
        prefix: Start of this installation's task queues.
    """
    queue, identity = TaskQueue(name=f"{prefix}-clock"), f"clock-{uuid.uuid4().hex}"
    service = client.workflow_service
    question = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity=identity)
    asking = asyncio.create_task(service.poll_activity_task_queue(question, timeout=POLL_TIMEOUT))
    look = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=queue, task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    try:
        for _ in range(LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            seen = await service.describe_task_queue(look, timeout=POLL_TIMEOUT)
            for poller in seen.pollers:
                if poller.identity == identity:
                    return poller.last_access_time.ToDatetime(tzinfo=UTC)
    except RPCError:
        return None
    finally:
        asking.cancel()
        # Its end is nobody's business; whoever cancels this one here is heard all the same.
        await asyncio.gather(asking, return_exceptions=True)
    return None
