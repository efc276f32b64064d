"""Bad files are refused where their sender meets them: at the upload, or by the field that names them."""

import io
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from PIL import Image
from temporalio.client import Client
from temporalio.worker import Worker

from activities.inspection.engine import MediaInspector
from activities.inspection.stage import InspectionActivities
from activities.support.stage import Stages
from models import engines
from models.lanes import Lane
from models.plan import Capability
from models.store import Store
from tests.api.conftest import Tenant, problem
from workers.plugin import StudioPlugin

PORTRAITS = Path(__file__).parents[1] / "media" / "portraits"
RATE = 24_000


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def flac(samples: np.ndarray, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


def tone(level: float, seconds: float = 8) -> np.ndarray:
    """Bursts of a tone, as speech comes and goes."""
    at = np.arange(round(seconds * RATE)) / RATE
    bursts = np.where(np.sin(2 * np.pi * 1.5 * at) > -0.4, level, 1e-3)
    loud: np.ndarray = np.clip(bursts * np.sin(2 * np.pi * 180 * at), -1, 1)
    return loud


def ffmpeg(*arguments: object, out: Path) -> bytes:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments), str(out)], check=True)
    return out.read_bytes()


def uploaded(tenant: Tenant, content: bytes) -> str:
    sent = tenant.producer.post("/assets", content=content)
    assert sent.status_code == 201, sent.text
    assert sent.json()["state"] == "ready", sent.text
    return str(sent.json()["id"])


def beside(left: str, right: str) -> Image.Image:
    both = Image.new("RGB", (1280, 800))
    for place, name in ((0, left), (640, right)):
        both.paste(Image.open(PORTRAITS / f"{name}.jpg").resize((640, 800)), (place, 0))
    return both


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (lambda: encoded(Image.new("RGB", (400, 400), "red")), "photo.no_face"),
        (lambda: encoded(beside("anna", "ben"), "JPEG"), "photo.several_faces"),
        (lambda: encoded(Image.open(PORTRAITS / "anna.jpg").resize((40, 40))), "photo.small"),
    ],
    ids=["no face", "two faces", "40x40"],
)
def test_a_picture_without_one_fit_face_is_no_persona(tenant: Tenant, photo: Callable[[], bytes], code: str) -> None:
    body = {"name": "X", "voice": "avery", "photo": uploaded(tenant, photo())}
    for answer in (
        tenant.producer.put("/personas/x", json=body),
        tenant.producer.post("/personas", json={**body, "id": "x"}),
    ):
        assert problem(answer, 422, code)["field"] == "photo"
    problem(tenant.viewer.get("/personas/x"), 404, "reference.unknown")


def test_a_photo_in_cmyk_or_turned_by_exif_is_a_persona(tenant: Tenant) -> None:
    anna, exif = Image.open(PORTRAITS / "anna.jpg"), Image.Exif()
    exif[0x0112] = 6
    turned = encoded(anna.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    for content in (encoded(anna.convert("CMYK"), "JPEG"), turned):
        body = {"name": "X", "voice": "avery", "photo": uploaded(tenant, content)}
        assert tenant.producer.put("/personas/x", json=body).status_code == 200


def test_a_file_that_nothing_can_be_made_of_is_refused_at_the_upload(tenant: Tenant, tmp_path: Path) -> None:
    portrait, speech = (PORTRAITS / "anna.jpg").read_bytes(), flac(tone(0.2))
    video = ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:d=2", "-movflags", "+faststart", out=tmp_path / "v.mp4")
    half_an_hour = ["-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "1900", "-b:a", "8k"]
    for content, code in (
        (portrait[: len(portrait) // 2], "picture.damaged"),
        (flac(tone(0.0) * 0), "audio.silent"),
        (flac(tone(40.0)), "audio.clipped"),
        (flac(tone(0.2)[::3], 8_000), "audio.sample-rate"),
        (speech[: len(speech) // 2], "audio.truncated"),
        (ffmpeg(*half_an_hour, out=tmp_path / "long.mp3"), "audio.too-long"),
        (ffmpeg("-f", "lavfi", "-i", "sine=d=1", out=tmp_path / "sound.mp4"), "video.no-frames"),
        (video[: len(video) * 2 // 3], "media.rejected"),
        (b"%PDF-1.7\n" + bytes(9_000), "upload.truncated"),
    ):
        for _ in range(2):
            assert problem(tenant.producer.post("/assets", content=content), 422, code)["field"] == "file", code
    kept = tenant.viewer.get("/assets").json()["items"]
    assert {asset["state"] for asset in kept} == {"rejected"}
    refused = {"name": "P", "kind": "video", "asset": next(a["id"] for a in kept if a["kind"] == "video")}
    assert tenant.producer.put("/plates/p", json=refused).status_code == 422


def test_sound_is_refused_by_the_field_it_is_unfit_for(tenant: Tenant) -> None:
    short, clipped = uploaded(tenant, flac(tone(0.2, 1))), uploaded(tenant, flac(tone(1.004)))
    voice = {"name": "X", "engine": "xtts", "samples": [short]}
    assert problem(tenant.producer.put("/voices/x", json=voice), 422, "audio.too-short")["field"] == "samples"
    voice["samples"] = [clipped]
    assert problem(tenant.producer.put("/voices/x", json=voice), 422, "audio.clipped")["field"] == "samples"
    # Music may be mastered loud: what no voice can be learnt from still does as a bed.
    assert tenant.ask(layout={"music": {"asset": clipped}}, approval={"required": False}).status_code == 201
    picture = uploaded(tenant, encoded(Image.new("RGB", (64, 64))))
    wrong = problem(tenant.ask(layout={"music": {"asset": picture}}), 422, "asset.kind")
    assert wrong["field"] == "layout.music.asset"


def test_an_upload_waits_for_a_worker_and_is_settled_when_there_is_one(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its lane is one that nobody serves: as if no cpu worker were up."""
    elsewhere = tuple(
        spec.model_copy(update={"lane": Lane.GPU}) if spec.capability is Capability.INSPECTION else spec
        for spec in engines.ENGINES
    )
    monkeypatch.setattr(engines, "ENGINES", elsewhere)
    monkeypatch.setattr("api.inspection.PATIENCE", timedelta(seconds=0.3))
    kept = tenant.producer.post("/assets", content=encoded(Image.open(PORTRAITS / "ben.jpg")))
    assert (kept.status_code, kept.json()["state"]) == (201, "unchecked")
    asset = kept.json()["id"]
    body = {"name": "X", "voice": "avery", "photo": asset}
    answer = problem(tenant.producer.put("/personas/x", json=body), 409, "asset.unchecked")
    assert answer["field"] == "photo" and "again" in answer["action"]

    async def work() -> None:
        house = tenant.house
        client = await Client.connect(house.servers.temporal_address, plugins=[StudioPlugin()])
        store = Store.connect(house.settings.database.url.get_secret_value())
        inspection = InspectionActivities(Stages(house.stages.artifacts, store, tmp_path), {"media": MediaInspector()})
        handle = client.get_workflow_handle(f"asset/{tenant.name}/{asset}")
        async with Worker(client, task_queue=Lane.GPU.value, activities=[inspection.inspect]):
            await handle.result()
        await store.close()

    tenant.house.portal.call(work)
    assert tenant.viewer.get(f"/assets/{asset}").json()["findings"]["faces"] == 1
    assert tenant.producer.put("/personas/x", json=body).status_code == 200
