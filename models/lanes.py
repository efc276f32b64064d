"""Lane names: the task queues that workflows, plans and workers share, and the priorities on them."""

from enum import IntEnum, StrEnum


class Lane(StrEnum):
    """A task queue. The value is the queue's name on the server."""

    STUDIO = "studio"
    """Workflows only; imports no engine."""
    CPU = "cpu"
    GPU = "gpu"
    """One activity at a time per device."""
    IO = "io"
    """Database, object store, Telegram, providers."""
    KNOWLEDGE = "knowledge"
    """What the house remembers; one process alone where the memory is files."""


class Priority(IntEnum):
    """Temporal task priority: lower runs first."""

    SOMEONE_WAITS = 1
    NORMAL = 3
    NIGHTLY = 5
