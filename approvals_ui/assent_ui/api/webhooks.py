"""Webhooks: one's own and those of the installation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field
from sqlalchemy.orm import Session

from assent.domain.people import Role
from assent.store import webhooks
from assent.store.webhooks import LONGEST_URL, Webhook
from assent_ui.api import schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["webhooks"])

Me = Annotated[Viewer, Depends(api_person)]


class WebhookIn(schemas.In):
    """An address to call."""

    url: str = Field(max_length=LONGEST_URL, examples=["https://example.com/hooks/assent"])
    everybody: bool = Field(
        default=False, description="It is called for every request, and not only for what you are asked. For admins."
    )


class WebhookOut(schemas.Out):
    """An address that is called."""

    id: str
    host: str = Field(description="Its host.")
    url: str | None = Field(description="All of it, for those who may remove it; its path may hold a secret.")
    person_id: str | None = Field(description="Whose it is; null for one of the installation.")
    created_at: datetime


class NewWebhookOut(WebhookOut):
    """A webhook that was just made."""

    secret: str = Field(description="What its calls are signed with; shown this once.")


@router.get("/webhooks", responses=problems())
async def list_webhooks(viewer: Me, deps: DepsHere) -> schemas.Page[WebhookOut]:
    """Your webhook and those of the installation; all of them, at most 51."""

    def look(session: Session) -> Sequence[Webhook]:
        return [*webhooks.of_owner(session, viewer.id), *webhooks.of_owner(session)]

    return schemas.Page(items=[_out(found, viewer) for found in await deps.read(look)])


@router.post("/webhooks", status_code=201, responses=problems(409))
async def add_webhook(body: WebhookIn, viewer: Me, deps: DepsHere, response: Response) -> NewWebhookOut:
    """Add your webhook, or one of the installation: that needs the role admin. Both need a fresh proof."""
    if body.everybody:
        viewer.require(Role.ADMIN, "add a webhook of the installation")
    viewer.require_fresh("add a webhook")
    made, secret = await deps.write(
        lambda session: webhooks.add(
            session,
            deps.webhook_sealer,
            url=body.url.strip(),
            at=deps.clock(),
            by=viewer.actor,
            internal=deps.webhooks_internal,
            person_id="" if body.everybody else viewer.id,
        )
    )
    response.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return NewWebhookOut(**_out(made, viewer).model_dump(), secret=secret)


@router.delete("/webhooks/{webhook_id}", status_code=204, responses=problems(404))
async def remove_webhook(webhook_id: str, viewer: Me, deps: DepsHere) -> None:
    """Call an address no more; what waits for it is let go. Of others' webhooks, for admins."""
    own = None if viewer.may(Role.ADMIN) else viewer.id
    await deps.write(
        lambda session: webhooks.remove(session, webhook_id, at=deps.clock(), by=viewer.actor, person_id=own)
    )


def _out(found: Webhook, viewer: Viewer) -> WebhookOut:
    whole = found.person_id == viewer.id or viewer.may(Role.ADMIN)
    return WebhookOut(
        id=found.id,
        host=found.host,
        url=found.url if whole else None,
        person_id=found.person_id or None,
        created_at=found.created_at,
    )
