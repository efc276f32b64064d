"""What an identity leads to: the plan of each of its songs, and the next version of itself. Pure."""

import random
from itertools import product

from models import birth_words as words
from models.base import HexColour
from models.birth import instruments, read_brief, shares
from models.errors import InvalidInput
from models.identity import Identity, RhymeHabit
from models.leaning import ENERGY_HABIT, Leaning
from models.lifecycle import Traits
from models.music import BEATS_PER_BAR, FormSection, Genre, Key, Mode, SectionKind, SongPlan
from models.outlook import Assignment
from models.reflection import Change, Proposal

SHORTEST_S, AIM_S, LONGEST_S = 76.0, 90.0, 110.0
MOST_THEMES = 6
_BRIGHT, _DARK = (Mode.MAJOR, Mode.LYDIAN), (Mode.MINOR, Mode.DORIAN)


def plan_song(
    identity: Identity,
    number: int,
    seed: int,
    *,
    lean: Leaning | None = None,
    theme: str = "",
    words: tuple[str, ...] = (),
) -> SongPlan:
    """The plan of the artist's song ``number``: within its habits, and like no other. 76 to 110 seconds long.

    ``lean`` is what trends do to it; ``theme`` replaces the one whose turn it is; ``words`` are for engines that read.
    """
    draw = random.Random(f"song:{identity.seed}:{identity.version}:{number}:{seed}:")
    tempo = draw.uniform(identity.tempo_low, identity.tempo_high)
    energy = max(0.05, min(1.0, identity.energy + draw.uniform(-ENERGY_HABIT, ENERGY_HABIT)))
    if lean is not None:
        tempo, energy = lean.tempo(tempo), max(0.05, min(1.0, lean.energy(energy)))
    tempo, energy = round(tempo, 1), round(energy, 2)
    key = identity.keys[draw.randrange(len(identity.keys))]
    blend = " and ".join(share.genre.value for share in identity.genres)
    mood = "bright" if key.mode in _BRIGHT else "dark"
    airs = f", {', '.join(words)}" if words else ""
    return SongPlan(
        genres=identity.genres,
        tempo_bpm=tempo,
        key=key,
        form=_form(draw, tempo),
        energy=energy,
        instruments=identity.instruments,
        prompt=f"{blend} song about {theme or song_theme(identity, number)}{airs}, {mood}, {tempo:g} BPM, {key.name}",
    )


def song_theme(identity: Identity, number: int) -> str:
    """What song ``number`` is about: the themes in turn."""
    return identity.themes[number % len(identity.themes)]


def singing_of(identity: Identity, number: int, theme: str = "") -> Identity:
    """The identity with the themes in the order song ``number`` takes them: ``theme``, or the one whose turn it is,
    first."""
    turn = number % len(identity.themes)
    themes = identity.themes[turn:] + identity.themes[:turn]
    return identity.model_copy(update={"themes": tuple(dict.fromkeys((theme or themes[0], *themes)))[:MOST_THEMES]})


def traits_of(plan: SongPlan, theme: str, variant: str = "") -> Traits:
    """What reflection compares songs by."""
    return Traits(
        genre=plan.genres[0].genre,
        tempo_bpm=plan.tempo_bpm,
        mode=plan.key.mode,
        energy=plan.energy,
        theme=theme,
        variant=variant,
    )


def _form(draw: random.Random, tempo: float) -> tuple[FormSection, ...]:
    """Intro, verse, chorus, verse, chorus, bridge, chorus, outro with lengths that fit the time; where that cannot fit,
    as in slow songs, the bridge and the last chorus are left out."""
    bar_s = BEATS_PER_BAR * 60 / tempo
    fits = []
    for intro, verse, chorus, bridge, outro in product((2, 4, 8), (4, 8, 16), (4, 8), (0, 4, 8), (2, 4, 8)):
        choruses = 3 if bridge else 2
        seconds = (intro + 2 * verse + choruses * chorus + bridge + outro) * bar_s
        if SHORTEST_S <= seconds <= LONGEST_S and outro <= intro:
            unlike = abs(seconds - AIM_S) / 4 + (0 if bridge else 6) + (2 if verse > 2 * chorus else 0)
            fits.append((unlike + draw.uniform(0, 3), (intro, verse, chorus, bridge, outro)))
    intro, verse, chorus, bridge, outro = min(fits)[1]
    kind = SectionKind
    parts = [
        (kind.INTRO, intro),
        (kind.VERSE, verse),
        (kind.CHORUS, chorus),
        (kind.VERSE, verse),
        (kind.CHORUS, chorus),
    ]
    parts += [(kind.BRIDGE, bridge), (kind.CHORUS, chorus)] if bridge else []
    return tuple(FormSection(kind=kind, bars=bars) for kind, bars in (*parts, (kind.OUTRO, outro)))


def evolve(identity: Identity, proposal: Proposal, seed: int) -> Identity:
    """The next version: the same voice and name, and the proposed change."""
    origin = f"variant:{identity.seed}:{proposal.experiment}"
    # What an experiment found out is taken up as it was tried, not as something else of its kind.
    draw = random.Random(origin if proposal.experiment else f"evolve:{identity.seed}:{identity.version}:{seed}")
    changed = _changed(identity, proposal, draw)
    return Identity.model_validate({**identity.model_dump(), **changed, "version": identity.version + 1})


def varied(identity: Identity, assignment: Assignment) -> Identity:
    """The identity as a variant of an experiment has it, for one song: the same version, and the variant's change."""
    change = assignment.variant.change
    if change is None:
        return identity
    tried = Proposal(
        change=change,
        subject=assignment.variant.subject,
        reason="an experiment",
        songs=0,
        effect=0,
        experiment=assignment.key,
    )
    evolved = evolve(identity.model_copy(update={"version": 1}), tried, 0)
    return evolved.model_copy(update={"version": identity.version})


def _changed(identity: Identity, proposal: Proposal, draw: random.Random) -> dict[str, object]:
    match proposal.change:
        case Change.FASTER:
            return _paced(identity, 1.1)
        case Change.SLOWER:
            return _paced(identity, 1 / 1.1)
        case Change.LIVELIER:
            return {"energy": round(min(1.0, identity.energy + 0.15), 2)}
        case Change.CALMER:
            return {"energy": round(max(0.1, identity.energy - 0.15), 2)}
        case Change.BRIGHTER:
            return {"keys": _tuned(identity, _BRIGHT, draw)}
        case Change.DARKER:
            return {"keys": _tuned(identity, _DARK, draw)}
        case Change.THEME:
            return {"themes": _themes_without(identity, proposal.subject, draw)}
        case Change.GENRE:
            return _recoloured(identity, draw)
        case Change.RHYME:
            habits = [habit for habit in RhymeHabit if habit is not identity.rhyme]
            return {"rhyme": draw.choice(habits), **_new_light(identity)}
        case Change.SOUND:
            return {"instruments": _other_instruments(identity, draw)}
        case Change.IDEA:
            return _inspired(identity, proposal.subject, draw)


def _paced(identity: Identity, factor: float) -> dict[str, object]:
    low = max(50.0, min(190.0, round(identity.tempo_low * factor)))
    high = max(low + 4, min(200.0, round(identity.tempo_high * factor)))
    return {"tempo_low": low, "tempo_high": high}


def _tuned(identity: Identity, modes: tuple[Mode, ...], draw: random.Random) -> tuple[Key, ...]:
    """The same tonics; those that are not of the wished kind become so, and where all are, one more joins them."""
    keys = tuple(key if key.mode in modes else Key(tonic=key.tonic, mode=draw.choice(modes)) for key in identity.keys)
    if keys != identity.keys:
        return keys
    unused = [tonic for tonic in range(12) if tonic not in {key.tonic for key in keys}]
    return (*keys[-5:], Key(tonic=draw.choice(unused), mode=draw.choice(modes)))


def _themes_without(identity: Identity, gone: str, draw: random.Random) -> tuple[str, ...]:
    fresh = draw.choice([theme for theme in words.THEMES if theme not in identity.themes])
    if gone not in identity.themes:
        return (fresh, *identity.themes[:-1])
    return tuple(fresh if theme == gone else theme for theme in identity.themes)


def _recoloured(identity: Identity, draw: random.Random) -> dict[str, object]:
    """Another genre beside the first; the first stays, so that it is still the same artist."""
    lead = identity.genres[0].genre
    has = {share.genre for share in identity.genres}
    fresh = draw.choice([genre for genre in Genre if genre not in has])
    genres = shares((lead, fresh), 0.65)
    return {"genres": genres, "instruments": instruments(draw, genres)}


def _other_instruments(identity: Identity, draw: random.Random) -> tuple[str, ...]:
    pool = [name for name in words.INSTRUMENTS[identity.genres[0].genre] if name not in identity.instruments]
    kept = identity.instruments[:2]
    return (*kept, *draw.sample(pool, min(3, len(pool))))


def _new_light(identity: Identity) -> dict[str, tuple[HexColour, ...]]:
    """The middle colours change places: what is heard anew is seen anew."""
    darkest, *middle, lightest = identity.palette
    return {"palette": (darkest, *reversed(middle), lightest)}


def _inspired(identity: Identity, idea: str, draw: random.Random) -> dict[str, object]:
    """What the idea asks for; one of which no word is understood, or that the artist lives up to, changes the sound."""
    try:
        asked = read_brief(idea)
    except InvalidInput:
        return {"instruments": _other_instruments(identity, draw)}
    changed: dict[str, object] = {}
    if asked.genres:
        genres = tuple(dict.fromkeys((identity.genres[0].genre, *asked.genres)))[:3]
        changed["genres"] = shares(genres, 0.6)
    if asked.themes:
        changed["themes"] = tuple(dict.fromkeys((*asked.themes, *identity.themes)))[: max(3, len(identity.themes))]
    if asked.modes:
        changed["keys"] = _tuned(identity, asked.modes, draw)
    if asked.tempo:
        changed |= _paced(identity, 1 + asked.tempo / 5)
    if asked.energy:
        changed["energy"] = round(max(0.1, min(1.0, identity.energy + asked.energy)), 2)
    if asked.motifs:
        changed["motif"] = asked.motifs[0]
    new = {name: value for name, value in changed.items() if value != getattr(identity, name)}
    return new or {"instruments": _other_instruments(identity, draw)}
