"""What each stage of a track is asked and what it answers; the counterpart of ``models/stages.py`` for songs."""

from typing import Annotated, ClassVar

from pydantic import Field

from models.approval import Principal, WorkId
from models.artifacts import Artifact
from models.base import Contract, HexColour, LanguageTag, Milliseconds, Seed
from models.identity import Delivery, Motif, RhymeHabit, SingingVoice
from models.layout import Shape
from models.music import Bpm, Genre, Grid, Key, SectionToSing, SongPlan, SungLine
from models.quality import Figure, TrackThresholds
from models.stages import StageRequest, StageResult

Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=400)]


class CastRequest(StageRequest):
    """Find a voice unlike all ``others`` (JSON :class:`VoicePrints`), deterministically by ``seed``."""

    stage: ClassVar[str] = "cast"
    others: Artifact
    name: Annotated[str, Field(max_length=64)]
    """The artist's slug."""
    seed: Seed


class VoicePrint(Contract):
    """A speaker embedding (unit length, 256 numbers) of an artist's voice."""

    artist: Annotated[str, Field(max_length=64)]
    embedding: Annotated[tuple[float, ...], Field(min_length=256, max_length=256)]

    def likeness(self, other: "VoicePrint") -> float:
        """Cosine similarity to another voice."""
        return sum(a * b for a, b in zip(self.embedding, other.embedding, strict=True))


SAME_VOICE = 0.87
"""Cosine similarity of Resemblyzer's embeddings from which on two voices pass for one. Eight voices of the cast with
three texts and tunes each: one with other words at least 0.885, on average 0.94. Kokoro's stock voices, spoken: the
same one with other words at least 0.89, two of them at most 0.76."""


class VoicePrints(Contract):
    """All voices of a house. Kept as an artifact (JSON)."""

    prints: Annotated[tuple[VoicePrint, ...], Field(max_length=10_000)]


class CastResult(StageResult):
    """The voice, a sample of it (WAV), its embedding (JSON :class:`VoicePrint`), and the largest cosine similarity to
    any other voice."""

    voice: SingingVoice
    sample: Artifact
    print: Artifact
    nearest: float


class ComposeSongRequest(StageRequest):
    """Make the music of a song, without the voice."""

    stage: ClassVar[str] = "music"
    plan: SongPlan
    seed: Seed


class Stem(Contract):
    """One part of the mix by name: drums, bass, pads, ... Stereo WAV at 44.1 kHz, as long as the song."""

    name: Annotated[str, Field(pattern=r"^[a-z]{2,16}$")]
    audio: Artifact


class ComposeSongResult(StageResult):
    """The music as one file (stereo WAV, 44.1 kHz), its stems and score where the engine has them, and who made it."""

    audio: Artifact
    stems: Annotated[tuple[Stem, ...], Field(max_length=12)] = ()
    score: Artifact | None = None
    duration_ms: Milliseconds
    source: Annotated[str, Field(max_length=60)]


class AnalyseSongRequest(StageRequest):
    """Listen to the music and write the tune that ``voice`` sings over it."""

    stage: ClassVar[str] = "analysis"
    audio: Artifact
    score: Artifact | None
    plan: SongPlan
    voice_low: Annotated[int, Field(ge=0, le=127)]
    voice_high: Annotated[int, Field(ge=0, le=127)]
    rhyme: RhymeHabit
    seed: Seed


class AnalyseSongResult(StageResult):
    """JSON :class:`~models.music.SoundAnalysis` and JSON :class:`~models.music.LeadSheet`."""

    analysis: Artifact
    lead: Artifact
    grid: Grid
    key: Key
    duration_ms: Milliseconds


class LyricsRequest(StageRequest):
    """Write words that fit the tune."""

    stage: ClassVar[str] = "lyrics"
    lead: Artifact
    themes: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=6)]
    language: LanguageTag
    explicit: bool
    banned: Words = ()
    notes: Annotated[str, Field(max_length=2_000)] = ""
    """What a reviewer asked to change."""
    seed: Seed


class LyricsResult(StageResult):
    """JSON :class:`~models.music.Lyrics`, its title, who wrote it, and what there is to sing
    (:func:`~models.music.to_sing`)."""

    lyrics: Artifact
    sections: Annotated[tuple[SectionToSing, ...], Field(min_length=1, max_length=8)]
    title: Annotated[str, Field(max_length=80)]
    source: Annotated[str, Field(max_length=60)]
    explicit: bool = False
    """Whether explicit words were found in them, whatever was allowed."""


class SingRequest(StageRequest):
    """Sing one section. ``support`` adds doubles and harmonies, as a chorus has them."""

    stage: ClassVar[str] = "vocals"
    lines: Annotated[tuple[SungLine, ...], Field(min_length=1, max_length=16)]
    tempo_bpm: Bpm
    key: Key
    voice: SingingVoice
    language: LanguageTag
    delivery: Delivery
    support: bool
    seed: Seed


class SungPart(Contract):
    """A sung section: mono WAV files of equal length. The section's first beat is ``lead_in_ms`` after their start, for
    consonants come before the beat. ``timing`` is JSON :class:`~models.music.SungTiming`; ``melody`` the F0 asked for,
    in Hz at 80 a second and 0 where nothing voiced is asked for, float32 [frames] as ``.npy``."""

    lead: Artifact
    doubles: Annotated[tuple[Artifact, ...], Field(max_length=4)] = ()
    harmonies: Annotated[tuple[Artifact, ...], Field(max_length=4)] = ()
    lead_in_ms: Milliseconds
    timing: Artifact
    melody: Artifact


class SingResult(StageResult):
    """The section as it was sung."""

    part: SungPart


class PlacedPart(Contract):
    """A sung section and where its first beat falls, from the music file's start (as ``Grid.seconds`` has it)."""

    part: SungPart
    at_ms: Milliseconds


class MixRequest(StageRequest):
    """Balance, humanise and master: -14 LUFS, true peak at most -1 dBTP."""

    stage: ClassVar[str] = "mix"
    genre: Genre
    music: Artifact
    stems: Annotated[tuple[Stem, ...], Field(max_length=12)]
    vocals: Annotated[tuple[PlacedPart, ...], Field(max_length=16)]
    grid: Grid
    seed: Seed


class MixResult(StageResult):
    """Stereo WAV files, 44.1 kHz, 24 bit: the master, the instrumental master, the dry lead vocal alone over the whole
    song, and all stems as mixed (vocals among them). ``timing`` (JSON :class:`~models.music.SungTiming`) and ``melody``
    are as in :class:`SungPart`, over the whole song."""

    master: Artifact
    instrumental: Artifact
    vocal: Artifact
    stems: Annotated[tuple[Stem, ...], Field(max_length=16)]
    timing: Artifact
    melody: Artifact
    duration_ms: Milliseconds


class ShapedVideo(Contract):
    """A music video and its shape."""

    shape: Shape
    video: Artifact


class Credit(Contract):
    """Who did what: an engine, or a person whose footage is used, with where it is from and by what licence."""

    role: Annotated[str, Field(max_length=40)]
    engine: Annotated[str, Field(max_length=80)]
    page: Annotated[str, Field(max_length=500)] = ""
    licence: Annotated[str, Field(max_length=80)] = ""


class CoverRequest(StageRequest):
    """Draw the cover: 3000 x 3000."""

    stage: ClassVar[str] = "cover"
    artist: Annotated[str, Field(max_length=120)]
    title: Annotated[str, Field(max_length=80)]
    palette: Annotated[tuple[HexColour, ...], Field(min_length=3, max_length=6)]
    motif: Motif
    analysis: Artifact
    seed: Seed


class CoverResult(StageResult):
    """A JPEG of 3000 x 3000, and a thumbnail of 600 x 600."""

    cover: Artifact
    thumbnail: Artifact


class FootageRequest(StageRequest):
    """Find footage for one shape's video: ``count`` clips that go with motif, colours and themes."""

    stage: ClassVar[str] = "footage"
    shape: Shape
    fps: Annotated[int, Field(ge=12, le=60)] = 25
    motif: Motif
    palette: Annotated[tuple[HexColour, ...], Field(min_length=3, max_length=6)]
    themes: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=6)]
    """The song's own first."""
    count: Annotated[int, Field(ge=4, le=24)] = 12
    seed: Seed


class Clip(Contract):
    """A piece of footage (MP4 without sound, in the house's format) and to whom it is owed: author, the page it is
    from, and its licence by name."""

    plate: Artifact
    author: Annotated[str, Field(max_length=80)]
    page: Annotated[str, Field(max_length=500)]
    licence: Annotated[str, Field(max_length=80)]


class FootageResult(StageResult):
    """The footage in the order in which it is cut, and whose library it is from."""

    clips: Annotated[tuple[Clip, ...], Field(min_length=1, max_length=24)]
    source: Annotated[str, Field(max_length=60)]


class MusicVideoRequest(StageRequest):
    """Draw the music video of one shape, with the master as its sound and the words as captions."""

    stage: ClassVar[str] = "musicvideo"
    shape: Shape
    fps: Annotated[int, Field(ge=12, le=60)] = 25
    artist: Annotated[str, Field(max_length=120)]
    title: Annotated[str, Field(max_length=80)]
    palette: Annotated[tuple[HexColour, ...], Field(min_length=3, max_length=6)]
    motif: Motif
    genre: Genre
    master: Artifact
    analysis: Artifact
    timing: Artifact
    cover: Artifact
    plates: Annotated[tuple[Artifact, ...], Field(max_length=24)] = ()
    """Footage, in the order it is cut; without any, every picture is generated."""
    seed: Seed


class MusicVideoResult(StageResult):
    """The video (MP4), a thumbnail, and the frames on which it cuts (JSON list)."""

    video: Artifact
    thumbnail: Artifact
    cuts: Artifact


class ReleaseRequest(StageRequest):
    """Encode and describe what a release is made of, identifiers and credits in it."""

    stage: ClassVar[str] = "release"
    track_id: WorkId
    artist: Annotated[str, Field(max_length=120)]
    title: Annotated[str, Field(max_length=80)]
    number: Annotated[int, Field(ge=1, le=100_000)]
    year: Annotated[int, Field(ge=2000, le=9999)]
    genre: Genre
    language: LanguageTag
    explicit: bool
    isrc: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$")]
    upc: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    registered: bool
    """Whether the identifiers come from ranges that were assigned to the house."""
    master: Artifact
    instrumental: Artifact
    stems: Annotated[tuple[Stem, ...], Field(max_length=16)]
    cover: Artifact
    videos: Annotated[tuple[ShapedVideo, ...], Field(max_length=3)]
    lyrics: Artifact
    timing: Artifact
    grid: Grid
    key: Key
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    made_by: Annotated[tuple[Credit, ...], Field(max_length=80)]
    approved_by: Annotated[tuple[Principal, ...], Field(max_length=5)]


class ReleaseFile(Contract):
    """A file of a release by its path in the package."""

    path: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/-]{0,118}$")]
    file: Artifact


class ReleaseResult(StageResult):
    """Every file of the package, the metadata among them."""

    files: Annotated[tuple[ReleaseFile, ...], Field(min_length=1, max_length=60)]


class AuditionRequest(StageRequest):
    """Measure a finished song against what was planned."""

    stage: ClassVar[str] = "audition"
    master: Artifact
    vocal: Artifact
    melody: Artifact
    timing: Artifact
    lyrics: Artifact
    lead: Artifact
    stems: Annotated[tuple[Stem, ...], Field(max_length=16)] = ()
    score: Artifact | None = None
    plan: SongPlan
    videos: Annotated[tuple[Artifact, ...], Field(max_length=3)] = ()
    cuts: Annotated[tuple[Artifact, ...], Field(max_length=3)] = ()
    analysis: Artifact
    language: LanguageTag
    delivery: Delivery
    thresholds: TrackThresholds = TrackThresholds()


class AuditionResult(StageResult):
    """The figures, the whole report (JSON), and the song's print for finding near-duplicates (JSON)."""

    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    report: Artifact
    print: Artifact
