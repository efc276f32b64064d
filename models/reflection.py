"""Reflection: what decisions and audience say about the songs made so far, and the change to the identity that this
speaks for, with its reason and its evidence. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from statistics import median
from typing import Annotated

from pydantic import Field

from models.base import Contract, Note
from models.lifecycle import Ending, Heard, Run, Traits

_LEAST = 2
"""Songs on either side of a comparison, below which it is no evidence."""
_EFFECT = 0.15
"""Difference of mean success, 0 to 1, below which it is no evidence."""


class Change(StrEnum):
    """What of an identity can change."""

    FASTER = "faster"
    SLOWER = "slower"
    LIVELIER = "livelier"
    CALMER = "calmer"
    BRIGHTER = "brighter"
    """More keys in major."""
    DARKER = "darker"
    THEME = "theme"
    """The named theme gives way to another."""
    GENRE = "genre"
    """Another genre colours the blend."""
    RHYME = "rhyme"
    SOUND = "sound"
    """Other instruments."""
    IDEA = "idea"
    """What a person wished for."""


class Proposal(Contract):
    """A change to an identity that evidence speaks for."""

    change: Change
    subject: Annotated[str, Field(max_length=400)] = ""
    """The theme that goes; the idea in its own words."""
    reason: Note
    songs: Annotated[int, Field(ge=0, le=1_000)]
    """Songs compared."""
    effect: Annotated[float, Field(ge=0, le=1)]
    """Difference of mean success between the songs that have what is proposed and those that do not."""

    @property
    def key(self) -> str:
        """Equal for proposals of the same change."""
        return f"{self.change.value}:{self.subject[:40]}"

    @property
    def supported(self) -> bool:
        """Whether there is evidence, or a person, behind it."""
        return self.change is Change.IDEA or (self.songs >= 2 * _LEAST and self.effect >= _EFFECT)


Song = tuple[Traits, float]

_COMPLAINTS = {
    "too_slow": Change.FASTER,
    "too_fast": Change.SLOWER,
    "boring": Change.LIVELIER,
    "too_loud": Change.CALMER,
    "too_dark": Change.BRIGHTER,
    "lyrics": Change.RHYME,
    "music": Change.SOUND,
}
"""Reason codes that say what to change."""


def successes(runs: Sequence[Run], heard: Sequence[Heard], min_listeners: int) -> list[Song]:
    """Each judged or heard song with its success, 0 to 1: the decision, and the audience where there is one."""
    scores = {one.number: one.score for one in heard if one.listeners >= min_listeners}
    songs: list[Song] = []
    for run in runs:
        if run.traits is None or not run.ending.decided:
            continue
        parts = [float(run.ending is Ending.APPROVED)] if run.judged else []
        parts += [scores[run.number]] if run.number in scores else []
        if parts:
            songs.append((run.traits, sum(parts) / len(parts)))
    return songs


def _compared(songs: Sequence[Song], side: Callable[[Traits], bool]) -> tuple[float, int, int]:
    """Mean success of the songs on ``side`` minus that of the others, and how many there are of each."""
    one = [success for traits, success in songs if side(traits)]
    other = [success for traits, success in songs if not side(traits)]
    if not one or not other:
        return 0.0, len(one), len(other)
    return sum(one) / len(one) - sum(other) / len(other), len(one), len(other)


def _contrast(
    songs: Sequence[Song], side: Callable[[Traits], bool], more: Change, less: Change, words: tuple[str, str]
) -> Proposal | None:
    difference, one, other = _compared(songs, side)
    if min(one, other) < _LEAST or abs(difference) < _EFFECT:
        return None
    better, worse = words if difference > 0 else words[::-1]
    return Proposal(
        change=more if difference > 0 else less,
        reason=f"{better} songs did better than {worse} ones by {abs(difference):.2f} ({one} against {other})",
        songs=one + other,
        effect=min(1.0, abs(difference)),
    )


def _themes(songs: Sequence[Song]) -> list[Proposal]:
    found = []
    for theme in sorted({traits.theme for traits, _ in songs}):
        difference, one, other = _compared(songs, lambda traits, theme=theme: traits.theme == theme)  # type: ignore[misc]
        if min(one, other) >= _LEAST and difference <= -_EFFECT:
            reason = f"songs about {theme} did worse than others by {-difference:.2f} ({one} against {other})"
            found.append(
                Proposal(change=Change.THEME, subject=theme, reason=reason, songs=one + other, effect=-difference)
            )
    return found


def _complaints(runs: Sequence[Run]) -> list[Proposal]:
    rejected = [run for run in runs if run.ending is Ending.REJECTED and run.judged]
    found = []
    for code, change in _COMPLAINTS.items():
        count = sum(run.reason == code for run in rejected)
        if count >= _LEAST:
            reason = f"{count} of {len(rejected)} rejections gave the reason {code}"
            effect = count / len(rejected)
            found.append(Proposal(change=change, reason=reason, songs=max(len(rejected), 2 * _LEAST), effect=effect))
    return found


def reflect(runs: Sequence[Run], heard: Sequence[Heard], min_listeners: int = 100) -> tuple[Proposal, ...]:
    """What is proposed after a track: every change that evidence supports, the strongest first."""
    songs = successes(runs, heard, min_listeners)
    found = _complaints(runs)
    if songs:
        tempo = median(traits.tempo_bpm for traits, _ in songs)
        energy = median(traits.energy for traits, _ in songs)
        contrasts = (
            _contrast(songs, lambda t: t.tempo_bpm > tempo, Change.FASTER, Change.SLOWER, ("faster", "slower")),
            _contrast(songs, lambda t: t.energy > energy, Change.LIVELIER, Change.CALMER, ("livelier", "calmer")),
            _contrast(songs, _bright, Change.BRIGHTER, Change.DARKER, ("brighter", "darker")),
        )
        found += [proposal for proposal in contrasts if proposal is not None]
        found += _themes(songs)
    strongest: dict[str, Proposal] = {}
    for proposal in sorted(found, key=lambda proposal: (-proposal.effect, proposal.key)):
        strongest.setdefault(proposal.key, proposal)
    return tuple(strongest.values())[:5]


def _bright(traits: Traits) -> bool:
    return traits.mode.value in {"major", "lydian", "mixolydian"}


_UNKNOWN = (Change.GENRE, Change.SOUND, Change.RHYME)


def chosen(
    proposals: Sequence[Proposal], ideas: Sequence[str], tried: Sequence[str], failed_evolutions: int
) -> Proposal:
    """What an evolution takes: a person's idea before all; else the strongest supported proposal that has not failed
    yet; else something that nobody knows about yet, in turn."""
    if ideas:
        return Proposal(change=Change.IDEA, subject=ideas[0][:400], reason="a person's idea", songs=0, effect=0)
    for proposal in proposals:
        if proposal.supported and proposal.key not in tried:
            return proposal
    change = _UNKNOWN[failed_evolutions % len(_UNKNOWN)]
    reason = "nothing tells what was liked from what was not: something new is tried"
    return Proposal(change=change, reason=reason, songs=0, effect=0)
