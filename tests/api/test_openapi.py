"""The OpenAPI document: every route says what it takes, what it answers and how it fails, with an example."""

from typing import Any

import pytest

from api.app import create_app, schema
from tests.api.conftest import House, Tenant

METHODS = {"get", "post", "put", "delete"}


@pytest.fixture(scope="module")
def document(house: House) -> dict[str, Any]:
    return schema(create_app(house.settings))


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def has_example(document: dict[str, Any], content: dict[str, Any]) -> bool:
    if "example" in content:
        return True
    reference = content["schema"].get("$ref") or next(
        (option["$ref"] for option in content["schema"].get("anyOf", []) if "$ref" in option), ""
    )
    found = document["components"]["schemas"][reference.rpartition("/")[2]] if reference else content["schema"]
    items = found.get("properties", {}).get("items", {}).get("items", {})
    films = found.get("properties", {}).get("films", {}).get("items", {})
    inner = items or films
    if inner:
        return has_example(document, {"schema": inner})
    return "examples" in found or any("examples" in part for part in found.get("properties", {}).values())


def test_every_route_is_described_with_examples_of_what_goes_in_and_out(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("description"), name
        if name.endswith(("/openapi.json", "DELETE /reviewers/{reviewer}", "DELETE /trends/{name}")):
            continue
        bodies = operation.get("requestBody", {}).get("content", {})
        if bodies:
            assert any(has_example(document, content) for content in bodies.values()), f"{name} body"
        good = next(answer for status, answer in operation["responses"].items() if status in ("200", "201", "202"))
        good = operation["responses"].get("201", good)
        assert any(has_example(document, content) for content in good.get("content", {}).values()), f"{name} answer"


def test_every_route_but_health_says_how_it_refuses(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if operation["tags"] == ["health"]:
            continue
        assert "application/problem+json" in operation["responses"]["401"]["content"], name
        assert operation["security"] == [{"HTTPBearer": []}], name
    assert {"type", "title", "status", "code", "action"} <= set(
        document["components"]["schemas"]["Problem"]["properties"]
    )


def test_examples_are_true(document: dict[str, Any], tenant: Tenant) -> None:
    schemas = document["components"]["schemas"]
    for path, name in {
        "/voices": "NewVoice",
        "/brands": "NewBrand",
        "/plates": "NewPlate",
        "/scripts": "NewScript",
        "/personas": "NewPersona",
    }.items():
        body = {**schemas[name]["examples"][0], "id": "example"}
        assert tenant.producer.post(path, json=body).status_code == 201, name
    reviewer = schemas["ReviewerBody"]["examples"][0] | {"telegram_chat": tenant.chat + 7}
    assert tenant.admin.put("/reviewers/priya", json=reviewer).status_code == 200
    tenant.producer.put("/plates/deep-blue", json=schemas["PlateBody"]["examples"][0])
    tenant.producer.put("/scripts/q3-results", json=schemas["ScriptBody"]["examples"][0])
    trend = tenant.producer.put("/trends/rain", json=schemas["NewTrend"]["examples"][0])
    assert trend.status_code == 200, trend.text
    experiment = {**schemas["NewExperiment"]["examples"][0], "artists": []}
    assert tenant.producer.post("/experiments", json=experiment).status_code == 201
    render = {"title": "x", **schemas["NewRender"]["examples"][0]}
    sent = tenant.producer.post("/renders", json=render, headers={"Idempotency-Key": "example"})
    assert sent.status_code == 201, sent.text
    served = tenant.viewer.get("/openapi.json").json()
    assert served["paths"].keys() == document["paths"].keys()
