"""Reflection: what decisions and audience say about the songs made so far, and the change to the identity that this
speaks for, with its reason and its evidence. A sceptic: what chance does as well is proposed seldom. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from statistics import median
from typing import Annotated

from pydantic import Field

from models.base import Contract, Note
from models.evidence import at_least, chance
from models.lifecycle import Ending, Heard, Run, Traits

LEAST = 2
"""Songs on either side of a comparison, below which it is no evidence."""
EFFECT = 0.15
"""Difference of mean success, 0 to 1, below which it is no evidence."""
DOUBT = 0.10
"""How often songs that nothing distinguishes may lead to a proposal, over all comparisons of a reflection together
(each has its part of it: C. E. Bonferroni 1936)."""
_REASONS = 8
"""Reasons that reviewers choose between, about: what one comes up by when they choose blindly."""


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


OPPOSITE = {
    Change.FASTER: Change.SLOWER,
    Change.SLOWER: Change.FASTER,
    Change.LIVELIER: Change.CALMER,
    Change.CALMER: Change.LIVELIER,
    Change.BRIGHTER: Change.DARKER,
    Change.DARKER: Change.BRIGHTER,
}
"""What takes a change back."""


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
    experiment: Annotated[str, Field(max_length=130)] = ""
    """The experiment and variant that found it out; empty where songs as they came tell it."""

    @property
    def key(self) -> str:
        """Equal for proposals of the same change."""
        return f"{self.change.value}:{self.subject[:40]}"

    @property
    def supported(self) -> bool:
        """Whether there is evidence, or a person, behind it."""
        return self.change is Change.IDEA or (self.songs >= 2 * LEAST and self.effect >= EFFECT)


Song = tuple[Traits, float]

COMPLAINTS = {
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


class _Comparison(Contract):
    """A proposal that may be, and how often chance alone would speak as loudly for it."""

    proposal: Proposal
    chance: float


def _contrast(
    songs: Sequence[Song], side: Callable[[Traits], bool], more: Change, less: Change, words: tuple[str, str]
) -> _Comparison | None:
    one = [success for traits, success in songs if side(traits)]
    other = [success for traits, success in songs if not side(traits)]
    if min(len(one), len(other)) < LEAST:
        return None
    difference = sum(one) / len(one) - sum(other) / len(other)
    better, worse = words if difference > 0 else words[::-1]
    counts = (len(one), len(other)) if difference > 0 else (len(other), len(one))
    reason = f"{better} songs did better than {worse} ones by {abs(difference):.2f} ({counts[0]} against {counts[1]})"
    change, songs_ = more if difference > 0 else less, len(one) + len(other)
    return _Comparison(
        proposal=Proposal(change=change, reason=reason, songs=songs_, effect=min(1.0, abs(difference))),
        chance=chance(one, other),
    )


def _theme(songs: Sequence[Song], theme: str) -> _Comparison | None:
    one = [success for traits, success in songs if traits.theme == theme]
    other = [success for traits, success in songs if traits.theme != theme]
    if min(len(one), len(other)) < LEAST:
        return None
    worse = sum(other) / len(other) - sum(one) / len(one)
    reason = f"songs about {theme} did worse than others by {worse:.2f} ({len(one)} against {len(other)})"
    count, effect = len(one) + len(other), max(0.0, min(1.0, worse))
    return _Comparison(
        proposal=Proposal(change=Change.THEME, subject=theme, reason=reason, songs=count, effect=effect),
        chance=chance(one, other),
    )


def _complaints(runs: Sequence[Run]) -> list[_Comparison]:
    """Reasons that reviewers keep giving. Two that contradict each other are weighed as one."""
    rejected = [run for run in runs if run.ending is Ending.REJECTED and run.judged]
    counts = {change: sum(run.reason == code for run in rejected) for code, change in COMPLAINTS.items()}
    codes = {change: code for code, change in COMPLAINTS.items()}
    found = []
    for change, count in counts.items():
        left = count - counts.get(OPPOSITE.get(change, change), 0) if change in OPPOSITE else count
        if left < LEAST:
            continue
        proposal = Proposal(
            change=change,
            reason=f"{count} of {len(rejected)} rejections gave the reason {codes[change]}",
            songs=max(len(rejected), 2 * LEAST),
            effect=left / len(rejected),
        )
        found.append(_Comparison(proposal=proposal, chance=at_least(left, len(rejected), 1 / _REASONS)))
    return found


def reflect(runs: Sequence[Run], heard: Sequence[Heard], min_listeners: int = 100) -> tuple[Proposal, ...]:
    """What is proposed after a track: every change that evidence supports and nothing contradicts, the strongest first.

    A comparison counts when it is of enough songs, large enough, and such that chance would seldom speak as loudly:
    :data:`DOUBT` is shared out between all that were made. Where one source says faster and another slower, neither is
    believed.
    """
    songs = successes(runs, heard, min_listeners)
    compared = _complaints(runs)
    # A complaint that nobody made could have been made as well: each counts as a comparison.
    made = len(COMPLAINTS) if any(run.reason in COMPLAINTS for run in runs) else 0
    if songs:
        tempo = median(traits.tempo_bpm for traits, _ in songs)
        energy = median(traits.energy for traits, _ in songs)
        contrasts = [
            _contrast(songs, lambda t: t.tempo_bpm > tempo, Change.FASTER, Change.SLOWER, ("faster", "slower")),
            _contrast(songs, lambda t: t.energy > energy, Change.LIVELIER, Change.CALMER, ("livelier", "calmer")),
            _contrast(songs, _bright, Change.BRIGHTER, Change.DARKER, ("brighter", "darker")),
            *(_theme(songs, theme) for theme in sorted({traits.theme for traits, _ in songs})),
        ]
        told = [one for one in contrasts if one is not None]
        compared, made = compared + told, made + len(told)
    believed = [one.proposal for one in compared if one.proposal.supported and one.chance <= DOUBT / made]
    changes = {proposal.change for proposal in believed}
    strongest: dict[str, Proposal] = {}
    for proposal in sorted(believed, key=lambda proposal: (-proposal.effect, proposal.key)):
        if OPPOSITE.get(proposal.change) not in changes:
            strongest.setdefault(proposal.key, proposal)
    return tuple(strongest.values())[:5]


def _bright(traits: Traits) -> bool:
    return traits.mode.value in {"major", "lydian", "mixolydian"}


_UNKNOWN = (Change.GENRE, Change.SOUND, Change.RHYME)


def chosen(
    proposals: Sequence[Proposal],
    ideas: Sequence[str],
    tried: Sequence[str],
    failed_evolutions: int,
    proved: Sequence[Change] = (),
) -> Proposal:
    """What an evolution takes: a person's idea before all; else what an experiment found out; else the strongest
    supported proposal that has not failed yet and does not take back what has ``proved`` itself; else something that
    nobody knows about yet, in turn."""
    if ideas:
        return Proposal(change=Change.IDEA, subject=ideas[0][:400], reason="a person's idea", songs=0, effect=0)
    for proposal in sorted(proposals, key=lambda proposal: not proposal.experiment):
        if proposal.supported and proposal.key not in tried and OPPOSITE.get(proposal.change) not in proved:
            return proposal
    change = _UNKNOWN[failed_evolutions % len(_UNKNOWN)]
    reason = "nothing tells what was liked from what was not: something new is tried"
    return Proposal(change=change, reason=reason, songs=0, effect=0)
