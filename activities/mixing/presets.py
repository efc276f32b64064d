"""What each genre sounds like on the desk, as data: the place of every stem, the voice's treatment, and the finish."""

from dataclasses import dataclass, field, replace
from typing import Final

from activities.mixing.dynamics import Compression
from activities.mixing.eq import Band, Curve
from activities.mixing.master import Bus
from activities.mixing.space import Echo, Room
from models.music import Genre


@dataclass(frozen=True)
class Channel:
    """A stem's place. ``level`` in LU to the whole music, towards which a stem is nudged; ``high_pass`` in Hz (0:
    none); ``yields`` is its share of the genre's ducking and carving; ``room`` in dB (None: dry); ``drift`` in seconds,
    ``swell`` in dB."""

    level: float
    high_pass: float = 120.0
    yields: float = 1.0
    room: float | None = None
    width: float = 1.0
    drift: float = 0.004
    swell: float = 0.5


_GENTLE = Compression(threshold=-6, ratio=3, attack=0.004, release=0.12)


@dataclass(frozen=True)
class Vocal:
    """The voice's treatment. ``over`` in LU above the music while it sings; ``room`` and ``echo`` in dB under the dry
    voice; doubles and harmonies in dB under the lead, panned by ``spread``."""

    bands: tuple[Band, ...]
    over: float
    room: float
    echo: float
    doubles: float = -9.0
    harmonies: float = -10.0
    spread: float = 0.75
    compression: Compression = _GENTLE


@dataclass(frozen=True)
class Preset:
    """A genre. ``duck`` and ``carve`` in dB at full presence of the voice; ``tone`` shapes every stem of the music;
    ``noise`` in dBFS of the finished master, ``crackles`` a second at ``crackle`` dBFS."""

    vocal: Vocal
    room: Room
    echo: Echo
    bus: Bus
    duck: float
    carve: float
    tone: tuple[Band, ...] = ()
    noise: float = -70.0
    noise_bands: tuple[Band, ...] = (Band(Curve.HIGH_PASS, 200), Band(Curve.LOW_PASS, 9_000))
    crackle: float = -48.0
    crackles: float = 0.0
    channels: dict[str, Channel] = field(default_factory=dict)

    def channel(self, stem: str) -> Channel:
        """The place of the stem of that name."""
        return self.channels.get(stem) or CHANNELS.get(stem, _OTHER)


_OTHER = Channel(level=-10, room=-20)
CHANNELS: Final[dict[str, Channel]] = {
    "drums": Channel(level=-5, high_pass=0, yields=0.4, drift=0.0, swell=0.35),
    "percussion": Channel(level=-12, high_pass=0, yields=0.5, drift=0.002),
    "kick": Channel(level=-7, high_pass=0, yields=0.0, drift=0.0, swell=0.25),
    "bass": Channel(level=-6, high_pass=0, yields=0.3, drift=0.0015, swell=0.4),
    "pads": Channel(level=-11, high_pass=160, yields=1.1, room=-16, width=1.25, drift=0.006),
    "strings": Channel(level=-10, high_pass=140, room=-14, width=1.2, drift=0.006),
    "keys": Channel(level=-9, high_pass=130, yields=1.2, room=-20),
    "lead": Channel(level=-10, high_pass=180, yields=1.5, room=-18),
    # A finished mix from a provider: it keeps its own balance, bass and room.
    "music": Channel(level=0, high_pass=0, yields=1.0, drift=0.0, swell=0.0),
}
"""What holds for stems unless a genre says otherwise. Drums hold the grid: they never drift."""

_VOICE = (
    Band(Curve.HIGH_PASS, 95),
    Band(Curve.BELL, 300, -2.5, 1.1),
    Band(Curve.BELL, 3_400, 3.0, 0.8),
    Band(Curve.HIGH_SHELF, 8_500, 2.5),
)
_RUMBLE = Band(Curve.HIGH_PASS, 28)

PRESETS: Final[dict[Genre, Preset]] = {
    Genre.ELECTRONIC: Preset(
        vocal=Vocal(bands=_VOICE, over=3.0, room=-17, echo=-19),
        room=Room(decay=1.1, before=0.022, bright=7_500),
        echo=Echo(beats=0.75, again=0.45),
        bus=Bus(
            bands=(_RUMBLE, Band(Curve.LOW_SHELF, 90, 1.0), Band(Curve.HIGH_SHELF, 9_000, 1.0)),
            glue=Compression(threshold=-2, ratio=2.0, attack=0.02, release=0.15),
            drive=0.6,
            width=1.1,
        ),
        duck=3.0,
        carve=3.5,
    ),
    Genre.AMBIENT: Preset(
        vocal=Vocal(bands=_VOICE, over=3.5, room=-12, echo=-16, doubles=-10),
        room=Room(decay=2.8, before=0.035, bright=5_500),
        echo=Echo(beats=1.0, again=0.55, repeats=5),
        bus=Bus(
            bands=(_RUMBLE, Band(Curve.HIGH_SHELF, 8_000, -1.0)),
            glue=Compression(threshold=2, ratio=1.4, attack=0.06, release=0.4),
            # Pads are wide as they are: wider, they fall silent where both sides are played as one.
            width=1.0,
        ),
        duck=2.5,
        carve=3.0,
        channels={
            "pads": replace(CHANNELS["pads"], level=-4, room=-10, width=1.0),
            "drums": replace(CHANNELS["drums"], level=-12),
        },
    ),
    Genre.LOFI: Preset(
        vocal=Vocal(bands=(*_VOICE, Band(Curve.LOW_PASS, 11_000)), over=3.0, room=-20, echo=-24, doubles=-11),
        room=Room(decay=0.6, before=0.012, bright=4_500),
        echo=Echo(beats=0.5, again=0.35, repeats=3),
        bus=Bus(
            bands=(_RUMBLE, Band(Curve.LOW_SHELF, 140, 1.5)),
            glue=Compression(threshold=-3, ratio=2.2, attack=0.03, release=0.2),
            drive=0.9,
            width=0.85,
        ),
        duck=2.5,
        carve=3.0,
        tone=(Band(Curve.LOW_PASS, 6_500), Band(Curve.HIGH_PASS, 45)),
        noise=-62.0,
        noise_bands=(Band(Curve.HIGH_PASS, 300), Band(Curve.LOW_PASS, 5_500)),
        crackle=-40.0,
        crackles=5.0,
        channels={"keys": replace(CHANNELS["keys"], level=-7, drift=0.007)},
    ),
    Genre.HYPERPOP: Preset(
        vocal=Vocal(
            bands=(*_VOICE[:-1], Band(Curve.HIGH_SHELF, 7_500, 4.5)),
            over=2.5,
            room=-20,
            echo=-18,
            doubles=-7,
            harmonies=-9,
            compression=Compression(threshold=-9, ratio=4, attack=0.002, release=0.08),
        ),
        room=Room(decay=0.8, before=0.01, bright=9_500),
        echo=Echo(beats=0.5, again=0.5),
        bus=Bus(
            bands=(_RUMBLE, Band(Curve.LOW_SHELF, 80, 1.5), Band(Curve.HIGH_SHELF, 7_000, 3.0)),
            glue=Compression(threshold=-5, ratio=3.0, attack=0.01, release=0.09),
            drive=1.1,
            width=1.2,
        ),
        duck=3.5,
        carve=4.0,
    ),
    Genre.CINEMATIC: Preset(
        vocal=Vocal(bands=_VOICE, over=3.5, room=-13, echo=-21),
        room=Room(decay=2.2, before=0.03, bright=6_500),
        echo=Echo(beats=1.0, again=0.4, repeats=3),
        bus=Bus(
            bands=(_RUMBLE, Band(Curve.HIGH_SHELF, 10_000, 1.0)),
            glue=Compression(threshold=4, ratio=1.3, attack=0.05, release=0.35),
            width=1.3,
        ),
        duck=2.5,
        carve=3.0,
        channels={"strings": replace(CHANNELS["strings"], level=-6, room=-11)},
    ),
}
