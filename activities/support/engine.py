"""What every engine shares: its identity and how it reports progress. Engines work on local files and know nothing of
Temporal, the object store or the database."""

from typing import Protocol

from models.plan import EngineRef


class Progress(Protocol):
    """Called by an engine after each finished unit of work (a phrase, a batch of frames).

    Raises whatever the caller uses to stop work (cancellation, shutdown): engines let it through and clean up.
    """

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` units are finished."""
        ...


class Engine(Protocol):
    """An engine names itself. ``ref.weights`` is the sha256 over the weights it would load."""

    @property
    def ref(self) -> EngineRef:
        """The engine's pinned identity."""
        ...


def no_progress(done: int, total: int) -> None:
    """For callers that need no reports."""
