"""Personas, voices, brands, plates and scripts: kept as given, refused with the field that is wrong."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.api.conftest import Tenant, problem

ANNA = Path(__file__).parents[1] / "media" / "portraits" / "anna.jpg"
SCRIPT = {"title": "T", "source": "Good morning."}
PERSONA = {"name": "Avery", "voice": "avery", "look": "avery"}


def picture(tenant: Tenant) -> str:
    file = io.BytesIO()
    Image.new("RGB", (320, 200), "red").save(file, "PNG")
    return str(tenant.producer.post("/assets", content=file.getvalue()).json()["id"])


def test_what_is_kept_is_given_back_and_listed_page_by_page(tenant: Tenant) -> None:
    for name in ("b", "c", "a"):
        assert tenant.producer.post("/brands", json={"id": f"brand-{name}", "name": name}).status_code == 201
    first = tenant.viewer.get("/brands", params={"limit": 2}).json()
    rest = tenant.viewer.get("/brands", params={"limit": 2, "after": first["next"]}).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ["brand-a", "brand-b", "brand-c", "house"]
    again = tenant.producer.post("/brands", json={"id": "brand-a", "name": "again"})
    problem(again, 409, "state.exists")


def test_a_persona_has_a_voice_that_exists_and_one_face(tenant: Tenant) -> None:
    asked = {**PERSONA, "voice": "nobody"}
    assert problem(tenant.producer.put("/personas/x", json=asked), 404, "reference.unknown")["field"] == "voice"
    problem(tenant.producer.put("/personas/x", json={**PERSONA, "look": None}), 422, "input.invalid")
    assert (
        problem(
            tenant.producer.put("/personas/x", json={**PERSONA, "look": None, "photo": "0" * 16}),
            404,
            "reference.unknown",
        )["field"]
        == "photo"
    )
    nobody = {**PERSONA, "look": "nobody"}
    assert problem(tenant.producer.put("/personas/x", json=nobody), 404, "reference.unknown")["field"] == "look"
    photo = tenant.producer.post("/assets", content=ANNA.read_bytes()).json()["id"]
    with_photo = {**PERSONA, "look": None, "photo": photo, "argumentation": "high"}
    kept = tenant.producer.put("/personas/x", json=with_photo).json()
    assert (kept["photo"], kept["look"], kept["argumentation"]) == (with_photo["photo"], None, "high")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": "X", "engine": "chatterbox", "stock": "a"}, 404, "reference.unknown", "engines.speech"),
        ({"name": "X", "stock": "af_nobody"}, 404, "reference.unknown", "stock"),
        ({"name": "X", "engine": "hibari", "stock": "af_heart"}, 404, "reference.unknown", "stock"),
        ({"name": "X"}, 422, "input.invalid", ""),
        ({"name": "X\u0007", "stock": "af_heart"}, 422, "input.invalid", "name"),
        ({"name": "X", "stock": "af_heart", "colour": "red"}, 422, "input.invalid", "colour"),
        ({"name": "X", "engine": "xtts", "samples": ["0" * 16]}, 404, "reference.unknown", "samples"),
    ],
)
def test_a_voice_that_cannot_be_is_refused_by_its_field(
    tenant: Tenant, body: dict[str, object], status: int, code: str, field: str
) -> None:
    assert problem(tenant.producer.put("/voices/x", json=body), status, code).get("field", "") == field


def test_a_plate_fits_its_kind(tenant: Tenant) -> None:
    asset = picture(tenant)
    put = tenant.producer.put
    assert put("/plates/p", json={"name": "P", "kind": "image", "asset": asset}).status_code == 200
    slides = [{"asset": asset, "from_segment": 0}, {"asset": asset, "from_segment": 2}]
    assert put("/plates/p", json={"name": "P", "kind": "slides", "slides": slides}).json()["slides"] == slides
    problem(put("/plates/p", json={"name": "P", "kind": "slides", "slides": slides[::-1]}), 422, "input.invalid")
    problem(put("/plates/p", json={"name": "P", "kind": "video"}), 422, "input.invalid")
    problem(put("/plates/p", json={"name": "P", "kind": "video", "asset": asset}), 422, "asset.kind")


def test_saving_a_script_again_keeps_the_version_before(tenant: Tenant) -> None:
    saved = tenant.producer.put("/scripts/q3", json={"title": "Q3", "source": "Good evening."}).json()
    assert saved["version"] == 2
    assert [segment["utterance"]["spans"][0]["text"] for segment in saved["segments"]] == ["Good evening."]
    before = tenant.viewer.get("/scripts/q3", params={"version": 1}).json()
    assert len(before["segments"]) == 3
    assert [item["version"] for item in tenant.viewer.get("/scripts").json()["items"]] == [2]
    problem(tenant.viewer.get("/scripts/q3", params={"version": 7}), 404, "reference.unknown")


@pytest.mark.parametrize("source", ["", "   \n ", "…"])
def test_an_empty_script_is_refused(tenant: Tenant, source: str) -> None:
    problem(tenant.producer.put("/scripts/x", json={**SCRIPT, "source": source}), 422, "script.empty")
    problem(tenant.viewer.get("/scripts/x"), 404, "reference.unknown")


def test_a_huge_script_is_refused_before_it_is_read(tenant: Tenant) -> None:
    put = tenant.producer.put
    megabyte = put("/scripts/x", json={**SCRIPT, "source": "word " * 200_000})
    assert problem(megabyte, 422, "input.invalid")["field"] == "source"
    problem(put("/scripts/x", json={**SCRIPT, "source": "word " * 1_000_000}), 413, "input.too_large")

    def endless() -> object:
        yield b'{"title": "T", "source": "'
        for _ in range(100):
            yield b"word " * 10_000

    unannounced = tenant.producer.put("/scripts/x", content=endless(), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    problem(unannounced, 413, "input.too_large")


@pytest.mark.parametrize("body", [b"\xff\xfe\x00\x01", b"\x89PNG\r\n", b'{"title": "T", "source": "\xc3\x28"}'])
def test_a_binary_body_is_refused(tenant: Tenant, body: bytes) -> None:
    sent = tenant.producer.put("/scripts/x", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code in (400, 422)
    problem(sent, sent.status_code, sent.json()["code"])


def test_binary_dressed_as_text_is_refused(tenant: Tenant) -> None:
    found = tenant.producer.put("/scripts/x", json={**SCRIPT, "source": "PK\x03\x04\x00\x00 stuff"})
    assert found.status_code == 422
    assert found.json()["code"].startswith("script.")


@pytest.mark.parametrize(
    ("source", "place", "named"),
    [
        ("Good morning. We won 😀 today.", "sentence 2", "grinning face"),
        ("Привет from us.", "sentence 1", "cyrillic"),
        ("We sell in 東京 now.", "sentence 1", "cjk"),
        ("Good morning.\u200f Hello.", "", "U+200F"),
    ],
)
def test_what_no_voice_can_say_is_refused_by_name_and_place(
    tenant: Tenant, source: str, place: str, named: str
) -> None:
    answer = tenant.producer.put("/scripts/x", json={**SCRIPT, "source": source})
    assert answer.status_code == 422, answer.text
    found = problem(answer, 422, answer.json()["code"])
    assert found["code"].startswith("script.")
    assert named in found["title"].lower() + found["title"] and place in found["field"]


def test_an_unknown_route_and_method_are_problems_too(tenant: Tenant) -> None:
    problem(tenant.viewer.get("/nothing"), 404, "route.unknown")
    problem(tenant.viewer.patch("/personas/avery"), 405, "route.method")
