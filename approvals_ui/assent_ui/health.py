"""Is the process alive, and does everything it needs answer?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from assent_ui.deps import DepsHere
from assent_ui.readiness import CLOCKS

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers, and says whose it is: other programs have such an address as well."""
    return {"status": "ok", "program": "assent"}


@router.get("/readyz")
async def ready(deps: DepsHere) -> JSONResponse:
    """Each part, with 503 if one does not answer that pages need; a worker whose clock is off only impairs."""
    parts = await deps.readiness.look()
    well = all(part["ok"] for name, part in parts.items() if name != CLOCKS)
    word = "not ready" if not well else "ok" if parts[CLOCKS]["ok"] else "impaired"
    return JSONResponse({"status": word, "parts": parts}, 200 if well else 503)
