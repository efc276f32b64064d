"""A measured figure as the bench prints and writes it."""

from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True)
class Row:
    """``sense`` is ``<=``, ``>=``, ``+-`` (absolute value), or empty for a figure without a promise."""

    name: str
    value: float | None
    unit: str
    sense: str
    reach: float | None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; None without one."""
        if self.reach is None:
            return None
        if self.value is None:
            return False
        if self.sense == "<=":
            return self.value <= self.reach
        return self.value >= self.reach if self.sense == ">=" else abs(self.value) <= self.reach

    def line(self) -> str:
        """One line of the table."""
        mark = {True: "ok ", False: "LOW", None: "   "}[self.holds]
        value = "-" if self.value is None else f"{self.value:.3f}"
        reach = f"{self.sense} {self.reach:g}" if self.reach is not None else ""
        return f"{mark} {self.name:<28}{value:>10} {self.unit:<6}{reach:<10} {self.note}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """The row as ``bench.json`` has it."""
        reach = None if self.reach is None else f"{self.sense} {self.reach:g}"
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "reach": reach,
            "holds": self.holds,
            "note": self.note,
        }


def from_figures(figures: list[dict[str, Any]]) -> list[Row]:
    """Quality figures of a render as rows."""
    return [Row(f["name"], f["value"], f["unit"], f["sense"], f["reach"], f["note"][:80]) for f in figures]


def table(rows: list[Row]) -> str:
    """All rows."""
    return "\n".join(row.line() for row in rows)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and all its children, ended ones included."""
    process = psutil.Process(pid)
    mine = process.cpu_times()
    total = mine.user + mine.system + mine.children_user + mine.children_system
    return total + sum(_own(child) for child in process.children(recursive=True))


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
