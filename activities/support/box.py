"""Rectangles of a picture, in whole pixels: one kind for every engine that draws or looks. Workflows know it too, for
what a picture is made of depends on where it stands, so nothing heavy is imported."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Sliced(Protocol):
    """What can be cut: an array of rows and columns."""

    def __getitem__(self, key: Any, /) -> Any:
        """A part of it."""
        ...


Array = TypeVar("Array", bound=Sliced)


@dataclass(frozen=True)
class Box:
    """A rectangle; ``right`` and ``bottom`` are the first column and row outside of it."""

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def between(cls, left: int, top: int, right: int, bottom: int) -> "Box":
        """The box of these edges."""
        return cls(left, top, right - left, bottom - top)

    @property
    def right(self) -> int:
        """First column to the right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    @property
    def rows(self) -> slice:
        """Its rows of a picture."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Its columns of a picture."""
        return slice(self.left, self.right)

    def cut(self, picture: Array) -> Array:
        """The part of ``picture`` inside the box: a view."""
        part: Array = picture[self.rows, self.columns]
        return part

    def overlap(self, other: "Box") -> float:
        """Shared area over the smaller of the two areas."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        smaller = min(self.width * self.height, other.width * other.height)
        return max(across, 0) * max(down, 0) / max(smaller, 1)

    def grown(self, share: float, width: int, height: int) -> "Box":
        """Larger by ``share`` of its size on each side, clipped to a picture of ``width`` by ``height``."""
        across, down = round(self.width * share), round(self.height * share)
        return Box.between(
            max(self.left - across, 0),
            max(self.top - down, 0),
            min(self.right + across, width),
            min(self.bottom + down, height),
        )
