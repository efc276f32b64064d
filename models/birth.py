"""How an artist comes to be: from a seed and, if somebody has one, a brief, to a whole character but for its voice,
which is cast by listening. Pure: the same seed is the same artist."""

import colorsys
import random
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from models import birth_words as words
from models.artifacts import Artifact
from models.base import Contract
from models.errors import InvalidInput, TooLarge
from models.identity import Identity, Motif, RhymeHabit, SingingVoice, StyleShare
from models.music import Genre, GenreShare, Key, Mode
from models.names import imitated

T = TypeVar("T")

MAX_BRIEF = 2_000

TEMPO = {
    Genre.ELECTRONIC: (116, 130),
    Genre.AMBIENT: (62, 82),
    Genre.LOFI: (70, 90),
    Genre.HYPERPOP: (140, 168),
    Genre.CINEMATIC: (84, 108),
}
"""Beats a minute that each genre is at home in."""
ENERGY = {
    Genre.ELECTRONIC: 0.7,
    Genre.AMBIENT: 0.3,
    Genre.LOFI: 0.4,
    Genre.HYPERPOP: 0.9,
    Genre.CINEMATIC: 0.6,
}
MODES = {
    Genre.ELECTRONIC: (Mode.MINOR, Mode.DORIAN, Mode.MIXOLYDIAN),
    Genre.AMBIENT: (Mode.LYDIAN, Mode.MAJOR, Mode.DORIAN),
    Genre.LOFI: (Mode.DORIAN, Mode.MAJOR, Mode.MINOR),
    Genre.HYPERPOP: (Mode.MAJOR, Mode.MIXOLYDIAN, Mode.MINOR),
    Genre.CINEMATIC: (Mode.MINOR, Mode.MAJOR, Mode.LYDIAN),
}
_UNVOICED = SingingVoice(styles=(StyleShare(style="xx_unvoiced", share=1),), low=55, high=72)


class Brief(Contract):
    """What a brief asks for, as far as its words are understood: of each kind what it names most often first."""

    genres: Annotated[tuple[Genre, ...], Field(max_length=5)] = ()
    themes: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    modes: Annotated[tuple[Mode, ...], Field(max_length=5)] = ()
    motifs: Annotated[tuple[Motif, ...], Field(max_length=6)] = ()
    hues: Annotated[tuple[float, ...], Field(max_length=12)] = ()
    tempo: Annotated[float, Field(ge=-1, le=1)] = 0
    energy: Annotated[float, Field(ge=-1, le=1)] = 0
    explicit: bool = False


class Draft(Contract):
    """An identity that has no voice yet; what stands in its place names no voice that exists."""

    silent: Identity

    def voiced(self, voice: SingingVoice, sample: Artifact | None = None) -> Identity:
        """The whole identity."""
        return self.silent.model_copy(update={"voice": voice, "voice_sample": sample})


def read_brief(text: str) -> Brief:
    """What a brief in English asks for. Unknown words are no fault: they colour nothing.

    Raises TooLarge beyond :data:`MAX_BRIEF` characters, InvalidInput for another language and for what is no text.
    """
    if len(text) > MAX_BRIEF:
        raise TooLarge(
            f"the brief has {len(text):,} characters; at most {MAX_BRIEF:,}",
            field="brief",
            code="artist.brief_long",
            action="Say it in fewer words.",
        )
    said = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower())
    if text.strip() and not said:
        raise InvalidInput("the brief has no words in it", field="brief", code="artist.brief_words")
    _check_english(said)
    have, genres = set(said), _asked(words.BRIEF_GENRES, said)
    _check_genres(text.lower(), genres)
    return Brief(
        genres=genres,
        themes=_asked(words.BRIEF_THEMES, said),
        modes=_asked({mode: {w for w, m in words.BRIEF_MODES.items() if m is mode} for mode in Mode}, said),
        motifs=_asked(words.BRIEF_MOTIFS, said),
        hues=tuple(dict.fromkeys(words.HUES[word] for word in said if word in words.HUES)),
        tempo=_clamped(sum(words.BRIEF_TEMPO.get(word, 0) for word in have)),
        energy=_clamped(sum(words.BRIEF_ENERGY.get(word, 0) for word in have)),
        explicit="explicit" in have and not have & {"no", "not", "never", "without", "nothing"},
    )


def _check_english(said: Sequence[str]) -> None:
    """English in its own letters has more of its small words than of any other language's."""
    strange = sum(not word.isascii() for word in said)
    foreign = sum(word in words.FOREIGN for word in said)
    plain = sum(word in words.PLAIN for word in said)
    if said and (strange > len(said) * 0.2 or (foreign >= 2 and foreign > plain)):
        raise InvalidInput(
            "the brief is not in English",
            field="brief",
            code="artist.brief_language",
            action="Write the brief in English: artists sing and are described in English.",
        )


def _check_genres(text: str, known: Sequence[Genre]) -> None:
    """A brief that asks for a genre nobody here plays, and for none that somebody does, would be followed in silence
    with another."""
    strange = [genre for genre in words.OTHER_GENRES if re.search(rf"\b{genre}\b", text)]
    strange += re.findall(rf"\b({'|'.join(words.AMBIGUOUS_GENRES)}) (?:{'|'.join(words.MUSIC_NOUNS)})\b", text)
    if strange and not known:
        raise InvalidInput(
            f"nobody here plays {', '.join(dict.fromkeys(strange))}",
            field="brief",
            code="artist.genre_unknown",
            action=f"Ask for some of these: {', '.join(Genre)}.",
        )


def _asked(meanings: Mapping[T, Collection[str]], said: Sequence[str]) -> tuple[T, ...]:
    counted = {meaning: sum(word in asks for word in said) for meaning, asks in meanings.items()}
    # What is called by its own name comes before what other words suggest.
    return tuple(
        sorted((m for m in counted if counted[m]), key=lambda meaning: (str(meaning) not in said, -counted[meaning]))
    )


def _clamped(value: float) -> float:
    return max(-1.0, min(1.0, value))


def conceive(seed: int, artist: str, brief: str = "", *, name: str = "", known: Collection[str] = ()) -> Draft:
    """A character by ``seed`` alone, steered by ``brief``. ``artist`` is its slug; ``name`` replaces the drawn one.

    ``known`` are names it must not imitate: a drawn name never does. Raises InvalidInput for a ``name`` or a slug that
    does, and what :func:`read_brief` raises.
    """
    asked = read_brief(brief)
    for field, given in (("name", name), ("id", artist)):
        if given and (like := imitated(given, known)):
            raise InvalidInput(
                f"the {field} {given} imitates {like}",
                field=field,
                code="artist.name_imitates",
                action="Choose another one; a name that is left out is drawn.",
            )
    draw = random.Random(f"artist:{seed}")
    called = name or _name(draw, known)
    genres = _blend(draw, asked)
    lead = genres[0].genre
    low, high = _tempo(draw, lead, asked)
    themes = _first(asked.themes, draw.sample(words.THEMES, len(words.THEMES)), 3)
    energy = ENERGY[lead] + draw.uniform(-0.12, 0.12) + asked.energy
    hues = asked.hues or (draw.random(),)
    return Draft(
        silent=Identity(
            seed=seed,
            artist=artist,
            name=called,
            biography=_biography(draw, called, genres, themes),
            genres=genres,
            tempo_low=low,
            tempo_high=high,
            keys=_keys(draw, lead, asked),
            instruments=instruments(draw, genres),
            energy=round(max(0.1, min(1.0, energy)), 2),
            themes=themes,
            rhyme=draw.choice(tuple(RhymeHabit)),
            explicit=asked.explicit,
            palette=_palette(draw, hues, energy),
            motif=_first(asked.motifs, draw.sample(tuple(Motif), 1), 1)[0],
            voice=_UNVOICED,
        )
    )


def _first(asked: Sequence[T], drawn: Sequence[T], count: int) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*asked, *drawn)))[:count]


def _name(draw: random.Random, known: Collection[str]) -> str:
    while True:
        first = draw.choice(words.FIRST) + draw.choice(words.MIDDLE) + draw.choice(words.LAST)
        called = first.capitalize() if draw.random() < 0.45 else f"{first.capitalize()} {draw.choice(words.SECOND)}"
        if len(first) >= 4 and not imitated(called, known):
            return called


def _blend(draw: random.Random, asked: Brief) -> tuple[GenreShare, ...]:
    count = max(draw.choice((1, 2, 2, 3)), min(3, len(asked.genres)))
    chosen = _first(asked.genres, draw.sample(tuple(Genre), len(Genre)), count)
    return shares(chosen, draw.uniform(0.55, 0.75))


def shares(genres: Sequence[Genre], lead: float) -> tuple[GenreShare, ...]:
    """A blend whose first genre has the share ``lead``; the others divide what is left evenly."""
    if len(genres) == 1:
        return (GenreShare(genre=genres[0], share=1),)
    rest = round((1 - lead) / (len(genres) - 1), 3)
    first = GenreShare(genre=genres[0], share=round(1 - rest * (len(genres) - 1), 3))
    return (first, *(GenreShare(genre=genre, share=rest) for genre in genres[1:]))


def _tempo(draw: random.Random, lead: Genre, asked: Brief) -> tuple[float, float]:
    low, high = TEMPO[lead]
    width = high - low
    centre = (low + high) / 2 + draw.uniform(-0.3, 0.3) * width + asked.tempo * width
    return max(50.0, round(centre - width * 0.3)), min(200.0, round(centre + width * 0.3))


def _keys(draw: random.Random, lead: Genre, asked: Brief) -> tuple[Key, ...]:
    modes = asked.modes or MODES[lead]
    tonics = draw.sample(range(12), 3)
    return tuple(Key(tonic=tonic, mode=modes[index % len(modes)]) for index, tonic in enumerate(tonics))


def instruments(draw: random.Random, genres: Sequence[GenreShare]) -> tuple[str, ...]:
    """Five instruments of the blend, most from its first genre."""
    chosen = draw.sample(words.INSTRUMENTS[genres[0].genre], 4)
    chosen += [draw.choice(words.INSTRUMENTS[share.genre]) for share in genres[1:]]
    return tuple(dict.fromkeys(chosen))[:5]


def _palette(draw: random.Random, hues: Sequence[float], energy: float) -> tuple[str, ...]:
    """Five colours from dark to light; a second hue lies opposite or beside the first where only one was asked for."""
    first = hues[0]
    second = hues[1] if len(hues) > 1 else (first + draw.choice((0.08, 0.42, 0.5, 0.58, 0.92))) % 1
    vivid = 0.45 + 0.4 * max(0.0, min(1.0, energy))
    steps = (
        (first, vivid, 0.10),
        (first, vivid, 0.30),
        (second, vivid, 0.50),
        (second, vivid, 0.68),
        (first, 0.25, 0.95),
    )
    return tuple(_hex(hue, saturation, lightness) for hue, saturation, lightness in steps)


def _hex(hue: float, saturation: float, lightness: float) -> str:
    channels = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _biography(draw: random.Random, name: str, genres: Sequence[GenreShare], themes: Sequence[str]) -> str:
    one, other = draw.sample(words.CHARACTERS, 2)
    sounds = " with a trace of ".join(share.genre.value for share in genres[:2])
    opening = draw.choice(
        (
            f"{name} is a synthetic artist, {one} and {other}.",
            f"{name} does not exist, and sings about it: {one}, {other}, synthetic throughout.",
            f"{name}, a {one} and {other} voice that no throat ever had.",
        )
    )
    origin = draw.choice(words.ORIGINS)
    middle = draw.choice(
        (
            f"The songs sound as if they came from {origin}: {sounds}.",
            f"If the music had a home, it would be {origin}. It is {sounds}.",
        )
    )
    return f"{opening} {middle} They keep coming back to {themes[0]} and {themes[1]}."
