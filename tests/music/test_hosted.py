"""Hosted composers over HTTP, against a local server that speaks their APIs: a song when all goes well, and a typed
error that names what went wrong when it does not."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import soundfile as sf

from activities.music.aimlapi import AimlapiMusic
from activities.music.base import MusicEngine
from activities.music.replicate import ReplicateMusic
from activities.support.engine import no_progress
from activities.support.provider import Patience
from models.errors import PROVIDER_RESTS, EngineUnavailable, ProviderFault, StudioError
from models.music import FormSection, Genre, SectionKind
from tests.music.conftest import plan

KEY = "key-1"
MODEL = "7a76" * 16
PLAN = plan(
    Genre.ELECTRONIC,
    form=(FormSection(kind=SectionKind.VERSE, bars=1), FormSection(kind=SectionKind.CHORUS, bars=2)),
)


def music(seconds: float) -> bytes:
    buffer = io.BytesIO()
    sf.write(buffer, 0.3 * np.sin(np.arange(int(seconds * 32_000)) * 0.05), 32_000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


class Studio(ThreadingHTTPServer):
    """A provider with both APIs. ``trouble`` is what it does wrong; ``asked`` what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.trouble = ""
        self.looks = 0
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.file = music(PLAN.duration_ms / 1000)
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    server: Studio

    def log_message(self, *arguments: object) -> None:
        return None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body))
        if self._troubled():
            return
        self._json(201, {"id": "job-1", "status": "starting" if "predictions" in self.path else "queued"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/files/song.wav":
            self._file()
            return
        if not self._authorised():
            return
        self.server.looks += 1
        url = f"{self.server.url}/files/song.wav"
        job = "job-1"
        known = parts.path == f"/v1/predictions/{job}" or parse_qs(parts.query).get("generation_id") == [job]
        if not known:
            self._json(404, {"error": "no such job"})
        elif self.server.looks < 3:
            self._json(200, {"id": job, "status": "processing" if "predictions" in parts.path else "generating"})
        elif self.server.trouble == "failed":
            self._json(200, {"id": job, "status": "failed", "error": "out of memory"})
        elif "predictions" in parts.path:
            self._json(200, {"id": job, "status": "succeeded", "output": url})
        else:
            self._json(200, {"id": job, "status": "completed", "audio_file": {"url": url}})

    def _authorised(self) -> bool:
        if self.headers.get("authorization") == f"Bearer {KEY}":
            return True
        self._json(401, {"error": "unauthenticated"})
        return False

    def _troubled(self) -> bool:
        if not self._authorised():
            return True
        match self.server.trouble:
            case "500":
                self._json(500, {"error": "broken"})
            case "429":
                self._json(429, {"error": "slow down"}, {"retry-after": "17"})
            case "html":
                self._send(200, b"<html>maintenance</html>", "text/html", {})
            case "silence":
                self.server.release.wait(20)
            case _:
                return False
        return True

    def _file(self) -> None:
        assert "authorization" not in self.headers
        if self.server.trouble == "cut":
            self.send_response(200)
            self.send_header("content-length", str(len(self.server.file)))
            self.end_headers()
            self.wfile.write(self.server.file[: len(self.server.file) // 2])
            return
        self._send(200, self.server.file, "audio/wav", {})

    def _json(self, status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers or {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def studio() -> Iterator[Studio]:
    server = Studio()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


Maker = Callable[..., MusicEngine]
PATIENCE = Patience(answer=1.0, poll=0.001, job=0.5)


def replicate(studio: Studio, key: str = KEY, patience: Patience = PATIENCE) -> MusicEngine:
    return ReplicateMusic(key, MODEL, f"{studio.url}/v1", patience)


def aimlapi(studio: Studio, key: str = KEY, patience: Patience = PATIENCE) -> MusicEngine:
    return AimlapiMusic(key, f"{studio.url}/v2", patience=patience)


BOTH = pytest.mark.parametrize("make", [replicate, aimlapi])


@BOTH
def test_a_song_comes_back_as_stereo_and_the_plan_was_asked_for(make: Maker, studio: Studio, tmp_path: Path) -> None:
    made = make(studio).compose(PLAN, 3, tmp_path, no_progress)
    info = sf.info(made.mix)
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "PCM_16")
    assert made.seconds == pytest.approx(PLAN.duration_ms / 1000, abs=0.01)
    assert (dict(made.stems), made.score) == ({}, None)
    assert [path.name for path in tmp_path.iterdir()] == ["mix.wav"]
    ((_, body),) = studio.asked
    assert "124 BPM" in json.dumps(body)
    assert "electronic" in json.dumps(body)
    assert studio.looks == 3


TROUBLES = [
    ("500", "provider.status"),
    ("429", "provider.busy"),
    ("html", "provider.not_json"),
    ("silence", "provider.timeout"),
    ("failed", "provider.job_failed"),
    ("cut", "provider.truncated"),
]


@BOTH
@pytest.mark.parametrize(("trouble", "code"), TROUBLES)
def test_each_trouble_has_its_name_and_leaves_no_file(
    make: Maker, trouble: str, code: str, studio: Studio, tmp_path: Path
) -> None:
    studio.trouble = trouble
    with pytest.raises(ProviderFault) as caught:
        make(studio).compose(PLAN, 3, tmp_path, no_progress)
    assert caught.value.code == code
    assert caught.value.retryable
    assert list(tmp_path.iterdir()) == []
    if trouble == "429":
        assert "17" in caught.value.message


@BOTH
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (music(30), "provider.wrong_length"),
        (b"<html>sign in</html>", "provider.not_music"),
        (b"", "provider.not_music"),
    ],
)
def test_a_file_that_is_no_such_song_is_refused(
    make: Maker, content: bytes, code: str, studio: Studio, tmp_path: Path
) -> None:
    studio.file = content
    with pytest.raises(ProviderFault) as caught:
        make(studio).compose(PLAN, 3, tmp_path, no_progress)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_a_job_without_an_end_is_given_up(make: Maker, studio: Studio, tmp_path: Path) -> None:
    studio.looks = -10_000
    with pytest.raises(ProviderFault) as caught:
        make(studio, patience=Patience(1.0, 0.001, 0.005)).compose(PLAN, 3, tmp_path, no_progress)
    assert caught.value.code == "provider.job_timeout"


@BOTH
@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_missing_or_refused_key_is_named(make: Maker, key: str, studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        make(studio, key=key).compose(PLAN, 3, tmp_path, no_progress)
    assert caught.value.field in {"REPLICATE_API_TOKEN", "AIMLAPI_KEY"}


@BOTH
def test_whoever_waits_can_be_stopped(make: Maker, studio: Studio, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        make(studio).compose(PLAN, 3, tmp_path, stop)
    assert studio.looks == 0


def test_replicate_needs_a_version(studio: Studio) -> None:
    with pytest.raises(StudioError) as caught:
        _ = ReplicateMusic(KEY, "", studio.url).ref
    assert caught.value.field == "REPLICATE_MUSIC_VERSION"


@BOTH
def test_a_composer_that_keeps_failing_rests_and_is_not_asked(make: Maker, studio: Studio, tmp_path: Path) -> None:
    engine = make(studio, patience=Patience(1.0, 0.001, 0.5, failures=2))
    studio.trouble = "500"
    for expected in ("provider.status", "provider.status", PROVIDER_RESTS):
        with pytest.raises(ProviderFault) as caught:
            engine.compose(PLAN, 3, tmp_path, no_progress)
        assert caught.value.code == expected
    assert len(studio.asked) == 2
