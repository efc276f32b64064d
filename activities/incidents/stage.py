"""What an incident's workflow asks of the io lane: that reviewers are told, and told when it is over."""

from collections.abc import Coroutine, Iterable
from typing import Any

from temporalio import activity

from activities.incidents.base import Herald, IncidentRecords
from activities.support.stage import whole_call
from models.errors import ProviderFault
from models.incidents import OpenIncident


class IncidentActivities:
    """Tells people, over every herald that reaches them. Over REST incidents are listed without any."""

    def __init__(self, records: IncidentRecords, heralds: tuple[Herald, ...]) -> None:
        self._records = records
        self._heralds = heralds

    @activity.defn(name="incidents.tell")
    async def tell(self, incident: OpenIncident) -> None:
        """Tell everybody who may decide for the tenant, once."""
        reviewers = await self._records.reviewers(incident.tenant)
        await self._each(
            herald.tell(incident, reviewer)
            for reviewer in reviewers
            for herald in self._heralds
            if herald.reaches(reviewer)
        )

    @activity.defn(name="incidents.take_back")
    async def take_back(self, incident: OpenIncident) -> None:
        """Tell those who were told that it is over."""
        await self._each(herald.take_back(incident) for herald in self._heralds)

    async def _each(self, messages: Iterable[Coroutine[Any, Any, None]]) -> None:
        """One after another; an outage on the way to one keeps nobody else waiting. A cancellation takes effect between
        two messages, so that what went out is always noted."""
        fault: ProviderFault | None = None
        for message in messages:
            try:
                await whole_call(message)
            except ProviderFault as error:
                fault = fault or error
        if fault is not None:
            raise fault
