"""A score as MIDI files: one for each stem, so that each is rendered alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from mido import Message, MetaMessage, MidiFile, MidiTrack, bpm2tempo

from models.music import Note, Part

TICKS_PER_BEAT: Final = 960
_DRUM_CHANNEL: Final = 9
_VOLUME, _REVERB, _CHORUS = 7, 91, 93
"""Controllers of General MIDI."""
_OFF, _ON = 0, 1
"""In this order at the same tick, so that a repeated pitch is struck anew."""


def write_midi(
    part: Part,
    tempo_bpm: float,
    beats: float,
    reverb: int,
    chorus: int,
    count_in: float,
    early: Callable[[int], float],
    out: Path,
) -> None:
    """``part`` as a file that lasts ``beats`` after ``count_in`` silent ones. ``reverb`` and ``chorus`` are sends from
    0 to 127; a note of a pitch is written ``early`` beats before its place, its end as well."""
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    conductor = MidiTrack([MetaMessage("set_tempo", tempo=bpm2tempo(tempo_bpm), time=0)])
    conductor.append(MetaMessage("end_of_track", time=round((count_in + beats) * TICKS_PER_BEAT)))
    file.tracks.append(conductor)
    file.tracks.append(_track(part, count_in, beats, reverb, chorus, early))
    file.save(out)


def _track(
    part: Part, count_in: float, beats: float, reverb: int, chorus: int, early: Callable[[int], float]
) -> MidiTrack:
    channel = _DRUM_CHANNEL if part.drums else 0
    track = MidiTrack([Message("program_change", channel=channel, program=part.program, time=0)])
    for control, value in ((_VOLUME, 110), (_REVERB, reverb), (_CHORUS, chorus)):
        track.append(Message("control_change", channel=channel, control=control, value=value, time=0))
    now = 0
    for tick, kind, pitch, strength in sorted(
        event for note in part.notes for event in _events(note, count_in - early(note.pitch))
    ):
        name = "note_on" if kind == _ON else "note_off"
        track.append(Message(name, channel=channel, note=pitch, velocity=strength, time=tick - now))
        now = tick
    end = round((count_in + beats) * TICKS_PER_BEAT)
    # A last event, because a player may stop at the last note and cut its tail.
    track.append(Message("control_change", channel=channel, control=_VOLUME, value=110, time=max(0, end - now)))
    return track


def _events(note: Note, count_in: float) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    start, end = (round((count_in + beat) * TICKS_PER_BEAT) for beat in (note.start, note.start + note.beats))
    return (start, _ON, note.pitch, note.velocity), (max(start + 1, end), _OFF, note.pitch, 0)
