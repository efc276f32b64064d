"""The generative music video: hears the master, cuts on its beats, draws every frame, and lets one ffmpeg enlarge,
letter and encode them as they come."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from activities.artwork.scenes import Stage
from activities.compositing import ass
from activities.musicvideo import hearing, words
from activities.musicvideo.base import FinishedVideo, VideoBrief
from activities.musicvideo.cutting import Cut, cut
from activities.musicvideo.direction import Movement, fullness
from activities.musicvideo.pictures import Pictures, veil
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, BT709_TAGS, probe, run
from models.errors import EngineFailed, MediaRejected
from models.lanes import Lane
from models.layout import Shape
from models.music import SectionKind
from models.plan import Capability, EngineRef

_REF = EngineRef(capability=Capability.MUSICVIDEO, name="visuals", version="2", lane=Lane.CPU)
_EVERY = 25
"""Frames between two reports."""
_DRAWN = 540
"""Short side in pixels at which pictures are drawn; light is soft, and type is set at full size."""
_FILMED = 720
"""The same where there is footage, which is not soft."""
_MOST_KBITS = 3_400
"""Most kbit of picture a second, over any three: a song of a minute and a half stays under 45 MB with its sound. Most
scenes need less and are not held back."""
_FADE = 1.6
"""Seconds of fading at the end."""
_COVER = {Shape.WIDE: 800, Shape.TALL: 860, Shape.SQUARE: 780}
"""Side of the closing cover in pixels."""


class GenerativeVisuals:
    """Draws music videos. Thread-safe; one core draws and one encodes; the same brief gives the same bytes."""

    @property
    def ref(self) -> EngineRef:
        """Who draws."""
        return _REF

    def draw(self, brief: VideoBrief, out: Path, progress: Progress) -> FinishedVideo:
        """See :class:`~activities.musicvideo.base.MusicVideoEngine`. One unit of progress a frame, told every 25."""
        seconds = hearing.duration(brief.master)
        frames = max(1, round(seconds * brief.fps))
        plan = cut(brief.analysis, brief.fps, frames)
        video, thumbnail = out / "video.mp4", out / "thumbnail.jpg"
        try:
            with tempfile.TemporaryDirectory(dir=out, prefix=".video-") as folder:
                _Production(brief, plan, Path(folder), progress).film(video)
            _thumbnail(video, thumbnail, plan, brief)
            found = probe(video)
            if found.frames != frames:
                raise EngineFailed(f"The video has {found.frames} frames instead of {frames}.")
            progress(frames, frames)
        except BaseException:
            video.unlink(missing_ok=True)
            thumbnail.unlink(missing_ok=True)
            raise
        return FinishedVideo(video, thumbnail, plan.frames_of_cuts, frames / brief.fps)


class _Production:
    """One video being made in ``folder``."""

    def __init__(self, brief: VideoBrief, plan: Cut, folder: Path, progress: Progress) -> None:
        self._brief, self._plan, self._folder, self._progress = brief, plan, folder, progress
        self._size = brief.shape.size
        scale = (_FILMED if brief.plates else _DRAWN) / min(self._size)
        width, height = (round(side * scale / 2) * 2 for side in self._size)
        self._stage = Stage(width, height, brief.seed, 0, (0.5,))

    def film(self, video: Path) -> None:
        """Write ``video``."""
        brief, plan = self._brief, self._plan
        shown = words.captions(brief.timing, brief.shape, brief.fps, plan.closing)
        title = words.title(brief.artist, brief.title, brief.palette, brief.shape, brief.fps, plan.closing)
        events = [*title.events, *words.lyrics(shown, brief.palette, brief.fps)]
        script = self._folder / "words.ass"
        script.write_text(ass.script(events, *self._size, brief.fps), encoding="utf-8")
        veils = [
            veil([(one.first, one.end, one.box) for one in shown], self._size, self._stage, plan.frames, brief.fps),
            veil([(title.first, title.end, title.box)], self._size, self._stage, plan.frames, brief.fps),
        ]
        heard = hearing.listen(brief.master, brief.fps, plan.frames)
        full = fullness(plan.shots, brief.analysis, brief.fps, plan.frames)
        pictures = Pictures(brief, plan, Movement(heard, full, brief.fps), veils, self._stage)
        cover, side = self._cover()
        run(self._arguments(cover, side, script, video), None, self._told(pictures), ass.FONT_ENVIRONMENT)

    def _told(self, pictures: Pictures) -> Iterator[bytes]:
        for number, picture in enumerate(pictures):
            if number % _EVERY == 0:
                self._progress(number, self._plan.frames)
            yield np.ascontiguousarray(picture).tobytes()

    def _cover(self) -> tuple[Path, int]:
        """The closing cover at the size it is shown, raw. Raises MediaRejected where it is no picture."""
        side = _COVER[self._brief.shape]
        path = self._folder / "cover.rgb"
        try:
            with Image.open(self._brief.cover) as found:
                shown = found.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise MediaRejected(f"cover is not a readable picture: {error}.", field="cover") from error
        path.write_bytes(shown.tobytes())
        return path, side

    def _arguments(self, cover: Path, side: int, script: Path, video: Path) -> list[str]:
        """One ffmpeg: drawn pictures from the pipe, the cover over the last of them, words, fade, and the master."""
        (width, height), fps, plan = self._size, self._brief.fps, self._plan
        fade = min(round(_FADE * fps), max(1, plan.frames - plan.closing))
        colours = "out_color_matrix=bt709:out_range=tv"
        graph = (
            f"[0:v]scale={width}:{height}:flags=bicubic:{colours},format=yuv420p[ground];"
            f"[1:v]scale={colours},format=yuv420p,loop=loop=-1:size=1,trim=end_frame={plan.frames - plan.closing},"
            f"setpts=(N+{plan.closing})/({fps}*TB)[cover];"
            f"[ground][cover]overlay={(width - side) // 2}:{(height - side) // 2}:eof_action=pass:format=yuv420[both];"
            f"[both]{ass.burn(script)},fade=t=out:start_frame={plan.frames - fade}:nb_frames={fade}[film]"
        )
        raw = ("-f", "rawvideo", "-framerate", str(fps))
        return [
            *("-filter_threads", "1", "-filter_complex_threads", "1"),
            *(*raw, "-pixel_format", "bgr24", "-video_size", f"{self._stage.width}x{self._stage.height}"),
            *("-i", "pipe:0", *raw, "-pixel_format", "rgb24", "-video_size", f"{side}x{side}", "-i", str(cover)),
            *("-i", str(self._brief.master), "-filter_complex", graph, "-map", "[film]", "-map", "2:a:0"),
            *("-c:v", "libx264", "-preset", "superfast", "-crf", "22", "-profile:v", "high", "-threads", "1"),
            *("-maxrate", f"{_MOST_KBITS}k", "-bufsize", f"{3 * _MOST_KBITS}k"),
            *("-x264-params", "mbtree=1:rc-lookahead=8:bframes=2:8x8dct=1", "-g", str(4 * fps)),
            *("-c:a", "aac", "-b:a", "256k", *BT709_TAGS, *BIT_EXACT, "-movflags", "+faststart", str(video)),
        ]


def _thumbnail(video: Path, out: Path, plan: Cut, brief: VideoBrief) -> None:
    """A picture out of the first chorus, else out of the longest shot."""
    chorus = [shot for shot in plan.shots if shot.kind is SectionKind.CHORUS]
    shot = chorus[0] if chorus else max(plan.shots, key=lambda one: one.end - one.first)
    second = (shot.first + (shot.end - shot.first) * 0.4) / brief.fps
    run(
        ["-ss", f"{second:.3f}", "-i", str(video), "-frames:v", "1", "-q:v", "3", "-threads", "1", *BIT_EXACT, str(out)]
    )
