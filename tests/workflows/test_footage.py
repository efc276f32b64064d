"""Where the plan has libraries of footage, videos are cut from it and its people are named; where none can help,
pictures are generated and the track says so."""

from models.approval import ApprovalPolicy
from models.engines import resolve_track_plan
from models.errors import EngineUnavailable, ProviderFault, StorageFull
from models.render import Resume
from models.track import TrackState
from tests.workflows.test_track import Room
from tests.workflows.test_track import room as room
from workflows.track import TrackWorkflow

PLAN = resolve_track_plan({}, footage=("pexels", "pixabay"))
ALONE = ApprovalPolicy(required=False)


async def test_videos_are_cut_from_footage_and_its_people_are_named(room: Room) -> None:
    handle = await room.start(plan=PLAN, approval=ALONE)
    assert (await handle.result()).state is TrackState.RELEASED
    assert all(len(plates) == 1 for plates in room.label.plates.values()) and len(room.label.plates) == 2
    owed = [credit for credit in room.label.made_by if credit.role == "footage"]
    assert {credit.page for credit in owed} == {"https://example.org/16:9", "https://example.org/9:16"}
    assert {(credit.engine, credit.licence) for credit in owed} == {("Ana Lopes", "Free Licence")}
    assert (await handle.query(TrackWorkflow.progress)).fell_back == ()


async def test_another_library_is_asked_where_one_fails(room: Room) -> None:
    room.label.failing["footage by pexels"] = EngineUnavailable("Pexels needs a key.")
    handle = await room.start(plan=PLAN, approval=ALONE)
    assert (await handle.result()).state is TrackState.RELEASED
    told = (await handle.query(TrackWorkflow.progress)).fell_back
    assert sorted(told) == [
        "footage 16:9: pixabay instead of pexels (Pexels needs a key.)",
        "footage 9:16: pixabay instead of pexels (Pexels needs a key.)",
    ]


async def test_pictures_are_generated_where_every_library_fails_and_the_track_says_so(room: Room) -> None:
    room.label.failing["footage"] = ProviderFault("it answered with status 500", code="provider.status")
    handle = await room.start(plan=PLAN, approval=ALONE)
    assert (await handle.result()).state is TrackState.RELEASED
    assert set(room.label.plates.values()) == {()}
    told = (await handle.query(TrackWorkflow.progress)).fell_back
    assert len(told) == 2
    assert all("pictures by visuals instead of pexels" in one and "status 500" in one for one in told)
    assert not [credit for credit in room.label.made_by if credit.role == "footage"]


async def test_what_ails_the_studio_and_no_library_waits_for_a_person(room: Room) -> None:
    room.label.failing["footage"] = StorageFull("the disk is full")
    handle = await room.start(plan=PLAN, approval=ALONE)
    now = await room.until(handle, lambda now: now.state is TrackState.BLOCKED)
    assert {failure.step for failure in now.failures} == {"footage"}
    room.label.failing.clear()
    await handle.execute_update(TrackWorkflow.resume, Resume(resume_id="mended", who="priya"))
    assert (await handle.result()).state is TrackState.RELEASED
    assert set(room.label.plates) == {"16:9", "9:16"}
