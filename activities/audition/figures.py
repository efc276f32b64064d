"""What was measured of a song becomes figures: the value against what it must reach, and a note in a reviewer's words.
The note of a figure that does not hold ends with what to do about it."""

from collections.abc import Sequence

from activities.audition.base import LineHeard
from activities.audition.pitch import Intonation
from activities.audition.sound import MasterHeard
from activities.audition.timing import Timing
from models.quality import Figure, Sense

TARGET_LUFS = -14.0
_NOTE = 300
_LONGEST_SILENCE_MS = 2_000.0
_DURATION_REACH_MS = 500.0
_TAIL_SECONDS = 8.0
"""How long the last notes and their room may ring after the plan's last bar."""
_VIDEO_REACH_MS = 120.0
_CUT_REACH_FRAMES = 1.0


def _figure(
    name: str, value: float | None, unit: str, sense: Sense, reach: float, *, found: str, advice: str, digits: int = 0
) -> Figure:
    """``advice`` is added where the figure does not hold; ``found`` is cut so that it fits."""
    rounded = None if value is None else round(value, digits)
    figure = Figure(name=name, value=rounded, unit=unit, sense=sense, reach=reach)
    note = found if figure.holds else f"{found[: _NOTE - len(advice) - 1].rstrip()} {advice}"
    return figure.model_copy(update={"note": note[:_NOTE]})


def lyric_errors(lines: Sequence[LineHeard], reach: float) -> Figure:
    """Share of the lyrics' words that were not heard as written."""
    words, errors = sum(line.words for line in lines), sum(line.errors for line in lines)
    worst = max(lines, key=lambda line: line.errors / max(1, line.words), default=None)
    found = f"{errors} of {words} words misheard"
    if worst and worst.errors:
        found += f"; worst at {worst.start:.0f} s: “{worst.text}” heard as “{worst.heard or '(nothing)'}”"
    return _figure(
        "lyric_error_rate",
        errors / words if words else None,
        "",
        Sense.AT_MOST,
        reach,
        found=f"{found}.",
        advice="Listen there; ask for other words or another take of the vocals.",
        digits=4,
    )


def pitch_share(heard: Intonation, reach: float) -> Figure:
    """Share of voiced frames within 50 cents of the melody."""
    found = f"{heard.close} of {heard.voiced} voiced frames within 50 cents"
    if heard.cents is not None:
        found += f", {heard.cents:.0f} cents off in the middle"
    return _figure(
        "pitch_share",
        heard.share,
        "",
        Sense.AT_LEAST,
        reach,
        found=f"{found}; {heard.asked} frames have a note.",
        advice="Ask for another take of the vocals, or give the voice a narrower range.",
        digits=4,
    )


def tempo(found_bpm: float | None, planned_bpm: float, reach: float) -> Figure:
    """Tempo found in the master over the plan's, minus 1."""
    error = None if found_bpm is None else abs(found_bpm / planned_bpm - 1)
    found = "No beat was found" if found_bpm is None else f"{found_bpm:.1f} BPM found"
    return _figure(
        "tempo_error",
        error,
        "",
        Sense.AT_MOST,
        reach,
        found=f"{found}, {planned_bpm:.1f} BPM planned.",
        advice="The music is not what was planned: make it again, or choose another engine for it.",
        digits=4,
    )


def on_grid(heard: Timing, reach: float) -> Figure:
    """Share of what is struck that is heard within 20 ms of where the score has it."""
    found = f"{heard.on_grid} of {heard.struck} struck notes within 20 ms"
    if heard.median is not None:
        found += f", {heard.median * 1000:.0f} ms off in the middle; the loosest: {heard.loosest}"
    return _figure(
        "onsets_on_grid",
        heard.share,
        "",
        Sense.AT_LEAST,
        reach,
        found=f"{found}.",
        advice="Make the music again, or give the artist instruments with a plainer attack.",
        digits=4,
    )


def loudness(heard: MasterHeard, reach: float) -> Figure:
    """Integrated loudness minus -14 LUFS."""
    measured = heard.loudness
    return _figure(
        "loudness_error_lu",
        None if measured is None else measured - TARGET_LUFS,
        "LU",
        Sense.WITHIN,
        reach,
        found="The master is silent." if measured is None else f"{measured:.2f} LUFS measured.",
        advice="Master the song again.",
        digits=2,
    )


def true_peak(heard: MasterHeard, reach: float) -> Figure:
    """The highest peak between samples."""
    peak = heard.true_peak
    return _figure(
        "true_peak_dbtp",
        peak,
        "dBTP",
        Sense.AT_MOST,
        reach,
        found="The master is silent." if peak is None else f"Highest peak {peak:.2f} dBTP.",
        advice="Master the song again.",
        digits=2,
    )


def silence(heard: MasterHeard) -> Figure:
    """The longest silence between the first sound and the last."""
    return _figure(
        "longest_silence_ms",
        heard.silence * 1000,
        "ms",
        Sense.AT_MOST,
        _LONGEST_SILENCE_MS,
        found=f"Silent for {heard.silence:.1f} s at {heard.silent_at:.1f} s." if heard.silence else "Never silent.",
        advice="A stem is missing there: make the music again.",
    )


def clipping(heard: MasterHeard) -> Figure:
    """Samples at full scale."""
    return _figure(
        "clipped_samples",
        heard.clipped,
        "samples",
        Sense.AT_MOST,
        0,
        found=f"{heard.clipped} samples at full scale.",
        advice="Master the song again.",
    )


def duration(seconds: float, planned: float) -> Figure:
    """By how much the song is shorter than planned, or longer than planned with the ring of its last notes."""
    error = max(planned - seconds, seconds - planned - _TAIL_SECONDS, 0.0)
    return _figure(
        "duration_error_ms",
        error * 1000,
        "ms",
        Sense.AT_MOST,
        _DURATION_REACH_MS,
        found=f"{seconds:.2f} s, planned {planned:.2f} s and up to {_TAIL_SECONDS:.0f} s of ring.",
        advice="The music was cut short or runs on: make it again.",
    )


def videos(seconds: float, lengths: Sequence[float]) -> Figure:
    """The largest difference in length of a video to the master."""
    return _figure(
        "video_duration_error_ms",
        max(abs(length - seconds) for length in lengths) * 1000,
        "ms",
        Sense.AT_MOST,
        _VIDEO_REACH_MS,
        found=f"Master {seconds:.2f} s; videos {', '.join(f'{length:.2f} s' for length in lengths)}.",
        advice="Draw the video again.",
    )


def cuts(distances: Sequence[tuple[float, int]]) -> Figure:
    """The largest distance of a cut to a beat. ``distances`` are frames, and the frame of the cut."""
    worst, at = max(distances, default=(0.0, 0))
    return _figure(
        "cut_error_frames",
        worst,
        "frames",
        Sense.AT_MOST,
        _CUT_REACH_FRAMES,
        found=f"{len(distances)} cuts; the furthest off, by {worst:.2f} frames, is at frame {at}.",
        advice="Draw the video again.",
        digits=2,
    )
