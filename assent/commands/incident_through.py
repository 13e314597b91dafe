"""How commands about incidents reach the gateway, and the people they name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from assent.commands.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import typer

    from assent.domain.people import Actor
    from assent.gateway import Gateway

_T = TypeVar("_T")


def do(context: typer.Context, work: Callable[[Gateway, Actor], Awaitable[_T]]) -> _T:
    """Do something through the gateway without waiting for Temporal: none of it needs it."""
    from assent.gateway import Gateway
    from assent.runtime.channels import channels_of
    from assent.runtime.console import console_actor, opened

    settings = settings_of(context)

    async def through() -> _T:
        channels = channels_of(settings)
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix, channels=channels)
        return await work(gateway, console_actor())

    with opened(settings) as database:
        return asyncio.run(through())


def person_id(context: typer.Context, email: str) -> str:
    from assent.runtime.console import reading
    from assent.store import people

    with reading(settings_of(context)) as session:
        return people.named(session, email).id
