"""Nobody gets in without a token that is valid now, here and from ours; nobody does more than their role allows; nobody
sees another tenant's things."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.app import create_app, schema
from api.auth import Verifier
from deploy.settings import Jwt, SettingsError
from models.errors import Unauthenticated
from tests.api.conftest import House, Tenant, problem

ANONYMOUS = {"/healthz", "/readyz"}
FIRST_ROLE = {"get": "viewer", "post": "producer", "put": "producer", "delete": "admin"}


def get(house: House, token: str) -> httpx.Response:
    return httpx.get(f"{house.url}/personas", headers={"Authorization": f"Bearer {token}"})


def test_no_route_but_health_answers_without_a_token(house: House) -> None:
    paths = schema(create_app(house.settings))["paths"]
    assert len(paths) > 20
    for path, methods in paths.items():
        for method in methods:
            response = httpx.request(method, house.url + path.replace("{", "x").replace("}", "x"))
            if path in ANONYMOUS:
                assert response.status_code == 200
            else:
                problem(response, 401, "access.unauthenticated")
                assert response.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_says_so(house: House) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    problem(get(house, house.token("admin", exp=past)), 401, "access.expired")


@pytest.mark.parametrize(
    "changes", [{"iss": "elsewhere"}, {"aud": "elsewhere"}, {"exp": None}, {"sub": None}, {"tenant": "Not A Slug"}]
)
def test_a_token_that_is_not_for_here_is_refused(house: House, changes: dict[str, str | None]) -> None:
    problem(get(house, house.token("admin", **changes)), 401, "access.unauthenticated")


def test_a_token_signed_by_another_key_or_in_another_way_is_refused(house: House) -> None:
    claims = jwt.decode(house.token("admin"), options={"verify_signature": False})
    public = house.settings.jwt.public_key_file
    assert public is not None
    forged = [
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA"),
        jwt.encode(claims, None, algorithm="none"),
        # The public key as an HMAC secret: the classic confusion of algorithms.
        _hmac(claims, public.read_text()),
        "not.a.token",
    ]
    for token in forged:
        problem(get(house, token), 401, "access.unauthenticated")


def _hmac(claims: dict[str, object], secret: str) -> str:
    def packed(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    header = packed(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{header}.{packed(json.dumps(claims).encode())}"
    return f"{signed}.{packed(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def test_a_role_that_is_not_enough_is_named(tenant: Tenant) -> None:
    answer = problem(tenant.viewer.put("/voices/x", json={"name": "X", "stock": "af_heart"}), 403, "access.forbidden")
    assert "producer" in answer["title"]
    problem(tenant.producer.put("/reviewers/eve", json={"name": "Eve"}), 403, "access.forbidden")
    problem(tenant.reviewer.post("/renders", json={}), 403, "access.forbidden")
    body = {"sha256": "0" * 64, "decision": "approve"}
    problem(tenant.producer.post("/approvals/x.1/verdict", json=body), 403, "access.forbidden")
    problem(tenant.house.client("janitor").get("/personas"), 403, "access.forbidden")


def test_another_tenant_sees_nothing(tenant: Tenant) -> None:
    stranger = tenant.house.client("admin", tenant="elsewhere")
    render_id = tenant.started()
    for path in ("/personas/avery", "/voices/avery", "/scripts/q3", f"/renders/{render_id}"):
        assert tenant.viewer.get(path).status_code == 200
        problem(stranger.get(path), 404, "reference.unknown")
    problem(stranger.post(f"/renders/{render_id}/cancel"), 404, "reference.unknown")
    assert stranger.get("/renders").json()["items"] == []
    question = tenant.question(render_id)
    problem(stranger.get(f"/approvals/{question['question_id']}"), 404, "reference.unknown")
    problem(tenant.decide(question, "approve", client=stranger), 404, "reference.unknown")


def test_keys_are_chosen_by_kid_from_a_set(house: House) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True)
    file = house.stages.folder / "keys.json"
    file.write_text(json.dumps({"keys": [{**own, "kid": "now", "use": "sig"}]}))
    verifier = Verifier(Jwt.model_construct(public_key_file=file, algorithm="RS256", issuer="i", audience="a"))
    claims = {"sub": "ana", "roles": ["viewer"], "iss": "i", "aud": "a", "exp": datetime.now(UTC) + timedelta(hours=1)}
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert verifier.caller(jwt.encode(claims, pem, algorithm="RS256", headers={"kid": "now"})).subject == "ana"
    with pytest.raises(Unauthenticated, match="kid"):
        verifier.caller(jwt.encode(claims, pem, algorithm="RS256", headers={"kid": "before"}))


def test_without_a_usable_key_the_process_does_not_start(house: House) -> None:
    file = house.stages.folder / "broken.pem"
    file.write_text("no key")
    for public in (None, file, file.with_name("absent.pem")):
        with pytest.raises(SettingsError) as caught:
            Verifier(Jwt.model_construct(public_key_file=public, algorithm="EdDSA", issuer="i", audience="a"))
        assert caught.value.field == "JWT_PUBLIC_KEY_FILE"
