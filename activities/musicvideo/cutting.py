"""The cut: which frame each shot begins on. Every cut falls on the frame nearest to a beat, sections begin with one,
and the cover closes the song. Pure."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.music import BEATS_PER_BAR, SectionKind, SoundAnalysis

_BARS = {
    SectionKind.INTRO: 4,
    SectionKind.VERSE: 4,
    SectionKind.CHORUS: 2,
    SectionKind.BRIDGE: 4,
    SectionKind.OUTRO: 4,
}
"""Bars a shot lasts."""
_SHORTEST, _LONGEST = 1.5, 10.0
_CLOSING = 5.0
"""Seconds the cover is wanted at the end, and the least and most of them."""
_CLOSING_RANGE = 2.5, 9.0


@dataclass(frozen=True)
class Shot:
    """One shot, from frame ``first`` up to, but not including, ``end``. ``section`` counts the sections of the song,
    ``number`` the shots of the section; ``returns`` is how often its kind of section was there before."""

    first: int
    end: int
    kind: SectionKind
    section: int
    number: int
    returns: int


@dataclass(frozen=True)
class Cut:
    """The shots, the frame from which the cover closes the video, and the video's length in frames."""

    shots: tuple[Shot, ...]
    closing: int
    frames: int

    @property
    def frames_of_cuts(self) -> tuple[int, ...]:
        """Every frame whose picture follows a cut, in order; the first frame of the video is none."""
        begins = {shot.first for shot in self.shots} | {self.closing}
        return tuple(sorted(frame for frame in begins if 0 < frame < self.frames))


def cut(analysis: SoundAnalysis, fps: int, frames: int) -> Cut:
    """The cut of a song of ``frames`` frames."""
    beats = np.array(analysis.beats, np.float64)
    closing = _closing(analysis, beats, fps, frames)
    begins = [_frame(_bar_time(analysis, section.start_bar), beats, fps) for section in analysis.sections]
    shots: list[Shot] = []
    seen: dict[SectionKind, int] = {}
    for place, section in enumerate(analysis.sections):
        first = begins[place] if place else 0
        end = min(begins[place + 1] if place + 1 < len(begins) else closing, closing)
        if end - first < 1 or first >= closing:
            continue
        bars = [_bar_time(analysis, section.start_bar + bar) for bar in range(section.bars)]
        inner = _inside(bars, section.kind, first, end, beats, fps)
        edges = [first, *inner, end]
        for number, (begin, until) in enumerate(pairwise(edges)):
            shots.append(Shot(begin, until, section.kind, place, number, seen.get(section.kind, 0)))
        seen[section.kind] = seen.get(section.kind, 0) + 1
    if not shots:
        shots.append(Shot(0, max(1, closing), analysis.sections[0].kind, 0, 0, 0))
    last = shots[-1]
    shots[-1] = Shot(last.first, max(last.first + 1, closing), last.kind, last.section, last.number, last.returns)
    return Cut(tuple(shots), closing, frames)


def _bar_time(analysis: SoundAnalysis, bar: int) -> float:
    """When a bar begins: as it was heard, else by the grid."""
    if bar < len(analysis.downbeats):
        return analysis.downbeats[bar]
    return analysis.grid.seconds(bar * BEATS_PER_BAR)


def _frame(second: float, beats: np.ndarray, fps: int) -> int:
    """The frame nearest to the beat nearest to ``second``."""
    if len(beats):
        second = float(beats[np.argmin(np.abs(beats - second))])
    return max(0, round(second * fps))


def _inside(bars: list[float], kind: SectionKind, first: int, end: int, beats: np.ndarray, fps: int) -> list[int]:
    """The cuts within a section: every so many bars, none that leaves a shot too short."""
    if len(bars) < 2:
        return []
    bar = (bars[-1] - bars[0]) / (len(bars) - 1)
    step = _BARS[kind]
    while step > 1 and step * bar > _LONGEST:
        step //= 2
    while step * bar < _SHORTEST:
        step *= 2
    found: list[int] = []
    for second in bars[step::step]:
        frame = _frame(second, beats, fps)
        if frame - (found[-1] if found else first) >= _SHORTEST * fps and end - frame >= _SHORTEST * fps:
            found.append(frame)
    return found


def _closing(analysis: SoundAnalysis, beats: np.ndarray, fps: int, frames: int) -> int:
    """The frame from which the cover is seen: a downbeat, else a beat, about five seconds before the end."""
    length = frames / fps
    least, most = (min(bound, length * share) for bound, share in zip(_CLOSING_RANGE, (0.15, 0.4), strict=True))
    wanted = length - min(_CLOSING, length * 0.25)
    for times in (analysis.downbeats, tuple(beats)):
        near = [second for second in times if length - most <= second <= length - least]
        if near:
            return _frame(min(near, key=lambda second: abs(second - wanted)), beats, fps)
    # A song of a moment has hardly a beat: any that leaves something on both sides.
    inner = [second for second in beats if 0.2 <= second <= length - 0.2]
    return round(min(inner, key=lambda second: abs(second - wanted), default=wanted) * fps)
