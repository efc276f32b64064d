"""What hosted composers share: asking over HTTP with every way to fail named, waiting for a job, and taking its file as
music of the right length."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import soundfile as sf

from activities.music.base import Composition
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, probe, run
from models.errors import EngineUnavailable, MediaRejected, ProviderFault
from models.music import SongPlan

RATE: Final = 44_100
_LONGEST_BYTES: Final = 200_000_000
_LENGTH_TOLERANCE: Final = 0.25


@dataclass(frozen=True)
class Patience:
    """How long a provider is waited for, in seconds: for one answer, between two looks at a job, for the whole job."""

    answer: float = 60.0
    poll: float = 3.0
    job: float = 900.0


def described(plan: SongPlan) -> str:
    """The plan in words, for models that are asked in words."""
    genres = " with ".join(share.genre.value for share in plan.genres)
    sections = ", ".join(section.kind.value for section in plan.form)
    energy = "calm" if plan.energy < 0.4 else "driving" if plan.energy > 0.7 else "steady"
    instruments = f", {', '.join(plan.instruments)}" if plan.instruments else ""
    words = f"{plan.prompt}. " if plan.prompt else ""
    return (
        f"{words}{energy} instrumental {genres}{instruments}, {plan.tempo_bpm:.0f} BPM, 4/4, {plan.key.name}, "
        f"form: {sections}, no vocals"
    )


class Provider:
    """A provider's HTTP side. ``name`` is what a person calls it; ``setting`` the setting that holds its key."""

    def __init__(self, name: str, setting: str, base_url: str, key: str, patience: Patience) -> None:
        self._name = name
        self._setting = setting
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._patience = patience

    def check_key(self) -> None:
        """Raises EngineUnavailable without a key."""
        if not self._key:
            raise EngineUnavailable(
                f"{self._name} needs a key.", field=self._setting, action=f"Set {self._setting} on the worker."
            )

    def ask(self, method: str, path: str, **arguments: Any) -> Mapping[str, Any]:
        """The JSON object that ``path`` (or a whole URL of the provider's) answers with."""
        url = path if path.startswith("http") else f"{self._base_url}{path}"
        if not url.startswith(f"{self._base_url}/"):
            raise self.fault("names an address that is not its own", "address")
        response = self._sent(method, url, headers={"Authorization": f"Bearer {self._key}"}, **arguments)
        with suppress(ValueError):
            answer = response.json()
            if isinstance(answer, dict):
                return answer
        raise self.fault(f"answered with {response.headers.get('content-type', 'no type')}, not JSON", "not_json")

    def _sent(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        try:
            response = httpx.request(method, url, timeout=self._patience.answer, **arguments)
        except httpx.TimeoutException as error:
            raise self.fault(f"did not answer within {self._patience.answer:g} s", "timeout") from error
        except httpx.HTTPError as error:
            raise self.fault(f"cannot be reached: {error}", "unreachable") from error
        if response.is_success:
            return response
        if response.status_code in {401, 403}:
            raise EngineUnavailable(
                f"{self._name} refuses the key (status {response.status_code}).",
                field=self._setting,
                action=f"Put a valid key into {self._setting}.",
            )
        if response.status_code == 429:
            after = response.headers.get("retry-after", "a while")
            raise self.fault(f"asks for a pause: try again after {after[:40]} (seconds or date)", "busy")
        raise self.fault(f"answered with status {response.status_code}: {response.text[:200]}", "status")

    def wait(self, look: Callable[[], str | None], progress: Progress) -> str:
        """The address of the finished file: ``look`` gives it, or None while the job runs."""
        rounds = max(1, round(self._patience.job / max(self._patience.poll, 0.001)))
        for done in range(rounds):
            progress(done, rounds)
            if address := look():
                return address
            time.sleep(self._patience.poll)
        raise self.fault(f"did not finish within {self._patience.job:g} s", "job_timeout")

    def fetch(self, url: str, plan: SongPlan, folder: Path, source: str) -> Composition:
        """The file at ``url`` as stereo WAV at 44.1 kHz. The key is not sent along: files lie with third parties."""
        received, mix = folder / "received", folder / "mix.wav"
        try:
            self._download(url, received)
            self._check(received, plan)
            run(["-i", str(received), "-vn", "-ac", "2", "-ar", str(RATE), "-c:a", "pcm_s16le", *BIT_EXACT, str(mix)])
        except BaseException:
            mix.unlink(missing_ok=True)
            raise
        finally:
            received.unlink(missing_ok=True)
        return Composition(mix=mix, seconds=sf.info(mix).duration, source=source)

    def _download(self, url: str, out: Path) -> None:
        try:
            with (
                httpx.stream("GET", url, timeout=self._patience.answer, follow_redirects=True) as response,
                out.open("wb") as file,
            ):
                if not response.is_success:
                    raise self.fault(f"keeps its file from us: status {response.status_code}", "download")
                for block in response.iter_bytes():
                    file.write(block)
                    if file.tell() > _LONGEST_BYTES:
                        raise self.fault("sends a file without an end", "too_long")
        except httpx.TimeoutException as error:
            raise self.fault("stopped sending its file", "timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.fault(f"broke off its file: {error}", "truncated") from error

    def _check(self, received: Path, plan: SongPlan) -> None:
        try:
            info = probe(received, whole=True, name=f"the file from {self._name}")
        except MediaRejected as error:
            raise self.fault(f"sent no whole piece of music: {error.message}", "not_music") from error
        wanted = plan.duration_ms / 1000
        if not info.has_audio or abs(info.duration - wanted) > _LENGTH_TOLERANCE * wanted:
            raise self.fault(f"sent {info.duration:.0f} s of music for a song of {wanted:.0f} s", "wrong_length")

    def fault(self, what: str, code: str) -> ProviderFault:
        """The provider's failure, as an error."""
        return ProviderFault(f"{self._name} {what}.", code=f"provider.{code}", field=self._setting)
