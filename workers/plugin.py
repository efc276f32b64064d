"""The one place where Temporal is configured and reached, for clients, workers and the replayer alike."""

import dataclasses
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.service import RetryConfig
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.support.errors import ErrorTranslation
from deploy.settings import Temporal

_PASSED_THROUGH = (
    # Whole packages of our own: a contract class imported twice would no longer be equal to itself.
    "models",
    "activities",
    "workflows.approval",
    "workflows.board",
    "workflows.closing",
    "workflows.cutting",
    "workflows.life",
    "workflows.policies",
    "workflows.releasing",
    "workflows.renderboard",
    "workflows.segments",
    "workflows.song",
    "workflows.stages",
    "workflows.tasks",
    "workflows.timeline",
    "workflows.trackboard",
    # Imported by activities.support.stage; pure, and slow to import again for every run.
    "structlog",
)


def _runner(runner: WorkflowRunner | None) -> WorkflowRunner:
    if not isinstance(runner, SandboxedWorkflowRunner):
        raise TypeError("Greenroom's workflows run in the sandbox")
    policy = workflow.SandboxImportNotificationPolicy
    restrictions = runner.restrictions.with_passthrough_modules(*_PASSED_THROUGH).with_import_notification_policy(
        policy.WARN_ON_DYNAMIC_IMPORT | policy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
    return dataclasses.replace(runner, restrictions=restrictions)


class StudioPlugin(SimplePlugin):
    """Pydantic payloads, the sandbox with our packages passed through, and errors translated once."""

    def __init__(self) -> None:
        super().__init__(
            "studio",
            data_converter=pydantic_data_converter,
            workflow_runner=_runner,
            interceptors=[ErrorTranslation()],
        )


_IMPATIENT = RetryConfig(max_elapsed_time_millis=2_000, max_retries=3)
"""Two quick tries, then a clear answer, instead of the ten seconds that workers can afford."""


async def connect(temporal: Temporal, *, someone_waits: bool = False) -> Client:
    """A client with the studio's plugin. Raises RuntimeError while the frontend is out of reach.

    Where ``someone_waits``, it connects when first used and gives up sooner: whatever it is asked may raise that then.
    """
    return await Client.connect(
        temporal.address,
        namespace=temporal.namespace,
        api_key=temporal.api_key.get_secret_value() if temporal.api_key else None,
        tls=temporal.tls or bool(temporal.api_key),
        plugins=[StudioPlugin()],
        lazy=someone_waits,
        connect_timeout=timedelta(seconds=3) if someone_waits else None,
        retry_config=_IMPATIENT if someone_waits else None,
    )
