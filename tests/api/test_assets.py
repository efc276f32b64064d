"""Uploads: streamed, known by their bytes, bounded, and never half kept."""

import asyncio
import hashlib
import io
import os
import socket
import struct
import subprocess
import threading
import wave
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from activities.support.s3 import connect_s3
from api.blobs import UNFINISHED, Blobs
from models.errors import StorageFull
from tests.api.conftest import Tenant, problem

MEBIBYTE = 2**20


def png(width: int = 320, height: int = 200) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 40)).save(file, "PNG")
    return file.getvalue()


def wav(seconds: float, rate: int = 24_000) -> bytes:
    """A tone, so that there is something to hear."""
    tone = 8_000 * np.sin(np.arange(round(seconds * rate)) * (2 * np.pi * 220 / rate))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(tone.astype("<i2").tobytes())
    return file.getvalue()


def three_hours() -> bytes:
    """The header of a WAV that announces three hours, and a little of it."""
    byte_rate = 48_000
    size = 3 * 3600 * byte_rate
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, 24_000, byte_rate, 2, 16, b"data", size
    )
    return head + bytes(4_000)


def objects(tenant: Tenant) -> set[str]:
    servers = tenant.house.servers
    client = connect_s3(servers.s3_endpoint_url, servers.s3_key_id, servers.s3_key)
    listed = client.list_objects_v2(Bucket=servers.bucket).get("Contents", [])
    open_uploads = client.list_multipart_uploads(Bucket=servers.bucket).get("Uploads", [])
    return {item["Key"] for item in listed} | {item["Key"] for item in open_uploads}


def test_a_large_upload_streams_through_and_is_served_byte_for_byte(tenant: Tenant) -> None:
    noise = os.urandom(18 * MEBIBYTE)
    content = wav(0)[:40] + struct.pack("<I", len(noise)) + noise
    before = objects(tenant)

    def slowly() -> Iterator[bytes]:
        for place in range(0, len(content), 300_001):
            yield content[place : place + 300_001]

    sent = tenant.producer.post("/assets", params={"filename": "C:\\music\\bed.wav"}, content=slowly())
    assert sent.status_code == 201, sent.text
    asset = sent.json()
    sha256 = hashlib.sha256(content).hexdigest()
    assert (asset["sha256"], asset["size"]) == (sha256, len(content))
    assert (asset["kind"], asset["media_type"], asset["filename"]) == ("audio", "audio/wav", "bed.wav")
    assert asset["uri"] == f"s3://{tenant.house.servers.bucket}/blobs/{sha256[:2]}/{sha256}"
    assert objects(tenant) - before == {f"blobs/{sha256[:2]}/{sha256}"}
    served = httpx.get(tenant.viewer.get(f"/assets/{asset['id']}").json()["url"])
    assert served.content == content
    assert served.headers["content-type"] == "audio/wav"


def test_a_form_and_a_plain_body_are_the_same_upload(tenant: Tenant) -> None:
    content = png()
    form = tenant.producer.post("/assets", files={"note": ("", b"x"), "file": ("logo.png", content, "image/png")})
    assert form.status_code == 201, form.text
    assert (form.json()["filename"], form.json()["width"], form.json()["height"]) == ("logo.png", 320, 200)
    plain = tenant.producer.post("/assets", content=content)
    assert plain.status_code == 200
    assert plain.json()["id"] == form.json()["id"]


def test_a_real_video_is_a_video(tenant: Tenant, tmp_path: object) -> None:
    file = tenant.house.stages.folder / "upload.mp4"
    draw = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:d=1"]
    subprocess.run([*draw, str(file)], check=True)
    kept = tenant.producer.post("/assets", content=file.read_bytes(), headers={"Content-Type": "video/mp4"}).json()
    assert (kept["kind"], kept["media_type"], kept["state"]) == ("video", "video/mp4", "ready")
    assert (kept["width"], kept["height"], kept["duration_ms"], kept["findings"]["frames"]) == (64, 64, 1_000, 25)


def test_the_length_of_sound_is_read_from_its_header(tenant: Tenant) -> None:
    assert tenant.producer.post("/assets", content=wav(2.5)).json()["duration_ms"] == 2_500
    problem(tenant.producer.post("/assets", content=three_hours()), 422, "upload.too_long")


@pytest.mark.parametrize(
    ("content", "headers", "name", "code"),
    [
        (b"%PDF-1.7\n" + bytes(500), {"Content-Type": "image/jpeg"}, "", "upload.type_mismatch"),
        (b"%PDF-1.7\n" + bytes(500), {}, "portrait.jpg", "upload.type_mismatch"),
        (png(), {"Content-Type": "audio/wav"}, "", "upload.type_mismatch"),
        (b"", {}, "", "upload.empty"),
        (b"hello, world", {"Content-Type": "image/png"}, "", "upload.type"),
        (b"MZ" + bytes(2_000), {}, "logo.png", "upload.type"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), {}, "", "media.rejected"),
    ],
)
def test_what_is_not_what_it_claims_is_refused(
    tenant: Tenant, content: bytes, headers: dict[str, str], name: str, code: str
) -> None:
    before = objects(tenant)
    sent = tenant.producer.post("/assets", content=content, headers=headers, params={"filename": name})
    problem(sent, 422, code)
    assert objects(tenant) == before


@pytest.mark.parametrize("side", [9_000, 60_000])
def test_a_picture_that_would_unpack_to_gigabytes_is_refused(tenant: Tenant, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    sent = tenant.producer.post("/assets", content=bomb)
    problem(sent, 422, "upload.too_many_pixels")


class _Full(BaseHTTPRequestHandler):
    """An object store without space: every write is answered as S3 servers answer then."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(507)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server calls it so
        pass


def test_a_store_without_space_says_so(tenant: Tenant) -> None:
    async def one() -> AsyncIterator[bytes]:
        yield png()

    with ThreadingHTTPServer(("127.0.0.1", 0), _Full) as full:
        serving = threading.Thread(target=full.serve_forever)
        serving.start()
        address = f"http://127.0.0.1:{full.server_address[1]}"
        blobs = Blobs(tenant.house.settings.s3.model_copy(update={"endpoint_url": address}))
        with pytest.raises(StorageFull, match="no space left"):
            asyncio.run(blobs.keep(one(), "image/png"))
        full.shutdown()
        serving.join()


def test_an_upload_beyond_the_limit_is_refused_announced_or_not(tenant: Tenant) -> None:
    before = objects(tenant)
    problem(tenant.producer.post("/assets", content=wav(0.1) + bytes(25 * MEBIBYTE)), 413, "upload.too_large")

    def unannounced() -> Iterator[bytes]:
        yield wav(0.1)
        for _ in range(25):
            yield bytes(MEBIBYTE)

    problem(tenant.producer.post("/assets", content=unannounced()), 413, "upload.too_large")
    assert objects(tenant) == before


def test_an_upload_that_breaks_off_leaves_nothing(tenant: Tenant) -> None:
    before = objects(tenant)
    place = urlsplit(tenant.house.url)
    token = tenant.producer.headers["Authorization"]
    with socket.create_connection((place.hostname, place.port)) as line:
        head = f"POST /assets HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 15000000\r\n\r\n"
        line.sendall(head.encode() + wav(0.1) + bytes(12 * MEBIBYTE))
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + png()
    broken = tenant.producer.post("/assets", content=form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    problem(broken, 422, "upload.truncated")
    assert tenant.viewer.get("/assets").json()["items"] == []
    # The broken line is noticed on its own time; each look is a request, and the test's time-out ends a wait in vain.
    while objects(tenant) != before:
        pass


def test_what_a_killed_upload_left_goes_after_a_day_and_nothing_else_does(tenant: Tenant) -> None:
    servers = tenant.house.servers
    client = connect_s3(servers.s3_endpoint_url, servers.s3_key_id, servers.s3_key)
    before = objects(tenant)
    begun = client.create_multipart_upload(Bucket=servers.bucket, Key=f"{UNFINISHED}begun")
    part = {"Bucket": servers.bucket, "Key": f"{UNFINISHED}begun", "UploadId": begun["UploadId"]}
    client.upload_part(**part, PartNumber=1, Body=bytes(5 * MEBIBYTE))
    client.put_object(Bucket=servers.bucket, Key=f"{UNFINISHED}whole", Body=b"x")
    blobs = Blobs(tenant.house.settings.s3)
    assert asyncio.run(blobs.drop_leftovers(timedelta(days=1))) == 0
    assert objects(tenant) - before == {f"{UNFINISHED}begun", f"{UNFINISHED}whole"}
    # As if a day had gone by: the moment before which they are old lies just ahead.
    assert asyncio.run(blobs.drop_leftovers(timedelta(seconds=-5))) == 2
    assert objects(tenant) == before


def test_a_form_without_a_file_says_what_is_missing(tenant: Tenant) -> None:
    problem(tenant.producer.post("/assets", files={"other": ("a.png", png())}), 422, "upload.no_file")
    no_boundary = tenant.producer.post("/assets", content=b"x", headers={"Content-Type": "multipart/form-data"})
    problem(no_boundary, 422, "upload.malformed")
    garbage = tenant.producer.post(
        "/assets", content=b"no form at all" * 100, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    problem(garbage, 422, "upload.malformed")
