"""A small population lives under a skipped clock with the studio's own workflow, and is drawn."""

from pathlib import Path

from PIL import Image

from deploy.simulate.picture import causes, draw, states_at
from deploy.simulate.population import live
from models.artist import EventKind
from models.lifecycle import LEGAL, LifePolicy, LifeState


async def test_a_small_population_lives_moves_only_legally_and_is_drawn(tmp_path: Path) -> None:
    outcome = await live(artists=4, years=1.5, seed=3, policy=LifePolicy(), gap_days=14)
    assert len(outcome.memory.lives) == 4
    for name, events in outcome.memory.events.items():
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        moves = [event for event in events if event.kind is EventKind.MOVED]
        state = LifeState.CANDIDATE
        for event in moves:
            (target,) = states_at([event], [event.at])
            assert event.cause in LEGAL[state][target]
            state = target
        assert state is outcome.memory.lives[name].state
    assert outcome.reports > 15
    assert sum(causes(outcome).values()) == sum(
        event.kind is EventKind.MOVED for events in outcome.memory.events.values() for event in events
    )
    with Image.open(draw(outcome, "four artists", tmp_path / "simulation.png")) as picture:
        assert picture.size[0] > 1_200
        assert len(set(picture.convert("RGB").resize((64, 64)).getdata())) > 20
