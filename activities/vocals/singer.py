"""Kokoro-82M as a singer: durations and F0 are given to the model, so that it sings a tune in the voice of any blend of
its styles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from activities.speech.kokoro_graph import FloatArray
from activities.speech.kokoro_model import KokoroModel
from activities.speech.kokoro_voices import SAMPLE_RATE, VOICES
from activities.speech.sound import write_wav
from activities.support.engine import Progress
from activities.vocals.base import LEAD_IN, MELODY_RATE, TAIL, CastVoice, SungFiles
from activities.vocals.casting import GOOD_ENOUGH, MOST_TRIED, candidates, crowded
from activities.vocals.phrase import Manner, Timetable, carried, lifted, melody, timetable
from activities.vocals.sample import SAMPLE_BEAT, sample_lines
from activities.vocals.syllables import SungText, sung_text, sung_words
from activities.vocals.takes import LEAD, Take, harmonised, levelled, placed, supporting
from activities.vocals.voiceprint import Listener
from models.errors import ScriptRejected
from models.identity import Delivery, SingingVoice
from models.lanes import Lane
from models.music import Key, LeadNote, SungLine, SungTiming, SungWord
from models.plan import Capability, EngineRef
from models.song_stages import SAME_VOICE, VoicePrints

NAME = "singer"
VERSION = "1.1"
"""Counts changes to what the same lines sound like, the casting's pool included."""
LONGEST_TOKENS = 510
RESTS_FROM = 0.25
"""Seconds of silence between two words from which the model is told to pause."""
SPOKEN_NOTE = 0.32
"""Seconds a syllable lasts at most where words are spoken in rhythm."""
SHORTEST_NOTE_UNITS = 2


@dataclass(frozen=True)
class _Sung:
    """A line as it was sung, and when its first sample is, in seconds from the section's first beat."""

    samples: FloatArray
    starts_at: float
    pitch: FloatArray
    words: tuple[tuple[float, float], ...]


class KokoroSinger:
    """Sings English with blends of the stock voices. Thread-safe; one core a call.

    ``model`` is an operator's own ONNX export of Kokoro-82M v1.0, or None for the packaged one; ``voices_dir`` holds
    the style files; ``cache_dir`` keeps the cut graph, the same as the speaker's.
    """

    def __init__(self, model: Path | None, voices_dir: Path, cache_dir: Path) -> None:
        self._model = KokoroModel(model, voices_dir, cache_dir)
        self._listener = Listener()

    @property
    def ref(self) -> EngineRef:
        """The engine and the hash of its model. The style files and the speaker embedding are pinned by the version."""
        return EngineRef(
            capability=Capability.VOCALS, name=NAME, version=VERSION, lane=Lane.CPU, weights=self._model.sha256
        )

    def prepare(self) -> None:
        """Load the model. Raises EngineUnavailable."""
        _ = self._model.graph

    def sing(
        self,
        lines: Sequence[SungLine],
        tempo_bpm: float,
        key: Key,
        voice: SingingVoice,
        language: str,
        delivery: Delivery,
        support: bool,
        seed: int,
        folder: Path,
        progress: Progress,
    ) -> SungFiles:
        """See :class:`~activities.vocals.base.VocalEngine`."""
        if language.split("-")[0] != "en":
            raise ScriptRejected(
                f'The singer sings English, not "{language}".',
                field="language",
                action="Set the artist's language to en, or choose another vocal engine.",
            )
        styles = self._blend(voice)
        takes = (LEAD, *(supporting(seed) if support and delivery is Delivery.SUNG else ()))
        last = max(note.start + note.beats for line in lines for note in line.notes)
        seconds = math.ceil((LEAD_IN + last * 60 / tempo_bpm + TAIL) * MELODY_RATE) / MELODY_RATE
        files: list[Path] = []
        lead: list[_Sung] = []
        try:
            for at, take in enumerate(takes):
                sung = []
                for number, line in enumerate(lines):
                    notes = harmonised(line.notes, take.steps, key, voice.high) if take.steps else line.notes
                    sung.append(self._line(line, notes, 60 / tempo_bpm, styles, voice, delivery, take))
                    progress(at * len(lines) + number + 1, len(takes) * len(lines))
                lead = lead or sung
                files.append(folder / f"{take.name}.wav")
                timed = [(LEAD_IN + take.delay + one.starts_at, one.samples) for one in sung]
                write_wav(files[-1], placed(timed, seconds), SAMPLE_RATE)
            files.append(folder / "melody.npy")
            np.save(files[-1], _tune(lead, seconds))
        except BaseException:
            for file in files:
                file.unlink(missing_ok=True)
            raise
        return SungFiles(
            lead=files[0],
            doubles=tuple(file for file in files if file.name.startswith("double")),
            harmonies=tuple(file for file in files if file.name.startswith("harmony")),
            lead_in_ms=round(LEAD_IN * 1000),
            timing=SungTiming(lines=tuple(map(_timed, lines, lead))),
            melody=files[-1],
            duration=seconds,
        )

    def cast(self, others: VoicePrints, seed: int, folder: Path, progress: Progress) -> CastVoice:
        """See :class:`~activities.vocals.base.VocalEngine`."""
        known = np.array([one.embedding for one in others.prints], np.float32).reshape(-1, 256)
        best: CastVoice | None = None
        for tried, voice in enumerate(candidates(seed, known), start=1):
            samples = self.sample(voice)
            embedding = self._listener.embed(samples, SAMPLE_RATE)
            nearest = float((known @ embedding).max(initial=-1.0))
            if best is None or nearest < best.nearest:
                sample = folder / "sample.wav"
                write_wav(sample, samples, SAMPLE_RATE)
                seconds = len(samples) / SAMPLE_RATE
                best = CastVoice(voice, sample, seconds, tuple(map(float, embedding)), nearest)
            progress(tried, MOST_TRIED)
            if best.nearest < GOOD_ENOUGH:
                break
        if best is None or best.nearest >= SAME_VOICE:
            raise crowded(best.nearest if best else 1.0, MOST_TRIED)
        return best

    def sample(self, voice: SingingVoice) -> FloatArray:
        """The voice speaking and singing the same words as every voice: mono at 24 kHz, about six seconds."""
        styles = self._blend(voice)
        pieces = []
        for line, delivery in sample_lines(voice):
            sung = self._line(line, line.notes, SAMPLE_BEAT, styles, voice, delivery, LEAD)
            pieces.append(sung.samples)
        return np.concatenate(pieces)

    def _blend(self, voice: SingingVoice) -> FloatArray:
        """The weighted sum of the voice's styles: [510, 256]."""
        total = np.zeros(1, np.float32)
        for style in voice.styles:
            total = total + self._model.styles(style.style) * np.float32(style.share)
        return total

    def _line(
        self,
        line: SungLine,
        notes: Sequence[LeadNote],
        beat: float,
        styles: FloatArray,
        voice: SingingVoice,
        delivery: Delivery,
        take: Take,
    ) -> _Sung:
        accent = VOICES[max(voice.styles, key=lambda style: style.share).style].accent
        words = self._model.phonemisers[accent].phonemise(sung_words([word.text for word in line.words]))
        if delivery is Delivery.SPOKEN:
            notes = [note.model_copy(update={"beats": min(note.beats, SPOKEN_NOTE / beat)}) for note in notes]
        syllables = [word.syllables for word in line.words]
        text = sung_text(words, syllables, _rests(syllables, notes, beat))
        tokens = self._model.tokens(text.text)
        if len(tokens) > LONGEST_TOKENS:
            raise ScriptRejected(
                f"The line has {len(text.text)} sounds; at most {LONGEST_TOKENS - 2} are sung in one.",
                field=f'line "{line.text[:60]}"',
                action="Make two lines of it.",
            )
        manner = Manner(consonants=Manner.consonants * take.consonants)
        style = styles[len(text.text) - 1]
        graph = self._model.graph
        timed = graph.time(tokens, style)
        # Formants are moved by singing slower and lower and playing that back faster (or the other way round).
        table = timetable(text, notes, beat * voice.formant, timed.raw, manner)
        sung = graph.sing(timed, table.durations, style)
        if delivery is Delivery.SPOKEN:
            samples, asked = graph.sound(sung, sung.pitch, style), np.zeros(len(sung.pitch), np.float32)
        else:
            cents = take.cents - 1200 * math.log2(voice.formant)
            pitch, voiced = melody(notes, beat * voice.formant, table, sung.pitch, cents, manner)
            sung = replace(sung, energy=lifted(sung.energy, table, manner))
            samples, asked = (
                graph.sound(sung, pitch, style),
                np.where(carried(text, table, voiced), pitch, np.float32(0)),
            )
        line_sung = _Sung(samples, table.starts_at, asked, _spans(text, table))
        return _played(line_sung, voice.formant)


def _played(sung: _Sung, speed: float) -> _Sung:
    """A line played back at another speed, levelled: formants and pitch go with it, times against it."""
    if speed == 1.0:
        return replace(sung, samples=levelled(sung.samples))
    samples = soxr.resample(sung.samples, SAMPLE_RATE * speed, SAMPLE_RATE)
    frames = np.minimum((np.arange(int(len(sung.pitch) / speed)) * speed).astype(int), len(sung.pitch) - 1)
    return _Sung(
        levelled(samples.astype(np.float32)),
        sung.starts_at / speed,
        sung.pitch[frames] * np.float32(speed),
        tuple((start / speed, end / speed) for start, end in sung.words),
    )


def _rests(syllables: Sequence[int], notes: Sequence[LeadNote], beat: float) -> frozenset[int]:
    """The words after which there is silence."""
    ends = np.cumsum(syllables)
    return frozenset(
        word
        for word, after in enumerate(ends[:-1])
        if (notes[after].start - notes[after - 1].start - notes[after - 1].beats) * beat > RESTS_FROM
    )


def _spans(text: SungText, table: Timetable) -> tuple[tuple[float, float], ...]:
    """When each word is heard, in seconds from the section's first beat."""
    edges = table.edges + table.starts_at
    return tuple((float(edges[first + 1]), float(edges[last + 1])) for first, last in text.words)


def _timed(line: SungLine, sung: _Sung) -> tuple[SungWord, ...]:
    return tuple(
        SungWord(text=word.text, start=round(max(LEAD_IN + start, 0.0), 4), end=round(max(LEAD_IN + end, 0.0), 4))
        for word, (start, end) in zip(line.words, sung.words, strict=True)
    )


def _tune(lines: Sequence[_Sung], seconds: float) -> NDArray[np.float32]:
    """The F0 asked for over the file, 80 a second."""
    tune = np.zeros(round(seconds * MELODY_RATE), np.float32)
    for line in lines:
        at = round((LEAD_IN + line.starts_at) * MELODY_RATE)
        piece = line.pitch[max(-at, 0) : len(tune) - at]
        at = max(at, 0)
        tune[at : at + len(piece)] = np.where(piece > 0, piece, tune[at : at + len(piece)])
    return tune
