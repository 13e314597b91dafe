"""The sample's office and its way into an installation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from assent.runtime.settings import Settings
from assent_shop import sample
from assent_shop.office import Office
from assent_shop.support import Letter
from assent_shop.trickle import Pace


class _Api(BaseHTTPRequestHandler):
    """A few answers of the API; remembers what was asked."""

    asked: list[tuple[str, str, Any]]
    status = 200

    def do_GET(self) -> None:
        self.asked.append(("GET", self.path, None))
        if "/approvals" in self.path:
            self._say({"items": [{"run_id": "run-1", "action_id": "run-1:a-1"}]})
        else:
            self._say(_outcome("rejected", message="Too dear."))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(("POST", self.path, body))
        if self.path.endswith("/runs"):
            self._say({"run_id": "run-2"})
        elif self.path.endswith("/end"):
            self._say({"run_id": "run-2", "ending": True})
        else:
            self._say(_outcome("failed", message="User not found"))

    def _say(self, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def _outcome(status: str, message: str) -> dict[str, Any]:
    names = {"action_id": "run-1:a-1", "run_id": "run-1", "key": "a-1", "type": "shop.x", "sentence": "Do it."}
    return {**names, "status": status, "settled": True, "message": message}


@pytest.fixture
def api() -> Iterator[tuple[str, type[_Api]]]:
    handler = type("Api", (_Api,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def _eventually(asked: list[tuple[str, str, Any]], path: str) -> Any:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for method, where, body in asked:
            if method == "POST" and where == path:
                return body
        time.sleep(0.01)
    raise AssertionError(f"{path} was not asked for: {asked}")


def test_requests_of_an_earlier_process_are_seen_to_their_end(api: tuple[str, type[_Api]]) -> None:
    url, handler = api
    with Office(url, "assent_x", persistence=1) as office:
        assert office.waiting() == 1
        assert office.pick_up(threading.Event()) == 1
        body = _eventually(handler.asked, "/api/v1/runs/run-1/end")
    assert body["summary"] == "Do it. It was rejected (Too dear.), and the customer was told."


def test_a_letter_is_answered_in_a_run_that_says_what_was_received(api: tuple[str, type[_Api]]) -> None:
    url, handler = api
    letter = Letter("x@example.com", "X Y", "1", "Hello", "Hello?")
    with Office(url, "assent_x", persistence=1) as office:
        assert "Handed over to a colleague" in office.answer(letter)
    started = _eventually(handler.asked, "/api/v1/runs")
    assert started["received"] == letter.received
    assert started["goal"] == "Answer X Y: Hello"


def test_a_key_that_is_no_good_ends_the_agent(api: tuple[str, type[_Api]]) -> None:
    url, handler = api
    handler.status = 401
    with pytest.raises(httpx.HTTPStatusError):
        sample.work(url, "assent_x", Pace(), stop=threading.Event())


def test_an_agent_waits_for_assent_and_ends_when_told() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=sample.work, args=("http://127.0.0.1:9", "assent_x"), kwargs={"stop": stop})
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_an_installation_gets_the_shop_once(settings: Settings, tmp_path: Path) -> None:
    configured = sample.configure(settings)
    assert configured.connectors == [*settings.connectors, sample.CONNECTOR]
    assert sample.CARDS in configured.cards
    assert sample.configure(configured) == configured

    file = tmp_path / "connectors.yaml"
    file.write_text(f"- use: {sample.CONNECTOR}\n", "utf-8")
    named = settings.model_copy(update={"connectors": [str(file)]})
    assert sample.configure(named).connectors == [str(file)]
