"""Fake parts: the web answers health checks, the worker sleeps beside a grandchild of its own."""

import http.server
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


def main(settings: Any) -> None:
    """Run as worker or web, whichever this process was started as."""
    if "web" in sys.argv:
        http.server.ThreadingHTTPServer((settings.web_host, settings.web_port), Healthy).serve_forever()
    print("a grandchild is", subprocess.Popen(["sleep", "600"]).pid, flush=True)
    time.sleep(600)


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers every question as the pages answer whether they are alive."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "program": "assent"}')

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def prepare(settings: Any, say: Callable[[str], None]) -> None:
    """Prepare nothing."""


def sign_in_link(settings: Any) -> str:
    """Return a link that leads nowhere."""
    return f"{settings.public_url}/sign-in/once"
