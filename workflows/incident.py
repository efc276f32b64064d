"""An incident: people are told once, however long the messenger is away, and told when it is over. Apart from artists
and tracks, whom no messenger can hold up."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.incidents.stage import IncidentActivities
from models.incidents import OpenIncident
from workflows import policies


@workflow.defn
class IncidentWorkflow:
    """One incident. Its id is ``incident/<tenant>/<incident_id>``."""

    @workflow.init
    def __init__(self, incident: OpenIncident) -> None:  # noqa: ARG002
        self._over = False

    @workflow.run
    async def run(self, incident: OpenIncident) -> None:
        """Until it is over. What nobody could be told of by then is told to nobody."""
        telling = asyncio.create_task(self._tell(incident))
        await workflow.wait_condition(lambda: self._over)
        telling.cancel()
        await telling
        # A day is tried: what then still stands in a chat is out of date, and /incidents tells how it is.
        config = policies.message("Say that it is over", give_up_after=policies.TAKE_BACK)
        try:
            await workflow.execute_activity_method(IncidentActivities.take_back, incident, **config)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("nobody could be told that the incident is over")

    async def _tell(self, incident: OpenIncident) -> None:
        try:
            await workflow.execute_activity_method(
                IncidentActivities.tell, incident, **policies.message(f"Tell reviewers of {incident.code}")
            )
        except ActivityError:
            # Over before anybody could be told, or refused for good: it is listed over REST either way.
            workflow.logger.info("not everybody was told of the incident")

    @workflow.signal
    def over(self) -> None:
        """It is."""
        self._over = True
