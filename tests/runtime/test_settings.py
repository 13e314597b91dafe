"""Settings come from one place, keep secrets to themselves, and the docs list them all."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from assent.domain.errors import InvalidInput
from assent.runtime.secrets import signing_key
from assent.runtime.settings import PREFIX, Settings, unknown_variables

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
PLACES = {
    "data_dir": "`./.assent` if that folder exists, else the platform's folder for state",
    "cache_dir": "the platform's folder for caches",
    "database_url": "`sqlite:///<data_dir>/assent.db`",
    "public_url": "`http://<web_host>:<web_port>`",
    "drill_database_url": "`sqlite:///<data_dir>/drills.db`",
    "slack_http_url": "`<public_url>`",
}


def documented_default(name: str) -> str:
    if name in PLACES:
        return PLACES[name]
    default = Settings.model_fields[name].get_default(call_default_factory=True, validated_data={})
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        default = ",".join(default)
    return "not set" if default in (None, "") else f"`{default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_docs_tell_each_setting_with_its_default_and_meaning(name: str) -> None:
    row = f"| `{PREFIX}{name.upper()}` | {documented_default(name)} | {Settings.model_fields[name].description} |"
    assert row in DOCS.read_text(encoding="utf-8").splitlines()


def test_the_docs_tell_no_setting_that_is_gone() -> None:
    rows = re.findall(r"^\| `ASSENT_(\w+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {row.lower() for row in rows} == set(Settings.model_fields)


def test_values_come_from_the_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_WEB_PORT", "9000")
    monkeypatch.setenv("ASSENT_CONNECTORS", "shop:orders, shop:mail")
    monkeypatch.setenv("ASSENT_CARDS", '["/one", "/two"]')
    loaded = Settings.load()
    assert loaded.public_url == "http://127.0.0.1:9000"
    assert loaded.connectors == ["shop:orders", "shop:mail"]
    assert loaded.cards == [Path("/one"), Path("/two")]


def test_a_child_process_gets_the_same_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = Settings.load(
        data_dir=settings.data_dir, connectors=["a:b"], slack_bot_token="xoxb-1", secret_key="k" * 40, web_port=9001
    )
    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == parent


@pytest.mark.parametrize(
    ("name", "value"), [("WEB_PORT", "many"), ("CARDS", "[broken"), ("SECRET_KEY", "hunter2"), ("LOG_LEVEL", "loud")]
)
def test_a_bad_value_is_named_and_not_repeated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(InvalidInput) as refused:
        Settings.load()
    assert refused.value.where == PREFIX + name
    assert value not in str(refused.value)


def test_no_secret_shows_when_settings_are_printed() -> None:
    loaded = Settings.load(
        database_url="postgresql+psycopg://me:hunter2@db/assent",
        slack_bot_token="hunter2",
        slack_signing_secret="hunter2",
        secret_key="hunter2" * 8,
    )
    assert "hunter2" not in repr(loaded) + loaded.database_label
    assert loaded.database_label == "postgresql+psycopg://me:***@db/assent"


def test_a_misspelt_variable_is_noticed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_WEBPORT", "1")
    assert unknown_variables() == ["ASSENT_WEBPORT"]


def test_the_plain_address_wins_over_temporals_profile(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cloud.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "team")
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    profile = Settings.load().temporal_profile()
    assert (profile["target_host"], profile["namespace"], profile["api_key"]) == ("cloud.example:7233", "team", "key")
    plain = Settings.load(temporal_address="here:1", temporal_namespace="mine").temporal_profile()
    assert plain == {"target_host": "here:1", "namespace": "mine"}


def test_a_broken_temporal_profile_is_told_in_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "temporal.toml"
    broken.write_text("[profile")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(broken))
    with pytest.raises(InvalidInput, match="profile cannot be read"):
        Settings.load().temporal_profile()


def test_the_signing_key_is_made_once_and_kept_private(settings: Settings) -> None:
    key = signing_key(settings)
    assert len(key) >= 32
    assert signing_key(settings) == key
    assert stat.S_IMODE((settings.data_dir / "secret.key").stat().st_mode) == 0o600
    assert signing_key(settings.model_copy(update={"secret_key": None})) == key


def test_settings_are_plain_data(settings: Settings) -> None:
    assert json.loads(settings.model_dump_json())["web_port"] == 8484
