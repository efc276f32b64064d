"""Instant song stages whose files are real and small, for the API's tests."""

import asyncio
import random
import subprocess
import uuid
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from temporalio import activity

from activities.audition.likeness import DIMENSIONS, SongPrint
from activities.releases.packager import ReleasePackager
from activities.releases.stage import ReleaseStages
from activities.support.s3 import S3ArtifactStore
from activities.support.stage import Stages
from models.artifacts import Artifact
from models.identity import SingingVoice, StyleShare
from models.music import LyricLine, Lyrics, LyricSection, LyricWord, SectionKind, SungTiming, SungWord
from models.song_stages import (
    AuditionRequest,
    AuditionResult,
    CastRequest,
    CastResult,
    CoverRequest,
    CoverResult,
    LyricsRequest,
    LyricsResult,
    MixRequest,
    MixResult,
    MusicVideoRequest,
    MusicVideoResult,
    Stem,
    VoicePrint,
)
from models.stages import Effort
from tests.workflows.label import InstantLabel

WORDS = Lyrics(
    title="Rain Light",
    sections=(
        LyricSection(
            kind=SectionKind.VERSE,
            lines=(LyricLine(words=(LyricWord(text="rain", syllables=1), LyricWord(text="light", syllables=1))),),
        ),
    ),
    source="writer",
)
TIMING = SungTiming(lines=((SungWord(text="rain", start=0.2, end=0.5), SungWord(text="light", start=0.5, end=0.9)),))


class SmallSongs(InstantLabel):
    """An instant label whose songs are a second of tone with a test picture; the release is packed for real."""

    artifacts: S3ArtifactStore
    folder: Path

    def _drawn(self, suffix: str, *arguments: str) -> Path:
        out = self.folder / f"{uuid.uuid4().hex}.{suffix}"
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments, str(out)], check=True)
        return out

    def _tone(self, hertz: int) -> Artifact:
        source = f"sine=frequency={hertz}:sample_rate=44100:duration=1"
        path = self._drawn("wav", "-f", "lavfi", "-i", source, "-ac", "2", "-c:a", "pcm_s24le", "-bitexact")
        return self.artifacts.put(path, "audio/wav", 1_000)

    def _text(self, text: str) -> Artifact:
        path = self.folder / f"{uuid.uuid4().hex}.json"
        path.write_text(text)
        return self.artifacts.put(path, "application/json")

    @activity.defn(name="vocals.cast")
    async def cast(self, request: CastRequest) -> CastResult:
        draw = random.Random(request.seed)
        raw = [draw.gauss(0, 1) for _ in range(256)]
        length = sum(value * value for value in raw) ** 0.5
        voice = VoicePrint(artist=request.name, embedding=tuple(value / length for value in raw))
        return CastResult(
            voice=SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=57, high=74),
            sample=await asyncio.to_thread(self._tone, 330),
            print=await asyncio.to_thread(self._text, voice.model_dump_json()),
            nearest=0.5,
            effort=Effort(cpu_seconds=1),
        )

    @activity.defn(name="lyrics.write")
    async def write(self, request: LyricsRequest) -> LyricsResult:
        made = await super().write(request)
        return made.model_copy(update={"lyrics": await asyncio.to_thread(self._text, WORDS.model_dump_json())})

    @activity.defn(name="mixing.mix")
    async def mix(self, request: MixRequest) -> MixResult:
        made = await super().mix(request)
        master, other = [await asyncio.to_thread(self._tone, 200 + request.seed % 400 + more) for more in (0, 1)]
        timing = await asyncio.to_thread(self._text, TIMING.model_dump_json())
        stems = (Stem(name="drums", audio=other),)
        return made.model_copy(update={"master": master, "instrumental": other, "stems": stems, "timing": timing})

    @activity.defn(name="artwork.cover")
    async def cover(self, request: CoverRequest) -> CoverResult:
        self._make(request)
        source = ("-f", "lavfi", "-i", "testsrc=size=300x300:d=0.1", "-frames:v", "1")
        picture = self.artifacts.put(await asyncio.to_thread(self._drawn, "jpg", *source), "image/jpeg")
        return CoverResult(cover=picture, thumbnail=picture)

    @activity.defn(name="musicvideo.draw")
    async def draw(self, request: MusicVideoRequest) -> MusicVideoResult:
        made = await super().draw(request)
        comment = ("-metadata", f"comment={made.video.sha256}")
        source = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:d=1", "-pix_fmt", "yuv420p", *comment)
        video = self.artifacts.put(await asyncio.to_thread(self._drawn, "mp4", *source), "video/mp4", 1_000)
        still = ("-f", "lavfi", "-i", "testsrc=size=160x90:d=0.1", "-frames:v", "1")
        picture = self.artifacts.put(await asyncio.to_thread(self._drawn, "jpg", *still), "image/jpeg")
        return made.model_copy(update={"video": video, "thumbnail": picture})

    @activity.defn(name="audition.audition")
    async def audition(self, request: AuditionRequest) -> AuditionResult:
        made = await super().audition(request)
        draw = random.Random(request.master.sha256)
        raw = [draw.gauss(0, 1) for _ in range(DIMENSIONS)]
        length = sum(value * value for value in raw) ** 0.5
        heard = SongPrint(embedding=tuple(value / length for value in raw))
        return made.model_copy(update={"print": await asyncio.to_thread(self._text, heard.model_dump_json())})

    def on_the_cpu_lane(self, stages: Stages) -> list[Any]:
        """Activities of the cpu lane; the rest of the label's are the real ones."""
        names = ("compose", "analyse", "write", "sing", "cast", "mix", "cover", "draw", "audition")
        packer = ReleaseStages(stages, {"packager": ReleasePackager()})
        return [*(getattr(self, name) for name in names), packer.encode]
