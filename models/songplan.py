"""The plan of a song: identity, the trends in force, and the variant of an experiment, brought together. Pure: equal
inputs, equal plan."""

from dataclasses import dataclass

from models.growth import plan_song, singing_of, song_theme, traits_of, varied
from models.identity import Identity
from models.leaning import leaning
from models.lifecycle import Traits
from models.music import SongPlan
from models.outlook import Outlook


@dataclass(frozen=True)
class PlannedSong:
    """What a track is made from."""

    identity: Identity
    """Who sings, with the song's own theme first, and changed as the variant says."""
    song: SongPlan
    traits: Traits
    trends: tuple[str, ...] = ()
    """Those that leaned it."""
    variant: str = ""
    wishes: str = ""
    """Words that trends suggest, for whoever writes the lyrics."""


def planned(identity: Identity, number: int, outlook: Outlook, openness: float) -> PlannedSong:
    """The artist's song ``number``. Without trends and experiments it is by its identity alone."""
    assignment = outlook.assignment
    variant = assignment.key if assignment else ""
    made_by = varied(identity, assignment) if assignment else identity
    lean = leaning(made_by, outlook.trends, openness)
    theme, led_by = lean.theme(number, song_theme(made_by, number))
    drawn = plan_song(made_by, number, made_by.seed)
    words = lean.words()
    song = plan_song(made_by, number, made_by.seed, lean=lean, theme=theme, words=words) if lean.trends else drawn
    return PlannedSong(
        identity=singing_of(made_by, number, theme),
        song=song,
        traits=traits_of(song, theme, variant),
        trends=lean.at_work(drawn.tempo_bpm, drawn.energy, led_by),
        variant=variant,
        wishes=f"Words that are in the air: {', '.join(words)}." if words else "",
    )
