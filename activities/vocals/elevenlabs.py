"""ElevenLabs over HTTP (https://elevenlabs.io/docs, text to speech with timestamps): it speaks lines on the beat.

It speaks and does not sing: its API takes neither notes nor durations, and speech whose pitch is moved onto a tune
afterwards sounds like neither. So sung delivery is refused; the local singer is there for it. The voice is one of the
operator's account, the same for every artist that uses this engine; what an artist was cast with is not heard.
"""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from activities.speech.sound import write_wav
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, run
from activities.support.provider import Patience, Provider
from activities.vocals.base import LEAD_IN, MELODY_RATE, TAIL, CastVoice, SungFiles
from models.base import canonical_sha256
from models.errors import EngineUnavailable, ScriptRejected
from models.identity import Delivery, SingingVoice
from models.lanes import Lane
from models.music import Key, SungLine, SungTiming, SungWord
from models.plan import Capability, EngineRef
from models.song_stages import VoicePrints

NAME: Final = "elevenlabs"
VERSION: Final = "1"
BASE_URL: Final = "https://api.elevenlabs.io/v1"
MODEL: Final = "eleven_multilingual_v2"
RATE: Final = 24_000
"""Samples a second: ``pcm_24000``, the best uncompressed format of every tier."""
_SEEDS: Final = 2**32
_FASTEST: Final = 1.6
"""How much quicker a line may be made than it was spoken: beyond it words are lost."""
_SYLLABLE: Final = (0.04, 1.5)
"""Seconds a spoken syllable may last on average: less is a piece of a line, more is not the line."""
_SLACK: Final = 3.0
_SOUNDING: Final = 0.02

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class _Spoken:
    """A line as it was spoken, and when each of its words is, in seconds from its first sample."""

    samples: Samples
    words: tuple[tuple[float, float], ...]


class ElevenLabsVoice:
    """Speaks with a voice of ElevenLabs. ``key`` is the API key, ``voice_id`` the voice in that account, ``model`` one
    that speaks the language. Thread-safe."""

    def __init__(
        self,
        key: str,
        voice_id: str,
        base_url: str = BASE_URL,
        model: str = MODEL,
        patience: Patience | None = None,
    ) -> None:
        headers = {"xi-api-key": key}
        self._provider = Provider("ElevenLabs", "ELEVENLABS_API_KEY", base_url, key, patience or Patience(), headers)
        self._voice_id = voice_id
        self._model = model

    @property
    def ref(self) -> EngineRef:
        """The engine; model and voice stand for its weights. Raises EngineUnavailable without a key or a voice."""
        self._check()
        weights = canonical_sha256({"model": self._model, "voice": self._voice_id})
        return EngineRef(capability=Capability.VOCALS, name=NAME, version=VERSION, lane=Lane.IO, weights=weights)

    def sing(
        self,
        lines: Sequence[SungLine],
        tempo_bpm: float,
        key: Key,  # noqa: ARG002 - speech has no key
        voice: SingingVoice,  # noqa: ARG002 - see the module
        language: str,  # noqa: ARG002 - the model hears it from the words
        delivery: Delivery,
        support: bool,  # noqa: ARG002 - speech is neither doubled nor harmonised
        seed: int,
        folder: Path,
        progress: Progress,
    ) -> SungFiles:
        """See :class:`~activities.vocals.base.VocalEngine`. Each line begins with its first note and is over before the
        next one begins, made quicker where it has to be. One unit of progress a line.

        Raises ScriptRejected for sung delivery, ProviderFault for what is not the line that was asked for.
        """
        if delivery is not Delivery.SPOKEN:
            raise ScriptRejected(
                "ElevenLabs speaks; it cannot be given notes to sing.",
                field="delivery",
                code="vocals.speaks_only",
                action="Set the artist's delivery to spoken, or choose the singer as its vocal engine.",
            )
        self._check()
        # scipy and its kin, which a worker that only waits for others need not load
        from activities.vocals.takes import levelled, placed  # noqa: PLC0415

        beat = 60 / tempo_bpm
        last = max(note.start + note.beats for line in lines for note in line.notes)
        seconds = math.ceil((LEAD_IN + last * beat + TAIL) * MELODY_RATE) / MELODY_RATE
        begins = [line.notes[0].start * beat for line in lines]
        rooms = [after - begin for begin, after in pairwise((*begins, seconds - LEAD_IN))]
        files = (folder / "lead.wav", folder / "melody.npy")
        placements, timing = [], []
        try:
            with self._provider.job():
                for at, (line, begin, room) in enumerate(zip(lines, begins, rooms, strict=True)):
                    spoken = self._fitted(self._spoken(lines, at, seed), line, room, folder)
                    start = LEAD_IN + begin - spoken.words[0][0]
                    placements.append((start, levelled(spoken.samples)))
                    timing.append(_timed(line, spoken, start))
                    progress(at + 1, len(lines))
            write_wav(files[0], placed(placements, seconds), RATE)
            np.save(files[1], np.zeros(round(seconds * MELODY_RATE), np.float32))
        except BaseException:
            for file in files:
                file.unlink(missing_ok=True)
            raise
        return SungFiles(
            lead=files[0],
            doubles=(),
            harmonies=(),
            lead_in_ms=round(LEAD_IN * 1000),
            timing=SungTiming(lines=tuple(timing)),
            melody=files[1],
            duration=seconds,
        )

    def cast(self, others: VoicePrints, seed: int, folder: Path, progress: Progress) -> CastVoice:
        """Raises ScriptRejected: voices are cast by the singer (:func:`~models.engines.casting_engine`)."""
        del others, seed, folder, progress
        raise ScriptRejected(
            "ElevenLabs' voices are the operator's; none is made for an artist.",
            field="vocals",
            code="vocals.speaks_only",
            action="Have the singer cast the artist's voice.",
        )

    def _check(self) -> None:
        self._provider.check_key()
        if not self._voice_id:
            raise EngineUnavailable(
                "No voice of ElevenLabs was chosen.",
                field="ELEVENLABS_VOICE_ID",
                action="Set it to the id of a voice in the account (GET /v1/voices lists them).",
            )

    def _spoken(self, lines: Sequence[SungLine], at: int, seed: int) -> _Spoken:
        asked = {"text": lines[at].text, "model_id": self._model, "seed": seed % _SEEDS}
        if at:
            asked["previous_text"] = lines[at - 1].text
        if at + 1 < len(lines):
            asked["next_text"] = lines[at + 1].text
        path = f"/text-to-speech/{quote(self._voice_id, safe='')}/with-timestamps"
        answer = self._provider.ask("POST", path, params={"output_format": f"pcm_{RATE}"}, json=asked)
        samples = self._samples(answer.get("audio_base64"))
        seconds = len(samples) / RATE
        quickest, slowest = (length * len(lines[at].notes) for length in _SYLLABLE)
        if not quickest <= seconds <= slowest + _SLACK:
            raise self._provider.fault(
                f"sent {seconds:.1f} s of speech for {len(lines[at].notes)} syllables", "wrong_length"
            )
        if not np.any(np.abs(samples) > _SOUNDING):
            raise self._provider.fault("sent silence", "silence")
        return _Spoken(samples, self._times(answer.get("alignment"), lines[at], seconds))

    def _samples(self, encoded: object) -> Samples:
        if not isinstance(encoded, str):
            raise self._provider.fault("answered without audio", "shape")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._provider.fault("sent audio that is cut or garbled", "not_audio") from error
        if len(raw) % 2:
            raise self._provider.fault("sent audio that is cut or garbled", "not_audio")
        return np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(32_768)

    def _times(self, alignment: object, line: SungLine, seconds: float) -> tuple[tuple[float, float], ...]:
        """When each word of ``line`` is spoken, by the times of its characters."""
        starts, ends = self._characters(alignment, line.text)
        spans, at = [], 0
        for word in line.words:
            spans.append((starts[at], ends[at + len(word.text) - 1]))
            at += len(word.text) + 1
        edges = [edge for span in spans for edge in span]
        if edges != sorted(edges) or edges[0] < 0 or edges[-1] > seconds + 0.1:
            raise self._provider.fault("sent times that are not in order within its audio", "shape")
        return tuple(spans)

    def _characters(self, alignment: object, text: str) -> tuple[list[float], list[float]]:
        found: Mapping[str, Any] = alignment if isinstance(alignment, dict) else {}
        characters = found.get("characters")
        times = [found.get(f"character_{edge}_times_seconds") for edge in ("start", "end")]
        whole = isinstance(characters, list) and "".join(map(str, characters)) == text
        if not whole or any(not _numbers(edge, len(text)) for edge in times):
            raise self._provider.fault("sent no times for the words it was given", "shape")
        return [float(one) for one in times[0] or ()], [float(one) for one in times[1] or ()]

    def _fitted(self, spoken: _Spoken, line: SungLine, room: float, folder: Path) -> _Spoken:
        """The line, as much quicker as ``room`` seconds ask for."""
        factor = (spoken.words[-1][1] - spoken.words[0][0]) / max(room, 0.001)
        if factor <= 1:
            return spoken
        if factor > _FASTEST:
            raise self._provider.fault(
                f'speaks "{line.text[:60]}" {factor:.1f} times too slowly for its bars', "too_slow", lasts=True
            )
        before, after = folder / "line.wav", folder / "quicker.wav"
        try:
            write_wav(before, spoken.samples, RATE)
            run(["-i", str(before), "-af", f"atempo={factor:.6f}", "-c:a", "pcm_s16le", *BIT_EXACT, str(after)])
            samples: Samples = sf.read(after, dtype="float32")[0]
        finally:
            before.unlink(missing_ok=True)
            after.unlink(missing_ok=True)
        return _Spoken(samples, tuple((start / factor, end / factor) for start, end in spoken.words))


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(one, int | float) and math.isfinite(one) for one in values)
    )


def _timed(line: SungLine, spoken: _Spoken, start: float) -> tuple[SungWord, ...]:
    return tuple(
        SungWord(text=word.text, start=round(max(start + first, 0.0), 4), end=round(max(start + last, 0.0), 4))
        for word, (first, last) in zip(line.words, spoken.words, strict=True)
    )
