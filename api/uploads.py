"""What an upload really is: its type from its bytes, its size as it streams, and what its header says of its measures.

Deep checks (does it decode, is there one face, is it silent) need heavy libraries: a worker makes them next.
"""

import io
import mimetypes
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

import filetype
from PIL import Image
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from models.errors import InvalidInput, MediaRejected, TooLarge
from models.tables import AssetKind

HEAD_BYTES = 64 * 2**10
"""Enough for every header that is looked at."""
MAX_PIXELS = 64_000_000
"""A picture that would unpack to more than 256 MB is a bomb or a mistake."""
MEBIBYTE = 2**20
KIND_LIMITS = {AssetKind.IMAGE: 32 * MEBIBYTE, AssetKind.AUDIO: 256 * MEBIBYTE, AssetKind.DOCUMENT: 32 * MEBIBYTE}
"""Bytes by kind; videos are bounded by the operator's setting alone, which bounds all kinds."""

_ACCEPTED = {
    "image/jpeg": ("image/jpeg", AssetKind.IMAGE),
    "image/png": ("image/png", AssetKind.IMAGE),
    "image/webp": ("image/webp", AssetKind.IMAGE),
    "video/mp4": ("video/mp4", AssetKind.VIDEO),
    "video/x-m4v": ("video/mp4", AssetKind.VIDEO),
    "video/quicktime": ("video/quicktime", AssetKind.VIDEO),
    "video/webm": ("video/webm", AssetKind.VIDEO),
    "video/x-matroska": ("video/x-matroska", AssetKind.VIDEO),
    "audio/x-wav": ("audio/wav", AssetKind.AUDIO),
    "audio/x-flac": ("audio/flac", AssetKind.AUDIO),
    "audio/mpeg": ("audio/mpeg", AssetKind.AUDIO),
    "audio/ogg": ("audio/ogg", AssetKind.AUDIO),
    "audio/mp4": ("audio/mp4", AssetKind.AUDIO),
    "application/pdf": ("application/pdf", AssetKind.DOCUMENT),
}
"""What ``filetype`` calls it, what the studio calls it, and what it is."""
_UNSAID = {"", "application/octet-stream", "application/x-www-form-urlencoded"}
"""Declared types that say nothing (curl sends the last one by itself)."""


@dataclass(frozen=True)
class Sniffed:
    """What the first bytes say."""

    kind: AssetKind
    media_type: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class Incoming:
    """An upload under way: its name, the type its sender claims, and its bytes."""

    filename: str
    declared: str
    chunks: AsyncIterator[bytes]


async def incoming(request: Request, filename: str) -> Incoming:
    """The upload in ``request``: the part called ``file`` of a form, or the body itself (named by the query)."""
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if media_type == b"multipart/form-data":
        boundary = options.get(b"boundary")
        if not boundary:
            raise InvalidInput("the form has no boundary", field="Content-Type", code="upload.malformed")
        return await _FilePart(request, boundary).begin(filename)
    return Incoming(filename, media_type.decode("latin-1"), _whole(request))


async def _whole(request: Request) -> AsyncIterator[bytes]:
    """The body's bytes; ends in an error when fewer came than were announced."""
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect:
        raise _truncated() from None


def _truncated() -> InvalidInput:
    return InvalidInput("the upload broke off", field="file", code="upload.truncated", action="Send the file again.")


class _FilePart:
    """Pulls the part called ``file`` out of a multipart/form-data body while it streams."""

    def __init__(self, request: Request, boundary: bytes) -> None:
        self._body = _whole(request)
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._inside = self._found = self._ended = False
        self._options: dict[bytes, bytes] = {}
        self._ready: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._part,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if options.get(b"name") == b"file" and not self._found:
            self._inside = self._found = True
            self._options = {**options, b"content-type": self._headers.get(b"content-type", b"")}

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._ready.append(data[start:end])

    def _part_end(self) -> None:
        self._inside = False

    def _end(self) -> None:
        self._ended = True

    async def _feed(self) -> bool:
        try:
            chunk = await anext(self._body)
            self._parser.write(chunk)
        except StopAsyncIteration:
            if not self._ended:
                raise _truncated() from None
            return False
        except MultipartParseError as error:
            raise InvalidInput(f"the form cannot be read: {error}", field="file", code="upload.malformed") from None
        return True

    async def begin(self, filename: str) -> Incoming:
        """Read on until the file's part begins."""
        while not self._found:
            if not await self._feed():
                raise InvalidInput("the form has no part called 'file'", field="file", code="upload.no_file")
        name = filename or self._options.get(b"filename", b"").decode("utf-8", "replace")
        return Incoming(name, self._options[b"content-type"].decode("latin-1"), self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            while self._ready:
                yield self._ready.pop(0)
            more = await self._feed()
        for chunk in self._ready:
            yield chunk


async def take_head(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, and all of them again from the start."""
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break

    async def again() -> AsyncIterator[bytes]:
        if head:
            yield bytes(head)
        async for chunk in chunks:
            yield chunk

    return bytes(head), again()


async def at_most(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """``chunks``, until they are more than ``limit`` bytes. Raises TooLarge."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk


def too_large(limit: int) -> TooLarge:
    """The refusal of an upload beyond ``limit`` bytes."""
    return TooLarge(
        f"the file is larger than the {limit // MEBIBYTE} MB that are taken",
        field="file",
        code="upload.too_large",
        action="Send a smaller file, or have the operator raise GREENROOM_API_MAX_UPLOAD_MB.",
    )


def sniff(head: bytes, declared: str, filename: str, *, max_minutes: int) -> Sniffed:
    """What ``head`` begins. Raises MediaRejected for what is not accepted, or is not what its sender says it is."""
    if not head:
        raise MediaRejected("the file is empty", field="file", code="upload.empty")
    guess = filetype.guess(head)
    accepted = _ACCEPTED.get(guess.mime) if guess else None
    if accepted is None:
        kind = guess.mime if guess else "of no known type"
        raise MediaRejected(
            f"the file is {kind}",
            field="file",
            code="upload.type",
            action=f"Send one of: {', '.join(sorted({media_type for media_type, _ in _ACCEPTED.values()}))}.",
        )
    media_type, kind = accepted
    _check_claim(kind, media_type, declared, filename)
    width, height = _picture_size(head) if kind is AssetKind.IMAGE else (None, None)
    duration_ms = _duration_ms(head, media_type)
    if duration_ms is not None and duration_ms > max_minutes * 60_000:
        raise MediaRejected(
            f"it lasts {duration_ms / 60_000:.0f} minutes; at most {max_minutes} are taken",
            field="file",
            code="upload.too_long",
            action="Cut it, or have the operator raise GREENROOM_API_MAX_MEDIA_MINUTES.",
        )
    return Sniffed(kind, media_type, width, height, duration_ms)


def _check_claim(kind: AssetKind, media_type: str, declared: str, filename: str) -> None:
    """Bytes decide, but a claim of another kind is a mistake its sender wants to hear of."""
    named = mimetypes.guess_type(filename)[0] or ""
    for claim, source in ((declared.lower(), "declared as"), (named, "named like")):
        if claim in _UNSAID:
            continue
        claimed = "document" if claim.startswith("application/") else claim.partition("/")[0]
        # Containers such as MP4 and Ogg hold sound or pictures, so those two claims are one.
        timed = {AssetKind.AUDIO.value, AssetKind.VIDEO.value}
        if claimed != kind.value and not {claimed, kind.value} <= timed:
            raise MediaRejected(
                f"the file is {source} {claim} but holds {media_type}",
                field="file",
                code="upload.type_mismatch",
                action="Send the file with its true type and name.",
            )


def _picture_size(head: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(head)) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        raise _too_many_pixels("the picture is far larger") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise MediaRejected(f"the picture's header cannot be read: {error}", field="file") from None
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"the picture is {width}x{height}")
    return width, height


def _too_many_pixels(what: str) -> MediaRejected:
    return MediaRejected(
        f"{what}; at most {MAX_PIXELS // 1_000_000} megapixels are taken",
        field="file",
        code="upload.too_many_pixels",
        action="Send a smaller picture.",
    )


def _duration_ms(head: bytes, media_type: str) -> int | None:
    """Milliseconds as the header has it, for formats that say so at the start; None where they do not."""
    if media_type == "audio/wav":
        return _wav_ms(head)
    if media_type == "audio/flac":
        return _flac_ms(head)
    return None


def _wav_ms(head: bytes) -> int | None:
    """RIFF WAVE: the data chunk's size over the byte rate of the fmt chunk."""
    place, byte_rate = 12, 0
    while place + 8 <= len(head):
        name, size = head[place : place + 4], struct.unpack_from("<I", head, place + 4)[0]
        if name == b"fmt " and place + 20 <= len(head):
            byte_rate = struct.unpack_from("<I", head, place + 16)[0]
        if name == b"data":
            # A streamed file announces 0xFFFFFFFF: unknown.
            return None if not byte_rate or size == 0xFFFFFFFF else size * 1000 // byte_rate
        place += 8 + size + size % 2
    return None


def _flac_ms(head: bytes) -> int | None:
    """FLAC STREAMINFO (RFC 9639, section 8.2): 20 bits of sample rate, 36 bits of sample count."""
    if head[:4] != b"fLaC" or len(head) < 26:
        return None
    packed = int.from_bytes(head[18:26], "big")
    rate, samples = packed >> 44, packed & (2**36 - 1)
    return samples * 1000 // rate if rate and samples else None
