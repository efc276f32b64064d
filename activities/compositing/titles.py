"""The lower third and the disclosure line, drawn in the brand's colours as libass events."""

from activities.compositing import ass
from activities.compositing.colours import contrast, mix, readable
from activities.compositing.frame import Anchor, Frame
from activities.compositing.typeface import LINE_HEIGHT, Face, fit
from models.layout import Brand, LowerThird

_ENTER, _LEAVE = 0.56, 0.36
"""Seconds in which the lower third comes and goes."""
_PILL = 0.68
"""Opacity of the disclosure's ground: as quiet as lets white type keep a contrast of 4.5 on a white plate."""


def disclosure(text: str, frame: Frame, frames: int) -> list[ass.Shown]:
    """What the viewer sees, said in full on a quiet dark pill for all of ``frames``; nothing for no text. A long one
    takes up to three lines, since a disclosure that ends in an ellipsis discloses nothing."""
    words = text.split()
    if not words:
        return []
    room = frame.disclosure_right - frame.logo.right - 40
    size, lines = _set_disclosure(words, frame.disclosure_size, room)
    width = max(Face.REGULAR.width(line, size) for line in lines) + 1.5 * size
    height = (len(lines) * LINE_HEIGHT + 0.74) * size
    left, top = frame.disclosure_right - width, frame.disclosure_middle - height / 2
    tags = f"{{{ass.colour('#0c121a')}{ass.opacity(_PILL)}}}"
    ground = ass.Drawing(0, tags + ass.rounded(left, top, width, height, 0.98 * size))
    line = ass.type_at(Face.REGULAR, size, left + width / 2, frame.disclosure_middle, 5)
    said = "\\N".join(ass.escape(line) for line in lines)
    shown = ass.Drawing(1, f"{{{line}{ass.colour('#ffffff')}{ass.opacity(0.92)}}}{said}")
    return [ass.Shown(0, frames, ground), ass.Shown(0, frames, shown)]


def _set_disclosure(words: list[str], largest: float, room: float) -> tuple[float, list[str]]:
    """The fewest lines of even length, and the largest size for them, at which ``words`` keep within ``room``."""
    for count, least in ((1, 0.8), (2, 0.8), (3, 0.5)):
        size = largest
        while size >= least * largest:
            lines = _even_lines(words, count, size)
            if max(Face.REGULAR.width(line, size) for line in lines) + 1.5 * size <= room:
                return size, lines
            size -= 1
    size = least * largest
    return size, [fit(line, Face.REGULAR, size, room - 1.5 * size, size)[0] for line in _even_lines(words, 3, size)]


def _even_lines(words: list[str], count: int, size: float) -> list[str]:
    """``words`` in at most ``count`` lines, each filled up to an equal share of the whole."""
    share = Face.REGULAR.width(" ".join(words), size) / count
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        full = lines and Face.REGULAR.width(lines[-1], size) + Face.REGULAR.width(f" {word}", size) / 2 > share
        if not lines or (full and len(lines) < count):
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def lower_third(
    title: LowerThird, brand: Brand, frame: Frame, place: Anchor, offset_ms: int, frames: int, fps: int
) -> list[ass.Shown]:
    """The part of the lower third, at ``place``, that falls into a segment of ``frames`` frames which begins at
    ``offset_ms`` of the spoken part. A title that runs over a cut goes on in the next segment where it stopped."""
    start, end = title.start_ms / 1000, (title.start_ms + title.duration_ms) / 1000
    panel = _Panel(title, brand, frame, place)
    states = []
    for number in range(frames):
        at = offset_ms / 1000 + number / fps
        inside = start <= at < end
        states.append(panel.drawn(at - start, end - at) if inside else [])
    return ass.animate(states)


class _Panel:
    """A panel with an accent bar at its left, the name large and the title small."""

    def __init__(self, title: LowerThird, brand: Brand, frame: Frame, place: Anchor) -> None:
        self._brand = brand
        self._left = place.left
        bar = max(6, frame.name_size // 6)
        inset = frame.name_size * 0.62
        room = place.room - bar - 2 * inset
        name, name_size = fit(" ".join(title.name.split()), Face.SEMIBOLD, frame.name_size, room, frame.title_size)
        role, role_size = fit(
            " ".join(title.title.split()), Face.REGULAR, frame.title_size, room, frame.title_size * 0.78
        )
        self._name, self._name_size, self._role, self._role_size = name, name_size, role, role_size
        self._bar, self._inset = bar, inset
        widest = max(Face.SEMIBOLD.width(name, name_size), Face.REGULAR.width(role, role_size) if role else 0)
        self._width = bar + 2 * inset + widest
        pad = frame.name_size * 0.42
        name_height = name_size * LINE_HEIGHT
        role_height = role_size * LINE_HEIGHT + frame.name_size * 0.06 if role else 0
        self._height = 2 * pad + name_height + role_height
        self._top = place.bottom - self._height
        self._name_top = self._top + pad
        self._role_top = self._name_top + name_height + frame.name_size * 0.06
        self._ink = readable(brand.text, brand.primary, 7)
        self._accent = (
            brand.accent if contrast(brand.accent, brand.primary) >= 1.3 else mix(brand.accent, self._ink, 0.5)
        )

    def drawn(self, since: float, left: float) -> list[ass.Drawing]:
        """The panel ``since`` seconds after it came and ``left`` seconds before it is gone."""
        come, go = min(1.0, since / _ENTER), min(1.0, left / _LEAVE)
        bar = _eased(min(1.0, come / 0.45)) * _eased(min(1.0, go / 0.5))
        opened = _eased(max(0.0, (come - 0.2) / 0.8)) * _eased(max(0.0, go - 0.15) / 0.85)
        inked = _eased(max(0.0, (come - 0.45) / 0.55)) * _eased(max(0.0, (go - 0.4) / 0.6))
        found = []
        if opened > 0.01:
            ground = f"{{{ass.colour(self._brand.primary)}{ass.opacity(0.94)}}}"
            width = self._bar + (self._width - self._bar) * opened
            found.append(ass.Drawing(2, ground + ass.rounded(self._left, self._top, width, self._height, 6)))
        if bar > 0.01:
            height = self._height * bar
            top = self._top + (self._height - height) / 2
            ink = f"{{{ass.colour(self._accent)}}}"
            found.append(ass.Drawing(3, ink + ass.rounded(self._left, top, self._bar, height, self._bar / 2)))
        if inked > 0.01:
            x = self._left + self._bar + self._inset - (1 - inked) * self._inset
            found.append(self._line(self._name, Face.SEMIBOLD, self._name_size, x, self._name_top, inked))
            if self._role:
                found.append(self._line(self._role, Face.REGULAR, self._role_size, x, self._role_top, 0.88 * inked))
        return found

    def _line(self, text: str, face: Face, size: float, x: float, y: float, shown: float) -> ass.Drawing:
        tags = ass.type_at(face, size, x, y, 7) + ass.colour(self._ink) + ass.opacity(shown)
        return ass.Drawing(4, f"{{{tags}}}{ass.escape(text)}")


def _eased(part: float) -> float:
    """Cubic ease-out of 0..1."""
    return 1 - (1 - part) ** 3
