"""Verdicts over REST: only listed reviewers, once each, on exactly the bytes they saw; and never lost."""

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from models.render import RenderState
from tests.api.conftest import POOR, SmallFilms, Tenant, problem


def test_the_same_verdict_twice_is_one_verdict_also_after_the_render_has_ended(tenant: Tenant) -> None:
    render_id = tenant.started()
    question = tenant.question(render_id)
    first = tenant.decide(question, "approve", key="v-1")
    tenant.until(render_id, RenderState.COMPLETE)
    again = tenant.decide(question, "approve", key="v-1")
    assert first.status_code == again.status_code == 200, again.text
    assert (
        first.json()
        == again.json()
        == {
            "question_id": question["question_id"],
            "verdict_id": "v-1",
            "state": "approved",
        }
    )
    closed = tenant.viewer.get(f"/approvals/{question['question_id']}").json()
    assert [verdict["reviewer"] for verdict in closed["verdicts"]] == ["ana"]
    assert tenant.viewer.get("/approvals").json()["items"] == []
    assert [q["state"] for q in tenant.viewer.get("/approvals?state=approved").json()["items"]] == ["approved"]


def test_a_verdict_is_answered_the_same_when_temporal_has_long_forgotten_the_render(tenant: Tenant) -> None:
    render_id = tenant.started()
    question = tenant.question(render_id)
    first = tenant.decide(question, "approve", key="v-1")
    tenant.until(render_id, RenderState.COMPLETE)

    async def forget() -> None:
        client = await Client.connect(tenant.house.servers.temporal_address)
        workflow = WorkflowExecution(workflow_id=f"render/{render_id}")
        await client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=workflow)
        )
        with pytest.raises(RPCError, match="not found"):
            while True:
                await client.get_workflow_handle(workflow.workflow_id).describe()

    tenant.house.portal.call(forget)
    assert tenant.decide(question, "approve", key="v-1").json() == first.json()
    problem(tenant.decide(question, "approve", client=tenant.other_reviewer), 409, "approval.closed")
    assert tenant.viewer.get(f"/renders/{render_id}").json()["state"] == "complete"


def test_a_verdict_that_comes_late_is_a_conflict(tenant: Tenant) -> None:
    render_id = tenant.started()
    question = tenant.question(render_id)
    assert tenant.decide(question, "reject", reason="off_brand").status_code == 200
    tenant.until(render_id, RenderState.REJECTED)
    problem(tenant.decide(question, "approve", client=tenant.other_reviewer), 409, "approval.closed")


def test_a_stranger_and_other_bytes_and_a_missing_reason_are_refused_and_nothing_is_decided(tenant: Tenant) -> None:
    render_id = tenant.started()
    question = tenant.question(render_id)
    stranger = tenant.house.client("reviewer", tenant=tenant.name, subject="eve")
    problem(tenant.decide(question, "approve", client=stranger), 403, "approval.stranger")
    problem(tenant.decide({**question, "sha256": "0" * 64}, "approve"), 409, "approval.other_bytes")
    assert problem(tenant.decide(question, "reject"), 422, "approval.reason_missing")["field"] == "reason"
    problem(tenant.decide(question, "changes"), 422, "approval.changes_missing")
    beyond = [{"segment": 9, "note": "x"}]
    problem(tenant.decide(question, "changes", changes=beyond), 422, "approval.segment_unknown")
    two = [{"segment": 0, "text": "One. Two."}]
    problem(tenant.decide(question, "changes", changes=two), 422, "approval.one_sentence")
    problem(tenant.decide({**question, "question_id": "nothing.1"}, "approve"), 404, "reference.unknown")
    assert tenant.viewer.get(f"/approvals/{question['question_id']}").json()["state"] == "open"
    assert tenant.decide(question, "approve").json()["state"] == "approved"


def test_a_quorum_needs_different_people(tenant: Tenant) -> None:
    render_id = tenant.started(approval={"quorum": 2})
    question = tenant.question(render_id)
    assert tenant.decide(question, "approve", key="a").json()["state"] == "open"
    problem(tenant.decide(question, "approve", key="b"), 409, "approval.decided")
    assert tenant.decide(question, "approve", client=tenant.other_reviewer).json()["state"] == "approved"


def test_a_film_below_its_thresholds_needs_to_be_accepted_as_such(tenant: Tenant, stages: SmallFilms) -> None:
    stages.figures = POOR
    render_id = tenant.started()
    question = tenant.question(render_id)
    assert question["passed"] is False
    assert {figure["name"]: figure["holds"] for figure in question["figures"]} == {
        "word_error_rate": True,
        "lip_correlation": False,
    }
    answer = problem(tenant.decide(question, "approve"), 409, "approval.below_threshold")
    assert "lip_correlation" in answer["title"]
    assert tenant.decide(question, "approve", accepts_below_threshold=True).json()["state"] == "approved"


def test_changes_are_made_and_asked_about_anew(tenant: Tenant) -> None:
    render_id = tenant.started()
    first = tenant.question(render_id)
    changes = [{"segment": 0, "note": "warmer"}, {"segment": 2, "text": "Thank you <break time='300ms'/> all."}]
    assert tenant.decide(first, "changes", changes=changes).json()["state"] == "changes"
    second = first
    while second["round"] == 1:
        second = tenant.question(render_id)
    assert second["sha256"] != first["sha256"]
    spoken = tenant.viewer.get(f"/renders/{render_id}/segments").json()["items"]
    assert [(item["text"], item["take"]) for item in spoken] == [
        ("Good morning.", 1),
        ("Revenue grew 12%.", 0),
        ("Thank you all.", 0),
    ]
    problem(tenant.decide({**second, "sha256": first["sha256"]}, "approve"), 409, "approval.other_bytes")
    assert tenant.decide(second, "approve").json()["state"] == "approved"
    # A re-render starts from what reviewers made of it, not from the script.
    again = tenant.producer.post(
        f"/renders/{render_id}/rerender",
        json={"title": "Again", "approval": {"required": False}},
        headers={"Idempotency-Key": "again"},
    ).json()["render_id"]
    spoken = tenant.viewer.get(f"/renders/{again}/segments").json()["items"]
    assert [item["text"] for item in spoken] == ["Good morning.", "Revenue grew 12%.", "Thank you all."]
