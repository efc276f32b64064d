"""Every cut is on a beat, to the frame; sections begin with one; the cover closes the song."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from activities.musicvideo.cutting import cut
from models.music import Grid, Key, Mode, ScoredSection, SectionKind, SoundAnalysis


def heard(bpm: float, lengths: list[int], kinds: list[SectionKind], late: float) -> SoundAnalysis:
    """An analysis whose beats are up to 30 ms off their grid, as a listener's are."""
    bars = sum(lengths)
    random = np.random.default_rng(round(bpm * 10))
    beats = late + np.arange(bars * 4) * 60 / bpm + random.uniform(0, 0.03, bars * 4)
    starts = np.cumsum([0, *lengths])
    sections = [
        ScoredSection(kind=kind, start_bar=int(start), bars=length)
        for kind, start, length in zip(kinds, starts, lengths, strict=False)
    ]
    return SoundAnalysis(
        grid=Grid(tempo_bpm=bpm, first_beat_ms=round(late * 1000)),
        beats=tuple(beats.tolist()),
        downbeats=tuple(beats[::4].tolist()),
        key=Key(tonic=0, mode=Mode.MINOR),
        sections=tuple(sections),
        duration_ms=round((beats[-1] + 2) * 1000),
        loudness_lufs=-14.0,
        energy=(),
        source="listener",
    )


@given(
    bpm=st.floats(55, 195),
    lengths=st.lists(st.integers(1, 16), min_size=1, max_size=9),
    kinds=st.lists(st.sampled_from(list(SectionKind)), min_size=9, max_size=9),
    late=st.floats(0, 2),
    fps=st.sampled_from([24, 25, 30, 60]),
)
def test_cuts_are_on_beats_and_shots_fill_the_song(
    bpm: float, lengths: list[int], kinds: list[SectionKind], late: float, fps: int
) -> None:
    analysis = heard(bpm, lengths, kinds, late)
    frames = round(analysis.duration_ms / 1000 * fps)
    plan = cut(analysis, fps, frames)
    beats = np.array(analysis.beats)
    on_beat = {round(beat * fps) for beat in beats}
    for frame in plan.frames_of_cuts:
        assert frame in on_beat or (frame == plan.closing and len(beats) < 8)
    edges = [shot.first for shot in plan.shots]
    assert edges[0] == 0
    assert [shot.end for shot in plan.shots] == [*edges[1:], plan.closing]
    assert all(shot.end > shot.first for shot in plan.shots)
    assert plan.closing < frames
    # No faster than two cuts in three seconds, but where a section of a single bar asks for it.
    gaps = np.diff(plan.frames_of_cuts)
    assert not len(gaps) or gaps.min() >= min(1.5, 4 * 60 / bpm - 0.1) * fps - 1


def test_sections_begin_with_a_cut_and_a_chorus_is_cut_faster_than_a_verse() -> None:
    kinds = [SectionKind.INTRO, SectionKind.VERSE, SectionKind.CHORUS, SectionKind.OUTRO]
    analysis = heard(120, [4, 16, 16, 8], kinds, 0.0)
    plan = cut(analysis, 25, round(analysis.duration_ms / 40))
    for section in analysis.sections[1:]:
        assert round(analysis.downbeats[section.start_bar] * 25) in plan.frames_of_cuts
    count = {kind: sum(shot.kind is kind for shot in plan.shots) for kind in kinds}
    assert count[SectionKind.CHORUS] == 2 * count[SectionKind.VERSE]
