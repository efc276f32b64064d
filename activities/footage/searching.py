"""What footage is searched for: words for a motif and for themes, with the palette's strongest colour. Pure."""

import colorsys
import random
from collections.abc import Sequence

from activities.footage.base import FootageBrief
from models.identity import Motif

_MOTIFS = {
    Motif.WAVES: ("ocean waves", "silk fabric moving", "water surface"),
    Motif.RINGS: ("light rings", "planet space", "water ripples"),
    Motif.PARTICLES: ("floating particles", "dust in light", "stars night sky"),
    Motif.RIBBONS: ("light trails", "smoke flowing", "fabric in wind"),
    Motif.TERRAIN: ("mountains aerial", "desert dunes", "foggy hills"),
    Motif.CRYSTALS: ("ice crystals", "glass refraction", "prism light"),
}
_THEMES = {
    "night drive": ("night road driving", "tunnel lights"),
    "ocean": ("ocean aerial", "underwater light"),
    "leaving": ("train window", "empty road"),
    "first light": ("sunrise clouds", "morning fog forest"),
    "machines": ("machine gears", "factory lights"),
    "winter": ("snow falling", "frozen lake"),
    "city rain": ("rain on window city", "wet street neon"),
    "memory": ("old film light leaks", "curtain sunlight"),
    "fire": ("fire flames slow motion", "embers sparks"),
    "distance": ("horizon landscape", "clouds timelapse"),
}
_COLOURS = ("red", "orange", "yellow", "green", "turquoise", "blue", "violet", "pink")
_HUES = (0.0, 0.08, 0.15, 0.33, 0.5, 0.62, 0.76, 0.9)
"""Where each of the colours lies on the wheel, in turns."""
LONGEST = 100
"""Characters that a library takes at most."""
_SEARCHES = 5


def searches(brief: FootageBrief) -> tuple[str, ...]:
    """Up to five searches, the song's first theme before the others, each time in another order by the seed."""
    draw = random.Random(f"footage:{brief.seed}")
    themes = [draw.choice(_THEMES.get(theme, (theme,))) for theme in brief.themes if theme.strip()]
    first, others = themes[:1], themes[1:]
    motifs = list(_MOTIFS[brief.motif])
    draw.shuffle(motifs)
    coloured = f"{colour_word(brief.palette)} {motifs[0]}"
    rest = [*others, *motifs[1:]]
    draw.shuffle(rest)
    found = dict.fromkeys(" ".join(words.split())[:LONGEST] for words in (*first, coloured, *rest))
    return tuple(found)[:_SEARCHES]


def colour_word(palette: Sequence[str]) -> str:
    """What people call the most vivid colour of ``palette``; "dark" where none is."""
    vivid = max(palette, key=lambda colour: _saturation(_channels(colour)))
    red, green, blue = _channels(vivid)
    if _saturation((red, green, blue)) < 0.12:
        return "dark"
    hue, _, _ = colorsys.rgb_to_hsv(red, green, blue)
    return min(zip(_COLOURS, _HUES, strict=True), key=lambda one: min(abs(hue - one[1]), 1 - abs(hue - one[1])))[0]


def _channels(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _saturation(channels: tuple[float, float, float]) -> float:
    return max(channels) - min(channels)
