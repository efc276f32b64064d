"""A server that speaks the part of YouTube's Data API that publishing uses: tokens, resumable uploads, videos, the
uploads playlist, thumbnails. What goes wrong is said beforehand, fault by fault."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

QUANTUM = 256 * 1024
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass
class Session:
    """An upload under way."""

    body: dict[str, Any]
    size: int
    media_type: str
    received: bytearray = field(default_factory=bytearray)
    video: str = ""


class YouTubeServer(ThreadingHTTPServer):
    """One channel. ``troubles`` are taken one by one by the requests they are meant for, (method and path start,
    fault); ``videos`` are what viewers see."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.refresh_token = "refresh-1"
        self.tokens = 0
        self.troubles: list[tuple[str, str]] = []
        self.sessions: dict[str, Session] = {}
        self.videos: dict[str, dict[str, Any]] = {}
        self.films: dict[str, bytes] = {}
        self.thumbnails: dict[str, bytes] = {}
        self.looks = 0
        self.processed_after = 1
        self.upload_status = "processed"
        self.privacy: str | None = None
        self.sessions_at = ""
        self.requests: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def token(self) -> str:
        return f"access-{self.tokens}"

    def expire(self) -> None:
        """The access token that was given is none any more."""
        self.tokens += 1

    def chunks(self) -> int:
        """How many chunks of films were sent."""
        return sum(request.startswith("PUT /upload/session") and "*" not in request for request in self.requests)

    def trouble(self, request: str) -> str:
        with self.lock:
            for at, (meant, fault) in enumerate(self.troubles):
                if request.startswith(meant):
                    del self.troubles[at]
                    return fault
        return ""


class _Desk(BaseHTTPRequestHandler):
    server: YouTubeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        return None

    def do_POST(self) -> None:
        body = self._body()
        path, query = self._heard()
        if path == "/token":
            self._token(body)
        elif self._admitted():
            if path == "/upload/videos":
                self._begin(json.loads(body), query)
            elif path == "/upload/thumbnails/set":
                self.server.thumbnails[query["videoId"]] = body
                self._json(200, {"items": []})

    def do_PUT(self) -> None:
        path, _ = self._heard(self.headers["content-range"])
        session = self.server.sessions.get(path.removeprefix("/upload/session/"))
        fault = self._fault() if "*" not in self.headers["content-range"] else self._fault("ask ")
        if fault == "drop":
            half = self.rfile.read(int(self.headers["content-length"]) // 2)
            if session:
                session.received += half[: len(half) // QUANTUM * QUANTUM]
            self._hang_up()
            return
        body = self._body()
        if fault == "500":
            self._json(503, {"error": {"code": 503, "message": "backend", "errors": [{"reason": "backendError"}]}})
        elif fault == "html":
            self._answer(200, b"<html>proxy</html>", "text/html")
        elif not self._admitted(fault):
            return
        elif session is None:
            self._answer(404, b"", "text/plain")
        else:
            self._take(session, body, fault)

    def _take(self, session: Session, body: bytes, fault: str) -> None:
        if found := RANGE.fullmatch(self.headers["content-range"]):
            first, last, size = (int(part) for part in found.groups())
            assert (size, first, last + 1 - first) == (session.size, len(session.received), len(body))
            assert last + 1 == size or len(body) % QUANTUM == 0
            session.received += body[:QUANTUM] if fault == "short" else body
        if len(session.received) == session.size and not session.video:
            session.video = f"video{len(self.server.videos):06d}"
            self.server.films[session.video] = bytes(session.received)
            status = {**session.body["status"], "uploadStatus": "uploaded"}
            self.server.videos[session.video] = {**session.body, "id": session.video, "status": status}
        if fault == "lost":
            self._hang_up()
        elif session.video:
            self._json(201, self.server.videos[session.video])
        else:
            has = {"Range": f"bytes=0-{len(session.received) - 1}"} if session.received else {}
            self._answer(308, b"", "text/plain", has)

    def do_GET(self) -> None:
        path, query = self._heard()
        if not self._admitted(self._fault()):
            return
        if path == "/api/channels":
            assert query["mine"] == "true"
            self._json(200, {"items": [{"contentDetails": {"relatedPlaylists": {"uploads": "UU1"}}}]})
        elif path == "/api/playlistItems":
            self._page(query)
        elif path == "/api/videos":
            self._look(query["id"])

    def _page(self, query: dict[str, str]) -> None:
        if not self.server.videos:
            self._refuse(404, "playlistNotFound")
            return
        at = int(query.get("pageToken", "0"))
        videos = list(self.server.videos.values())[at : at + 1]
        following = {"nextPageToken": str(at + 1)} if at + 1 < len(self.server.videos) else {}
        entries = [{"snippet": v["snippet"], "contentDetails": {"videoId": v["id"]}} for v in videos]
        self._json(200, {"items": entries, **following})

    def _look(self, video_id: str) -> None:
        self.server.looks += 1
        video = self.server.videos.get(video_id)
        if video and self.server.looks > self.server.processed_after:
            video["status"]["uploadStatus"] = self.server.upload_status
            video["status"]["privacyStatus"] = self.server.privacy or video["status"]["privacyStatus"]
        self._json(200, {"items": [video] if video else []})

    def do_DELETE(self) -> None:
        _, query = self._heard()
        if self._admitted(self._fault()):
            self.server.videos.pop(query["id"], None)
            self._answer(204, b"", "")

    def _begin(self, body: dict[str, Any], query: dict[str, str]) -> None:
        assert query == {"uploadType": "resumable", "part": "snippet,status"}
        key = str(len(self.server.sessions))
        size, kind = int(self.headers["x-upload-content-length"]), self.headers["x-upload-content-type"]
        self.server.sessions[key] = Session(body, size, kind)
        self._answer(
            200, b"", "text/plain", {"Location": f"{self.server.sessions_at or self.server.url}/upload/session/{key}"}
        )

    def _token(self, body: bytes) -> None:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if asked != {
            "grant_type": "refresh_token",
            "client_id": "client-1",
            "client_secret": "secret-1",
            "refresh_token": self.server.refresh_token,
        }:
            self._json(400, {"error": "invalid_grant"})
            return
        self._json(200, {"access_token": self.server.token(), "expires_in": 3599, "token_type": "Bearer"})

    def _admitted(self, fault: str | None = None) -> bool:
        fault = self._fault() if fault is None else fault
        if fault == "quota":
            self._refuse(403, "quotaExceeded", "youtube.quota")
        elif fault == "forbidden":
            self._refuse(403, "forbidden")
        elif fault == "bad":
            self._refuse(400, "invalidTitle")
        elif fault == "html":
            self._answer(200, b"<html>proxy</html>", "text/html")
        elif fault == "expire" or self.headers["authorization"] != f"Bearer {self.server.token()}":
            if fault == "expire":
                self.server.expire()
            self._refuse(401, "authError", "global")
        else:
            return True
        return False

    def _fault(self, prefix: str = "") -> str:
        return self.server.trouble(f"{prefix}{self.command} {self.path}")

    def _heard(self, more: str = "") -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.server.requests.append(f"{self.command} {parts.path} {more}".strip())
        return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _refuse(self, status: int, reason: str, domain: str = "youtube") -> None:
        error = {"code": status, "message": reason, "errors": [{"domain": domain, "reason": reason}]}
        self._json(status, {"error": error})

    def _json(self, status: int, answer: object) -> None:
        self._answer(status, json.dumps(answer).encode(), "application/json; charset=UTF-8")

    def _answer(self, status: int, body: bytes, media_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()


@contextmanager
def serving() -> Iterator[YouTubeServer]:
    """The server at work on a port of its own."""
    server = YouTubeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
