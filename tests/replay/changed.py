"""A render that does one thing in another order: the kind of edit that must not pass unseen."""

from datetime import timedelta

from temporalio import workflow

from models.render import RenderRequest, RenderResult
from models.upkeep import LaneQuery


@workflow.defn(name="RenderWorkflow")
class ChangedWorkflow:
    """Asks for its lanes before anything else."""

    @workflow.run
    async def run(self, request: RenderRequest) -> RenderResult:
        await workflow.execute_activity(
            "records.idle_lanes", LaneQuery(lanes=request.plan.lanes()), start_to_close_timeout=timedelta(minutes=1)
        )
        raise AssertionError("replay fails before this")
