"""Music as data: genres, keys, form, harmony, scores, and the sung line that words are fitted to. Times are in beats
from the song's first downbeat (4/4 throughout); seconds come from the tempo, in one place. Pure."""

from enum import StrEnum
from itertools import accumulate
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.base import Contract, Milliseconds

BEATS_PER_BAR = 4

Bpm = Annotated[float, Field(ge=50, le=200)]
Beats = Annotated[float, Field(ge=0, le=4_000)]
Pitch = Annotated[int, Field(ge=0, le=127)]
"""A MIDI note number: 60 is middle C, 69 is A4 at 440 Hz."""


class Genre(StrEnum):
    """What the local composer has a grammar for."""

    ELECTRONIC = "electronic"
    AMBIENT = "ambient"
    LOFI = "lofi"
    HYPERPOP = "hyperpop"
    CINEMATIC = "cinematic"


class GenreShare(Contract):
    """A part of a genre blend."""

    genre: Genre
    share: Annotated[float, Field(gt=0, le=1)]


class Mode(StrEnum):
    """A scale of seven notes."""

    MAJOR = "major"
    MINOR = "minor"
    DORIAN = "dorian"
    MIXOLYDIAN = "mixolydian"
    LYDIAN = "lydian"


_STEPS = {
    Mode.MAJOR: (0, 2, 4, 5, 7, 9, 11),
    Mode.MINOR: (0, 2, 3, 5, 7, 8, 10),
    Mode.DORIAN: (0, 2, 3, 5, 7, 9, 10),
    Mode.MIXOLYDIAN: (0, 2, 4, 5, 7, 9, 10),
    Mode.LYDIAN: (0, 2, 4, 6, 7, 9, 11),
}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


class Key(Contract):
    """A tonic as a pitch class (C is 0) and a mode."""

    tonic: Annotated[int, Field(ge=0, le=11)]
    mode: Mode

    @property
    def scale(self) -> tuple[int, ...]:
        """Its seven pitch classes, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in _STEPS[self.mode])

    @property
    def name(self) -> str:
        """As musicians write it: ``F# minor``."""
        return f"{_NAMES[self.tonic]} {self.mode.value}"


class SectionKind(StrEnum):
    """A section's part in the form."""

    INTRO = "intro"
    VERSE = "verse"
    CHORUS = "chorus"
    BRIDGE = "bridge"
    OUTRO = "outro"

    @property
    def sung(self) -> bool:
        """Whether there are words in it."""
        return self in {SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE}


class FormSection(Contract):
    """A section of a form, before it has music."""

    kind: SectionKind
    bars: Annotated[int, Field(ge=1, le=32)]


Form = Annotated[tuple[FormSection, ...], Field(min_length=2, max_length=16)]


class SongPlan(Contract):
    """What is to be composed, by whoever composes it."""

    genres: Annotated[tuple[GenreShare, ...], Field(min_length=1, max_length=3)]
    """The first carries the arrangement; the others colour it."""
    tempo_bpm: Bpm
    key: Key
    form: Form
    energy: Annotated[float, Field(ge=0, le=1)] = 0.6
    instruments: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=8)] = ()
    """The identity's instruments by General MIDI name, preferred where the genre's grammar has a place for them."""
    prompt: Annotated[str, Field(max_length=400)] = ""
    """The song in words, for engines that are asked in words."""

    @property
    def bars(self) -> int:
        """Length in bars."""
        return sum(section.bars for section in self.form)

    @property
    def duration_ms(self) -> int:
        """Planned length, without the tail of the last note."""
        return round(self.bars * BEATS_PER_BAR * 60_000 / self.tempo_bpm)


class Note(Contract):
    """A note of a part. ``velocity`` as in MIDI."""

    start: Beats
    beats: Annotated[float, Field(gt=0, le=64)]
    pitch: Pitch
    velocity: Annotated[int, Field(ge=1, le=127)]


class ChordQuality(StrEnum):
    """The chords the harmony is written in."""

    MAJOR = "maj"
    MINOR = "min"
    DIMINISHED = "dim"
    SUS2 = "sus2"
    SUS4 = "sus4"
    MAJOR7 = "maj7"
    MINOR7 = "min7"
    DOMINANT7 = "7"
    ADD9 = "add9"
    MINOR9 = "min9"


class Chord(Contract):
    """A chord and how it is voiced. ``pitches`` ascend."""

    start: Beats
    beats: Annotated[float, Field(gt=0, le=64)]
    root: Annotated[int, Field(ge=0, le=11)]
    quality: ChordQuality
    pitches: Annotated[tuple[Pitch, ...], Field(min_length=2, max_length=7)]

    @property
    def classes(self) -> frozenset[int]:
        """Its pitch classes."""
        return frozenset(pitch % 12 for pitch in self.pitches)


class ScoredSection(Contract):
    """A section in its place. ``start_bar`` counts from 0."""

    kind: SectionKind
    start_bar: Annotated[int, Field(ge=0, le=400)]
    bars: Annotated[int, Field(ge=1, le=32)]


def placed(form: tuple[FormSection, ...]) -> tuple[ScoredSection, ...]:
    """The sections of a form with their places."""
    starts = accumulate((section.bars for section in form), initial=0)
    return tuple(
        ScoredSection(kind=section.kind, start_bar=start, bars=section.bars)
        for section, start in zip(form, starts, strict=False)
    )


class Part(Contract):
    """One instrument's notes. ``stem`` is where it is mixed: drums, bass, pads, keys, lead, ...; ``program`` is General
    MIDI, counted from 0; of drums it is the kit (GS: 0 is the standard kit, 25 the TR-808)."""

    stem: Annotated[str, Field(pattern=r"^[a-z]{2,16}$")]
    program: Annotated[int, Field(ge=0, le=127)]
    drums: bool = False
    notes: Annotated[tuple[Note, ...], Field(max_length=20_000)]


class Score(Contract):
    """A whole arrangement, without the voice. Kept as an artifact (JSON)."""

    genre: Genre
    tempo_bpm: Bpm
    key: Key
    swing: Annotated[float, Field(ge=0, le=0.5)]
    """How late every second eighth comes, as a share of an eighth: 0 is straight, 0.33 is triplet swing."""
    sections: Annotated[tuple[ScoredSection, ...], Field(min_length=1, max_length=16)]
    chords: Annotated[tuple[Chord, ...], Field(min_length=1, max_length=800)]
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=24)]


class Grid(Contract):
    """Where beats are in a recording: the tempo, and the time of the first downbeat from the file's start."""

    tempo_bpm: Bpm
    first_beat_ms: Milliseconds = 0

    def seconds(self, beats: float) -> float:
        """The time of a beat from the file's start."""
        return self.first_beat_ms / 1000 + beats * 60 / self.tempo_bpm


class SoundAnalysis(Contract):
    """What was heard in a piece of music. Kept as an artifact (JSON); times in seconds from the file's start."""

    grid: Grid
    beats: Annotated[tuple[float, ...], Field(max_length=4_000)]
    downbeats: Annotated[tuple[float, ...], Field(max_length=1_000)]
    key: Key
    sections: Annotated[tuple[ScoredSection, ...], Field(min_length=1, max_length=16)]
    duration_ms: Milliseconds
    loudness_lufs: float
    energy: Annotated[tuple[float, ...], Field(max_length=4_000)]
    """RMS of each beat, 0 to 1 of the loudest."""
    onset_error_ms: float | None = None
    """Median distance of the heard onsets to the score's; None where there is no score."""
    source: Annotated[str, Field(max_length=60)]
    """``score`` where what was played is known and was confirmed, else the analyser."""


class LeadNote(Contract):
    """A sung note: one syllable. ``start`` in beats from the section's first; ``strong`` on strong beats, where stress
    belongs."""

    start: Annotated[float, Field(ge=0, le=128)]
    beats: Annotated[float, Field(gt=0, le=16)]
    pitch: Pitch
    strong: bool = False


class LeadLine(Contract):
    """A line to be sung: as many syllables as notes. Lines of one section with the same ``rhyme`` rhyme; lines without
    one need not."""

    notes: Annotated[tuple[LeadNote, ...], Field(min_length=1, max_length=16)]
    rhyme: Annotated[str, Field(pattern=r"^[A-Z]?$")] = ""


class LeadSection(Contract):
    """The sung line of one section. ``same_as`` is the index, in the sheet, of the section whose words and tune return
    here."""

    kind: SectionKind
    start_bar: Annotated[int, Field(ge=0, le=400)]
    bars: Annotated[int, Field(ge=1, le=32)]
    lines: Annotated[tuple[LeadLine, ...], Field(min_length=1, max_length=16)]
    same_as: Annotated[int, Field(ge=0, le=15)] | None = None


class LeadSheet(Contract):
    """The tune of the whole song, on a grid, for a voice. Kept as an artifact (JSON)."""

    grid: Grid
    key: Key
    sections: Annotated[tuple[LeadSection, ...], Field(min_length=1, max_length=16)]


class LyricWord(Contract):
    """A word and how many of the line's notes it takes."""

    text: Annotated[str, Field(min_length=1, max_length=40)]
    syllables: Annotated[int, Field(ge=1, le=8)]


class LyricLine(Contract):
    """The words of one line."""

    words: Annotated[tuple[LyricWord, ...], Field(min_length=1, max_length=16)]

    @property
    def text(self) -> str:
        """As it is read."""
        return " ".join(word.text for word in self.words)

    @property
    def syllables(self) -> int:
        """Notes it takes."""
        return sum(word.syllables for word in self.words)


class LyricSection(Contract):
    """The words of one section of the lead sheet, line by line."""

    kind: SectionKind
    lines: Annotated[tuple[LyricLine, ...], Field(min_length=1, max_length=16)]


class Lyrics(Contract):
    """The words of a song, section by section of its lead sheet (a returning section is written out again). Kept as an
    artifact (JSON)."""

    title: Annotated[str, Field(min_length=1, max_length=80)]
    sections: Annotated[tuple[LyricSection, ...], Field(min_length=1, max_length=16)]
    explicit: bool = False
    source: Annotated[str, Field(max_length=60)]

    @property
    def text(self) -> str:
        """All words, a line a line, a blank line between sections."""
        return "\n\n".join("\n".join(line.text for line in section.lines) for section in self.sections)


class SungLine(Contract):
    """A line with its notes: what a voice is given. Each word takes as many of the notes as it has syllables."""

    words: Annotated[tuple[LyricWord, ...], Field(min_length=1, max_length=16)]
    notes: Annotated[tuple[LeadNote, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        syllables = sum(word.syllables for word in self.words)
        if syllables != len(self.notes):
            raise ValueError(f"{syllables} syllables for {len(self.notes)} notes")
        return self

    @property
    def text(self) -> str:
        """As it is read."""
        return " ".join(word.text for word in self.words)


class SectionToSing(Contract):
    """Lines that are sung once and heard wherever they return: ``start_bars`` in the song's bars, ascending."""

    kind: SectionKind
    lines: Annotated[tuple[SungLine, ...], Field(min_length=1, max_length=12)]
    start_bars: Annotated[tuple[Annotated[int, Field(ge=0, le=400)], ...], Field(min_length=1, max_length=16)]


def to_sing(lead: LeadSheet, lyrics: Lyrics) -> tuple[SectionToSing, ...]:
    """The distinct sections of a song with words and notes together, in the order in which they are first heard.

    Raises ValueError where words and tune do not belong together.
    """
    if len(lead.sections) != len(lyrics.sections):
        raise ValueError(f"{len(lyrics.sections)} sections of words for {len(lead.sections)} of tune")
    found: dict[int, SectionToSing] = {}
    for index, (tune, words) in enumerate(zip(lead.sections, lyrics.sections, strict=True)):
        first = index if tune.same_as is None else tune.same_as
        if first in found:
            again = found[first]
            found[first] = again.model_copy(update={"start_bars": (*again.start_bars, tune.start_bar)})
            continue
        lines = tuple(
            SungLine(words=line.words, notes=notes.notes) for line, notes in zip(words.lines, tune.lines, strict=True)
        )
        found[index] = SectionToSing(kind=tune.kind, lines=lines, start_bars=(tune.start_bar,))
    return tuple(found.values())


class SungWord(Contract):
    """When a word is heard, in seconds from the file's start."""

    text: Annotated[str, Field(min_length=1, max_length=40)]
    start: Annotated[float, Field(ge=0)]
    end: Annotated[float, Field(ge=0)]


class SungTiming(Contract):
    """What was sung when: lines of words. Kept as an artifact (JSON)."""

    lines: Annotated[tuple[Annotated[tuple[SungWord, ...], Field(max_length=16)], ...], Field(max_length=400)]
