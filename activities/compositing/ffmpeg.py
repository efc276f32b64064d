"""The compositor: one ffmpeg filter graph draws a segment, the concat demuxer joins segments without touching their
packets, and the film's sound is mixed and mastered once."""

import errno
import functools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from PIL import Image

from activities.avatar.base import Clip
from activities.compositing import ass, backdrop, cards, sound, titles
from activities.compositing.backdrop import Assets
from activities.compositing.base import CardPicture, Film, FinishedFilm, SegmentPicture, SpokenSound
from activities.compositing.captions import burnt, cues, srt, vtt
from activities.compositing.frame import Frame, frame_of, slide_at
from activities.compositing.typeface import Face, require
from activities.support.box import Box
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, BT709_TAGS, MediaInfo, probe, run
from models.errors import EngineFailed, InvalidInput, MediaRejected, StorageFull
from models.lanes import Lane
from models.layout import Captions, MusicBed, PlateKind, SoundLayout
from models.plan import Capability, EngineRef

_REF = EngineRef(capability=Capability.COMPOSITING, name="ffmpeg", version="1.1", lane=Lane.CPU)
_SINGLE = ("-filter_threads", "1", "-filter_complex_threads", "1")
"""Segments run side by side on all cores: threads inside one would only get in each other's way."""


def _h264(fps: int) -> tuple[str, ...]:
    """Encoder options of everything that is joined. ``stitchable`` keeps headers equal whatever the picture holds.

    Superfast with a short look-ahead and macroblock tree measured as good and as small as veryfast on a speaker before
    a still plate (SSIM 0.9976, 0.82 MB for 9.5 s) in 57 % of its time.
    """
    return (
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-profile:v", "high", "-pix_fmt", "yuv420p"),
        *("-x264-params", "mbtree=1:rc-lookahead=5:bframes=1:8x8dct=1:stitchable=1"),
        *("-threads", "1", "-g", str(4 * fps), "-flags", "+cgop"),
        *("-r", str(fps), "-video_track_timescale", str(fps * 512), *BT709_TAGS, *BIT_EXACT),
    )


class FfmpegCompositor:
    """Composes with ffmpeg, on files only. Safe to call from several threads at once; the same inputs give the same
    bytes. Every method raises MediaRejected naming an asset that is not what it must be, StorageFull for a full disk,
    and whatever ``progress`` raises; then it leaves nothing behind."""

    def __init__(self) -> None:
        self._stills = backdrop.Stills()

    @property
    def ref(self) -> EngineRef:
        """Who draws."""
        return _REF

    def compose(self, segment: SegmentPicture, out: Path, progress: Progress) -> int:
        """Write ``out``: mp4, H.264 at the shape's size, closed GOP, no audio. Returns its frame count (the clip's)."""
        clip, layout = segment.clip, segment.layout
        with _clean(out), tempfile.TemporaryDirectory(dir=out.parent, prefix=".compose-") as folder:
            scene = _Scene(segment, Path(folder), self._stills)
            written = 0

            def report(frame: int) -> None:
                nonlocal written
                written = frame
                progress(min(frame, clip.frames), clip.frames)

            progress(0, clip.frames)
            run(
                [
                    *_SINGLE,
                    *scene.inputs,
                    *("-filter_complex", scene.graph, "-map", "[film]", "-frames:v", str(clip.frames)),
                    *_h264(layout.fps),
                    *("-an", "-movflags", "+faststart", str(out)),
                ],
                report,
                environment=ass.FONT_ENVIRONMENT,
            )
            if written != clip.frames:
                raise EngineFailed(f"Segment {segment.index} has {written} frames instead of {clip.frames}.")
        return clip.frames

    def card(self, card: CardPicture, out: Path, progress: Progress) -> None:
        """Write ``out``: the card as mp4, encoded as segments are."""
        name = "intro" if card.opening else "outro"
        require(card.card.title, Face.SEMIBOLD, f"layout.{name}.title")
        require(card.card.subtitle, Face.REGULAR, f"layout.{name}.subtitle")
        frame, fps, frames = frame_of(card.shape), card.fps, card.card.frames(card.fps)
        neighbour = probe(card.beside, name="The picture beside the card")
        if (neighbour.width, neighbour.height) != (frame.width, frame.height):
            raise MediaRejected(
                f"The picture beside the card is {neighbour.width} x {neighbour.height}, "
                f"not {frame.width} x {frame.height}.",
                field="beside",
            )
        film = _frame_at(card.beside, 0 if card.opening else neighbour.frames - 1)
        drawn = cards.draw(card.card, card.brand, frame, Assets(card.assets), fps, film, opening=card.opening)
        with _clean(out):
            run(
                [
                    *(*_SINGLE, "-f", "rawvideo", "-pixel_format", "rgb24"),
                    *("-video_size", f"{frame.width}x{frame.height}", "-framerate", str(fps), "-i", "pipe:0"),
                    *("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", *_h264(fps), str(out)),
                ],
                lambda done: progress(min(done, frames), frames),
                drawn,
            )

    def soundtrack(
        self,
        segments: tuple[SpokenSound, ...],
        layout: SoundLayout,
        assets: Mapping[str, Path],
        out: Path,
        progress: Progress,
    ) -> None:
        """Write ``out``: AAC in mp4, 48 kHz stereo, as long as the picture."""
        if not segments:
            raise InvalidInput("A film needs at least one segment.", field="segments")
        with _clean(out), tempfile.TemporaryDirectory(dir=out.parent, prefix=".sound-") as work:
            _mixed(segments, layout, Assets(assets), Path(work), out, _Units(progress, len(segments) + 3))

    def assemble(self, film: Film, out: Path, progress: Progress) -> FinishedFilm:
        """Write the finished files into the directory ``out``."""
        if not film.segments:
            raise InvalidInput("A film needs at least one segment.", field="segments")
        video, thumbnail = out / "film.mp4", out / "thumbnail.jpg"
        srt_file, vtt_file = out / "captions.srt", out / "captions.vtt"
        with (
            _clean(video, thumbnail, srt_file, vtt_file),
            tempfile.TemporaryDirectory(dir=out, prefix=".film-") as work,
        ):
            cutting = _Cutting(film, Path(work), progress)
            pictures = cutting.pictures()
            found = cues(zip((s.alignment for s in film.segments), cutting.speech_starts, strict=True))
            srt_file.write_text(srt(found), encoding="utf-8")
            vtt_file.write_text(vtt(found), encoding="utf-8")
            cutting.join(pictures, srt_file, video)
            cutting.thumbnail(thumbnail)
        return FinishedFilm(video, thumbnail, srt_file, vtt_file, cutting.duration, cutting.speech_starts)


@contextmanager
def _clean(*outputs: Path) -> Iterator[None]:
    """Leave no half-written ``outputs`` behind, and give a full disk its name."""
    try:
        yield
    except BaseException as error:
        for output in outputs:
            output.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full: {outputs[0].name} could not be written.") from error
        raise


def _even(number: float) -> int:
    return round(number / 2) * 2


def _to_709(matrix: str) -> str:
    """Scaler options that bring a picture with ``matrix`` to BT.709. Untagged video of ffmpeg's making is BT.601."""
    source = "bt709" if matrix == "bt709" else "bt601"
    return f"in_color_matrix={source}:out_color_matrix=bt709:out_range=tv"


class _Scene:
    """The inputs and the filter graph of one segment. Small files it needs are written into ``folder``."""

    def __init__(self, segment: SegmentPicture, folder: Path, stills: backdrop.Stills) -> None:
        self._segment = segment
        self._stills = stills
        self._layout = segment.layout
        self._frame = frame_of(segment.shape)
        self._assets = Assets(segment.assets)
        self._folder = folder
        self.inputs: list[str] = []
        self._count = 0
        chain = [*self._presenter(), *self._plate(), *self._stage()]
        self.graph = ";".join(chain)

    def _input(self, *arguments: str) -> str:
        """Add an input; returns its stream's name in the graph."""
        self.inputs += arguments
        self._count += 1
        return f"{self._count - 1}:v"

    def _still_input(self, picture: Image.Image, name: str) -> str:
        """A picture drawn here, as an input of a single raw frame: decoding a PNG would take longer than reading it."""
        path = self._folder / name
        path.write_bytes(picture.tobytes())
        form = {"RGB": "rgb24", "RGBA": "rgba", "L": "gray"}[picture.mode]
        return self._input(
            *("-f", "rawvideo", "-pixel_format", form, "-video_size", f"{picture.width}x{picture.height}"),
            *("-framerate", str(self._layout.fps), "-i", str(path)),
        )

    @property
    def _hold(self) -> str:
        """Filters that repeat a single frame for ever."""
        return f"loop=loop=-1:size=1,setpts=N/({self._layout.fps}*TB)"

    def _presenter(self) -> list[str]:
        """``[person]``: the clip with transparency, at the size it is shown."""
        clip, fps = self._segment.clip, self._layout.fps
        info = _probed_clip(clip, self._segment.index, fps)
        source = self._input("-threads", "1", "-i", str(clip.path))
        box, colours = self._person_box, _to_709(info.matrix)
        if not clip.matte:
            card = self._frame.full_bleed and box.width == self._frame.width and box.height == self._frame.height
            cover = f"scale={box.width}:{box.height}:force_original_aspect_ratio=increase:flags=bicubic:{colours}"
            fitted = f"[{source}]{cover},crop={box.width}:{box.height},setsar=1,format=yuv420p"
            if card:
                return [f"{fitted}[person]"]
            mask = backdrop.rounded_mask(box.width, box.height, backdrop.corner(box))
            held = f"[{self._still_input(mask, 'mask.gray')}]{self._hold}[mask]"
            return [held, f"{fitted}[photo]", "[photo][mask]alphamerge[person]"]
        size = f"{clip.width}:{clip.height}"
        same = (box.width, box.height) == (clip.width, clip.height)
        needs_scale = not same or info.matrix != "bt709"
        scale = f",scale={box.width}:{box.height}:flags=bicubic" if needs_scale else ""
        return [
            f"[{source}]split[above][below]",
            f"[above]crop={size}:0:0{scale + ':' + colours if needs_scale else ''}[colour]",
            # The matte's white is 235 in limited range; a little is clipped at both ends, where H.264 leaves noise.
            f"[below]crop={size}:0:{clip.height},extractplanes=y,lut=c0='clip((val-18)*255/214,0,255)'"
            f"{'' if same else scale}[matte]",
            "[colour][matte]alphamerge[person]",
        ]

    @functools.cached_property
    def _person_box(self) -> Box:
        """Where the clip is laid; parts of a presenter may lie outside of the picture."""
        clip, frame = self._segment.clip, self._frame
        beside = slide_at(self._layout, self._segment.index) is not None
        if clip.matte:
            return frame.presenter_beside_slide if beside else frame.presenter
        if frame.full_bleed and not beside and clip.width <= 0.75 * clip.height:
            return Box(0, 0, frame.width, frame.height)
        room = frame.photo_beside_slide if beside else frame.photo
        scale = min(room.width / clip.width, room.height / clip.height)
        width, height = _even(clip.width * scale), _even(clip.height * scale)
        return Box(
            _even(room.left + (room.width - width) / 2), _even(room.top + (room.height - height) / 2), width, height
        )

    @property
    def _photo_card(self) -> Box | None:
        box = self._person_box
        return None if self._segment.clip.matte or box.width == self._frame.width else box

    def _plate(self) -> list[str]:
        """``[plate]``: everything behind the presenter, for ever."""
        plate, frame, fps = self._layout.plate, self._frame, self._layout.fps
        to_709 = "scale=out_color_matrix=bt709:out_range=tv"
        if plate.kind is not PlateKind.VIDEO:
            if plate.kind is PlateKind.IMAGE and plate.asset is None:
                raise MediaRejected("A picture plate names no picture.", field="plate.asset")
            picture = self._stills.still(self._layout, frame, self._segment.index, self._photo_card, self._assets)
            return [f"[{self._still_input(picture, 'plate.rgb')}]{to_709},format=yuv420p,{self._hold}[plate]"]
        if plate.asset is None:
            raise MediaRejected("A video plate names no video.", field="plate.asset")
        path = self._assets.file(plate.asset, "plate.asset")
        info = probe(path, whole=True, name="plate.asset")
        if not info.has_video:
            raise MediaRejected("plate.asset has no picture.", field="plate.asset")
        cover = (
            f"fps={fps},scale={frame.width}:{frame.height}:force_original_aspect_ratio=increase:flags=bicubic:"
            f"{_to_709(info.matrix)},crop={frame.width}:{frame.height},setsar=1,format=yuv420p"
        )
        veil = self._stills.shade(self._layout, frame, self._photo_card, self._assets)
        return [
            *self._moving(path, info, cover),
            f"[{self._still_input(veil, 'veil.rgba')}]{to_709},format=yuva420p,{self._hold}[veil]",
            "[moving][veil]overlay=0:0:format=yuv420[plate]",
        ]

    def _moving(self, path: Path, info: MediaInfo, cover: str) -> list[str]:
        """``[moving]``: a video plate from where the last segment left it, then round and round."""
        fps = self._layout.fps
        loop = self._input("-threads", "1", "-stream_loop", "-1", "-i", str(path))
        start = (round(self._segment.offset_ms * fps / 1000) / fps) % info.duration if info.duration else 0.0
        if start < 1 / fps or info.duration - start < 2 / fps:
            return [f"[{loop}]{cover}[moving]"]
        rest = self._input("-threads", "1", "-ss", f"{start:.6f}", "-i", str(path))
        return [f"[{loop}]{cover}[again]", f"[{rest}]{cover}[rest]", "[rest][again]concat=n=2:v=1:a=0[moving]"]

    def _stage(self) -> list[str]:
        """``[film]``: the presenter on the plate, titles and captions over both."""
        box = self._person_box
        script = self._folder / "titles.ass"
        script.write_text(self._titles(), encoding="utf-8")
        together = f"[plate][person]overlay={box.left}:{box.top}:shortest=1:format=yuv420"
        return [f"{together},{ass.burn(script)}[film]"]

    def _titles(self) -> str:
        segment, layout, frame = self._segment, self._layout, self._frame
        frames, fps = segment.clip.frames, layout.fps
        require(layout.disclosure, Face.REGULAR, "layout.disclosure")
        shown = titles.disclosure(layout.disclosure, frame, frames)
        beside = slide_at(layout, segment.index) is not None
        if layout.lower_third:
            require(layout.lower_third.name, Face.SEMIBOLD, "layout.lower_third.name")
            require(layout.lower_third.title, Face.REGULAR, "layout.lower_third.title")
            place = frame.lower_third_beside_slide if beside else frame.lower_third
            offset = segment.offset_ms
            shown += titles.lower_third(layout.lower_third, layout.brand, frame, place, offset, frames, fps)
        if layout.captions in (Captions.BURNT, Captions.BOTH):
            place = frame.caption_beside_slide if beside else frame.caption
            shown += burnt(segment.alignment, frame, place, layout.brand, frames, fps)
        return ass.script(shown, frame.width, frame.height, fps)


def _probed_clip(clip: Clip, index: int, fps: int) -> MediaInfo:
    """The clip's media, if it is what the avatar said it is."""
    name = f"The avatar's clip of segment {index}"
    info = probe(clip.path, whole=True, name=name)
    height = clip.height * 2 if clip.matte else clip.height
    if not info.has_video or (info.width, info.height) != (clip.width, height):
        raise MediaRejected(f"{name} is {info.width} x {info.height}, not {clip.width} x {height}.", field=name)
    if info.frames != clip.frames or clip.fps != fps:
        raise MediaRejected(
            f"{name} has {info.frames} frames for {clip.fps} a second; {clip.frames} for {fps} were announced.",
            field=name,
        )
    return info


@dataclass(frozen=True)
class _Reel:
    """One piece of the finished picture."""

    path: Path
    frames: int
    name: str


class _Units:
    """Counts finished units of a job whose tools also report in between."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def tick(self, finished: int = 0) -> None:
        """``finished`` units more; none says only that work goes on."""
        self._done += finished
        self._progress(min(self._done, self._total), self._total)


def _mixed(
    segments: Sequence[SpokenSound], layout: SoundLayout, assets: Assets, work: Path, out: Path, units: _Units
) -> None:
    starts = layout.starts([segment.frames for segment in segments])
    samples = [round(start * sound.RATE / layout.fps) for start in starts]
    length = round((starts[-1] + layout.lead_out) * sound.RATE / layout.fps)
    speech, mixed = work / "speech.wav", work / "mixed.wav"
    sound.lay_speech([s.wav for s in segments], list(pairwise(samples)), length, speech, lambda: units.tick(1))
    gain = sound.spoken_gain(speech, layout.loudness_lufs, units.tick)
    units.tick(1)
    words = tuple(
        (start / layout.fps + word.start, start / layout.fps + word.end)
        for start, segment in zip(starts, segments, strict=False)
        for word in segment.alignment.words
    )
    sound.mix(speech, gain, _bed(layout.music, words, assets), mixed, units.tick)
    units.tick(1)
    sound.master(mixed, layout.loudness_lufs, layout.true_peak_dbtp, out, units.tick)
    units.tick(1)


def _bed(music: MusicBed | None, words: tuple[tuple[float, float], ...], assets: Assets) -> sound.Bed | None:
    if not music:
        return None
    track = assets.file(music.track, "music.track")
    if not probe(track, whole=True, name="music.track").has_audio:
        raise MediaRejected("music.track has no sound.", field="music.track")
    return sound.Bed(track, music.level_db, music.duck_db, words)


class _Cutting:
    """One film being put together in the folder ``work``."""

    def __init__(self, film: Film, work: Path, progress: Progress) -> None:
        self._film, self._work = film, work
        self._layout, self._fps = film.layout, film.layout.fps
        self._frame: Frame = frame_of(film.shape)
        self._units = _Units(progress, len(film.segments) + (film.intro is not None) + (film.outro is not None) + 2)
        heard = film.layout.sound()
        *starts, end = heard.starts([segment.frames for segment in film.segments])
        self._lead = heard.lead_in, heard.lead_out
        self._frames = end + heard.lead_out
        self.speech_starts = tuple(start / self._fps for start in starts)
        self.duration = self._frames / self._fps

    def pictures(self) -> list[_Reel]:
        """The reels in order, cards included. Raises MediaRejected for one that is not as announced."""
        segments = [
            _Reel(segment.picture, segment.frames, f"segment {number}")
            for number, segment in enumerate(self._film.segments)
        ]
        lead_in, lead_out = self._lead
        opening = [_Reel(self._film.intro, lead_in, "the intro")] if self._film.intro else []
        closing = [_Reel(self._film.outro, lead_out, "the outro")] if self._film.outro else []
        reels = [*opening, *segments, *closing]
        for reel in reels:
            found = probe(reel.path, name=f"The picture of {reel.name}")
            if (found.frames, found.width, found.height) != (reel.frames, self._frame.width, self._frame.height):
                raise MediaRejected(
                    f"The picture of {reel.name} has {found.frames} frames of {found.width} x {found.height}; "
                    f"{reel.frames} of {self._frame.width} x {self._frame.height} were announced.",
                    field="segments",
                )
            self._units.tick(1)
        return reels

    def join(self, reels: Sequence[_Reel], captions: Path, out: Path) -> None:
        """Write ``out`` without encoding anything again: its packets are those of the reels and of the sound."""
        if len({_headers(reel.path) for reel in reels}) > 1:
            raise EngineFailed("The segments were not all encoded alike. Compose them again, then assemble.")
        listing = self._work / "reels.txt"
        lines = ["ffconcat version 1.0"]
        for reel in reels:
            path = str(reel.path.resolve()).replace("'", "'\\''")
            lines += [f"file '{path}'", f"duration {reel.frames / self._fps:.6f}"]
        listing.write_text("\n".join(lines) + "\n", encoding="utf-8")
        # Without auto_convert 0 key frames would get their headers in band: other packets than were composed.
        concat = ("-f", "concat", "-safe", "0", "-auto_convert", "0")
        inputs = [*concat, "-i", str(listing), "-i", str(self._film.sound)]
        maps = ["-map", "0:v", "-map", "1:a", "-c", "copy"]
        if self._layout.captions in (Captions.TRACK, Captions.BOTH) and captions.stat().st_size:
            # Beside burnt captions the track stays off until a viewer wants it.
            shown = "default" if self._layout.captions is Captions.TRACK else "0"
            inputs += ["-i", str(captions)]
            maps += ["-map", "2:s", "-c:s", "mov_text", "-disposition:s:0", shown]
        timescale = ("-video_track_timescale", str(self._fps * 512))
        run([*inputs, *maps, *timescale, *BIT_EXACT, "-movflags", "+faststart", str(out)], lambda _: self._units.tick())
        found = probe(out, whole=True)
        if found.frames != self._frames:
            raise EngineFailed(f"The film has {found.frames} frames instead of {self._frames}.")
        self._units.tick(1)

    def thumbnail(self, out: Path) -> None:
        """Write ``out``: the most ordinary picture out of the middle of a sentence. Nearly all of a speaker's pictures
        have the eyes open and the head upright, so the one nearest to their median does."""
        number = self._calm_segment()
        segment = self._film.segments[number]
        first = min(self._fps, segment.frames // 3)
        end = min(first + 2 * self._fps, (4 * segment.frames + 4) // 5)
        step = max(1, (end - first) // 9)
        candidates = list(_frames_of(segment.picture, range(first, max(end, first + 1), step)))
        box = self._frame.presenter
        face = max(0, box.left), box.top, min(self._frame.width, box.right), box.top + int(box.height * 0.6)
        small = np.stack([np.asarray(one.crop(face).convert("L").resize((96, 64)), np.float32) for one in candidates])
        strangeness = np.abs(small - np.median(small, axis=0)).mean((1, 2))
        candidates[int(strangeness.argmin())].save(out, "JPEG", quality=90)
        self._units.tick(1)

    def _calm_segment(self) -> int:
        """The longest of the first segments in which no title comes or goes where the thumbnail is looked for."""
        title = self._layout.lower_third
        segments = self._film.segments
        first = self.speech_starts[0]

        def calm(number: int) -> bool:
            begin = self.speech_starts[number] - first
            edges = (title.start_ms / 1000, (title.start_ms + title.duration_ms) / 1000) if title else ()
            return not any(begin - 0.5 < edge < begin + 3.5 for edge in edges)

        numbers = range(min(8, len(segments)))
        return max(numbers, key=lambda number: (calm(number), segments[number].frames))


def _frames_of(path: Path, wanted: range) -> Iterator[Image.Image]:
    """The frames of ``path`` whose numbers are ``wanted``, as RGB."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate, base = stream.average_rate, stream.time_base
        if rate is None or base is None:
            raise EngineFailed(f"{path.name} has no frame rate.")
        container.seek(int(wanted[0] / rate / base), stream=stream)
        for frame in container.decode(stream):
            number = round((frame.pts or 0) * base * rate)
            if number in wanted:
                yield Image.fromarray(frame.to_ndarray(format="rgb24"))
            if number >= wanted[-1]:
                return


def _headers(path: Path) -> bytes:
    """The decoder's headers (avcC), which joined pictures share."""
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.extradata or b""


def _frame_at(path: Path, number: int) -> Image.Image:
    found = next(_frames_of(path, range(number, number + 1)), None)
    if found is None:
        raise EngineFailed(f"{path.name} has no frame {number}.")
    return found
