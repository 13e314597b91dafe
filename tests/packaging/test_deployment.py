"""The production topology and the locks say what the code expects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from assent.runtime.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
OURS = {"migrate", "worker", "web", "slack"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, Any] = content["services"]
    return found


def test_every_part_of_the_product_is_there(services: dict[str, Any]) -> None:
    assert set(services) >= OURS | {"database", "temporal-database", "temporal", "temporal-ui"}
    assert services["worker"]["deploy"]["replicas"] >= 3
    assert {name: services[name]["command"] for name in ("worker", "web", "slack")} == {
        "worker": ["worker"],
        "web": ["web"],
        "slack": ["slack"],
    }


def test_assent_gets_only_settings_that_exist(services: dict[str, Any]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in OURS:
        assert set(services[name]["environment"]) <= known


def test_nothing_of_ours_starts_before_what_it_needs(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "temporal-namespace": {"condition": "service_completed_successfully"},
        }


def test_what_keeps_running_has_a_health_check(services: dict[str, Any]) -> None:
    once = {"migrate", "temporal-schema", "temporal-namespace"}
    for name in set(services) - once - {"temporal-ui"}:
        assert services[name]["healthcheck"]["test"]


def test_no_secret_is_written_down_and_each_is_explained(services: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    for name in re.findall(r"\$\{(\w+):\?", text):
        assert re.search(rf"^{name}=$", example, re.MULTILINE)
    for service in services.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|TOKEN", key):
                assert str(value).startswith("${")


def test_the_image_is_hash_pinned_and_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("--require-hashes") == 2
    assert re.search(r"^USER assent$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["dev.txt", "runtime.txt", "build.txt"])
def test_each_lock_pins_every_package_by_hash_and_names_no_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[\w.\[\]-]+==\S+", requirement)
        assert "--hash=sha256:" in requirement


def test_the_runtime_lock_is_part_of_the_dev_lock() -> None:
    pins = {
        name: set(re.findall(r"^([\w.-]+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("dev.txt", "runtime.txt")
    }
    assert pins["runtime.txt"] <= pins["dev.txt"]
