"""The default packager: FLAC and tagged MP3 by ffmpeg, lyrics as LRC, credits, metadata checked against its schema, and
a page to listen, watch and read."""

import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from activities.releases.base import Packed, Sources
from activities.releases.page import landing_page
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, run
from models.artifacts import Artifact
from models.engines import find_engine
from models.errors import EngineFailed
from models.music import SungTiming, SungWord
from models.plan import Capability, EngineRef
from models.song_stages import Credit, ReleaseRequest

DISCLOSURE = "Music, words, voice and pictures of this recording were made by machines. The performer is not a person."
WITH_FOOTAGE = (
    "Music, words, voice and cover of this recording were made by machines. The performer is not a person. "
    "The video is cut from footage by the people whom the credits name."
)
_PLAIN = re.compile(r"[^a-z0-9]+")
_JSON, _TEXT = "application/json", "text/plain"


class ReleasePackager:
    """Encodes and describes. Stateless."""

    @property
    def ref(self) -> EngineRef:
        """Its identity; it has no weights."""
        return find_engine(Capability.RELEASES, "packager").ref()

    def encode(self, request: ReleaseRequest, sources: Sources, folder: Path, progress: Progress) -> tuple[Packed, ...]:
        """See :class:`~activities.releases.base.ReleaseEngine`."""
        tags = _tags(request)
        files = [
            Packed("master.wav", request.master, request.master.media_type),
            Packed("instrumental.wav", request.instrumental, request.instrumental.media_type),
            Packed("cover.jpg", request.cover, request.cover.media_type),
            *(Packed(f"stems/{stem.name}.wav", stem.audio, stem.audio.media_type) for stem in request.stems),
            *(
                Packed(f"video-{video.shape.value.replace(':', 'x')}.mp4", video.video, video.video.media_type)
                for video in request.videos
            ),
        ]
        flac = folder / "master.flac"
        run([*_source(sources.master), "-c:a", "flac", "-sample_fmt", "s32", *tags, str(flac)])
        progress(1, 3)
        mp3 = folder / "track.mp3"
        _mp3(sources, tags, mp3)
        progress(2, 3)
        files += [Packed("master.flac", flac, "audio/flac"), Packed(f"{_slug(request)}.mp3", mp3, "audio/mpeg")]
        texts = {
            "lyrics.lrc": (lrc(request, sources.timing), _TEXT),
            "lyrics.txt": (sources.lyrics.text + "\n", _TEXT),
            "lyrics.json": (sources.timing.model_dump_json(indent=1), _JSON),
            "credits.txt": (_credits(request), _TEXT),
        }
        files += [_text(folder, path, text, media_type) for path, (text, media_type) in texts.items()]
        checksums = {file.path: _sha256(file) for file in files}
        metadata = describe(request, checksums)
        files.append(_text(folder, "release.json", json.dumps(metadata, indent=1, ensure_ascii=False), _JSON))
        page = landing_page(request, sources.timing, disclosure(request), checksums)
        files.append(_text(folder, "index.html", page, "text/html"))
        progress(3, 3)
        return tuple(sorted(files, key=lambda file: file.path))


def _source(path: Path) -> list[str]:
    return ["-i", str(path)]


def _mp3(sources: Sources, tags: list[str], out: Path) -> None:
    """320 kbit/s with the cover in it, no larger than players read (ID3v2.3, APIC)."""
    run(
        [
            *_source(sources.master),
            *_source(sources.cover),
            *("-map", "0:a", "-map", "1:v", "-filter:v", "scale=1000:1000:flags=lanczos", "-c:v", "mjpeg", "-q:v", "3"),
            *("-c:a", "libmp3lame", "-b:a", "320k", "-id3v2_version", "3", "-disposition:v", "attached_pic"),
            *tags,
            str(out),
        ]
    )


def _tags(request: ReleaseRequest) -> list[str]:
    values = {
        "title": request.title,
        "artist": request.artist,
        "album": request.title,
        "track": "1/1",
        "date": str(request.year),
        "genre": request.genre.value,
        "TSRC": request.isrc,
        "barcode": request.upc,
        "TBPM": f"{request.grid.tempo_bpm:.0f}",
        "language": request.language,
        "comment": disclosure(request),
    }
    return [*BIT_EXACT, *(word for name, value in values.items() for word in ("-metadata", f"{name}={value}"))]


def _slug(request: ReleaseRequest) -> str:
    plain = _PLAIN.sub("-", f"{request.artist} {request.title}".lower()).strip("-")
    return plain[:80] or "track"


def _text(folder: Path, path: str, text: str, media_type: str) -> Packed:
    file = folder / path.replace("/", "-")
    file.write_text(text, encoding="utf-8")
    return Packed(path, file, media_type)


def _sha256(file: Packed) -> str:
    if isinstance(file.file, Artifact):
        return file.file.sha256
    return hashlib.sha256(file.file.read_bytes()).hexdigest()


def lrc(request: ReleaseRequest, timing: SungTiming) -> str:
    """The words in LRC with a time for each line and, as in its enhanced form, for each word."""
    lines = [f"[ar:{request.artist}]", f"[ti:{request.title}]", f"[la:{request.language}]", "[by:Greenroom]"]
    lines += [_lrc_line(words) for words in timing.lines if words]
    return "\n".join(lines) + "\n"


def _lrc_line(words: tuple[SungWord, ...]) -> str:
    return f"[{_clock(words[0].start)}]" + " ".join(f"<{_clock(word.start)}>{word.text}" for word in words)


def _clock(seconds: float) -> str:
    hundredths = round(seconds * 100)
    return f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def disclosure(request: ReleaseRequest) -> str:
    """What was made by machines, and what was not."""
    return WITH_FOOTAGE if any(credit.licence for credit in request.made_by) else DISCLOSURE


def _parts(credit: Credit) -> tuple[str, str, str]:
    """A credit as it is read: who did what, by which licence, from where."""
    return f"{credit.role}: {credit.engine}", credit.licence, credit.page


def _credits(request: ReleaseRequest) -> str:
    lines = [f"{request.artist} — {request.title}", ""]
    lines += [", ".join(filter(None, _parts(credit))) for credit in request.made_by]
    lines += ["", f"Approved by: {', '.join(request.approved_by) or 'nobody'}", "", disclosure(request)]
    return "\n".join(lines) + "\n"


def describe(request: ReleaseRequest, checksums: dict[str, str]) -> dict[str, Any]:
    """The release as data, checked against ``release.schema.json``. Raises EngineFailed when it does not hold to it."""
    metadata = {
        "schema": "greenroom/release/1",
        "track_id": request.track_id,
        "title": request.title,
        "artist": request.artist,
        "number": request.number,
        "isrc": request.isrc,
        "upc": request.upc,
        "codes_registered": request.registered,
        "year": request.year,
        "genre": request.genre.value,
        "language": request.language,
        "explicit": request.explicit,
        "tempo_bpm": round(request.grid.tempo_bpm, 3),
        "key": request.key.name,
        "duration_ms": request.master.duration_ms or 0,
        "synthetic": True,
        "disclosure": disclosure(request),
        "credits": [credit.model_dump(exclude_defaults=True) for credit in request.made_by],
        "approved_by": list(request.approved_by),
        "figures": [{"name": figure.name, "value": figure.value, "unit": figure.unit} for figure in request.figures],
        "sha256": checksums,
    }
    schema = json.loads(resources.files("activities.releases").joinpath("release.schema.json").read_text("utf-8"))
    try:
        jsonschema.validate(metadata, schema)
    except jsonschema.ValidationError as error:
        place = "/".join(map(str, error.absolute_path)) or "the whole"
        raise EngineFailed(f"The release's metadata is wrong at {place}: {error.message[:200]}") from error
    return metadata
