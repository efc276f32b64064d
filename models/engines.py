"""The catalogue of engines: adding one is a file under ``activities/`` and a line here.

Targets are import paths, resolved by workers alone, so that the API can plan a render without importing an engine.
"""

from typing import Annotated

from pydantic import Field

from models.base import Contract, Slug
from models.errors import InvalidInput, UnknownReference
from models.identity import Delivery
from models.lanes import Lane
from models.plan import Capability, EngineRef, Plan, TrackPlan
from models.publication import STORE, known_publishers


class EngineSpec(Contract):
    """An engine that exists. ``target`` is ``module:class``; workers construct it (``workers/wiring.py``)."""

    capability: Capability
    name: Slug
    version: str
    lane: Lane
    target: Annotated[str, Field(pattern=r"^activities(\.[a-z0-9_]+)+:[A-Za-z0-9]+$")]
    default: bool = False

    def ref(self, weights: str = "") -> EngineRef:
        """The pinned form that goes into a plan."""
        return EngineRef(
            capability=self.capability, name=self.name, version=self.version, lane=self.lane, weights=weights
        )


def _spec(
    capability: Capability, name: str, version: str, target: str, lane: Lane = Lane.CPU, default: bool = False
) -> EngineSpec:
    target = f"activities.{capability.value}.{target}"
    return EngineSpec(capability=capability, name=name, version=version, lane=lane, target=target, default=default)


RECORDING = "recording"
"""The speech engine that has no voice: it cuts one recording of the whole script into its sentences."""
LISTENER = "pocketsphinx"
"""The aligner for speech whose times nobody knows."""

ENGINES: tuple[EngineSpec, ...] = (
    _spec(Capability.SPEECH, "kokoro", "1", "kokoro:KokoroEngine", default=True),
    _spec(Capability.SPEECH, "hibari", "1", "hibari:HibariEngine"),
    _spec(Capability.SPEECH, "xtts", "1", "xtts:XttsEngine", Lane.GPU),
    _spec(Capability.SPEECH, RECORDING, "1", "recording:RecordedSpeech"),
    _spec(Capability.ALIGNMENT, "timings", "1", "timings:TimingsEngine", default=True),
    _spec(Capability.ALIGNMENT, "pocketsphinx", "1", "pocketsphinx:PocketsphinxEngine", default=True),
    _spec(Capability.ALIGNMENT, "mfa", "1", "mfa:MfaEngine"),
    _spec(Capability.LIPSYNC, "visemes", "1", "visemes:VisemeEngine", default=True),
    _spec(Capability.LIPSYNC, "wav2lip", "1.1", "wav2lip:Wav2LipEngine", Lane.GPU),
    _spec(Capability.AVATAR, "presenter", "1.1", "presenter:PresenterEngine", default=True),
    _spec(Capability.AVATAR, "portrait", "1.2", "portrait:PortraitEngine"),
    _spec(Capability.AVATAR, "sadtalker", "1", "sadtalker:SadTalkerEngine", Lane.GPU),
    _spec(Capability.COMPOSITING, "ffmpeg", "1.1", "ffmpeg:FfmpegCompositor", default=True),
    _spec(Capability.QUALITY, "studio", "1", "engine:StudioQuality", default=True),
    _spec(Capability.INSPECTION, "media", "1", "engine:MediaInspector", default=True),
    _spec(Capability.MUSIC, "composer", "2", "composer:ComposerEngine", default=True),
    _spec(Capability.MUSIC, "musicgen", "1", "musicgen:MusicgenEngine", Lane.GPU),
    _spec(Capability.MUSIC, "replicate", "1", "replicate:ReplicateMusic", Lane.IO),
    _spec(Capability.MUSIC, "aimlapi", "1", "aimlapi:AimlapiMusic", Lane.IO),
    _spec(Capability.ANALYSIS, "listener", "3", "listener:LibrosaListener", default=True),
    _spec(Capability.LYRICS, "writer", "1.1", "writer:LocalWriter", default=True),
    _spec(Capability.LYRICS, "llm", "1", "llm:LanguageModelWriter", Lane.IO),
    _spec(Capability.VOCALS, "singer", "1.1", "singer:KokoroSinger", default=True),
    _spec(Capability.VOCALS, "elevenlabs", "1", "elevenlabs:ElevenLabsVoice", Lane.IO),
    _spec(Capability.MIXING, "desk", "2", "desk:MixingDesk", default=True),
    _spec(Capability.ARTWORK, "painter", "2", "painter:CoverPainter", default=True),
    _spec(Capability.MUSICVIDEO, "visuals", "2", "visuals:GenerativeVisuals", default=True),
    _spec(Capability.FOOTAGE, "pexels", "1", "pexels:PexelsFootage", Lane.IO),
    _spec(Capability.FOOTAGE, "pixabay", "1", "pixabay:PixabayFootage", Lane.IO),
    _spec(Capability.AUDITION, "audition", "3", "engine:SongAudition", default=True),
    _spec(Capability.RELEASES, "packager", "2", "packager:ReleasePackager", default=True),
)


PHOTO_ENGINES = frozenset({"portrait", "sadtalker"})
"""Avatar engines that animate a photo; the others perform a look."""
FRAME_ENGINES = frozenset({"wav2lip"})
"""Lipsync engines that redraw a finished clip; the avatar is then driven by the default curves first."""
SPEAKING_ENGINES = frozenset({"elevenlabs"})
"""Vocal engines that speak with a voice of their own: they sing no notes and cast no voices."""


def find_engine(capability: Capability, name: str) -> EngineSpec:
    """The engine of that name. Raises UnknownReference that lists those there are."""
    known = [spec for spec in ENGINES if spec.capability is capability]
    for spec in known:
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in known)
    raise UnknownReference(
        f"no {capability} engine is called {name!r}; there are: {names}", field=f"engines.{capability}"
    )


def curves_engine(plan: Plan) -> EngineRef:
    """The lipsync engine that drives the avatar: the plan's, or the default one when the plan's redraws frames."""
    if plan.lipsync.name in FRAME_ENGINES:
        return find_engine(Capability.LIPSYNC, "visemes").ref()
    return plan.lipsync


def casting_engine(plan: TrackPlan) -> EngineRef:
    """The vocal engine that casts an artist's voice: the plan's, or the default one when the plan's casts none."""
    if plan.vocals.name in SPEAKING_ENGINES:
        return next(spec for spec in _defaults(Capability.VOCALS)).ref()
    return plan.vocals


def check_delivery(plan: TrackPlan, delivery: Delivery) -> None:
    """Raises InvalidInput where the plan's vocal engine cannot perform words as the artist does."""
    if plan.vocals.name in SPEAKING_ENGINES and delivery is not Delivery.SPOKEN:
        raise InvalidInput(
            f"{plan.vocals.name} speaks and does not sing",
            field="delivery",
            code="vocals.speaks_only",
            action="Set delivery to spoken, or leave vocals out: the singer sings.",
        )


class EngineChoices(Contract):
    """Engines by name, where the requester wants others than the defaults."""

    speech: str | None = None
    alignment: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    lipsync: str | None = None
    avatar: str | None = None


def resolve_plan(choices: EngineChoices, weights: dict[tuple[Capability, str], str]) -> Plan:
    """The plan for ``choices``. ``weights`` are the sha256 that running workers announced, by capability and name.

    Raises UnknownReference for an engine that does not exist.
    """

    def pick(capability: Capability, name: str | None) -> EngineRef:
        spec = find_engine(capability, name) if name else next(s for s in _defaults(capability))
        return spec.ref(weights.get((capability, spec.name), ""))

    aligners = choices.alignment or tuple(spec.name for spec in _defaults(Capability.ALIGNMENT))
    return Plan(
        speech=pick(Capability.SPEECH, choices.speech),
        alignment=tuple(pick(Capability.ALIGNMENT, name) for name in aligners),
        lipsync=pick(Capability.LIPSYNC, choices.lipsync),
        avatar=pick(Capability.AVATAR, choices.avatar),
        compositing=pick(Capability.COMPOSITING, None),
        quality=pick(Capability.QUALITY, None),
    )


def resolve_track_plan(
    weights: dict[tuple[Capability, str], str],
    music: tuple[str, ...] = (),
    footage: tuple[str, ...] = (),
    publishers: tuple[str, ...] = (STORE,),
    *,
    lyrics: tuple[str, ...] = (),
    vocals: str | None = None,
) -> TrackPlan:
    """The plan of a track. ``music`` and ``lyrics`` are orders of engines, ``vocals`` is one, the default ones without;
    ``footage`` is the order of libraries, none without it; ``publishers`` are where its release goes; ``weights`` as
    above.

    Raises UnknownReference for an engine or publisher that does not exist.
    """

    def order(capability: Capability, names: tuple[str, ...]) -> tuple[EngineRef, ...]:
        specs = tuple(find_engine(capability, name) for name in names) or _defaults(capability)
        return tuple(spec.ref(weights.get((capability, spec.name), "")) for spec in specs)

    def one(capability: Capability) -> EngineRef:
        return order(capability, ())[0]

    return TrackPlan(
        music=order(Capability.MUSIC, music),
        analysis=one(Capability.ANALYSIS),
        lyrics=order(Capability.LYRICS, lyrics),
        vocals=order(Capability.VOCALS, (vocals,) if vocals else ())[0],
        mixing=one(Capability.MIXING),
        artwork=one(Capability.ARTWORK),
        musicvideo=one(Capability.MUSICVIDEO),
        audition=one(Capability.AUDITION),
        releases=one(Capability.RELEASES),
        footage=order(Capability.FOOTAGE, footage) if footage else (),
        publishers=known_publishers(publishers),
    )


def _defaults(capability: Capability) -> tuple[EngineSpec, ...]:
    return tuple(spec for spec in ENGINES if spec.capability is capability and spec.default)
