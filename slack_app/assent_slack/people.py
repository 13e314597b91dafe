"""The person behind a click: linked explicitly, by workspace and user, never guessed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from assent.domain.clock import Clock
from assent.domain.errors import Forbidden, InvalidInput, NotFound
from assent.domain.people import SYSTEM, Role
from assent.store import people, slack_people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.slack_people import How, SlackUser, identity
from assent_slack.accounts import Account, Accounts
from assent_slack.clicks import Click
from assent_slack.workspaces import Workspace, Workspaces

_USER = re.compile("(?:(T[A-Z0-9]+)/)?([UW][A-Z0-9]+)")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody in Slack who is a person in Assent.

    Attributes:
        person: The person.
        user: Their link.
        account: What Slack says of them.
        new: They were linked just now, by their address.
    """

    person: Person
    user: SlackUser
    account: Account
    new: bool = False


class People:
    """Says who somebody in Slack is.

    Args:
        database: Where links are.
        workspaces: What is installed.
        accounts: What Slack says of accounts.
        clock: The time.
        by_email: Whether a confirmed address links somebody by itself.
    """

    def __init__(
        self, database: Database, workspaces: Workspaces, accounts: Accounts, clock: Clock, *, by_email: bool = True
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._accounts = accounts
        self._clock = clock
        self._by_email = by_email

    async def recognise(self, click: Click) -> Known:
        """The person behind a click.

        Raises:
            Forbidden: They are no person, more than one, switched off, a guest, a bot or of another workspace.
            Unavailable: Slack or the database does not say.
        """
        account = await self.account(click)
        found = await asyncio.to_thread(self._find, click.workspace_id, account.user_id)
        if found is not None:
            return Known(found[1], found[0], account)
        linked = await self.link_by_email(account)
        if linked is None:
            raise Forbidden(
                "Your Slack account is not linked to a person in Assent, so it can see and decide nothing.",
                where="slack_user",
                todo="Type /assent link to link it, or ask an administrator to run "
                f"`assent slack link YOUR-EMAIL {identity(account.team_id, account.user_id)}`.",
            )
        return Known(linked[1], linked[0], account, new=True)

    async def account(self, click: Click) -> Account:
        """The account behind a click, of a kind that may count.

        Raises:
            Forbidden: It is a guest's, a bot's, deactivated or of another workspace.
            Unavailable: Slack does not say.
        """
        workspace = self._workspaces.get(click.workspace_id)
        if workspace is None:
            raise Forbidden("Assent is not installed in this workspace.", where="workspace")
        if click.foreign:
            raise Forbidden(
                "Members of another Slack workspace can decide nothing here.",
                where="slack_user",
                todo="Your account is not linked to a person in Assent; use the web pages if you are one.",
            )
        try:
            account = await self._accounts.look(workspace, click.user_id)
        except NotFound as error:
            raise Forbidden(error.what, where="slack_user") from error
        account.require()
        return account

    async def of_person(self, person: Person, workspace: Workspace) -> SlackUser | None:
        """The link of a person in a workspace, made by their address; ``None`` if Slack has no such account."""
        if not self._by_email:
            return None
        try:
            account = await self._accounts.with_address(workspace, person.email)
        except NotFound:
            return None
        if account.why_not or account.email != person.email:
            return None
        linked = await self.link_by_email(account)
        return linked[0] if linked is not None and linked[1].id == person.id else None

    async def link_by_email(self, account: Account) -> tuple[SlackUser, Person] | None:
        """Link an account to the person with its confirmed address; ``None`` if there is none who may act."""
        if not self._by_email or not account.email or account.why_not:
            return None
        return await asyncio.to_thread(self._link_by_email, account)

    def _link_by_email(self, account: Account) -> tuple[SlackUser, Person] | None:
        with self._database.write() as session:
            person = people.by_email(session, account.email)
            taken = slack_people.persons_of(session, account.user_id, self._workspaces.same(account.team_id))
            if person is None or person.disabled or taken:
                return None
            others = slack_people.users_of(session, [person.id])
            if any(other.team_id in self._workspaces.same(account.team_id) for other in others):
                # They are linked to another account here, which somebody said explicitly.
                return None
            linked = slack_people.link(
                session,
                person,
                team_id=account.team_id,
                user_id=account.user_id,
                how=How.EMAIL,
                at=self._clock(),
                by=SYSTEM,
                home=self._workspaces.home,
            )
            return linked, person

    def _find(self, team_id: str, user_id: str) -> tuple[SlackUser, Person] | None:
        with self._database.read() as session:
            found = slack_people.persons_of(session, user_id, self._workspaces.same(team_id))
        if len({person.id for _, person in found}) > 1:
            raise Forbidden(
                "Your Slack account is linked to more than one person in Assent, so it can decide nothing.",
                where="slack_user",
                todo="Ask an administrator to run `assent slack unlink` for the wrong one of "
                f"{' and '.join(sorted(person.email for _, person in found))}.",
            )
        if not found:
            return None
        if found[0][1].disabled:
            raise Forbidden(
                "Your account in Assent is switched off.", where="person", todo="Ask an administrator to switch it on."
            )
        return found[0]


def may_stop(person: Person) -> bool:
    """Whether somebody may stop something at all; what exactly, the gateway says when they do."""
    return any(person.may(role) for role in (Role.OPERATOR, Role.APPROVER, Role.OWNER))


def require(person: Person, role: Role, what: str) -> None:
    """Refuse somebody without a role.

    Raises:
        Forbidden: They are neither in the role nor an administrator.
    """
    if not person.may(role):
        raise Forbidden(
            f"{person.name} may not {what}.",
            where="role",
            todo=f"Ask an administrator for the role {role.value}.",
        )


def parse_user(text: str, team_id: str) -> tuple[str, str]:
    """Read ``U123`` or ``T123/U123`` as a person types it; gives workspace and user.

    Raises:
        InvalidInput: It is neither.
    """
    found = _USER.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"{text!r} is no Slack user id.",
            where="slack_user",
            todo="It looks like U024BE7LH; in Slack it is under profile, three dots, Copy member ID.",
        )
    return found[1] or team_id, found[2]
