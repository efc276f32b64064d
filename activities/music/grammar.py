"""What a genre's grammar says: instruments, figures, grooves, levels and tone. The grammars themselves are data, in
``genres.py``. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from activities.music.harmony import Colour

KICK, RIM, SNARE, CLAP, ELECTRIC_SNARE = 36, 37, 38, 39, 40
LOW_TOM, CLOSED_HAT, PEDAL_HAT, MIDDLE_TOM, OPEN_HAT, HIGH_TOM = 41, 42, 44, 47, 46, 50
CRASH, RIDE, TAMBOURINE, MARACAS, CABASA = 49, 51, 54, 70, 69
"""General MIDI's percussion key map."""

Groove = Mapping[int, tuple[str, ...]]
"""For each drum, bars of sixteen steps to choose from: ``X`` hard, ``x`` plain, ``o`` soft, ``.`` nothing."""


@dataclass(frozen=True)
class Figures:
    """What a part plays, by intensity from low to high: bars of sixteen steps to choose from. ``c`` is the whole chord,
    a digit a voice of it (from below, climbing by octaves), ``r`` the root, ``f`` the fifth, ``u`` the octave, ``a`` a
    step towards the next root, ``-`` holds, ``.`` is silent. An empty tuple leaves the part out."""

    low: tuple[str, ...]
    middle: tuple[str, ...]
    high: tuple[str, ...]

    def at(self, level: int) -> tuple[str, ...]:
        """The bars of intensity ``level``, 0 to 2."""
        return (self.low, self.middle, self.high)[level]


@dataclass(frozen=True)
class Melody:
    """How the lead instrument plays where nobody sings. ``density`` is notes a bar; ``register`` the pitch about which
    it moves; ``leap`` how likely it is to jump."""

    density: float
    register: int
    leap: float


@dataclass(frozen=True)
class Tone:
    """What becomes of a stem's sound. ``low_pass`` in Hz (0: none); ``drive`` saturates (0: clean); ``shelf_db`` lifts
    what is above 5 kHz; ``pump`` is how far (0 to 1) each kick pushes the stem down."""

    low_pass: float = 0.0
    drive: float = 0.0
    shelf_db: float = 0.0
    pump: float = 0.0


@dataclass(frozen=True)
class Grammar:
    """A genre. ``tempo`` is what is usual, in beats a minute; programs are General MIDI's, the first the usual one;
    ``levels`` are the stems' loudness against each other in dB; ``reverb`` and ``chorus`` are sends, 0 to 127."""

    tempo: tuple[int, int]
    swing: float
    colour: Colour
    bars_per_chord: int
    kit: int
    grooves: tuple[Groove, Groove, Groove]
    fills: bool
    bass: tuple[int, ...]
    bass_figures: Figures
    pads: tuple[int, ...]
    pad_figures: Figures
    keys: tuple[int, ...]
    key_figures: Figures
    lead: tuple[int, ...]
    melody: Melody
    levels: Mapping[str, float]
    reverb: int
    room: float
    chorus: int
    tones: Mapping[str, Tone]
