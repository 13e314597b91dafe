"""The command line: exit codes, messages without tracebacks, results on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assent import __version__
from assent.cli import EXIT_CODES, run
from assent.domain import errors
from assent.domain.errors import AssentError
from assent.runtime.settings import PREFIX, Settings


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The environment of a person who configured nothing but the data folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "TEMPORAL_"))}
    return clean | {"ASSENT_DATA_DIR": str(settings.data_dir)}


def assent(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assent", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_expected_error_has_an_exit_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AssentError)]
    families = [kind for kind in kinds if kind.__base__ is AssentError]
    assert set(families) == set(EXIT_CODES)
    assert len(set(EXIT_CODES.values()) - {0, 1, 130}) == len(families)


def test_an_expected_error_is_one_message_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    monkeypatch.setenv("ASSENT_WEB_PORT", "none")
    assert run(["doctor"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("assent: The setting web_port is not usable")
    assert "ASSENT_WEB_PORT" in shown.err


@pytest.mark.parametrize("arguments", [["fly"], ["up", "--port", "99999"], ["doctor", "--wings"]])
def test_wrong_usage_ends_with_2(environment: dict[str, str], arguments: list[str]) -> None:
    ended = assent(environment, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_the_version_is_told_to_people_and_programs(environment: dict[str, str]) -> None:
    assert assent(environment, "--version").stdout.strip() == f"assent {__version__}"
    assert json.loads(assent(environment, "version", "--json").stdout)["assent"] == __version__


def test_the_doctor_finds_nothing_wrong_on_a_fresh_machine(environment: dict[str, str], settings: Settings) -> None:
    ended = assent(environment, "doctor", "--json")
    report = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert report["ok"] is True
    needed = {"settings", "data folder", "database", "Temporal"}
    assert needed | {"Slack", "mail"} == {part["part"] for part in report["findings"]}
    ended = assent(environment, "doctor", "--needed", "--json")
    assert needed == {part["part"] for part in json.loads(ended.stdout)["findings"]}
    assert not settings.data_dir.exists()


def test_the_doctor_says_what_is_wrong_and_what_to_do(environment: dict[str, str], tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    broken = environment | {
        "ASSENT_DATA_DIR": str(in_the_way),
        "ASSENT_DATABASE_URL": "postgresql+psycopg://me:hunter2@127.0.0.1:1/assent",
        "ASSENT_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "ASSENT_SLACK_BOT_TOKEN": "xoxb-hunter2",
        "ASSENT_SLACK_BASE_URL": "http://127.0.0.1:1/",
        "ASSENT_WEBPORT": "1",
    }
    ended = assent(broken, "doctor", "--json")
    assert ended.returncode == 1
    assert "hunter2" not in ended.stdout + ended.stderr
    wrong = [part for part in json.loads(ended.stdout)["findings"] if not part["ok"]]
    assert {part["part"] for part in wrong} == {"settings", "data folder", "database", "Temporal", "Slack"}
    assert all(part["todo"] for part in wrong)


def test_the_doctor_looks_at_a_running_server(environment: dict[str, str], temporal_server: str) -> None:
    here = environment | {"ASSENT_TEMPORAL_ADDRESS": temporal_server}
    ended = assent(here, "doctor")
    assert ended.returncode == 0, ended.stdout
    assert f"at {temporal_server} (as configured)" in ended.stdout
    missing = assent(here | {"ASSENT_TEMPORAL_NAMESPACE": "nowhere"}, "doctor")
    assert missing.returncode == 1
    assert "namespace create -n nowhere" in missing.stdout
