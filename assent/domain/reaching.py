"""How a person wants to be reached, and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from assent.domain.quiet_hours import QuietHours, may_tell, next_stretch


class Reaching(BaseModel):
    """What a person chose. Who chose nothing is told by every way there is, at any hour.

    Attributes:
        mail: A mail for each request they are asked about.
        slack: A direct message in Slack for each.
        webhook: A call to their own webhook for each, if they have one.
        decided: One short mail when a request that they were mailed about is decided by somebody else.
        quiet: When nothing is sent; Slack has quiet hours of its own.
        urgent: Reminders and escalations come in quiet hours too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mail: bool = True
    slack: bool = True
    webhook: bool = True
    decided: bool = False
    quiet: QuietHours | None = None
    urgent: bool = False

    def due(self, at: datetime, *, presses: bool = False) -> datetime:
        """When something may be sent that would go out now.

        Args:
            at: Now.
            presses: It is a reminder or an escalation.
        """
        return at if presses and self.urgent else may_tell(self.quiet, at)

    def quiet_words(self, now: datetime) -> str:
        """When quiet comes or ends next, one sentence in the person's own time; empty without quiet hours."""
        if self.quiet is None:
            return ""
        stretch = next_stretch(self.quiet, now)
        if stretch is None:
            return "No hour is quiet."
        if stretch.holds(now):
            return f"It is quiet now, until {_said(stretch.ends, self.quiet.zone)}."
        return f"Next quiet: {_said(stretch.starts, self.quiet.zone)} until {_said(stretch.ends, self.quiet.zone)}."


def _said(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%A %-d %B, %H:%M")
