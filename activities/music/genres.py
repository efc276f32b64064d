"""The five genres as data: what the local composer knows of each."""

from typing import Final

from activities.music.grammar import (
    CABASA,
    CLAP,
    CLOSED_HAT,
    ELECTRIC_SNARE,
    KICK,
    LOW_TOM,
    MARACAS,
    MIDDLE_TOM,
    OPEN_HAT,
    PEDAL_HAT,
    RIDE,
    RIM,
    SNARE,
    TAMBOURINE,
    Figures,
    Grammar,
    Melody,
    Tone,
)
from activities.music.harmony import Colour
from models.music import Genre

_ELECTRONIC: Final = Grammar(
    tempo=(118, 130),
    swing=0.0,
    colour=Colour.TRIADS,
    bars_per_chord=1,
    kit=24,
    grooves=(
        {CLOSED_HAT: ("..o...o...o...o.", "..o...o...o..oo.")},
        {
            KICK: ("X...X...X...X...",),
            CLOSED_HAT: ("..x...x...x...x.", "..x...x...x..ox."),
            CLAP: ("....o.......o...",),
        },
        {
            KICK: ("X...X...X...X...",),
            CLAP: ("....X.......X...", "....X.......X..o"),
            OPEN_HAT: ("..x...x...x...x.",),
            CLOSED_HAT: ("o.o.o.o.o.o.o.o.", "oo.ooo.ooo.ooo.o"),
            TAMBOURINE: ("..o...o...o...o.",),
        },
    ),
    fills=True,
    bass=(38, 39, 87),
    bass_figures=Figures(
        low=("r---------------",),
        middle=("..r-..r-..r-..r-", "..r...r...r...u."),
        high=(".rrr.rrr.rrr.rru", "..rr..rr..rr.uru", "..r-..r-..u-..r-"),
    ),
    pads=(90, 50, 89, 62),
    pad_figures=Figures(
        low=("c---------------",), middle=("c---------------",), high=("c-..c-..c--.c-..", "c---------------")
    ),
    keys=(81, 80, 84, 5),
    key_figures=Figures(
        low=("0.1.2.1.0.1.2.1.",),
        middle=("0.2.1.2.3.2.1.2.", "c..c..c...c..c.."),
        high=("0123210301232103", "c..c..c.c..c..c.", "0213021302130213"),
    ),
    lead=(81, 87, 80),
    melody=Melody(density=7, register=76, leap=0.25),
    levels={"drums": -15, "bass": -16, "pads": -21, "keys": -21, "lead": -21},
    reverb=35,
    room=0.4,
    chorus=30,
    tones={
        "bass": Tone(drive=0.3, pump=0.55),
        "pads": Tone(pump=0.75),
        "keys": Tone(shelf_db=2, pump=0.4),
        "lead": Tone(shelf_db=2),
    },
)

_AMBIENT: Final = Grammar(
    tempo=(62, 78),
    swing=0.0,
    colour=Colour.OPEN,
    bars_per_chord=2,
    kit=0,
    grooves=(
        {},
        {MARACAS: ("o.......o.......",)},
        {KICK: ("o...............",), MARACAS: ("o...o...o...o...",), RIDE: ("........o.......",)},
    ),
    fills=False,
    bass=(89, 43, 35),
    bass_figures=Figures(
        low=("r---------------",), middle=("r---------------",), high=("r-------r-------", "r-------f-------")
    ),
    pads=(89, 94, 91, 95, 48),
    pad_figures=Figures(low=("c---------------",), middle=("c---------------",), high=("c---------------",)),
    keys=(88, 11, 46, 99),
    key_figures=Figures(
        low=("0---2---1---3---",),
        middle=("0---1---2---3---", "0---2---3---1---"),
        high=("0-1-2-3-4-3-2-1-", "0-2-1-3-2-4-3-1-"),
    ),
    lead=(78, 73, 92),
    melody=Melody(density=2, register=74, leap=0.15),
    levels={"drums": -38, "bass": -22, "pads": -16, "keys": -21, "lead": -24},
    reverb=110,
    room=0.9,
    chorus=50,
    tones={"pads": Tone(low_pass=5000), "bass": Tone(low_pass=900), "keys": Tone(low_pass=7000)},
)

_LOFI: Final = Grammar(
    tempo=(70, 88),
    swing=0.28,
    colour=Colour.NINTHS,
    bars_per_chord=1,
    kit=32,
    grooves=(
        {PEDAL_HAT: ("....o.......o...",)},
        {
            KICK: ("x.....o...x.....", "x......o..x....."),
            RIM: ("....x.......x...",),
            CLOSED_HAT: ("x.o.x.o.x.o.x.o.", "x.o.x.o.x.o.x.oo"),
        },
        {
            KICK: ("X.....o.o.x.....", "X..o......x..o.."),
            SNARE: ("....x.......x...", "....x..o....x..o"),
            CLOSED_HAT: ("x.o.x.o.x.o.x.o.", "x.o.x.ooo.o.x.o."),
            CABASA: ("..o...o...o...o.",),
        },
    ),
    fills=True,
    bass=(32, 35, 33),
    bass_figures=Figures(
        low=("r---------------",),
        middle=("r-----r---f-----", "r-----..r-----a-"),
        high=("r-----r-f-..r-a-", "r---..r-u---f-a-"),
    ),
    pads=(50, 52, 49),
    pad_figures=Figures(low=("c---------------",), middle=(), high=("c---------------",)),
    keys=(4, 0, 26, 11),
    key_figures=Figures(
        low=("c-----------c---",),
        middle=("c-----c---------", "c---------c-----", "c-----..c-----.."),
        high=("c-----c-..c---c-", "c-----c---..c---"),
    ),
    lead=(11, 26, 73),
    melody=Melody(density=4, register=72, leap=0.3),
    levels={"drums": -18, "bass": -17, "pads": -30, "keys": -18, "lead": -24},
    reverb=30,
    room=0.3,
    chorus=20,
    tones={
        "drums": Tone(low_pass=4500, drive=0.5),
        "bass": Tone(low_pass=1200, drive=0.2),
        "keys": Tone(low_pass=2600, drive=0.4),
        "pads": Tone(low_pass=1800),
        "lead": Tone(low_pass=3200),
    },
)

_HYPERPOP: Final = Grammar(
    tempo=(148, 172),
    swing=0.0,
    colour=Colour.TRIADS,
    bars_per_chord=1,
    kit=25,
    grooves=(
        {CLAP: ("........X.......",), CLOSED_HAT: ("x.x.x.x.x.x.x.x.",)},
        {
            KICK: ("X.......X.o.....", "X.......X......o"),
            ELECTRIC_SNARE: ("....X.......X...",),
            CLOSED_HAT: ("X.o.X.ooX.o.Xooo", "X.ooX.o.Xoo.X.oo"),
        },
        {
            KICK: ("X...X..oX...X.o.", "X...X...X.o.X..o"),
            ELECTRIC_SNARE: ("....X.......X...", "....X.......X.oo"),
            CLAP: ("....X.......X...",),
            CLOSED_HAT: ("XoxoXoxoXoxoXoxo", "XoxoXooxXoxoXooo"),
            OPEN_HAT: ("..x...x...x...x.",),
        },
    ),
    fills=True,
    bass=(39, 38, 87),
    bass_figures=Figures(
        low=("r-------........",),
        middle=("r---..r-r---..u-", "r---r-r-r---u-r-"),
        high=("r-u-r-u-r-u-r-uu", "r-r-r-u-r-r-r-u-", "r.rur.rur.rur.uu"),
    ),
    pads=(81, 62, 90),
    pad_figures=Figures(low=(), middle=("c---c---c---c-c-",), high=("c---c-c-c---c-cc", "c-.cc-..c-.cc-..")),
    keys=(80, 112, 10, 84),
    key_figures=Figures(
        low=("0213021302130213",),
        middle=("0.2.1.3.0.2.1.3.", "0213021302130213"),
        high=("0123432101234321", "0314230403142304"),
    ),
    lead=(80, 81, 100),
    melody=Melody(density=9, register=81, leap=0.45),
    levels={"drums": -13, "bass": -14, "pads": -18, "keys": -19, "lead": -19},
    reverb=12,
    room=0.2,
    chorus=60,
    tones={
        "drums": Tone(drive=0.8),
        "bass": Tone(drive=0.9),
        "pads": Tone(drive=0.6, shelf_db=6, pump=0.5),
        "keys": Tone(shelf_db=7, drive=0.3),
        "lead": Tone(shelf_db=6, drive=0.5),
    },
)

_CINEMATIC: Final = Grammar(
    tempo=(84, 106),
    swing=0.0,
    colour=Colour.TRIADS,
    bars_per_chord=1,
    kit=48,
    grooves=(
        {},
        {LOW_TOM: ("x.......o.......", "x.....o.o.......")},
        {
            KICK: ("X.......X.......",),
            LOW_TOM: ("X..x..x.X..x..x.", "X.o.x.o.X.o.x.xx"),
            MIDDLE_TOM: ("..o...o.....o.o.",),
        },
    ),
    fills=True,
    bass=(43, 42, 48),
    bass_figures=Figures(
        low=("r---------------",),
        middle=("r-------r-------", "r-----------f---"),
        high=("r-r-r-r-r-r-r-r-", "r-..r-r-r-..r-u-"),
    ),
    pads=(48, 49, 52, 60),
    pad_figures=Figures(
        low=("c---------------",), middle=("c---------------",), high=("c-------c-------", "c---------------")
    ),
    keys=(0, 45, 46),
    key_figures=Figures(
        low=("0---1---2---1---",),
        middle=("0-1-2-1-0-1-2-1-", "0.0.1.0.2.0.1.0."),
        high=("0.0.1.0.2.0.1.0.", "0010201000102010"),
    ),
    lead=(60, 40, 68, 56),
    melody=Melody(density=3, register=67, leap=0.35),
    levels={"drums": -18, "bass": -20, "pads": -17, "keys": -20, "lead": -20},
    reverb=85,
    room=0.8,
    chorus=0,
    tones={"bass": Tone(low_pass=2500)},
)

GRAMMARS: Final = {
    Genre.ELECTRONIC: _ELECTRONIC,
    Genre.AMBIENT: _AMBIENT,
    Genre.LOFI: _LOFI,
    Genre.HYPERPOP: _HYPERPOP,
    Genre.CINEMATIC: _CINEMATIC,
}
