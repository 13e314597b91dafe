"""What Slack says of an account: whose it is, and whether it may count at all."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import Forbidden, NotFound, Unavailable
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace, client_of

FRESH_SECONDS = 60.0
"""How long an answer of Slack's about an account counts."""

_KEPT = 2_000

_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True, slots=True)
class Account:
    """A Slack account.

    Attributes:
        team_id: The workspace it belongs to.
        user_id: Its id.
        name: What Slack calls it.
        email: Its confirmed address in lower case; empty if Slack does not say that it was confirmed.
        why_not: Why it may not count, a sentence; empty if it may.
    """

    team_id: str
    user_id: str
    name: str
    email: str
    why_not: str

    def require(self) -> None:
        """Refuse an account that may not count.

        Raises:
            Forbidden: It is a bot's, a guest's, deactivated, or of another workspace.
        """
        if self.why_not:
            raise Forbidden(self.why_not, where="slack_user", todo="Full members of the workspace can decide.")


class Accounts:
    """Asks Slack about accounts, and remembers for a minute.

    Args:
        base: The connection to Slack.
    """

    def __init__(self, base: AsyncWebClient) -> None:
        self._base = base
        self._known: OrderedDict[tuple[str, str], tuple[float, Account]] = OrderedDict()

    async def look(self, workspace: Workspace, user_id: str) -> Account:
        """The account of a user.

        Raises:
            NotFound: There is no such user in this workspace.
            Unavailable: Slack does not say.
        """
        key = (workspace.team_id, user_id)
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        account = await self._ask(workspace, "users_info", user=user_id)
        self._known[key] = (time.monotonic(), account)
        self._known.move_to_end(key)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return account

    async def with_address(self, workspace: Workspace, email: str) -> Account:
        """The account with an address.

        Raises:
            NotFound: There is none in this workspace, or the token may not look.
            Unavailable: Slack does not say.
        """
        return await self._ask(workspace, "users_lookupByEmail", _UNKNOWN | {"missing_scope"}, email=email)

    async def _ask(
        self, workspace: Workspace, method: str, unknown: frozenset[str] = _UNKNOWN, **arguments: str
    ) -> Account:
        try:
            answer = await getattr(client_of(self._base, workspace), method)(**arguments)
        except SlackApiError as error:
            if why(error) in unknown:
                raise NotFound(
                    f"Slack knows no user {next(iter(arguments.values()))}.",
                    where="slack_user",
                    todo="Name them: `assent slack link EMAIL U123`.",
                ) from error
            raise _silent(error) from error
        except FAILURES as error:
            raise _silent(error) from error
        return account_of(dict(answer["user"]), workspace.team_id)


def account_of(user: dict[str, Any], team_id: str) -> Account:
    """Read what ``users.info`` says."""
    profile = user.get("profile") or {}
    confirmed = user.get("is_email_confirmed") is True
    return Account(
        team_id=str(user.get("team_id") or team_id),
        user_id=str(user["id"]),
        name=str(user.get("real_name") or user.get("name") or user["id"]),
        email=str(profile.get("email") or "").strip().lower() if confirmed else "",
        why_not=_why_not(user, team_id),
    )


def _why_not(user: dict[str, Any], team_id: str) -> str:
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return "A bot can decide nothing."
    if user.get("deleted"):
        return "This Slack account was deactivated, so it can decide nothing."
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "Guests of a Slack workspace can decide nothing."
    if user.get("is_stranger") or str(user.get("team_id") or team_id) != team_id:
        return "Members of another Slack workspace can decide nothing here."
    return ""


def _silent(error: BaseException) -> Unavailable:
    return Unavailable(
        f"Slack does not say whose account this is: {why(error)}.",
        where="Slack",
        todo="Try again in a minute, or use the web pages.",
    )
