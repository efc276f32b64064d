"""A recorded history harms nobody by its faults alone, and a ledger that is not one says where."""

from pathlib import Path

import pytest

from deploy.backtest.__main__ import main
from deploy.backtest.ledger import generated, read_ledger
from deploy.backtest.lives import lived
from models.errors import InvalidInput, UnknownReference
from models.lifecycle import LifePolicy, LifeState

HEADER = "artist,recorded_at,outcome\n"


def ledger(folder: Path, *outcomes: str, artist: str = "a") -> Path:
    rows = [f"{artist},2025-05-{day:02d}T10:00:00,{outcome}" for day, outcome in enumerate(outcomes, start=1)]
    file = folder / "run_ledger.csv"
    file.write_text(HEADER + "\n".join(rows) + "\n")
    return file


def test_a_ledger_of_the_recorded_shape_harms_nobody() -> None:
    entries = generated()
    fates = lived(entries, LifePolicy())
    assert len(fates) == 337
    assert sum(fate.faults for fate in fates) > 0.9 * len(entries)
    assert not any(fate.harmed_by_faults for fate in fates)
    assert {fate.state for fate in fates if fate.decisions == 0} == {LifeState.CANDIDATE}


def test_decisions_still_count_among_faults(tmp_path: Path) -> None:
    outcomes = ["rejected", "generation_failed_track", "failed_to_send"] * 5
    (fate,) = lived(read_ledger(ledger(tmp_path, *outcomes)), LifePolicy())
    assert (fate.state, fate.decisions, fate.faults) == (LifeState.RETIRED, 5, 10)
    assert not fate.harmed_by_faults


def test_it_prints_a_line_a_state_beside_what_the_original_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ledger(tmp_path, *["failed_to_send"] * 20)
    (tmp_path / "run_fates.csv").write_text("artist,final_state\na,Paused\n")
    assert main(["--ledger", str(file)]) == 0
    lines = {line.split("  ")[0]: line.split()[-2:] for line in capsys.readouterr().out.splitlines() if "  " in line}
    assert lines["candidate"] == ["1", "0"]
    assert lines["paused"] == ["0", "1"]
    assert lines["harmed by faults alone"] == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("artist,outcome\n", 1),
        (HEADER, 2),
        (HEADER + "a,2025-05-02T10:00:00,approved\nb,yesterday,approved\n", 3),
        (HEADER + "a,2025-05-02T10:00:00,exploded\n", 2),
        (HEADER + "a,2025-05-02T10:00:00\n", 2),
        (HEADER + "a,2025-05-02T10:00:00,approved,more\n", 2),
    ],
)
def test_a_malformed_ledger_names_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: int
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_ledger(file)
    assert f"line {line}:" in refused.value.message
    assert main(["--ledger", str(file)]) == 2
    assert "ledger.malformed" in capsys.readouterr().err


def test_a_ledger_that_was_named_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(UnknownReference):
        read_ledger(tmp_path / "absent.csv")
    assert main(["--ledger", str(tmp_path / "absent.csv")]) == 2
