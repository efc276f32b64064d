"""The supervisor: what dies is started again, what keeps dying is reported, and nothing outlives it."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.parts import Part, Stage
from deploy.local.process import OWNER_MARK, bound, left_behind, rotate
from deploy.local.state import StateDirectory
from deploy.local.supervisor import CRASH_LOOP, PartFailed, State, Supervisor

STAY = "import signal; signal.pause()"


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


@pytest.fixture
def supervise(state: StateDirectory) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def build(*parts: Part) -> Supervisor:
        made.append(Supervisor(state, parts))
        return made[-1]

    yield build
    for supervisor in made:
        supervisor.stop()
    assert left_behind(state.root) == []


def part(state: StateDirectory, name: str, code: str, stage: Stage = Stage.PROCESSES, **more: object) -> Part:
    environment = {OWNER_MARK: str(state.root), "PATH": "/usr/bin:/bin"}
    return Part(name, stage, (sys.executable, "-c", code), environment, **more)  # type: ignore[arg-type]


def until(supervisor: Supervisor, condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, supervisor.reports
        time.sleep(min(supervisor.look_after(), 0.05))


def test_what_dies_is_started_again(state: StateDirectory, supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(part(state, "worker", STAY))
    supervisor.start()
    first = supervisor.pid("worker")
    supervisor.send("worker", signal.SIGKILL)
    [report] = supervisor.reports
    until(supervisor, lambda: report.restarts == 1 and report.state is State.READY)
    assert supervisor.pid("worker") != first
    assert "SIGKILL" in report.note


def test_what_keeps_dying_is_reported_and_still_tried(
    state: StateDirectory, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(part(state, "worker", STAY))
    supervisor.start()
    [report] = supervisor.reports
    for deaths in range(1, CRASH_LOOP + 1):
        supervisor.send("worker", signal.SIGKILL)
        until(supervisor, lambda: report.state in (State.DEAD, State.CRASH_LOOP))
        assert (report.state is State.CRASH_LOOP) == (deaths >= CRASH_LOOP)
        if deaths < CRASH_LOOP:
            until(supervisor, lambda: report.state is State.READY)
    assert f"{CRASH_LOOP} times in a row" in report.note
    until(supervisor, lambda: report.state is State.READY)


def test_a_part_that_cannot_start_fails_the_start_with_the_end_of_its_log(
    state: StateDirectory, supervise: Callable[..., Supervisor]
) -> None:
    broken = part(state, "api", "raise SystemExit('the port is taken')", ready=lambda _: False)
    with pytest.raises(PartFailed, match=r"api ended with exit code 1[\s\S]*the port is taken"):
        supervise(broken).start()


def test_a_step_that_fails_stops_the_start_before_the_next_stage(
    state: StateDirectory, supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    migrations = part(state, "migrate", "raise SystemExit(3)", Stage.MIGRATIONS, once=True)
    after = part(state, "worker", f"open({str(trace)!r}, 'w').close(); {STAY}")
    with pytest.raises(PartFailed, match="migrate ended with exit code 3"):
        supervise(after, migrations).start()
    assert not trace.exists()


def test_stages_start_in_order(state: StateDirectory, supervise: Callable[..., Supervisor], tmp_path: Path) -> None:
    trace = tmp_path / "order"

    def tell(word: str) -> str:
        return f"open({str(trace)!r}, 'a').write({word!r})"

    supervisor = supervise(
        part(state, "api", f"{tell('3')}; {STAY}", ready=lambda _: "3" in trace.read_text()),
        part(state, "migrate", tell("2"), Stage.MIGRATIONS, once=True),
        part(state, "server", f"{tell('1')}; {STAY}", Stage.SERVERS, ready=lambda _: trace.exists()),
    )
    supervisor.start()
    assert trace.read_text() == "123"
    assert [report.state for report in supervisor.reports] == [State.READY, State.DONE, State.READY]


def test_a_part_that_ignores_the_signal_is_killed_with_everything_it_started(
    state: StateDirectory, supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"subprocess.Popen([sys.executable, '-c', {STAY!r}]);"
        f"open({str(tmp_path / 'up')!r}, 'w').close(); signal.pause()"
    )
    supervisor = supervise(
        part(state, "worker", stubborn, ready=lambda _: (tmp_path / "up").exists(), grace=0.2),
    )
    supervisor.start()
    assert len(left_behind(state.root)) == 2
    supervisor.stop()
    assert left_behind(state.root) == []
    assert "did not stop" in supervisor.reports[0].note


def test_logs_are_put_aside_at_each_start_and_only_the_last_few_stay(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    for number in range(6):
        rotate(log)
        log.write_text(str(number))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "part.log": "5",
        "part.log.1": "4",
        "part.log.2": "3",
        "part.log.3": "2",
    }


def test_the_log_of_a_running_process_is_bounded_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("a") as writer:
        writer.write("x" * 2_000)
        writer.flush()
        bound(log, limit=1_000)
        writer.write("goes on")
    assert log.read_text() == "goes on"
    assert (tmp_path / "part.log.1").stat().st_size == 2_000
