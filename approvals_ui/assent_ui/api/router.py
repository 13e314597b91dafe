"""All endpoints of the API, and the page that describes them."""

from __future__ import annotations

from fastapi import APIRouter

from assent_ui.api import agents, approvals, docs, events, ledger, me, pauses, rollbacks, runs

router = APIRouter()
for _part in (runs, events, approvals, pauses, rollbacks, agents, ledger, me):
    router.include_router(_part.router, prefix="/api/v1")
router.include_router(docs.router)
