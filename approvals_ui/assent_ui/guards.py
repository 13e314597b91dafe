"""What every request passes before anything reads it, and what every response carries."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assent.domain.errors import NotFound
from assent_ui.problems import answer, problem_of_status

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request body at most."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HOOKS = "/api/v1/hooks/"
_FOREVER = "public, max-age=31536000, immutable"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Gives every response the headers that keep a browser from doing what no page of ours asks for."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self._headers = dict(_HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store" if not _named_by_content(scope) else _FOREVER)
            await send(message)

        await self.app(scope, receive, with_headers)


class KnownHost:
    """Refuses requests for a host that is not ours, so that no other name can be pointed at Assent (DNS rebinding).

    Addresses in figures and this machine's own name cannot be pointed elsewhere and are always taken; so are requests
    with a key, calls of hooks with a signature, and checks of the process.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, also: Collection[str] = ()) -> None:
        self.app = app
        self._known = {"localhost", (urlsplit(public_url).hostname or "").lower(), *(name.lower() for name in also)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or self._welcome(scope):
            await self.app(scope, receive, send)
            return
        problem = problem_of_status(400, "This is not the address of this Assent.", scope["path"])
        todo = "Use the address that `assent up` printed, or set ASSENT_PUBLIC_URL to the one people use."
        await answer(problem.model_copy(update={"where": "Host", "todo": todo}))(scope, receive, send)

    def _welcome(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if scope["path"] in {"/healthz", "/readyz"} or "authorization" in headers:
            return True
        if "webhook-signature" in headers and scope["path"].startswith(_HOOKS):
            return True
        name = urlsplit(f"//{headers.get('host', '')}").hostname if _plain(headers.get("host", "")) else None
        return name is not None and (name in self._known or _in_figures(name))


async def require_no_nul(request: Request) -> None:
    """Refuse an address with the character NUL: nothing here has it in its name, and not every database can read it.

    Not in a thread: `/healthz` answers also when every thread waits for the database.

    Raises:
        NotFound: The path or the query has one.
    """
    if "\0" in request.scope["path"] or "%00" in request.url.query:
        raise NotFound("There is no such address.", where="address", todo="It has a character that no name here has.")


class BodyLimit:
    """Refuses request bodies over :data:`MAX_BODY`, announced or not, before anything keeps them."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY) -> None:
        self.app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced[:20]) > self._limit:
            await self._refuse(scope, receive, send)
            return
        read, over, started = 0, False, False

        async def counted() -> Message:
            nonlocal read, over
            message = await receive()
            read += len(message.get("body", b"")) if message["type"] == "http.request" else 0
            if read > self._limit:
                over = True
                return {"type": "http.disconnect"}
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if not over:
                started = True
                await send(message)

        try:
            await self.app(scope, counted, guarded)
        except Exception:
            # Whatever the reader made of the end that it was given, the answer is the same.
            if not over or started:
                raise
        if over and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = problem_of_status(413, f"A request has at most {self._limit:,} bytes.", scope["path"])
        todo = "Store large content elsewhere and send a reference to it."
        response = answer(problem.model_copy(update={"where": "body", "todo": todo}), {"Connection": "close"})
        await response(scope, receive, send)


def _named_by_content(scope: Scope) -> bool:
    """Files whose address changes with their content can be kept for ever."""
    return bool(scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v="))


def _plain(host: str) -> bool:
    return host.isascii() and host.isprintable() and not set(host) & set("/?#@\\ ")


def _in_figures(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
