"""``python -m tests.durability.worker --lanes cpu``: a worker process as the studio runs it, by the studio's own code.

Only its engines are small, and it stops at gates: when an activity begins, in the middle of a stage's work, and when a
result is stored that has not been reported yet."""

import argparse
import asyncio
import contextvars
import hashlib
import json
import os
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.avatar.base import Clip, Performance, Subject
from activities.compositing.base import CardPicture, Film, FinishedFilm, SegmentPicture, SpokenSound
from activities.quality.base import CaptionTiming, Hearing, SegmentSight, Stillness, WordErrors
from activities.speech.base import Spoken, Voice
from activities.support.engine import Engine, Progress
from deploy.settings import Settings, load_settings
from models.alignment import Alignment, WordTiming
from models.engines import find_engine
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.quality import Figure, QualityReport, Sense
from models.script import Utterance
from models.stages import CardRequest
from tests.durability.gates import POLL_SECONDS, Gates
from workers.__main__ import serve
from workers.renewal import renew

GATES = Gates(Path(os.environ["DURABILITY_GATES"]))
MAKINGS = Path(os.environ["DURABILITY_MAKINGS"])
"""A line for every time an engine began to make something."""
RATE = 8_000
FILM_BYTES = 9 * 2**20
"""More than the object store's client sends in one part."""

_here: contextvars.ContextVar[str] = contextvars.ContextVar("here")
"""The activity, and which segment or card it is for: threads of its engine inherit it."""


class Stops(Interceptor):
    """Names where an activity is, and stops it before and after."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Stopping(next)


class _Stopping(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        which = getattr(input.args[0], "segment", None)
        if isinstance(input.args[0], CardRequest):
            which = "opening" if input.args[0].opening else "closing"
        here = activity.info().activity_type + ("" if which is None else f".{which}")
        _here.set(here)
        await _stop(f"{here}.begun")
        result = await super().execute_activity(input)
        await _stop(f"{here}.done")
        return result


async def _stop(gate: str) -> None:
    if GATES.is_closed(gate):
        GATES.arrive(gate)
        while GATES.is_closed(gate):
            # A worker that waits for an answer of its own beats meanwhile.
            activity.heartbeat()
            await asyncio.sleep(POLL_SECONDS)


def make(out: Path, *of: object, size: int = 2_000) -> Path:
    """Write ``out``: bytes that depend on ``of`` alone. Half of them before the gate in the middle."""
    here = _here.get()
    with MAKINGS.open("a") as log:
        log.write(f"{here}\n")
    seed = hashlib.sha256(repr(of).encode()).digest()
    content = seed * (size // len(seed))
    with out.open("wb") as file:
        file.write(content[: size // 2])
        file.flush()
        GATES.wait(f"{here}.mid")
        file.write(content[size // 2 :])
    return out


def digest(*of: object) -> str:
    """The sha256 of something made that nobody keeps."""
    with tempfile.TemporaryDirectory() as folder:
        return sha256(make(Path(folder, "made"), *of))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Small:
    """What every small engine shares."""

    def __init__(self, capability: Capability, name: str) -> None:
        self.ref: EngineRef = find_engine(capability, name).ref()


class Speaker(Small):
    def voices(self) -> tuple[str, ...]:
        return ("af_heart",)

    def speak(self, utterance: Utterance, voice: Voice, seed: int, out: Path, progress: Progress) -> Spoken:
        samples = make(out, utterance.text, voice.name, seed, size=RATE * 2).read_bytes()
        with wave.open(str(out), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            sound.writeframes(samples)
        progress(1, 1)
        word = WordTiming(text=utterance.text[:100], start=0, end=1)
        return Spoken(out, RATE, 1.0, Alignment(words=(word,), duration=1, source=self.ref.name))


class Aligner(Small):
    def align(self, wav: Path, utterance: Utterance, known: Alignment | None, progress: Progress) -> Alignment:
        digest(sha256(wav))
        progress(1, 1)
        assert known is not None
        return known.model_copy(update={"source": self.ref.name})


class Mouth(Small):
    def curves(self, alignment: Alignment, wav: Path, fps: int, seed: int, out: Path) -> int:
        make(out, alignment, sha256(wav), fps, seed)
        return fps


class Performer(Small):
    def looks(self) -> tuple[str, ...]:
        return ("avery",)

    def perform(self, performance: Performance, subject: Subject, height: int, out: Path, progress: Progress) -> Clip:
        make(out, sha256(performance.curves), sha256(performance.wav), subject, height, performance.seed)
        progress(1, 1)
        return Clip(out, height, height, performance.fps, performance.fps, matte=True)


class Compositor(Small):
    def compose(self, segment: SegmentPicture, out: Path, progress: Progress) -> int:
        make(out, segment.index, sha256(segment.clip.path), segment.alignment, segment.offset_ms)
        progress(1, 1)
        return segment.clip.frames

    def card(self, card: CardPicture, out: Path, progress: Progress) -> None:
        make(out, card.card, card.opening, sha256(card.beside))
        progress(1, 1)

    def soundtrack(
        self, segments: Sequence[SpokenSound], layout: object, assets: object, out: Path, *_: object
    ) -> None:
        make(out, [sha256(segment.wav) for segment in segments])

    def assemble(self, film: Film, out: Path, progress: Progress) -> FinishedFilm:
        of = [sha256(film.sound), *(sha256(segment.picture) for segment in film.segments)]
        video = make(out / "film.mp4", of, size=FILM_BYTES)
        progress(1, 1)
        files = [out / name for name in ("still.jpg", "film.srt", "film.vtt")]
        for file in files:
            file.write_text(file.name + "".join(of))
        starts = tuple(float(index) for index in range(len(film.segments)))
        return FinishedFilm(video, *files, duration=len(starts), speech_starts=starts)


class Judge(Small):
    def see(self, picture: Path, curves: Path, progress: Progress) -> SegmentSight:
        packets = digest(sha256(picture), sha256(curves))
        progress(1, 1)
        still = Stillness(longest=0, longest_at=0, leading=0, trailing=0)
        return SegmentSight(opening=(0.1,), planned=(0.1,), black=0, black_at=0, still=still, packets=packets)

    def hear(self, sound: Path, parts: Sequence[object], language: str, progress: Progress) -> Hearing:
        packets = digest(sha256(sound), len(parts))
        progress(1, 1)
        timing = CaptionTiming(shifts=(0.0,), worst=(0.0, "this"), unaligned=0)
        return Hearing(heard="", errors=WordErrors(), timing=timing, loudness=-16, true_peak=-2, packets=packets)

    def report(self, video: Path, segments: Sequence[object], hearing: Hearing, *_: object) -> QualityReport:
        figure = Figure(name="word_error_rate", value=0.01, sense=Sense.AT_MOST, reach=0.05)
        return QualityReport(figures=(figure,), heard=digest(sha256(video), hearing.packets))


SMALL: dict[Capability, tuple[type[Small], tuple[str, ...]]] = {
    Capability.SPEECH: (Speaker, ("kokoro",)),
    Capability.ALIGNMENT: (Aligner, ("timings", "pocketsphinx")),
    Capability.LIPSYNC: (Mouth, ("visemes",)),
    Capability.AVATAR: (Performer, ("presenter",)),
    Capability.COMPOSITING: (Compositor, ("ffmpeg",)),
    Capability.QUALITY: (Judge, ("studio",)),
}


def build(settings: Settings, lane: Lane) -> dict[Capability, dict[str, Engine]]:
    """A small engine in the place of each default one."""
    engines: dict[Capability, dict[str, Engine]] = {capability: {} for capability in Capability}
    if lane is Lane.CPU:
        for capability, (kind, names) in SMALL.items():
            engines[capability] = {name: kind(capability, name) for name in names}
    return engines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lanes", required=True)
    lanes = tuple(Lane(name) for name in parser.parse_args().lanes.split(","))
    settings = load_settings("TEMPORAL_ADDRESS", "DATABASE_URL")
    if asyncio.run(serve(settings, lanes, build=build, interceptors=[Stops()])):
        sys.stdout.write(json.dumps({"event": "worker.renewed"}) + "\n")
        renew()


if __name__ == "__main__":
    main()
