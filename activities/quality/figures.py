"""Measures become figures: the value against its threshold, and a note in a reviewer's words. The note of a figure that
does not hold ends with what to do about it."""

from collections.abc import Sequence

from activities.quality.base import CaptionTiming, Hearing, WordErrors
from activities.quality.film import Lengths
from activities.quality.lips import Following
from activities.quality.pictures import Pictures
from models.quality import Figure, Sense

_NOTE = 300
_NO_SOUND = "The finished file has no sound."


def _figure(
    name: str, value: float | None, unit: str, sense: Sense, reach: float, *, found: str, advice: str, digits: int = 0
) -> Figure:
    """``found`` alone where the figure holds; else it is cut so that ``advice`` fits behind it."""
    rounded = None if value is None else round(value, digits)
    figure = Figure(name=name, value=rounded, unit=unit, sense=sense, reach=reach)
    if not figure.holds:
        found = f"{_cut(found, _NOTE - len(advice) - 1)} {advice}".strip()
    return figure.model_copy(update={"note": _cut(found, _NOTE)})


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"


def word_error_rate(errors: WordErrors | None, reach: float) -> Figure:
    """Share of the script's words that were not heard as written."""
    if errors is None:
        found = _NO_SOUND
    elif errors.misheard:
        found = f"{errors.errors} of {errors.words} words misheard: {'; '.join(errors.misheard)}."
    else:
        found = f"All {errors.words} words heard as written."
    advice = "Listen there; give names a pronunciation or reword the sentence, then render it again."
    rate = errors.rate if errors else None
    return _figure("word_error_rate", rate, "", Sense.AT_MOST, reach, found=found, advice=advice, digits=4)


def loudness(hearing: Hearing | None, target: float, reach: float) -> Figure:
    """Integrated loudness minus its target."""
    measured = hearing.loudness if hearing else None
    found = _NO_SOUND if hearing is None else "The sound is silent throughout."
    if measured is not None:
        found = f"{measured:.1f} LUFS measured, {target:.1f} LUFS asked for."
    return _figure(
        "loudness_error_lu",
        None if measured is None else measured - target,
        "LU",
        Sense.WITHIN,
        reach,
        found=found,
        advice="Render again with a loudness target nearer to it or a quieter music bed.",
        digits=2,
    )


def true_peak(hearing: Hearing | None, reach: float) -> Figure:
    """The highest peak between samples."""
    peak = hearing.true_peak if hearing else None
    return _figure(
        "true_peak_dbtp",
        peak,
        "dBTP",
        Sense.AT_MOST,
        reach,
        found=_NO_SOUND if peak is None else f"Highest peak {peak:.1f} dBTP after decoding.",
        advice="Set a lower loudness target or true-peak ceiling in the layout and render again.",
        digits=2,
    )


def caption_error(timing: CaptionTiming | None, reach: float) -> Figure:
    """Median distance between a caption word's start and the spoken word's."""
    if timing is None:
        found = _NO_SOUND
    elif timing.shifts:
        side = "after" if timing.tendency > 0 else "before"
        found = (
            f"{len(timing.shifts)} words compared: captions come {abs(timing.tendency) * 1000:.0f} ms {side} them; "
            f"furthest off, by {abs(timing.worst[0]) * 1000:.0f} ms, is “{timing.worst[1]}”."
        )
    else:
        found = "No word could be compared."
    if timing and timing.unaligned:
        found += f" {timing.unaligned} words could not be aligned."
    error = timing.error if timing else None
    return _figure(
        "caption_error_ms",
        None if error is None else error * 1000,
        "ms",
        Sense.AT_MOST,
        reach,
        found=found,
        advice="Check that the sound speaks the script; choose another aligner in the plan and render again.",
    )


def face_tracked(tracked: int, frames: int, absent: Sequence[int], faceless: Sequence[int], reach: float) -> Figure:
    """Share of the film's spoken frames in which a face was followed. ``absent``: numbers of segments whose frames the
    finished file does not hold, so that nothing is known of it; ``faceless``: those with frames without a face."""
    found = f"A face in {tracked} of {frames} frames."
    advice = "Choose a look or photo with the whole face free, or move what covers it, and render again."
    if absent:
        found = f"The finished file does not hold the measured frames of {_numbers(absent)} in their place."
        advice = (
            "The lip figures leave them out and this one cannot hold: render again so that the film is joined anew."
        )
    elif faceless:
        found += f" Missing in {_numbers(faceless)}."
    share = None if absent else tracked / frames
    return _figure("face_tracked", share, "", Sense.AT_LEAST, reach, found=found, advice=advice, digits=4)


def _numbers(segments: Sequence[int]) -> str:
    """Sentences as a person counts them, from one."""
    shown = ", ".join(str(segment + 1) for segment in segments[:8])
    return f"sentence{'s' if len(segments) > 1 else ''} {shown}{' and more' if len(segments) > 8 else ''}"


def lip_correlation(mouth: Following, reach: float) -> Figure:
    """Pearson correlation of measured and planned mouth opening, in step."""
    found = "The mouth does not move, or too few frames show it."
    if mouth.correlation is not None and mouth.lag is not None:
        found = f"Mouth opening follows the plan at r = {mouth.correlation:.2f}"
        found += f"; {mouth.correlation_at_lag:.2f} at a lag of {mouth.lag} frames." if mouth.lag else "."
    return _figure(
        "lip_correlation",
        mouth.correlation,
        "r",
        Sense.AT_LEAST,
        reach,
        found=found,
        advice="Watch the mouth; use a larger or more frontal face (look, photo or layout) and render again.",
        digits=3,
    )


def lip_lag(mouth: Following, reach: float) -> Figure:
    """Frames by which the mouth comes after its plan."""
    return _figure(
        "lip_lag_frames",
        mouth.lag,
        "frames",
        Sense.WITHIN,
        reach,
        found="No lag can be measured." if mouth.lag is None else f"The mouth is {_lag(mouth.lag)}.",
        advice="Sound and lips are out of step: render again; if it stays, report the render to the operator.",
    )


def _lag(frames: int) -> str:
    if not frames:
        return "in step"
    return f"{abs(frames)} frame{'s' if abs(frames) > 1 else ''} {'late' if frames > 0 else 'early'}"


def black(pictures: Pictures, reach: float) -> Figure:
    """Black pictures in the spoken part, all together."""
    found = f"{pictures.black * 1000:.0f} ms black, first at {pictures.black_at:.1f} s."
    return _figure(
        "black_ms",
        pictures.black * 1000,
        "ms",
        Sense.AT_MOST,
        reach,
        found=found if pictures.black else "No black picture.",
        advice="Look at the background there (a video or slide may end in black), replace it and render again.",
    )


def frozen(pictures: Pictures, reach: float) -> Figure:
    """The longest time the whole picture stands still in the spoken part."""
    found = f"Still for at most {pictures.frozen * 1000:.0f} ms, at {pictures.frozen_at:.1f} s."
    return _figure(
        "frozen_ms",
        pictures.frozen * 1000,
        "ms",
        Sense.AT_MOST,
        reach,
        found=found if pictures.frozen else "The picture never stands still.",
        advice="Render the sentence there again; with an uploaded video, check that it does not stop.",
    )


def duration(found: Lengths, planned: float, reach: float) -> Figure:
    """The largest of: the file against the plan, and its sound against its picture."""
    errors = {"file against plan": found.container - planned}
    note = f"{found.container:.2f} s, planned {planned:.2f} s"
    if found.sound is None or found.picture is None:
        note += "; it lacks a stream"
        worst = None
    else:
        errors["sound against picture"] = found.sound - found.picture
        note += f"; sound {found.sound:.2f} s, picture {found.picture:.2f} s"
        worst = max(map(abs, errors.values())) * 1000
    return _figure(
        "duration_error_ms",
        worst,
        "ms",
        Sense.AT_MOST,
        reach,
        found=f"{note}.",
        advice="The film was cut short or padded: render again; if it stays, report it to the operator.",
    )
