"""Look at each part in turn; none of the looks changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from assent.runtime.doctor.database import look_at_database
from assent.runtime.doctor.effects import look_at_effects
from assent.runtime.doctor.folder import look_at_folder
from assent.runtime.doctor.mail import look_at_mail
from assent.runtime.doctor.report import Finding, Report
from assent.runtime.doctor.slack import look_at_slack
from assent.runtime.doctor.temporal import look_at_temporal
from assent.runtime.settings import Settings, unknown_variables


def examine(settings: Settings, *, needed: bool = False) -> Report:
    """Return what was found; takes a few seconds where a part does not answer.

    Args:
        settings: What to look at.
        needed: Leave out what others can do without: Slack and mail.
    """
    findings = [
        *_look_at_settings(),
        *look_at_folder(settings),
        *look_at_database(settings),
        *asyncio.run(look_at_temporal(settings)),
    ]
    if not needed:
        findings += [*look_at_slack(settings), *asyncio.run(look_at_mail(settings)), *look_at_effects(settings)]
    return Report(findings=findings)


def _look_at_settings() -> Iterator[Finding]:
    unknown = unknown_variables()
    if not unknown:
        yield Finding(part="settings", ok=True, found="Every ASSENT_ variable is a known setting.")
    for name in unknown:
        yield Finding(
            part="settings",
            ok=False,
            found=f"The variable {name} is no setting and has no effect.",
            todo="Check its spelling against docs/settings.md, or remove it.",
        )
