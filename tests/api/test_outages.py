"""While a server is away the API lives, says what is missing and what to do, loses nothing, and recovers by itself."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from api.dispatch import inspect_forgotten
from api.services import Services
from deploy.local.state import find_port
from models.errors import TemporalUnavailable
from models.render import RenderState
from tests.api.conftest import House, Tenant, problem

NO_APPROVAL = {"required": False}
WAV = (
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\xc0\x5d\x00\x00\x80\xbb\x00\x00\x02\x00\x10\x00data"
)


@pytest.fixture
def killed(house: House) -> Iterator[Callable[[str], None]]:
    """Kills a server; it is back when the test ends."""
    dead: list[str] = []

    def kill(part: str) -> None:
        house.servers.kill(part)
        dead.append(part)

    yield kill
    for part in dead:
        house.servers.restart(part)


def ready(client: httpx.Client) -> dict[str, bool]:
    answer = client.get("/readyz")
    parts = answer.json()
    assert (
        (answer.status_code == 200) == parts["ok"] == all(parts[name]["ok"] for name in ("temporal", "postgres", "s3"))
    )
    assert all(parts[name]["ok"] or parts[name]["why"] for name in ("temporal", "postgres", "s3"))
    return {name: parts[name]["ok"] for name in ("temporal", "postgres", "s3")}


def until(condition: Callable[[], bool]) -> None:
    """Ask until it holds; each asking is a request, and the test's time-out ends a wait in vain."""
    while not condition():
        pass


def test_without_the_database_it_says_so_and_recovers(tenant: Tenant, killed: Callable[[str], None]) -> None:
    killed("postgres")
    answer = problem(tenant.viewer.get("/personas"), 503, "storage.unavailable")
    assert "database" in answer["title"]
    assert tenant.viewer.get("/personas").headers["Retry-After"]
    assert tenant.viewer.get("/healthz").status_code == 200
    assert ready(tenant.viewer) == {"temporal": True, "postgres": False, "s3": True}
    problem(tenant.ask("kept"), 503, "storage.unavailable")
    tenant.house.servers.restart("postgres")
    until(lambda: all(ready(tenant.viewer).values()))
    assert tenant.viewer.get("/personas/avery").status_code == 200
    assert tenant.ask("kept", approval=NO_APPROVAL).status_code == 201


def test_without_temporal_a_render_is_kept_and_made_once_when_it_is_back(
    tenant: Tenant, killed: Callable[[str], None]
) -> None:
    done = tenant.started(approval=NO_APPROVAL)
    tenant.until(done, RenderState.COMPLETE)
    killed("temporal")
    answer = problem(tenant.ask("kept", approval=NO_APPROVAL), 503, "temporal.unavailable")
    assert "again" in answer["action"]
    # What the tables know is still told, and said to be no more than that.
    kept = tenant.viewer.get("/renders").json()["items"][0]["render_id"]
    assert tenant.viewer.get(f"/renders/{kept}").json()["live"] is False
    assert tenant.viewer.get(f"/renders/{done}").json()["state"] == "complete"
    assert ready(tenant.viewer) == {"temporal": False, "postgres": True, "s3": True}
    tenant.house.servers.restart("temporal")
    until(lambda: all(ready(tenant.viewer).values()))
    until(lambda: tenant.ask("kept", approval=NO_APPROVAL).status_code == 201)
    assert tenant.ask("kept", approval=NO_APPROVAL).json()["render_id"] == kept
    tenant.until(kept, RenderState.COMPLETE)
    assert len(tenant.viewer.get("/renders").json()["items"]) == 2


def test_without_the_object_store_an_upload_is_refused_and_leaves_nothing(
    tenant: Tenant, killed: Callable[[str], None]
) -> None:
    content = WAV + (20_000).to_bytes(4, "little") + os.urandom(20_000)
    killed("s3")
    problem(tenant.producer.post("/assets", content=content), 503, "storage.unavailable")
    problem(tenant.producer.post("/assets", content=content + bytes(12 * 2**20)), 503, "storage.unavailable")
    assert tenant.viewer.get("/assets").json()["items"] == []
    assert ready(tenant.viewer) == {"temporal": True, "postgres": True, "s3": False}
    tenant.house.servers.restart("s3")
    until(lambda: all(ready(tenant.viewer).values()))
    assert tenant.producer.post("/assets", content=content).status_code == 201


def test_without_temporal_an_upload_is_kept_and_decoded_when_it_is_back(
    tenant: Tenant, killed: Callable[[str], None]
) -> None:
    killed("temporal")
    kept = tenant.producer.post("/assets", content=WAV + (60_000).to_bytes(4, "little") + os.urandom(60_000))
    assert (kept.status_code, kept.json()["state"]) == (201, "unchecked"), kept.text
    tenant.house.servers.restart("temporal")

    async def inspect() -> list[str]:
        studio = await Services.open(tenant.house.settings)
        try:
            return await inspect_forgotten(studio, timedelta(0))
        except TemporalUnavailable:
            return []
        finally:
            await studio.close()

    until(lambda: kept.json()["id"] in tenant.house.portal.call(inspect))
    until(lambda: tenant.viewer.get(f"/assets/{kept.json()['id']}").json()["state"] == "ready")


def test_it_starts_while_everything_is_away_and_says_what_is(
    process: Callable[..., "subprocess.Popen[str]"],
) -> None:
    nowhere, port = find_port(set()), find_port(set())
    started = process(
        "api",
        GREENROOM_API_PORT=str(port),
        TEMPORAL_ADDRESS=f"127.0.0.1:{nowhere}",
        DATABASE_URL=f"postgresql://nobody@127.0.0.1:{nowhere}/nothing",
        S3_ENDPOINT_URL=f"http://127.0.0.1:{nowhere}",
    )
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=0), timeout=30
    ) as client:

        def answers() -> bool:
            assert started.poll() is None, started.communicate()[0]
            try:
                return client.get("/healthz").status_code == 200
            except httpx.ConnectError:
                return False

        until(answers)
        assert ready(client) == {"temporal": False, "postgres": False, "s3": False}
        problem(client.get("/personas"), 401, "access.unauthenticated")
    started.terminate()
    output, _ = started.communicate(timeout=60)
    assert started.returncode in (0, -15), output
    assert "Traceback" not in output


def test_a_key_file_that_is_absent_stops_it_with_the_settings_name(
    process: Callable[..., "subprocess.Popen[str]"],
) -> None:
    started = process("api", JWT_PUBLIC_KEY_FILE="/nowhere/public.pem")
    output, _ = started.communicate(timeout=60)
    assert started.returncode == 2
    assert "JWT_PUBLIC_KEY_FILE" in output
    assert "Traceback" not in output
