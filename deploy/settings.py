"""Every setting as one typed tree, read from the environment and ``.env``. Apart, because only process entry points
(workers, api, deploy) may read settings: everything else is handed what it needs.

A setting's name is flat: the group's prefix and the field in capitals, ``TEMPORAL_ADDRESS`` for ``temporal.address``.
"""

import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.errors import InvalidInput
from models.publication import PUBLISHERS, STORE
from models.quality import Thresholds
from models.release import CodeRanges

ROOT = Path(__file__).resolve().parent.parent

OWN_PREFIXES = (
    "GREENROOM_",
    "TELEGRAM_",
    "KOKORO_",
    "XTTS_",
    "WAV2LIP_",
    "SADTALKER_",
    "MFA_",
    "WHISPER_",
    "LYRICS_LLM_",
    "PEXELS_",
    "PIXABAY_",
    "YOUTUBE_",
    "JWT_",
    "S3_",
)
"""Environment names that nobody but this project reads: one that no field reads is a misspelling."""

NEAR = 0.84
"""Similarity (difflib ratio) from which a name outside the own prefixes, such as ``TEMPORAL_ADRESS``, counts as one of
ours misspelt. Temporal's own ``TEMPORAL_API_KEY`` or AWS's ``AWS_PROFILE`` stay below it."""


class SettingsError(InvalidInput):
    """A setting is unknown, missing or malformed. ``field`` is its name in the environment."""

    code = "settings.invalid"
    status = 500
    action = "Correct the named setting in the environment or in .env; .env.example lists them all."


class Group(BaseSettings):
    """One branch of the tree. Empty values count as not set, so that a line of ``.env.example`` may stay empty."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )


class Studio(Group):
    """Where this process keeps state and how it talks about itself."""

    model_config = SettingsConfigDict(env_prefix="GREENROOM_")

    state_dir: Path = ROOT / ".studio"
    """Everything the local studio writes: data, logs, ports, credentials, weights, caches."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level of log events that are written."""
    ready_file: Path | None = None
    """Written by a worker once it polls its queues; set by whatever supervises it."""

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, state_dir: Path) -> Path:
        return ROOT / state_dir


class Temporal(Group):
    """The Temporal frontend."""

    model_config = SettingsConfigDict(env_prefix="TEMPORAL_")

    address: str = ""
    """host:port of a real Temporal frontend. Empty: the local studio starts one."""
    namespace: str = "default"
    """The namespace that holds the studio's workflows."""
    ui_url: str = ""
    """Base address of the Temporal Web UI, for links people follow."""
    api_key: SecretStr | None = None
    """API key of a hosted Temporal."""
    tls: bool = False
    """Whether the connection is encrypted; implied by an API key."""


class Database(Group):
    """The relational database."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    url: SecretStr = SecretStr("")
    """postgresql://user:password@host:port/name of a real Postgres. Empty: the local studio starts one."""

    @field_validator("url")
    @classmethod
    def _on_asyncpg(cls, url: SecretStr) -> SecretStr:
        scheme, mark, rest = url.get_secret_value().partition("://")
        if not mark and not scheme:
            return url
        if scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
            raise ValueError("must start with postgresql://")
        return SecretStr(f"postgresql+asyncpg://{rest}")


class ObjectStore(Group):
    """The S3 object store. Without keys, boto3's own chain (profile, instance role) applies."""

    model_config = SettingsConfigDict(env_prefix="S3_")

    endpoint_url: str = ""
    """Address of a real S3 service. Empty: the local studio starts one."""
    public_url: str = ""
    """The address signed links carry when browsers reach the service by another name than the studio does."""
    bucket: str = "greenroom"
    """The bucket that holds all artifacts."""
    region: str = "us-east-1"
    """The region requests are signed for."""
    access_key_id: Annotated[str, Field(validation_alias="AWS_ACCESS_KEY_ID")] = ""
    """The key's name."""
    secret_access_key: Annotated[SecretStr, Field(validation_alias="AWS_SECRET_ACCESS_KEY")] = SecretStr("")
    """The key."""


class Api(Group):
    """The HTTP API."""

    model_config = SettingsConfigDict(env_prefix="GREENROOM_API_")

    host: str = "127.0.0.1"
    """The address the API listens on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port the API listens on; the local studio finds a free one."""
    public_url: str = ""
    """The address people and webhooks reach the API by."""
    max_upload_mb: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Largest accepted upload in megabytes."""
    max_media_minutes: Annotated[int, Field(ge=1, le=600)] = 30
    """Longest accepted audio or video in minutes."""


class Jwt(Group):
    """Who may call the API: tokens signed by the operator's identity provider."""

    model_config = SettingsConfigDict(env_prefix="JWT_")

    public_key_file: Path | None = None
    """PEM file with the key that verifies tokens. The local studio makes a pair."""
    algorithm: Literal["EdDSA", "RS256"] = "EdDSA"
    """The one accepted signature algorithm."""
    issuer: str = "greenroom-local"
    """Required ``iss`` claim."""
    audience: str = "greenroom"
    """Required ``aud`` claim."""


class Telegram(Group):
    """Approvals on Telegram. Off without a bot token."""

    model_config = SettingsConfigDict(env_prefix="TELEGRAM_")

    bot_token: SecretStr | None = None
    """The bot's token."""
    api_url: str = "https://api.telegram.org"
    """Base address of the Bot API."""
    reviewers: Annotated[dict[int, str], NoDecode] = {}
    """Who may decide: Telegram user id = reviewer, comma separated: ``1234=priya,5678=sam``."""
    webhook_url: str = ""
    """Public https address for updates. Empty: long polling."""
    webhook_secret: SecretStr | None = None
    """The secret token Telegram sends with each update; required with a webhook address."""
    webhook_port: Annotated[int, Field(ge=1, le=65535)] = 8443
    """The port the webhook listens on."""

    @field_validator("reviewers", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [entry.partition("=") for entry in value.split(",") if entry.strip()]
        if any(not user.strip().isdigit() or not name.strip() for user, _, name in pairs):
            raise ValueError("must be user-id=reviewer pairs, comma separated")
        return {int(user): name.strip() for user, _, name in pairs}

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> "Telegram":
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("TELEGRAM_WEBHOOK_URL needs TELEGRAM_WEBHOOK_SECRET")
        return self

    @field_validator("webhook_secret")
    @classmethod
    def _acceptable(cls, secret: SecretStr | None) -> SecretStr | None:
        """Telegram accepts 1-256 characters of A-Z, a-z, 0-9, _ and -."""
        text = secret.get_secret_value() if secret else ""
        if secret and not (
            1 <= len(text) <= 256 and text.replace("_", "").replace("-", "").isalnum() and text.isascii()
        ):
            raise ValueError("must be 1-256 letters, digits, _ or -")
        return secret


class Engines(Group):
    """What the operator supplies to engines. Empty: the pinned package's own weights, or the engine is unavailable."""

    kokoro_model: Path | None = None
    """An ONNX file of Kokoro-82M instead of the packaged one."""
    kokoro_voices_dir: Path | None = None
    """Directory of Kokoro style vectors (``af_heart.bin``, ...) instead of the fetched ones."""
    xtts_checkpoint_dir: Path | None = None
    """Directory with the Coqui XTTS v2 checkpoint: model.pth, config.json, vocab.json."""
    wav2lip_checkpoint: Path | None = None
    """The published Wav2Lip checkpoint."""
    sadtalker_command: str = ""
    """Command line that runs SadTalker, with {picture}, {audio} and {out} to be filled in."""
    mfa_command: str = ""
    """The Montreal Forced Aligner's program. Empty: ``mfa`` where it is on PATH."""
    whisper_dir: Path | None = None
    """Directory of a CTranslate2 Whisper model instead of the packaged one."""
    fluidsynth: str = "fluidsynth"
    """The FluidSynth program that plays scores."""
    soundfont: Path | None = None
    """A General MIDI sound font instead of Debian's FluidR3_GM.sf2."""
    musicgen_dir: Path | None = None
    """Directory of a MusicGen checkpoint in Hugging Face's layout."""
    replicate_api_token: SecretStr | None = None
    """Token for music by Replicate."""
    replicate_music_version: str = ""
    """The version of meta/musicgen to ask Replicate for."""
    replicate_url: str = "https://api.replicate.com/v1"
    """Base address of Replicate's API."""
    aimlapi_key: SecretStr | None = None
    """Key for music by AI/ML API."""
    aimlapi_url: str = "https://api.aimlapi.com/v2"
    """Base address of AI/ML API."""
    lyrics_llm_url: str = ""
    """Base address of an OpenAI-compatible API whose language model writes lyrics: http://localhost:11434/v1."""
    lyrics_llm_key: SecretStr | None = None
    """Key for it; a server of one's own may want none."""
    lyrics_llm_model: str = ""
    """The model's name there."""
    lyrics_llm_seconds: Annotated[float, Field(gt=0, le=290)] = 240.0
    """How long the model may take for one answer."""
    elevenlabs_api_key: SecretStr | None = None
    """Key for spoken vocals by ElevenLabs."""
    elevenlabs_voice_id: str = ""
    """The voice in that account, for every artist that ElevenLabs speaks for."""
    elevenlabs_model: str = "eleven_multilingual_v2"
    """ElevenLabs' model."""
    elevenlabs_url: str = "https://api.elevenlabs.io/v1"
    """Base address of ElevenLabs' API."""
    provider_rest_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    """How long a hosted provider that failed three times in a row is left alone before one job tries it again."""
    pexels_api_key: SecretStr | None = None
    """Key for footage from Pexels. Where there is one, music videos are cut from footage."""
    pexels_url: str = "https://api.pexels.com"
    """Base address of Pexels' API."""
    pixabay_api_key: SecretStr | None = None
    """Key for footage from Pixabay, used where Pexels has none or fails."""
    pixabay_url: str = "https://pixabay.com"
    """Base address of Pixabay."""

    def footage(self) -> tuple[str, ...]:
        """The libraries of footage that there are keys for, in the order in which they are asked."""
        keys = {"pexels": self.pexels_api_key, "pixabay": self.pixabay_api_key}
        return tuple(name for name, key in keys.items() if key and key.get_secret_value())


class Lanes(Group):
    """How much one worker process takes on at once, per lane."""

    model_config = SettingsConfigDict(env_prefix="GREENROOM_")

    cpu_slots: Annotated[int, Field(ge=1, le=256)] = max(1, os.cpu_count() or 1)
    """Activities side by side on the cpu lane."""
    gpu_slots: Annotated[int, Field(ge=1, le=16)] = 1
    """Activities side by side on the gpu lane: one a device."""
    io_slots: Annotated[int, Field(ge=1, le=1024)] = 32
    """Activities side by side on the io lane."""
    cached_workflows: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Workflows the studio lane keeps in memory."""
    grace_seconds: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """How long a worker that was asked to stop lets activities finish."""
    renew_minutes: Annotated[float, Field(ge=0, le=10_000)] = 10.0
    """How long a cpu or gpu worker that has worked stays idle before it starts itself anew, which gives back the memory
    of its models; 0: never. The next render loads them again, in seconds."""
    cache_dir: Path | None = None
    """Directory of artifacts kept on this machine; the state directory's ``cache`` without it."""
    cache_gb: Annotated[float, Field(gt=0, le=10_000)] = 5.0
    """How much of the disk the artifact cache may take, in gigabytes."""


class Qdrant(Group):
    """Where the house remembers its songs. Left alone: files under the state directory."""

    model_config = SettingsConfigDict(env_prefix="QDRANT_")

    url: str = ""
    """A Qdrant server's address."""
    api_key: SecretStr | None = None
    """The server's key, where it wants one."""


UNASSIGNED_ISRC = "XXGRM"
"""XX is no country's and no registrant's."""


MOST_BANNED, LONGEST_BANNED = 400, 40


def _lines(path: Path | None, setting: str) -> tuple[str, ...]:
    """The lines of a file that hold something; those that begin with # are comments."""
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file cannot be read: {error}", field=setting) from error
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


class Label(Group):
    """Artists and releases. Identifiers left alone come from ranges that are nobody's, and say so."""

    model_config = SettingsConfigDict(env_prefix="LABEL_")

    isrc_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$")] = UNASSIGNED_ISRC
    """The house's ISRC prefix: country and registrant."""
    isrc_first: Annotated[int, Field(ge=0, le=99_999)] = 1
    """The first designation of each year."""
    isrc_last: Annotated[int, Field(ge=0, le=99_999)] = 99_999
    """The last designation of each year."""
    upc_prefix: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] = "4"
    """The house's GS1 prefix. 4 is for use within a house."""

    known_artists_file: Path | None = None
    """Names, one a line, that no artist of the house may imitate."""
    banned_words_file: Path | None = None
    """Words and phrases, one a line, that no artist of the house sings; artists take them over at birth."""
    publishers: str = STORE
    """Where releases go, comma separated, where an artist's own plan does not say: store, youtube."""
    page_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How long the links of a release's page live; S3 signs for a week at most."""

    @field_validator("publishers")
    @classmethod
    def _known_publishers(cls, publishers: str) -> str:
        unknown = {name.strip() for name in publishers.split(",") if name.strip()} - set(PUBLISHERS)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(PUBLISHERS)}")
        return publishers

    def publishing(self) -> tuple[str, ...]:
        """The names of the house's publishers, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.publishers.split(",") if name.strip()))

    def ranges(self) -> CodeRanges:
        """The contract that identifiers are taken by."""
        values = self.model_dump(include=set(CodeRanges.model_fields) - {"registered"})
        return CodeRanges(**values, registered=self.isrc_prefix != UNASSIGNED_ISRC)

    def known_artists(self) -> tuple[str, ...]:
        """The names of the file. Raises SettingsError when it cannot be read."""
        return _lines(self.known_artists_file, "LABEL_KNOWN_ARTISTS_FILE")

    def banned_words(self) -> tuple[str, ...]:
        """What the file bans. Raises SettingsError when it cannot be read, or bans more than a plan carries."""
        found = _lines(self.banned_words_file, "LABEL_BANNED_WORDS_FILE")
        if len(found) > MOST_BANNED or any(len(word) > LONGEST_BANNED for word in found):
            raise SettingsError(
                f"at most {MOST_BANNED} banned words of at most {LONGEST_BANNED} characters are kept",
                field="LABEL_BANNED_WORDS_FILE",
            )
        return found

    @model_validator(mode="after")
    def _a_range(self) -> "Label":
        if self.isrc_first > self.isrc_last:
            raise ValueError("LABEL_ISRC_FIRST is above LABEL_ISRC_LAST")
        return self


class Youtube(Group):
    """Releases on YouTube, for artists who publish there. All three credentials, or none."""

    model_config = SettingsConfigDict(env_prefix="YOUTUBE_")

    client_id: str = ""
    """The OAuth client's id."""
    client_secret: SecretStr | None = None
    """The OAuth client's secret."""
    refresh_token: SecretStr | None = None
    """The refresh token by which the channel's owner let the studio upload (scope youtube)."""
    privacy: Literal["public", "unlisted", "private"] = "public"
    """Who sees videos. Those of projects that Google has not audited stay private."""
    made_for_kids: bool = False
    """Whether videos are declared as made for children."""
    url: str = "https://www.googleapis.com/youtube/v3"
    """Base address of the Data API."""
    upload_url: str = "https://www.googleapis.com/upload/youtube/v3"
    """Base address of uploads."""
    token_url: str = "https://oauth2.googleapis.com/token"
    """Where access tokens are given."""


class Quality(Thresholds, Group):
    """What a finished render must reach before it is offered to a reviewer."""

    model_config = SettingsConfigDict(env_prefix="GREENROOM_QUALITY_", extra="ignore", frozen=True)

    def thresholds(self) -> Thresholds:
        """The contract that goes into a render's request."""
        return Thresholds(**self.model_dump())


class Settings(BaseModel):
    """The tree."""

    model_config = ConfigDict(frozen=True)

    studio: Studio
    temporal: Temporal
    database: Database
    s3: ObjectStore
    api: Api
    jwt: Jwt
    telegram: Telegram
    engines: Engines
    lanes: Lanes
    quality: Quality
    label: Label
    youtube: Youtube
    qdrant: Qdrant


def groups() -> dict[str, type[Group]]:
    """The tree's branches by name, in order."""
    found: dict[str, type[Group]] = {}
    for name, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type) and issubclass(field.annotation, Group)
        found[name] = field.annotation
    return found


def variables(group: type[Group]) -> Iterator[tuple[str, FieldInfo]]:
    """The environment name of each field of a branch."""
    prefix = group.model_config.get("env_prefix", "")
    for name, field in group.model_fields.items():
        alias = field.validation_alias
        yield alias if isinstance(alias, str) else f"{prefix}{name}".upper(), field


def known_names() -> frozenset[str]:
    """Every name the tree reads."""
    return frozenset(name for group in groups().values() for name, _ in variables(group))


def load_settings(*required: str, env_file: Path | None = ROOT / ".env") -> Settings:
    """Read the environment and ``env_file`` (which the environment overrides).

    ``required`` are names that must not be empty, such as ``TEMPORAL_ADDRESS``. Raises SettingsError for a name nobody
    reads, a value that does not fit its type, and a required name that is not set.
    """
    file_values = dotenv_values(env_file) if env_file and env_file.is_file() else {}
    _refuse_unknown(os.environ, file_values, env_file)
    for name in required:
        if not (os.environ.get(name) or file_values.get(name)):
            raise SettingsError(
                f"{name} is not set",
                field=name,
                code="settings.missing",
                action=f"Set {name}, or start with 'make up'.",
            )
    branches: dict[str, Group] = {}
    for branch, group in groups().items():
        try:
            branches[branch] = group(_env_file=env_file)
        except ValidationError as error:
            raise _malformed(group, error) from None
    return Settings.model_validate(branches)


def _refuse_unknown(
    environment: Mapping[str, str], file_values: Mapping[str, str | None], env_file: Path | None
) -> None:
    known = known_names()
    for name in file_values:
        if name.upper() not in known:
            raise _unknown(name, f"in {env_file}", known)
    for name in environment:
        if name in known:
            continue
        misspelt = name.startswith("TEMPORAL_") and difflib.get_close_matches(name, known, 1, NEAR)
        if name.startswith(OWN_PREFIXES) or misspelt:
            raise _unknown(name, "in the environment", known)


def _unknown(name: str, where: str, known: frozenset[str]) -> SettingsError:
    near = difflib.get_close_matches(name.upper(), sorted(known), 1, 0.5)
    hint = f"; the nearest is {near[0]}" if near else ""
    return SettingsError(f"{name} {where} is read by nobody{hint}", field=name, code="settings.unknown")


def _malformed(group: type[Group], error: ValidationError) -> SettingsError:
    """The first fault by its environment name. The value is left out: it may be a secret."""
    fault = error.errors(include_input=False, include_context=False, include_url=False)[0]
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return SettingsError(message)
    place = str(fault["loc"][0])
    fields = dict(zip(group.model_fields, (name for name, _ in variables(group)), strict=True))
    return SettingsError(f"{fields.get(place, place)}: {message}", field=fields.get(place, place))


def example() -> str:
    """The text of ``.env.example``: every name, what it is, and its default, as comments."""
    lines = ["# Settings of Greenroom. Written by 'make env-example'; copy to .env and uncomment what you change."]
    for group in groups().values():
        lines += ["", f"# {' '.join((group.__doc__ or '').split())}"]
        for name, field in variables(group):
            if field.description:
                lines.append(f"#   {' '.join(field.description.split())}")
            lines.append(f"# {name}={_shown(name, field.default)}")
    return "\n".join(lines) + "\n"


def _shown(name: str, default: object) -> str:
    """A default as a person would write it. The machine's own values (paths, core count) are described instead."""
    if name == "GREENROOM_CPU_SLOTS" or default is None or default == {} or isinstance(default, SecretStr):
        return ""
    if isinstance(default, Path):
        return default.relative_to(ROOT).as_posix()
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    sys.stdout.write(example())
