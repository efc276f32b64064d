"""Who writes and who performs is chosen by name; an engine that only speaks neither sings nor casts."""

import pytest

from models.engines import casting_engine, check_delivery, find_engine, resolve_track_plan
from models.errors import InvalidInput, UnknownReference
from models.identity import Delivery
from models.lanes import Lane
from models.plan import Capability


def test_the_order_of_writers_and_the_voice_are_the_ones_named() -> None:
    plan = resolve_track_plan({}, lyrics=("llm", "writer"), vocals="elevenlabs")
    assert [engine.name for engine in plan.lyrics] == ["llm", "writer"]
    assert (plan.vocals.name, plan.vocals.lane) == ("elevenlabs", Lane.IO)
    assert Lane.IO in plan.lanes()


def test_left_alone_everything_is_made_here() -> None:
    plan = resolve_track_plan({})
    assert ([engine.name for engine in plan.lyrics], plan.vocals.name) == (["writer"], "singer")


@pytest.mark.parametrize("choice", [{"lyrics": ("nobody",)}, {"vocals": "nobody"}])
def test_an_engine_that_does_not_exist_is_named_with_those_that_do(choice: dict[str, object]) -> None:
    with pytest.raises(UnknownReference, match="there are"):
        resolve_track_plan({}, **choice)  # type: ignore[arg-type]


def test_a_voice_is_cast_by_an_engine_that_casts() -> None:
    singer = find_engine(Capability.VOCALS, "singer").ref()
    assert casting_engine(resolve_track_plan({}, vocals="elevenlabs")) == singer
    assert casting_engine(resolve_track_plan({})) == singer


def test_an_engine_that_speaks_is_not_asked_to_sing() -> None:
    plan = resolve_track_plan({}, vocals="elevenlabs")
    check_delivery(plan, Delivery.SPOKEN)
    with pytest.raises(InvalidInput) as caught:
        check_delivery(plan, Delivery.SUNG)
    assert (caught.value.field, caught.value.code) == ("delivery", "vocals.speaks_only")
    for delivery in Delivery:
        check_delivery(resolve_track_plan({}), delivery)
