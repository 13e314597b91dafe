"""Installing the app in further workspaces: Slack's OAuth, begun by administrators only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from html import escape

from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, Conflict
from assent_slack.installations import InstallationStore, StateStore
from assent_slack.manifest import SCOPES
from assent_slack.web import INSTALL_PATH, REDIRECT_PATH
from assent_slack.workspaces import Workspaces, with_token

log = logging.getLogger(__name__)

LINK = "link"
"""Name of the parameter that carries an administrator's installation link."""

_REASONS = {
    "access_denied": "Slack says that it was called off. Nothing was installed.",
    "invalid_browser": "This was begun in another browser, or its cookie is gone. Open the installation link again.",
    "invalid_state": "This attempt was used before or is too old. Ask an administrator for a new installation link.",
    "missing_code": "Slack gave no code. Open the installation link again.",
    "invalid_code": "Slack does not accept its own code any more. Open the installation link again.",
}

_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;"
    "padding:0 1.5rem;color-scheme:light dark}}a.button{{display:inline-block;padding:.6rem 1.2rem;border-radius:6px;"
    "background:#1d4ed8;color:#fff;text-decoration:none}}</style><main><h1>{title}</h1>"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


class InstallFlow(AsyncOAuthFlow):
    """Slack's own flow, with Assent's links at its beginning.

    Args:
        client: For calls to Slack; its token is not used.
        client_id: Of the Slack app.
        client_secret: Of the Slack app.
        public_url: Address under which browsers reach this process.
        installations: Where installations are kept.
        states: Where states are kept.
        workspaces: What is installed, as this process knows it.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        client_id: str,
        client_secret: str,
        public_url: str,
        installations: InstallationStore,
        states: StateStore,
        workspaces: Workspaces,
    ) -> None:
        super().__init__(
            client=with_token(client, None),
            logger=log,
            settings=AsyncOAuthSettings(
                client_id=client_id,
                client_secret=client_secret,
                scopes=list(SCOPES),
                redirect_uri=public_url.rstrip("/") + REDIRECT_PATH,
                install_path=INSTALL_PATH,
                redirect_uri_path=REDIRECT_PATH,
                installation_store=installations,
                state_store=states,
                callback_options=AsyncCallbackOptions(success=self._installed, failure=self._failed),
                logger=log,
            ),
        )
        self._installations = installations
        self._states = states
        self._workspaces = workspaces

    async def handle_installation(self, request: AsyncBoltRequest) -> BoltResponse:
        """Show the page with the button that leads to Slack, to whoever has an administrator's link."""
        try:
            return await super().handle_installation(request)
        except AssentError as error:
            return page("Not installed", f"{error.what} {error.todo}", status=error.status)

    async def issue_new_state(self, request: AsyncBoltRequest) -> str:
        """A state that is bound to the link."""
        return await self._states.async_issue(link=_first(request, LINK))

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        """The page with the button that leads to Slack."""
        return html("Add Assent to a Slack workspace", "Slack asks next what Assent may do there.", url)

    async def append_set_cookie_headers(self, headers: dict[str, str], set_cookie_value: str | None) -> dict[str, str]:
        """Headers of a page that sets a cookie."""
        made = _HEADERS | headers
        await super().append_set_cookie_headers(made, set_cookie_value)
        return made

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Keep an installation, in the name of whoever made the link.

        Raises:
            BoltError: It cannot be kept.
        """
        try:
            if installation.team_id and installation.team_id == self._workspaces.home:
                raise Conflict("This workspace is the one of ASSENT_SLACK_BOT_TOKEN, and installed already.")
            by = await asyncio.to_thread(self._states.began, _first(request, "state"))
            await asyncio.to_thread(self._installations.save, installation, by)
        except AssentError as error:
            raise BoltError(f"{error.what} {error.todo}".strip()) from error
        await self._workspaces.refresh()

    async def _installed(self, args: AsyncSuccessArgs) -> BoltResponse:
        name, team = args.installation.team_name or "", args.installation.team_id
        log.info("Assent was installed in the Slack workspace %s (%s)", name, team)
        return page(
            "Installed",
            f"Assent is installed in {name}. Next, say where requests are posted: invite the app to a channel "
            f"(/invite @Assent), and type /assent channel there, or run: assent slack channel {team} CHANNEL",
        )

    async def _failed(self, args: AsyncFailureArgs) -> BoltResponse:
        told = str(args.error) if args.error is not None else _REASONS.get(args.reason, "Slack refused it.")
        log.warning("An installation in Slack failed: %s", args.reason)
        return page("Not installed", told, status=args.suggested_status_code)


def page(title: str, text: str, *, status: int = 200) -> BoltResponse:
    """A page of one paragraph."""
    headers: dict[str, str | Sequence[str]] = dict(_HEADERS)
    return BoltResponse(status=status, body=html(title, text), headers=headers)


def html(title: str, text: str, url: str = "") -> str:
    """The source of such a page, with a button if it leads on."""
    button = f'<p><a class="button" href="{escape(url)}">Go on to Slack</a></p>' if url else ""
    return _HEAD.format(title=escape(title)) + f"<p>{escape(text)}</p>{button}</main></html>"


def _first(request: AsyncBoltRequest, name: str) -> str:
    values = request.query.get(name) or [""]
    return str(values[0])
