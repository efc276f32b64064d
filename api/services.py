"""What every route works with: the tables, the render workflows, the bucket. Made once a process, needing none of the
servers to be up."""

from dataclasses import dataclass, field
from typing import Annotated, Self
from urllib.parse import quote

from fastapi import Depends, Request

from api.blobs import Blobs
from api.label import Label
from api.publishing import Publications
from api.temporal import Renders, workflow_id
from deploy.settings import Settings
from models.roster import Roster
from workers.plugin import connect


@dataclass
class Services:
    """The studio as the API sees it."""

    settings: Settings
    store: Roster
    renders: Renders
    label: Label
    publications: Publications
    blobs: Blobs
    _tenants: set[str] = field(default_factory=set)

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Everything the settings name, connected when first used."""
        store = Roster.connect(settings.database.url.get_secret_value())
        client = await connect(settings.temporal, someone_waits=True)
        return cls(settings, store, Renders(client), Label(client), Publications(client), Blobs(settings.s3))

    async def close(self) -> None:
        """Give connections back."""
        await self.store.close()

    async def admit(self, tenant: str) -> None:
        """Have the tenant in the tables before something of theirs is written; whoever signs tokens vouches for it."""
        if tenant not in self._tenants:
            await self.store.ensure_tenant(tenant)
            self._tenants.add(tenant)

    def temporal_url(self, render_id: str) -> str:
        """The render in the Temporal Web UI; empty when no UI is configured."""
        return self.workflow_url(workflow_id(render_id))

    def workflow_url(self, workflow: str) -> str:
        """A workflow in the Temporal Web UI; empty when no UI is configured."""
        temporal = self.settings.temporal
        if not temporal.ui_url:
            return ""
        place = f"namespaces/{temporal.namespace}/workflows/{quote(workflow, safe='')}"
        return f"{temporal.ui_url.rstrip('/')}/{place}"


def services(request: Request) -> Services:
    """The process's services."""
    found: Services = request.app.state.services
    return found


Studio = Annotated[Services, Depends(services)]
