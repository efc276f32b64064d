"""The one place where Temporal is configured, for clients, workers and the replayer alike."""

import dataclasses

from temporalio import workflow
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.support.errors import ErrorTranslation

_PASSED_THROUGH = (
    # Whole packages of our own: a contract class imported twice would no longer be equal to itself.
    "models",
    "activities",
    "workflows.approval",
    "workflows.board",
    "workflows.closing",
    "workflows.policies",
    "workflows.segments",
    "workflows.stages",
    "workflows.tasks",
    "workflows.timeline",
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
