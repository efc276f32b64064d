"""A provider's server for tests: it answers as it is told to, or does what providers do on bad days."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[str, Mapping[str, Any]], tuple[int, object]]
"""Status and JSON for a path and a body."""

FAULTS = [
    ("500", "provider.status"),
    ("429", "provider.busy"),
    ("html", "provider.not_json"),
    ("list", "provider.not_json"),
    ("silence", "provider.timeout"),
    ("drip", "provider.timeout"),
    ("cut", "provider.truncated"),
]
"""What a provider does wrong, and what it is called."""


class Desk(ThreadingHTTPServer):
    """``trouble`` is what it does wrong; ``asked`` the path, headers and body of each question."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.reply = reply
        self.trouble = ""
        self.asked: list[tuple[str, Mapping[str, str], Mapping[str, Any]]] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Clerk(BaseHTTPRequestHandler):
    server: Desk

    def log_message(self, *arguments: object) -> None:
        return None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        match self.server.trouble:
            case "500":
                self._send(500, b'{"error": "broken"}')
            case "429":
                self._send(429, b'{"error": "slow down"}', {"retry-after": "17"})
            case "html":
                self._send(200, b"<html>maintenance</html>", {"content-type": "text/html"})
            case "list":
                self._send(200, b"[1, 2]")
            case "silence":
                self.server.release.wait(20)
            case "drip":
                self._drip()
            case "cut":
                content = json.dumps(self.server.reply(self.path, body)[1]).encode()
                self._head(200, len(content), {})
                self.wfile.write(content[: len(content) // 2])
            case _:
                status, answer = self.server.reply(self.path, body)
                self._send(status, json.dumps(answer).encode())

    def _drip(self) -> None:
        """Byte after byte, each in time, without an end."""
        self._head(200, 1_000_000, {})
        while not self.server.release.wait(0.05):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(content), headers or {})
        self.wfile.write(content)

    def _head(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def open_desk(reply: Reply) -> Iterator[Desk]:
    """A desk that is staffed while the block runs."""
    desk = Desk(reply)
    thread = threading.Thread(target=desk.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield desk
    finally:
        desk.release.set()
        desk.shutdown()
        thread.join()
        desk.server_close()
