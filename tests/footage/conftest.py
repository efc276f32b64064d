"""A library that speaks the APIs of Pexels and Pixabay on this machine, with everything it can do wrong, and real
clips to give."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from activities.footage import plates as house
from activities.footage.base import FootageBrief, FootageEngine
from activities.footage.pexels import PexelsFootage
from activities.footage.pixabay import PixabayFootage
from activities.support.ffmpeg import encode_frames, run
from activities.support.provider import Patience
from models.identity import Motif
from models.layout import Shape

KEY = "key-1"
PER_SEARCH = 4


def made_clip(out: Path, size: tuple[int, int], seconds: float, colour: int, fps: int = 10) -> bytes:
    """A real clip with sound, a title and a place in its metadata."""
    width, height = size
    picture = np.full((height, width, 3), (30, 60, colour), np.uint8)
    picture[::40] = 220
    frames = (np.roll(picture, 4 * shift, 0).tobytes() for shift in range(round(seconds * fps)))
    silent = out.with_suffix(".silent.mp4")
    encode_frames(frames, silent, size, fps, crf=30)
    run(
        [
            *("-i", str(silent), "-f", "lavfi", "-t", f"{seconds}", "-i", "sine=frequency=300:sample_rate=8000"),
            *("-c:v", "copy", "-c:a", "aac", "-b:a", "16k"),
            *("-metadata", "title=SECRET-TITLE", "-metadata", "location=+48.1+011.5/", str(out)),
        ]
    )
    return out.read_bytes()


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        "wide": made_clip(folder / "wide.mp4", (1280, 720), 9.0, 200),
        "tall": made_clip(folder / "tall.mp4", (720, 1280), 13.0, 90),
        "short": made_clip(folder / "short.mp4", (1280, 720), 2.0, 10),
    }


class Shelf(ThreadingHTTPServer):
    """A provider with both APIs. ``trouble`` is what it does wrong; ``asked`` what it was asked, ``given`` which files
    it gave."""

    def __init__(self, clips: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.clips = clips
        self.trouble = ""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.given: list[str] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def found(self, words: str) -> list[dict[str, Any]]:
        """Clips of a search, told apart by its words: the first is in every search."""
        if self.trouble == "nothing":
            return []
        first = 10 + sum(words.encode()) % 900 * 10
        return [self._clip(number) for number in (7, *range(first, first + PER_SEARCH))]

    def _clip(self, number: int) -> dict[str, Any]:
        kind = "short" if self.trouble == "too short" else "wide" if self.trouble == "wrong shape" else self._kind
        # The API says what fits; the files of a library in trouble do not.
        size = (720, 1280) if self._kind == "tall" else (1280, 720)
        return {"id": number, "url": f"{self.url}/files/{number}/{kind}.mp4", "size": size}

    _kind = "wide"


class Counter(BaseHTTPRequestHandler):
    server: Shelf

    def log_message(self, *arguments: object) -> None:
        return None

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/files/"):
            self._file(parts.path)
            return
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append((parts.path, asked))
        if self._troubled(parts.path, asked):
            return
        if parts.path == "/videos/search":
            self.server._kind = "tall" if asked["orientation"] == "portrait" else "wide"
            self._json(
                200, {"page": 1, "per_page": 30, "videos": list(map(_pexels, self.server.found(asked["query"])))}
            )
        elif parts.path == "/api/videos/":
            hits = list(map(_pixabay, self.server.found(asked["q"])))
            self._json(200, {"total": len(hits), "totalHits": len(hits), "hits": hits})
        else:
            self._json(404, {"error": "not found"})

    def _troubled(self, path: str, asked: dict[str, str]) -> bool:
        if path == "/videos/search" and self.headers.get("authorization") != KEY:
            self._json(401, {"status": 401, "code": "Unauthorized"})
            return True
        if path == "/api/videos/" and asked.get("key") != KEY:
            said = b"[ERROR 400] Invalid or missing API key (https://pixabay.com/api/docs/)."
            self._send(400, said, "text/html", {})
            return True
        match self.server.trouble:
            case "500":
                self._send(500, b"broken", "text/plain", {})
            case "429":
                self._send(429, b"API rate limit exceeded", "text/plain", {"retry-after": "17"})
            case "html":
                self._send(200, b"<html>maintenance</html>", "text/html", {})
            case "other json":
                self._json(200, {"error": "try later"})
            case "silence":
                self.server.release.wait(20)
            case _:
                return False
        return True

    def _file(self, path: str) -> None:
        assert "authorization" not in self.headers and "key" not in self.path
        self.server.given.append(path)
        body = self.server.clips[Path(path).stem]
        match self.server.trouble:
            case "cut":
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            case "cut unseen":
                self._send(200, body[: len(body) // 2], "video/mp4", {})
            case "no file":
                self._send(404, b"gone", "text/plain", {})
            case "one broken" if len(self.server.given) == 1:
                self._send(200, b"<html>sorry</html>", "text/html", {})
            case _:
                self._send(200, body, "video/mp4", {})

    def _json(self, status: int, body: dict[str, object]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _pexels(clip: dict[str, Any]) -> dict[str, Any]:
    """A clip as Pexels describes it; a streaming playlist has no size."""
    width, height = clip["size"]
    file = {"id": 1, "quality": "hd", "file_type": "video/mp4", "fps": 25.0, "link": clip["url"]}
    playlist = {"id": 2, "quality": "hls", "file_type": "video/mp4", "width": None, "height": None, "link": "x.m3u8"}
    small = {**file, "quality": "sd", "width": width // 4, "height": height // 4, "link": f"{clip['url']}?small"}
    return {
        "id": clip["id"],
        "width": width,
        "height": height,
        "duration": 10,
        "url": f"https://www.pexels.com/video/{clip['id']}/",
        "user": {"id": 1, "name": f"Ana  {clip['id']}", "url": "https://www.pexels.com/@ana"},
        "video_files": [playlist, small, {**file, "width": width, "height": height}],
    }


def _pixabay(clip: dict[str, Any]) -> dict[str, Any]:
    """A clip as Pixabay describes it; a size that there is not has no address."""
    width, height = clip["size"]
    return {
        "id": clip["id"],
        "pageURL": f"https://pixabay.com/videos/id-{clip['id']}/",
        "type": "film",
        "duration": 10,
        "user": f"bo {clip['id']}",
        "videos": {
            "large": {"url": "", "width": 0, "height": 0, "size": 0},
            "medium": {"url": clip["url"], "width": width, "height": height, "size": 1},
            "tiny": {"url": f"{clip['url']}?tiny", "width": width // 4, "height": height // 4, "size": 1},
        },
    }


@pytest.fixture
def shelf(clips: dict[str, bytes]) -> Iterator[Shelf]:
    server = Shelf(clips)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plates a quarter as high and less long, for tests of which are taken and not of how they look."""
    monkeypatch.setattr(house, "SHORT_SIDE", 180)
    monkeypatch.setattr(house, "SECONDS", 4.0)


Finder = Callable[..., FootageEngine]
PATIENCE = Patience(answer=1.0)


def pexels(shelf: Shelf, key: str = KEY) -> FootageEngine:
    return PexelsFootage(key, shelf.url, PATIENCE)


def pixabay(shelf: Shelf, key: str = KEY) -> FootageEngine:
    return PixabayFootage(key, shelf.url, PATIENCE)


def brief(**changes: Any) -> FootageBrief:
    values: dict[str, Any] = {
        "shape": Shape.WIDE,
        "fps": 25,
        "motif": Motif.WAVES,
        "palette": ("#0b1026", "#2b2d6e", "#c2426b", "#fff3dc"),
        "themes": ("city rain", "winter"),
        "count": 4,
        "seed": 5,
    }
    return FootageBrief(**{**values, **changes})
