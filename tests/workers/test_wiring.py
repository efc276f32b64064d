"""Every engine of the catalogue can be built by its lane's worker, and is who the catalogue says it is."""

from pathlib import Path
from typing import Any

import pytest

from deploy.settings import load_settings
from models.engines import ENGINES, EngineSpec
from models.errors import EngineUnavailable
from models.lanes import Lane
from workers.wiring import build_engines, io_activities


@pytest.mark.parametrize("spec", ENGINES, ids=lambda spec: f"{spec.capability.value}-{spec.name}")
def test_an_engine_is_built_and_is_who_the_catalogue_says(
    spec: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_STATE_DIR", str(tmp_path))
    engine = build_engines(load_settings(env_file=None), spec.lane)[spec.capability][spec.name]
    try:
        ref = engine.ref
    except EngineUnavailable as error:
        # Its weights are the operator's, or the set-up's, and this state directory is empty: then it says which.
        assert error.field
        return
    assert (ref.capability, ref.name, ref.version, ref.lane) == (spec.capability, spec.name, spec.version, spec.lane)


def test_the_io_lane_serves_the_stages_of_every_hosted_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_STATE_DIR", str(tmp_path))
    settings = load_settings(env_file=None)
    absent: Any = None
    served = io_activities(settings, absent, absent, absent, build_engines(settings, Lane.IO))
    names = {str(getattr(one, "__temporal_activity_definition").name) for one in served}
    assert {spec.capability.value for spec in ENGINES if spec.lane is Lane.IO} <= {name.split(".")[0] for name in names}
