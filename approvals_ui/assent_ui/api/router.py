"""All endpoints of the API, and the page that describes them."""

from __future__ import annotations

from fastapi import APIRouter

from assent_ui.api import (
    absences,
    account,
    agents,
    approvals,
    breakers,
    docs,
    drills,
    effects,
    events,
    grants,
    incident_reports,
    incidents,
    ledger,
    me,
    owning,
    pause_hooks,
    pauses,
    people,
    plans,
    quality,
    reaching,
    revisions,
    rollbacks,
    runs,
    talk,
    voting,
    webhooks,
)

router = APIRouter()
for _part in (
    runs,
    events,
    plans,
    approvals,
    revisions,
    voting,
    talk,
    grants,
    incidents,
    incident_reports,
    drills,
    pauses,
    pause_hooks,
    rollbacks,
    effects,
    agents,
    breakers,
    ledger,
    me,
    account,
    reaching,
    webhooks,
    people,
    absences,
    owning,
    quality,
):
    router.include_router(_part.router, prefix="/api/v1")
router.include_router(docs.router)
