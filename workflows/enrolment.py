"""A voice learnt from samples: one stage on its engine's lane, and a record of how it ended. Its id is
``voice/<tenant>/<voice>``; saving the voice again replaces a run that is under way."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.records.stage import RecordActivities
from activities.speech.stage import SpeechActivities
from activities.support.errors import from_failure
from models.stages import EnrolRequest
from models.upkeep import VoiceOutcome, VoiceToEnrol
from workflows import policies


@workflow.defn
class EnrolmentWorkflow:
    """One enrolment."""

    @workflow.run
    async def run(self, voice: VoiceToEnrol) -> VoiceOutcome:
        """Learn the voice; a failure is recorded for a person, who mends it and saves the voice again."""
        request = EnrolRequest(render_id="enrolment", engine=voice.engine, samples=voice.samples)
        common = {"tenant": voice.tenant, "voice": voice.voice, "samples": voice.samples}
        try:
            result = await workflow.execute_activity_method(
                SpeechActivities.enrol,
                request,
                task_queue=voice.engine.lane.value,
                summary=f"Learn the voice {voice.voice}",
                start_to_close_timeout=timedelta(hours=2),
                heartbeat_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
            )
            outcome = VoiceOutcome(**common, latents=result.latents)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            outcome = VoiceOutcome(**common, failure=from_failure(error))
        await workflow.execute_activity_method(
            RecordActivities.settle_voice, outcome, **policies.upkeep(f"Record the voice {voice.voice}")
        )
        return outcome
