"""The alignment capability: audio and its text become word and phoneme times."""

from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.script import Utterance


class AlignmentEngine(Engine, Protocol):
    """Forced alignment."""

    def align(self, wav: Path, utterance: Utterance, known: Alignment | None, progress: Progress) -> Alignment:
        """Times of ``utterance`` in ``wav`` (any rate, mono or stereo). ``known`` is what the synthesiser reported.

        Raises EngineFailed when the audio does not fit the text, EngineUnavailable for an absent program or model.
        """
        ...
