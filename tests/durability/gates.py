"""Gates between a test and the workers it kills: a test closes one, a worker that comes to it says so and waits there.
They are files, so that they outlast both."""

import time
from collections.abc import Iterable
from pathlib import Path

POLL_SECONDS = 0.02


class Gates:
    """The gates in ``folder``, by name. Open until closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def close(self, names: Iterable[str]) -> None:
        """Whoever comes to one of them waits."""
        for name in names:
            self._file(name, "closed").touch()

    def open(self, names: Iterable[str]) -> None:
        """Let everybody through."""
        for name in names:
            self._file(name, "closed").unlink()
            self._file(name, "held").unlink(missing_ok=True)

    def held(self, name: str) -> bool:
        """Whether a worker waits, or was killed as it waited, at this gate."""
        return self._file(name, "held").exists()

    def is_closed(self, name: str) -> bool:
        """What a worker asks as long as it waits."""
        return self._file(name, "closed").exists()

    def arrive(self, name: str) -> None:
        """A worker has come to a closed gate."""
        self._file(name, "held").touch()

    def wait(self, name: str) -> None:
        """In a worker's thread: go through, once the gate is open."""
        if self.is_closed(name):
            self.arrive(name)
            while self.is_closed(name):
                time.sleep(POLL_SECONDS)

    def _file(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"
