"""Is the process alive, and does everything it needs answer?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from assent_ui.deps import DepsHere

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(deps: DepsHere) -> JSONResponse:
    """Each part that is needed, with 503 if one does not answer."""
    parts = await deps.readiness.look()
    well = all(part["ok"] for part in parts.values())
    return JSONResponse({"status": "ok" if well else "not ready", "parts": parts}, 200 if well else 503)
