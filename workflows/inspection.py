"""An upload decoded: one stage on the cpu lane, however long that takes to be served, and a record of how it ended. Its
id is ``asset/<tenant>/<asset>``."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.inspection.stage import InspectionActivities
from activities.records.stage import RecordActivities
from activities.support.errors import from_failure
from models.errors import Audience
from models.lanes import Priority
from models.stages import InspectRequest
from models.upkeep import AssetOutcome, AssetToInspect
from workflows import policies


@workflow.defn
class InspectionWorkflow:
    """One inspection."""

    @workflow.run
    async def run(self, asset: AssetToInspect) -> AssetOutcome:
        """Decode the upload and settle it. Fails without a verdict for what only an operator can mend: it is then no
        fault of the file, which stays unchecked until it is asked for again."""
        request = InspectRequest(
            work_id="inspection", engine=asset.engine, file=asset.file, longest_ms=asset.longest_ms
        )
        common = {"tenant": asset.tenant, "asset": asset.asset}
        try:
            result = await workflow.execute_activity_method(
                InspectionActivities.inspect,
                request,
                # Whoever uploaded it waits for the answer.
                **policies.stage(
                    asset.engine, asset.tenant, f"Decode the upload {asset.asset}", Priority.SOMEONE_WAITS
                ),
            )
            outcome = AssetOutcome(**common, findings=result.findings)
        except ActivityError as error:
            failure = from_failure(error)
            if is_cancelled_exception(error) or failure.audience is not Audience.REQUESTER:
                raise
            outcome = AssetOutcome(**common, failure=failure)
        await workflow.execute_activity_method(
            RecordActivities.settle_asset, outcome, **policies.upkeep(f"Record the upload {asset.asset}")
        )
        return outcome
