"""Advanced SubStation Alpha as libass reads it: escaping, colours, shapes and the script file. Captions and titles are
written in it because libass draws vectors and type straight onto the video, only where they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from activities.compositing.typeface import FONTS, LINE_HEIGHT, Face

FONT_ENVIRONMENT = {"FONTCONFIG_FILE": str(FONTS / "fonts.conf")}
"""What an ffmpeg that burns type in has to have in its environment: no font of the machine can slip in."""


@dataclass(frozen=True)
class Drawing:
    """What one event shows: ``code`` is its override tags and text. Higher layers cover lower ones."""

    layer: int
    code: str


@dataclass(frozen=True)
class Shown:
    """A drawing from frame ``first`` up to, but not including, frame ``end``."""

    first: int
    end: int
    drawing: Drawing


def script(shown: Iterable[Shown], width: int, height: int, fps: int) -> str:
    """The ASS file that shows ``shown`` on a picture of ``width`` x ``height`` at ``fps``."""
    lines = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {width}",
        f"PlayResY: {height}",
        "WrapStyle: 2",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: None",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: Default,{Face.REGULAR.value.family},40,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,"
        "0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]
    for one in shown:
        begin, end = _clock(one.first, fps), _clock(one.end, fps)
        lines.append(f"Dialogue: {one.drawing.layer},{begin},{end},Default,,0,0,0,,{one.drawing.code}")
    return "\n".join(lines) + "\n"


def burn(path: Path) -> str:
    """The ffmpeg filter that draws the script file ``path`` onto a picture, with the shipped fonts."""
    return f"ass=filename={_quoted(path)}:fontsdir={_quoted(FONTS)}"


def _quoted(path: Path) -> str:
    """A path as the value of a filter's option inside a filter graph: both levels of ffmpeg's escaping."""
    value = str(path).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\:")
    return "".join("\\" + letter if letter in "\\'[],;" else letter for letter in value)


def _clock(frame: int, fps: int) -> str:
    """ASS times have hundredths: half a frame early, so that rounding never moves a change to the next frame."""
    hundredths = max(0, round((frame - 0.5) * 100 / fps))
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}"


def animate(states: Sequence[Sequence[Drawing]], first: int = 0) -> list[Shown]:
    """Events for what each frame from ``first`` on shows; equal neighbours become one event."""
    shown: list[Shown] = []
    running: dict[Drawing, int] = {}
    for frame, drawings in enumerate([*states, ()], start=first):
        for gone in [drawing for drawing in running if drawing not in drawings]:
            shown.append(Shown(running.pop(gone), frame, gone))
        for drawing in drawings:
            running.setdefault(drawing, frame)
    return sorted(shown, key=lambda one: (one.first, one.drawing.layer))


def escape(text: str) -> str:
    """``text`` with nothing in it that libass would take for a command."""
    text = " ".join(text.split())
    return text.replace("\\", "\\\N{WORD JOINER}").replace("{", "\\{").replace("}", "\\}")


def colour(rgb: str) -> str:
    """A ``\\1c`` tag for ``#rrggbb``."""
    return f"\\1c&H{rgb[5:7]}{rgb[3:5]}{rgb[1:3]}&"


def opacity(value: float) -> str:
    """An ``\\alpha`` tag for an opacity of 0..1."""
    return f"\\alpha&H{round(255 * (1 - min(1.0, max(0.0, value)))):02X}&"


def type_at(face: Face, size: float, x: float, y: float, anchor: int) -> str:
    """Tags that set text in ``face`` at ``size`` pixels to the em with its ``anchor`` (numeric keypad) at x, y."""
    return f"\\an{anchor}\\pos({x:.1f},{y:.1f})\\fn{face.value.family}\\fs{size * LINE_HEIGHT:.2f}"


def rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    """Tags and path of a filled rectangle with rounded corners; put colour and opacity tags before it, in braces."""
    radius = min(radius, width / 2, height / 2)
    near = radius * (1 - 0.5523)
    far_x, far_y = width - near, height - near
    right, low = width - radius, height - radius
    path = (
        f"m {radius:.2f} 0 l {right:.2f} 0 b {far_x:.2f} 0 {width:.2f} {near:.2f} {width:.2f} {radius:.2f} "
        f"l {width:.2f} {low:.2f} b {width:.2f} {far_y:.2f} {far_x:.2f} {height:.2f} {right:.2f} {height:.2f} "
        f"l {radius:.2f} {height:.2f} b {near:.2f} {height:.2f} 0 {far_y:.2f} 0 {low:.2f} "
        f"l 0 {radius:.2f} b 0 {near:.2f} {near:.2f} 0 {radius:.2f} 0"
    )
    return f"{{\\an7\\pos({x:.1f},{y:.1f})\\p1}}{path}{{\\p0}}"
