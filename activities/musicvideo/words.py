"""Type over the picture: the title at the start, and the words of the song, each lit as it is sung. Written for
libass."""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.artwork.lettering import capitals, fitted
from activities.compositing import ass
from activities.compositing.captions import Cue, TimedWord, cues
from activities.compositing.colours import mix, readable
from activities.compositing.frame import frame_of
from activities.compositing.typeface import LINE_HEIGHT, Face, require
from activities.support.box import Box
from models.alignment import Alignment, WordTiming
from models.layout import Shape
from models.music import SungTiming, SungWord

GROUND = "#404040"
"""As bright as the picture is let to be under words; they are chosen to be read on it."""
_LEAD = 0.35
"""Seconds a line is there before its first word, where the line before leaves them."""
_TITLE = 0.5, 4.8
"""Seconds in which the title is seen."""
_SIDE = 0.075
"""Margin at the left of the title, in widths."""


@dataclass(frozen=True)
class Setting:
    """Type sizes of a shape, in pixels to the em."""

    caption: int
    characters: int
    title: int
    artist: int


_SETTINGS = {
    Shape.WIDE: Setting(caption=58, characters=36, title=128, artist=34),
    Shape.TALL: Setting(caption=62, characters=21, title=112, artist=34),
    Shape.SQUARE: Setting(caption=52, characters=28, title=104, artist=32),
}


@dataclass(frozen=True)
class Shown:
    """A caption on the screen: its cue, frames, and the box its type takes."""

    cue: Cue
    first: int
    end: int
    box: Box
    size: float


def captions(timing: SungTiming, shape: Shape, fps: int, frames: int) -> tuple[Shown, ...]:
    """The captions of a song. Raises InvalidInput for words that cannot be set."""
    setting, place = _SETTINGS[shape], frame_of(shape).caption
    lines = [_alignment([w for w in line if w.text.strip()]) for line in timing.lines]
    spoken = [(line, 0.0) for line in lines if line is not None]
    found: list[Shown] = []
    for cue in cues(spoken, setting.characters):
        for word in cue.words:
            require(word.text, Face.SEMIBOLD, "timing")
        free = found[-1].end if found else 0
        first, end = max(free, round((cue.start - _LEAD) * fps)), min(frames, round(cue.end * fps))
        if end <= first:
            continue
        widest = max(Face.SEMIBOLD.width(_text(line), setting.caption) for line in cue.lines)
        size = setting.caption * min(1.0, place.room / widest)
        width, height = min(widest, place.room), len(cue.lines) * size * LINE_HEIGHT
        left, top = place.left + (place.room - width) / 2, place.bottom - height
        box = Box(round(left), round(top), round(width), round(height))
        found.append(Shown(cue, first, end, box, size))
    return tuple(found)


def _alignment(words: Sequence[SungWord]) -> Alignment | None:
    """A sung line as the captions' own timed words."""
    if not words:
        return None
    timed = tuple(WordTiming(text=w.text, start=w.start, end=max(w.end, w.start)) for w in words)
    return Alignment(words=timed, duration=timed[-1].end, source="sung")


def _text(line: Sequence[TimedWord]) -> str:
    return " ".join(word.text for word in line)


def lyrics(shown: Sequence[Shown], palette: Sequence[str], fps: int) -> list[ass.Shown]:
    """The captions as events: words to come are dim, the one being sung is in the artist's colour, those sung lit."""
    lit = readable(palette[-1], GROUND, 9)
    coming = readable(mix(palette[-1], "#14141a", 0.42), GROUND, 4.6)
    accent = readable(max(palette[1:-1], key=_vivid), GROUND, 4.6)
    events = []
    for one in shown:
        x, y = one.box.left + one.box.width / 2, one.box.top + one.box.height / 2
        begun = one.first / fps
        lines = [" ".join(_word(word, begun, coming, accent, lit) for word in line) for line in one.cue.lines]
        body = "\\N".join(lines)
        at = ass.type_at(Face.SEMIBOLD, one.size, x, y, 5)
        shade = f"\\bord{one.size * 0.16:.1f}\\blur{one.size * 0.14:.1f}\\3c&H120D0B&\\3a&H70&"
        events.append(ass.Shown(one.first, one.end, ass.Drawing(5, f"{{{at}\\fad(140,160){shade}\\1a&HFF&}}" + body)))
        clear = f"\\bord{one.size * 0.03:.1f}\\3c&H120D0B&\\3a&H50&"
        events.append(ass.Shown(one.first, one.end, ass.Drawing(6, f"{{{at}\\fad(140,160){clear}}}" + body)))
    return events


def _word(word: TimedWord, begun: float, coming: str, accent: str, lit: str) -> str:
    """A word that changes colour when its time comes and again when it is over, in milliseconds of its event."""
    start, end = round(1000 * (word.start - begun)), round(1000 * (word.end - begun))
    start, end = max(0, start), max(start + 60, end)
    changes = f"\\t({start},{start + 60},{ass.colour(accent)})\\t({end},{end + 220},{ass.colour(lit)})"
    return f"{{{ass.colour(coming)}{changes}}}{ass.escape(word.text)}"


def _vivid(colour: str) -> int:
    parts = int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    return max(parts) - min(parts)


@dataclass(frozen=True)
class Title:
    """The title on the screen: its events, frames, and the box its type takes."""

    events: tuple[ass.Shown, ...]
    first: int
    end: int
    box: Box


def title(artist: str, name: str, palette: Sequence[str], shape: Shape, fps: int, frames: int) -> Title:
    """Artist and title at the start, left, in the middle of the height. Raises InvalidInput for what cannot be set."""
    artist, name = " ".join(artist.split()), " ".join(name.split())
    require(artist + capitals(artist), Face.SEMIBOLD, "artist")
    require(name, Face.SEMIBOLD, "title")
    setting, (width, height) = _SETTINGS[shape], shape.size
    left, room = width * _SIDE, width * (1 - 2 * _SIDE)
    lines, size = fitted(name, Face.SEMIBOLD, setting.title, setting.title * 0.4, room * 0.96, 4)
    small, by = float(setting.artist), capitals(artist)
    spacing = 0.16
    while Face.SEMIBOLD.width(by, small) + spacing * small * len(by) > room and small > 14:
        small -= 1
    tall = len(lines) * size * LINE_HEIGHT + 2.2 * small
    top = (height - tall) / 2 - 0.02 * height
    first, end = round(_TITLE[0] * fps), min(frames, round(_TITLE[1] * fps))
    ink = readable(palette[-1], GROUND, 7)
    soft = f"\\fad(500,600){ass.colour(ink)}\\bord{size * 0.02:.1f}\\blur{size * 0.02:.1f}\\3c&H120D0B&\\3a&H90&"
    head = ass.type_at(Face.SEMIBOLD, small, left, top, 7) + f"\\fsp{spacing * small:.1f}" + soft
    body = ass.type_at(Face.SEMIBOLD, size, left - 0.05 * size, top + 2.2 * small, 7) + soft
    events = (
        ass.Shown(first, end, ass.Drawing(7, f"{{{head}}}{ass.escape(by)}")),
        ass.Shown(first, end, ass.Drawing(7, f"{{{body}}}" + "\\N".join(ass.escape(line) for line in lines))),
    )
    widest = max(Face.SEMIBOLD.width(line, size) for line in lines)
    return Title(events, first, end, Box(round(left), round(top), round(widest), round(tall)))
