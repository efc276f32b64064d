"""The composition that the compositor draws, in the usual Python way: MoviePy clips in a frame loop. Kept to measure
the compositor against; same backdrop, presenter, titles, captions, size and encoder preset."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from moviepy import CompositeVideoClip, ImageClip, TextClip, VideoClip, VideoFileClip
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from activities.compositing.backdrop import Assets, still
from activities.compositing.base import SegmentPicture
from activities.compositing.captions import Cue, cues
from activities.compositing.frame import Frame, frame_of
from activities.compositing.typeface import Face


def compose(segment: SegmentPicture, out: Path) -> int:
    """Write ``out``: what ``FfmpegCompositor.compose`` writes for a clip with a matte on a plate that does not move.
    Returns the frame count."""
    layout, frame = segment.layout, frame_of(segment.shape)
    clip, fps = segment.clip, segment.layout.fps
    duration = clip.frames / fps
    plate = still(layout, frame, segment.index, None, Assets(segment.assets))
    layers = [ImageClip(np.asarray(plate)).with_duration(duration), _presenter(segment, frame)]
    if layout.lower_third:
        start = max(0.0, (layout.lower_third.start_ms - segment.offset_ms) / 1000)
        end = min(duration, (layout.lower_third.start_ms + layout.lower_third.duration_ms - segment.offset_ms) / 1000)
        if end > start:
            layers += _title(segment, frame, start, end)
    if layout.disclosure:
        line = _text(layout.disclosure, Face.REGULAR, frame.disclosure_size, layout.brand.text)
        place = (frame.disclosure_right - line.w, frame.disclosure_middle - line.h // 2)
        layers.append(line.with_position(place).with_duration(duration))
    for cue in cues([(segment.alignment, 0.0)], frame.caption_characters):
        layers += _caption(cue, frame, layout.brand.accent, duration)
    film = CompositeVideoClip(layers, size=(frame.width, frame.height)).with_duration(duration)
    film.write_videofile(
        str(out), fps=fps, codec="libx264", preset="veryfast", audio=False, threads=1, logger=None,
        ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p"],
    )  # fmt: skip
    film.close()
    return clip.frames


def _presenter(segment: SegmentPicture, frame: Frame) -> VideoClip:
    source, box = VideoFileClip(str(segment.clip.path), audio=False), frame.presenter
    rows = segment.clip.height
    colour = source.image_transform(lambda picture: picture[:rows])
    matte = source.image_transform(lambda picture: picture[rows:, :, 0] / 255.0)
    matte.is_mask = True
    person = colour.with_mask(matte)
    if (segment.clip.width, rows) != (box.width, box.height):
        person = person.resized((box.width, box.height))
    return person.with_position((box.left, box.top))


def _text(text: str, face: Face, size: float, ink: str) -> TextClip:
    return TextClip(font=str(face.value.path), text=text, font_size=round(size), color=ink, margin=(4, 8))


def _title(segment: SegmentPicture, frame: Frame, start: float, end: float) -> list[VideoClip]:
    title, brand, place = segment.layout.lower_third, segment.layout.brand, frame.lower_third
    assert title is not None
    name = _text(title.name, Face.SEMIBOLD, frame.name_size, brand.text)
    role = _text(title.title or " ", Face.REGULAR, frame.title_size, brand.text)
    width, height = max(name.w, role.w) + 2 * frame.name_size, name.h + role.h + frame.name_size // 2
    panel = ImageClip(np.asarray(Image.new("RGB", (width, height), brand.primary)))
    top = place.bottom - height
    slide = frame.name_size

    pieces = [(panel, place.left, top), (name, place.left + slide // 2, top + 10)]
    pieces.append((role, place.left + slide // 2, top + 10 + name.h))

    def arriving(x: int, y: int) -> Callable[[float], tuple[float, int]]:
        return lambda second: (x - slide * max(0.0, 1 - second / 0.5) ** 3, y)

    return [clip.with_start(start).with_end(end).with_position(arriving(x, y)) for clip, x, y in pieces]


def _caption(cue: Cue, frame: Frame, accent: str, duration: float) -> list[VideoClip]:
    """One picture for each word of the cue: all of the text, that word in the accent."""
    layers = []
    starts = [word.start for word in cue.words] + [min(cue.end, duration)]
    for number, (start, end) in enumerate(pairwise(starts)):
        if min(end, duration) <= start:
            continue
        picture = _words(cue, number, frame.caption_size, accent)
        left = frame.caption.left + (frame.caption.room - picture.shape[1]) // 2
        clip = ImageClip(picture, transparent=True).with_position((left, frame.caption.bottom - picture.shape[0]))
        layers.append(clip.with_start(start).with_end(min(end, duration)))
    return layers


def _words(cue: Cue, lit: int, size: int, accent: str) -> NDArray[np.uint8]:
    rows, at = [], 0
    for line in cue.lines:
        row = []
        for word in line:
            row.append((word.text + " ", accent if at == lit else "#ffffff"))
            at += 1
        rows.append(row)
    face = Face.SEMIBOLD
    width = round(max(sum(face.width(text, size) for text, _ in row) for row in rows)) + 2 * size
    picture = Image.new("RGBA", (width, round(len(rows) * size * 1.21) + size), (12, 18, 26, 188))
    for number, row in enumerate(rows):
        x = (width - sum(face.width(text, size) for text, _ in row)) / 2
        for text, ink in row:
            place = x, size / 2 + number * size * 1.21
            ImageDraw.Draw(picture).text(place, text, font=face.at(size), fill=ink)
            x += face.width(text, size)
    return np.asarray(picture)
