"""Starts the parts in order, restarts what dies, reports what keeps dying, and stops all in reverse. One thread and no
client library: it idles next to nothing in memory."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby

from deploy.local.parts import Part
from deploy.local.process import Child, bound, tail
from deploy.local.state import StateDirectory
from models.errors import StudioError

POLL = 0.03
"""Seconds between looks at a part that is starting."""

READY_WITHIN = 120.0
"""Seconds a stage may take to get ready."""

FIRST_DELAY, LONGEST_DELAY = 0.25, 30.0
"""Seconds before a restart: doubled with each death in a row."""

HEALTHY_AFTER = 60.0
"""Seconds a part has to stay up for its earlier deaths to be forgotten."""

CRASH_LOOP = 4
"""Deaths in a row from which a part is reported as crash-looping. It is still tried."""

STARTING_DEATHS = 3
"""Deaths during the studio's own start after which the start has failed."""

HOUSEKEEPING = 5.0
"""Seconds between looks at the sizes of logs."""


class State(StrEnum):
    """What a part is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    DEAD = "dead"
    CRASH_LOOP = "crash loop"
    STOPPED = "stopped"


class PartFailed(StudioError):
    """A part did not start. The message carries the end of its log."""

    code = "studio.part_failed"
    action = "Mend what the log names, then run 'make up' again."


@dataclass
class Report:
    """What ``status`` shows of a part."""

    name: str
    state: State = State.WAITING
    pid: int = 0
    restarts: int = 0
    address: str = ""
    note: str = ""


@dataclass
class _Running:
    """A part, its process, and how often it died lately."""

    part: Part
    child: Child
    report: Report
    deaths: int = 0
    started: float = 0.0
    due: float | None = None
    """When it is to be started again (monotonic)."""

    def start(self) -> None:
        for leftover in self.part.leftovers:
            leftover.unlink(missing_ok=True)
        self.child.start()
        self.started = time.monotonic()
        self.due = None
        self.report.pid = self.child.pid
        self.report.state = State.STARTING

    def forget(self) -> None:
        self.child.sweep()
        for leftover in self.part.leftovers:
            leftover.unlink(missing_ok=True)
        self.report.pid = 0


class Supervisor:
    """Runs ``parts`` until told to stop. Not thread-safe; call it from the main thread.

    ``changed``, which may be set, is called whenever a report changed.
    """

    def __init__(self, state: StateDirectory, parts: Sequence[Part]) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._running = {
            part.name: _Running(
                part,
                Child(part.argv, part.env, part.cwd, state.logs / f"{part.name}.log", part.user),
                Report(part.name, address=part.address),
            )
            for part in sorted(parts, key=lambda part: part.stage)
        }

    @property
    def reports(self) -> list[Report]:
        """One for each part, in the order they start."""
        return [running.report for running in self._running.values()]

    def start(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start stage by stage, and return when every part is ready or ``interrupted`` says so.

        Raises PartFailed when one is not in time, keeps dying, or ends with a failure where it has to succeed.
        """
        for stage in self._stages():
            for running in stage:
                running.start()
            self.changed()
            deadline = time.monotonic() + READY_WITHIN
            while not all(running.report.state in (State.READY, State.DONE) for running in stage):
                if interrupted():
                    return
                self.look_after()
                self._give_up_on(stage, late=time.monotonic() > deadline)
                time.sleep(POLL)

    def look_after(self) -> float:
        """Notice deaths, restart what is due, recognise readiness. Returns the seconds until the next look."""
        now = time.monotonic()
        next_look = HOUSEKEEPING
        for running in self._running.values():
            before = asdict(running.report)
            state = running.report.state
            if state in (State.STARTING, State.READY):
                self._watch(running, now)
            elif running.due is not None and now >= running.due:
                running.start()
                running.report.restarts += 1
            if running.report.state is State.STARTING:
                next_look = min(next_look, POLL)
            elif running.due is not None:
                next_look = min(next_look, max(POLL, running.due - now))
            bound(running.child.log)
            if asdict(running.report) != before:
                self.changed()
        return next_look

    def stop(self) -> None:
        """Stop all, last stage first: the part's own signal, then SIGKILL for the group when its grace is over."""
        for stage in reversed(list(self._stages())):
            alive = [running for running in stage if running.child.running]
            for running in alive:
                running.child.send(running.part.stop)
            asked = time.monotonic()
            for running in alive:
                if not running.child.wait(asked + running.part.grace - time.monotonic()):
                    running.child.kill()
                    running.report.note = f"killed: did not stop within {running.part.grace:.0f} s"
            for running in stage:
                running.forget()
                running.due = None
                running.report.state = State.STOPPED
            self.changed()

    def kill(self, name: str) -> None:
        """SIGKILL one part and what it started. ``look_after`` would restart it; without that it stays down."""
        running = self._running[name]
        running.child.kill()
        running.forget()
        running.report.state = State.DEAD

    def send(self, name: str, number: signal.Signals) -> None:
        """Signal one part."""
        self._running[name].child.send(number)

    def restart(self, name: str) -> None:
        """Start one part again, dead or alive, and return when it is ready. Raises PartFailed as ``start`` does."""
        running = self._running[name]
        if running.child.running:
            self.kill(name)
        running.deaths = 0
        running.start()
        deadline = time.monotonic() + READY_WITHIN
        while running.report.state is not State.READY:
            self.look_after()
            self._give_up_on([running], late=time.monotonic() > deadline)
            time.sleep(POLL)

    def pid(self, name: str) -> int:
        """The process id of one part."""
        return self._running[name].child.pid

    def _stages(self) -> Iterator[list[_Running]]:
        return (list(stage) for _, stage in groupby(self._running.values(), key=lambda running: running.part.stage))

    def _watch(self, running: _Running, now: float) -> None:
        code = running.child.exit_code()
        report = running.report
        if code is not None:
            self._ended(running, code, now)
        elif report.state is State.STARTING and not running.part.once and running.part.ready(running.child.pid):
            report.state = State.READY
        elif running.deaths and now - running.started > HEALTHY_AFTER:
            running.deaths = 0
            report.note = ""

    def _ended(self, running: _Running, code: int, now: float) -> None:
        running.forget()
        report = running.report
        if running.part.once and code == 0:
            report.state = State.DONE
            return
        report.note = f"ended with {_exit_name(code)}"
        if running.part.once:
            report.state = State.DEAD
            return
        running.deaths += 1
        running.due = now + min(LONGEST_DELAY, FIRST_DELAY * 2 ** (running.deaths - 1))
        report.state = State.CRASH_LOOP if running.deaths >= CRASH_LOOP else State.DEAD
        if running.deaths >= CRASH_LOOP:
            report.note += f" {running.deaths} times in a row; see {running.child.log.name}"

    def _give_up_on(self, stage: Sequence[_Running], *, late: bool) -> None:
        for running in stage:
            report, part = running.report, running.part
            failed = report.state in (State.DEAD, State.CRASH_LOOP) and (part.once or running.deaths >= STARTING_DEATHS)
            unready = late and report.state not in (State.READY, State.DONE)
            if failed or unready:
                why = report.note if failed else f"was not ready within {READY_WITHIN:.0f} s"
                log = running.child.log
                raise PartFailed(f"{part.name} {why}. The end of {log}:\n{tail(log)}", field=part.name)


def _exit_name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
