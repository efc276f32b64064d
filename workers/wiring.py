"""Which process serves which lane with which engines. The only place that turns settings into engines, stores and
activities; ``models/engines.py`` says which engines there are."""

import pkgutil
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from temporalio.client import Client

from activities.alignment.stage import AlignmentActivities
from activities.analysis.stage import AnalysisActivities
from activities.approvals.preview import FfmpegPreviews
from activities.approvals.stage import ApprovalActivities
from activities.artists.debut import DebutActivities
from activities.artists.stage import ArtistRecords
from activities.artwork.stage import ArtworkActivities
from activities.audition.stage import AuditionActivities
from activities.avatar.stage import AvatarActivities
from activities.compositing.stage import CompositingActivities
from activities.footage.stage import FootageActivities
from activities.incidents.stage import IncidentActivities
from activities.incidents.watch import IncidentWatch
from activities.inspection.stage import InspectionActivities
from activities.knowledge.qdrant import QdrantMemory
from activities.knowledge.stage import KnowledgeActivities
from activities.lipsync.stage import LipsyncActivities
from activities.lyrics.checks import Checks
from activities.lyrics.stage import LyricsActivities
from activities.mixing.stage import MixingActivities
from activities.music.stage import MusicActivities
from activities.musicvideo.stage import MusicVideoActivities
from activities.publishing.base import Publisher
from activities.publishing.google import Credentials
from activities.publishing.stage import PublishingActivities
from activities.publishing.store import StorePublisher
from activities.publishing.youtube import Channel, YouTubePublisher
from activities.quality.stage import QualityActivities
from activities.records.stage import RecordActivities
from activities.releases.shelf import StoreShelf
from activities.releases.stage import ReleaseActivities, ReleaseStages
from activities.speech.stage import SpeechActivities
from activities.support.engine import Engine
from activities.support.provider import Patience
from activities.support.s3 import S3ArtifactStore, connect_s3
from activities.support.stage import Stages
from activities.tracks.stage import TrackRecordActivities
from activities.vocals.stage import VocalActivities
from deploy.settings import Settings
from models.engines import ENGINES, FRAME_ENGINES
from models.errors import EngineUnavailable
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.roster import Roster
from models.store import Store

log = structlog.get_logger()

Arguments = Callable[[Settings], dict[str, Any]]


def _weights(settings: Settings, *parts: str) -> Path:
    return settings.studio.state_dir.joinpath("weights", *parts)


def _whisper(settings: Settings) -> Path:
    return settings.engines.whisper_dir or _weights(settings, "whisper-base")


def _kokoro(settings: Settings) -> dict[str, Any]:
    return {
        "model": settings.engines.kokoro_model,
        "voices_dir": settings.engines.kokoro_voices_dir or _weights(settings, "kokoro-js", "voices"),
        "cache_dir": _weights(settings, "prepared"),
    }


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


def _patience(settings: Settings, answer: float = Patience.answer) -> Patience:
    return Patience(answer=answer, rest=settings.engines.provider_rest_seconds)


ARGUMENTS: dict[str, Arguments] = {
    "kokoro": _kokoro,
    "recording": lambda s: {"whisper_dir": _whisper(s)},
    "xtts": lambda s: {"checkpoint_dir": s.engines.xtts_checkpoint_dir},
    "wav2lip": lambda s: {"checkpoint": s.engines.wav2lip_checkpoint},
    "sadtalker": lambda s: {"command": shlex.split(s.engines.sadtalker_command)},
    "mfa": lambda s: {"workspace": s.studio.state_dir / "mfa", "command": s.engines.mfa_command},
    "composer": lambda s: {"soundfont": s.engines.soundfont, "fluidsynth": s.engines.fluidsynth},
    "musicgen": lambda s: {"directory": s.engines.musicgen_dir},
    "replicate": lambda s: {
        "key": _secret(s.engines.replicate_api_token),
        "model_version": s.engines.replicate_music_version,
        "base_url": s.engines.replicate_url,
        "patience": _patience(s),
    },
    "aimlapi": lambda s: {
        "key": _secret(s.engines.aimlapi_key),
        "base_url": s.engines.aimlapi_url,
        "patience": _patience(s),
    },
    "llm": lambda s: {
        "url": s.engines.lyrics_llm_url,
        "key": _secret(s.engines.lyrics_llm_key),
        "model": s.engines.lyrics_llm_model,
        "patience": _patience(s, answer=s.engines.lyrics_llm_seconds),
    },
    "elevenlabs": lambda s: {
        "key": _secret(s.engines.elevenlabs_api_key),
        "voice_id": s.engines.elevenlabs_voice_id,
        "base_url": s.engines.elevenlabs_url,
        "model": s.engines.elevenlabs_model,
        "patience": _patience(s),
    },
    "pexels": lambda s: {
        "key": _secret(s.engines.pexels_api_key),
        "base_url": s.engines.pexels_url,
        "patience": _patience(s),
    },
    "pixabay": lambda s: {
        "key": _secret(s.engines.pixabay_api_key),
        "base_url": s.engines.pixabay_url,
        "patience": _patience(s),
    },
    "singer": _kokoro,
    "audition": lambda s: {"whisper_dir": _whisper(s)},
    "studio": lambda s: {
        "whisper_dir": _whisper(s),
        "aligner": pkgutil.resolve_name("activities.alignment.pocketsphinx:PocketsphinxEngine")(),
    },
}
"""Constructor arguments of the engines that need any, by engine name."""


def build_engines(settings: Settings, lane: Lane) -> dict[Capability, dict[str, Engine]]:
    """The engines of ``lane``, constructed; their models load at first use.

    An engine whose libraries are not installed is left out with a warning: a plan that names it is told so.
    """
    engines: dict[Capability, dict[str, Engine]] = {capability: {} for capability in Capability}
    for spec in ENGINES:
        if spec.lane is not lane:
            continue
        try:
            factory = pkgutil.resolve_name(spec.target)
            arguments = ARGUMENTS[spec.name](settings) if spec.name in ARGUMENTS else {}
            engines[spec.capability][spec.name] = factory(**arguments)
        except (ImportError, EngineUnavailable) as error:
            log.warning("engine.left_out", engine=spec.name, why=str(error))
    return engines


def ready_engines(engines: dict[Capability, dict[str, Engine]]) -> tuple[EngineRef, ...]:
    """The engines that have all they need, with the weights they would load. The others say what they lack."""
    ready = []
    for by_name in engines.values():
        for name, engine in by_name.items():
            try:
                ready.append(engine.ref)
            except EngineUnavailable as error:
                log.warning("engine.not_ready", engine=name, why=error.message, setting=error.field)
    return tuple(ready)


def artifact_store(settings: Settings) -> S3ArtifactStore:
    """The artifact store of this process, with its cache under the state directory."""
    s3, lanes = settings.s3, settings.lanes
    client = connect_s3(s3.endpoint_url or None, s3.access_key_id, s3.secret_access_key.get_secret_value(), s3.region)
    cache = lanes.cache_dir or settings.studio.state_dir / "cache"
    return S3ArtifactStore(client, s3.bucket, cache, int(lanes.cache_gb * 1e9))


def stage_activities(
    engines: dict[Capability, dict[str, Any]], artifacts: S3ArtifactStore, store: Store, scratch: Path
) -> Sequence[Callable[..., Any]]:
    """The stages of a lane, each with the lane's engines."""
    stages = Stages(artifacts, store, scratch)
    lipsync = engines[Capability.LIPSYNC]
    curves = {name: engine for name, engine in lipsync.items() if name not in FRAME_ENGINES}
    frames = {name: engine for name, engine in lipsync.items() if name in FRAME_ENGINES}
    speech = SpeechActivities(stages, engines[Capability.SPEECH])
    alignment = AlignmentActivities(stages, engines[Capability.ALIGNMENT])
    mouth = LipsyncActivities(stages, curves, frames)
    avatar = AvatarActivities(stages, engines[Capability.AVATAR])
    compositing = CompositingActivities(stages, engines[Capability.COMPOSITING])
    quality = QualityActivities(stages, engines[Capability.QUALITY])
    inspection = InspectionActivities(stages, engines[Capability.INSPECTION])
    vocals = VocalActivities(stages, engines[Capability.VOCALS])
    return (
        speech.speak,
        speech.cut,
        speech.enrol,
        alignment.align,
        mouth.curves,
        mouth.resync,
        avatar.perform,
        compositing.compose,
        compositing.card,
        compositing.soundtrack,
        compositing.assemble,
        quality.measure,
        quality.hear,
        quality.check,
        inspection.inspect,
        MusicActivities(stages, engines[Capability.MUSIC]).compose,
        AnalysisActivities(stages, engines[Capability.ANALYSIS]).analyse,
        LyricsActivities(stages, engines[Capability.LYRICS], Checks()).write,
        vocals.sing,
        vocals.cast,
        MixingActivities(stages, engines[Capability.MIXING]).mix,
        ArtworkActivities(stages, engines[Capability.ARTWORK]).cover,
        MusicVideoActivities(stages, engines[Capability.MUSICVIDEO]).draw,
        AuditionActivities(stages, engines[Capability.AUDITION]).audition,
        ReleaseStages(stages, engines[Capability.RELEASES]).encode,
    )


def knowledge_activities(settings: Settings, artifacts: S3ArtifactStore) -> Sequence[Callable[..., Any]]:
    """The house's memory of songs."""
    qdrant, path = settings.qdrant, settings.studio.state_dir / "qdrant"
    knowledge = KnowledgeActivities(QdrantMemory(qdrant.url, _secret(qdrant.api_key), path), artifacts)
    return (knowledge.likest, knowledge.remember)


def publishers(settings: Settings, artifacts: S3ArtifactStore) -> tuple[Publisher, ...]:
    """Every place there is to publish at. Those that lack credentials say so when they are needed."""
    youtube, api = settings.youtube, settings.api
    credentials = Credentials(
        client_id=youtube.client_id,
        client_secret=_secret(youtube.client_secret),
        refresh_token=_secret(youtube.refresh_token),
        token_url=youtube.token_url,
    )
    channel = Channel(privacy=youtube.privacy, made_for_kids=youtube.made_for_kids)
    return (
        StorePublisher(artifacts, StoreShelf(artifacts), api.public_url or f"http://{api.host}:{api.port}"),
        YouTubePublisher(credentials, channel, youtube.url, youtube.upload_url),
    )


def io_activities(
    settings: Settings,
    artifacts: S3ArtifactStore,
    store: Roster,
    client: Client,
    hosted: dict[Capability, dict[str, Any]] | None = None,
) -> Sequence[Callable[..., Any]]:
    """Records and approvals, with every messenger that is configured, and the stages of ``hosted`` engines."""
    messengers, heralds = [], []
    if settings.telegram.bot_token:
        # Imported only where a bot is configured: the library costs 30 MB.
        messenger = pkgutil.resolve_name("activities.approvals.telegram:TelegramMessenger")
        herald = pkgutil.resolve_name("activities.incidents.telegram:TelegramHerald")
        token, url = settings.telegram.bot_token.get_secret_value(), settings.telegram.api_url
        messengers.append(messenger(token, url, store))
        heralds.append(herald(token, url, store))
    records = RecordActivities(store, store, store, store, artifacts, client)
    watch = IncidentWatch(store, client)
    incidents = IncidentActivities(store, tuple(heralds))
    artists, debut = ArtistRecords(store, client, watch), DebutActivities(store, artifacts)
    publishing = PublishingActivities(artifacts, publishers(settings, artifacts), store)
    tracks = TrackRecordActivities(store, settings.label.ranges(), watch)
    scratch = settings.studio.state_dir / "scratch" / "io"
    approvals = ApprovalActivities(store, artifacts, tuple(messengers), FfmpegPreviews(), scratch)
    releases = ReleaseActivities(StoreShelf(artifacts), scratch)
    stages = Stages(artifacts, store, scratch)
    engines = hosted or {}
    music = MusicActivities(stages, engines.get(Capability.MUSIC, {}))
    lyrics = LyricsActivities(stages, engines.get(Capability.LYRICS, {}), Checks())
    vocals = VocalActivities(stages, engines.get(Capability.VOCALS, {}))
    footage = FootageActivities(stages, engines.get(Capability.FOOTAGE, {}))
    return (
        music.compose,
        lyrics.write,
        vocals.sing,
        footage.find,
        records.project,
        records.settle_voice,
        records.settle_asset,
        records.find_film,
        records.keep_film,
        records.idle_lanes,
        approvals.ask,
        approvals.record,
        approvals.take_back,
        artists.record_life,
        artists.track_answer,
        artists.outlook,
        incidents.tell,
        incidents.take_back,
        debut.voices,
        debut.enter,
        tracks.enter_track,
        tracks.project_track,
        tracks.reserve_codes,
        tracks.released,
        releases.keep,
        publishing.publish,
        publishing.confirm,
        publishing.unpublish,
        publishing.record,
    )
