"""A voice learnt from samples: one stage on its engine's lane, and a record of how it ended. Its id is
``voice/<tenant>/<voice>``; saving the voice again replaces a run that is under way."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.records.stage import RecordActivities
from activities.speech.stage import SpeechActivities
from activities.support.errors import from_failure
from models.errors import Conflict
from models.stages import EnrolRequest
from models.upkeep import VoiceOutcome, VoiceToEnrol
from workflows import policies


@workflow.defn
class EnrolmentWorkflow:
    """One enrolment."""

    @workflow.run
    async def run(self, voice: VoiceToEnrol) -> VoiceOutcome:
        """Learn the voice; a failure is recorded for a person, who mends it and saves the voice again."""
        request = EnrolRequest(work_id="enrolment", engine=voice.engine, samples=voice.samples)
        common = {"tenant": voice.tenant, "voice": voice.voice, "samples": voice.samples}
        try:
            result = await workflow.execute_activity_method(
                SpeechActivities.enrol,
                request,
                **policies.stage(voice.engine, voice.tenant, f"Learn the voice {voice.voice}"),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                # Left alone, the voice would be waited for by everybody and learnt by nobody.
                stopped = Conflict(
                    "learning this voice was stopped", code="voice.stopped", action="Save the voice again to learn it."
                )
                await self._settle(VoiceOutcome(**common, failure=stopped.details()))
                raise
            return await self._settle(VoiceOutcome(**common, failure=from_failure(error)))
        return await self._settle(VoiceOutcome(**common, latents=result.latents))

    async def _settle(self, outcome: VoiceOutcome) -> VoiceOutcome:
        await workflow.execute_activity_method(
            RecordActivities.settle_voice, outcome, **policies.upkeep(f"Record the voice {outcome.voice}")
        )
        return outcome
