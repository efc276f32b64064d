"""A release as a video on YouTube (Data API v3): uploaded once, disclosed as synthetic, read back when it is processed.
A video of ours is known by its key in the last line of its description."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import structlog

from activities.publishing.base import Diary, Parcel
from activities.publishing.google import Credentials, Google
from activities.publishing.resumable import CHUNK, Resumable, SessionGone
from activities.support.ffmpeg import run
from activities.support.provider import Patience, Provider
from models.artifacts import Artifact
from models.errors import ArtifactLost, EngineFailed, EngineUnavailable
from models.publication import YOUTUBE, Place

log = structlog.get_logger()

API_URL: Final = "https://www.googleapis.com/youtube/v3"
UPLOAD_URL: Final = "https://www.googleapis.com/upload/youtube/v3"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"
MUSIC: Final = "10"
"""YouTube's category for music."""
_TITLE, _DESCRIPTION_BYTES = 100, 5_000
"""Longest title in characters and description in bytes that videos.insert takes; neither may hold < or >."""
_PAGES: Final = 100
"""Of 50 uploads each: how far back a video of ours is looked for."""
_UNFIT: Final = frozenset({"failed", "rejected", "deleted"})

Privacy = Literal["public", "unlisted", "private"]


@dataclass(frozen=True)
class Channel:
    """What the operator decides about videos."""

    privacy: Privacy = "public"
    made_for_kids: bool = False


class YouTubePublisher:
    """Implements :class:`activities.publishing.base.Publisher`. ``api_url`` and ``upload_url`` are base addresses."""

    name = YOUTUBE

    def __init__(
        self,
        credentials: Credentials,
        channel: Channel | None = None,
        api_url: str = API_URL,
        upload_url: str = UPLOAD_URL,
        patience: Patience | None = None,
        chunk: int = CHUNK,
    ) -> None:
        self._patience = patience or Patience(answer=120, poll=10, job=600)
        provider = Provider("YouTube", "YOUTUBE_REFRESH_TOKEN", api_url, credentials.refresh_token, self._patience)
        self._google = Google(provider, credentials, "YOUTUBE", self._patience.answer)
        self._provider = provider
        self._channel = channel or Channel()
        self._api = api_url.rstrip("/")
        self._uploads = upload_url.rstrip("/")
        self._chunk = chunk

    def check(self) -> None:
        """See the Protocol."""
        self._google.check()

    def publish(self, parcel: Parcel, diary: Diary) -> Place:
        """See the Protocol. A killed attempt's upload goes on from where the server has it."""
        self.check()
        artifact = _film(parcel)
        file = parcel.fetch(artifact)
        upload = Resumable(self._google, file, artifact.media_type, self._chunk, self._patience.poll / 10)
        video_id = self._gone_on(upload, diary, artifact) or self._found(parcel.release.key)
        if not video_id:
            session = upload.begin(
                f"{self._uploads}/videos",
                {"uploadType": "resumable", "part": "snippet,status"},
                described(parcel, self._channel),
            )
            try:
                video_id = _id(upload.finish(session, lambda at: diary.note(_left(session, artifact, at))))
            except SessionGone:
                raise self._provider.fault("has forgotten the upload", "session_gone") from None
        self._show_cover(parcel, video_id)
        return Place(external_id=video_id, url=f"https://www.youtube.com/watch?v={video_id}", sha256=artifact.sha256)

    def confirm(self, parcel: Parcel, place: Place) -> Place:
        """See the Protocol. Waits while YouTube processes the video."""
        for _ in range(max(1, round(self._patience.job / max(self._patience.poll, 0.001)))):
            video = self._video(place.external_id)
            if video is None:
                raise ArtifactLost(f"YouTube has no video {place.external_id} any more")
            status = video.get("status", {})
            if status.get("uploadStatus") == "processed":
                self._check(parcel, video)
                return place
            if status.get("uploadStatus") in _UNFIT:
                why = status.get("rejectionReason") or status.get("failureReason") or status["uploadStatus"]
                raise EngineFailed(
                    f"YouTube does not show the video {place.external_id}: {why}.",
                    code="publication.refused",
                    action="Look at the video in YouTube Studio; resume uploads it again, or skip this publication.",
                )
            time.sleep(self._patience.poll)
        raise self._provider.fault("is still processing the video", "processing")

    def unpublish(self, parcel: Parcel, place: Place | None) -> None:
        """See the Protocol. The video is deleted."""
        self.check()
        video_id = place.external_id if place else self._found(parcel.release.key)
        if not video_id or self._video(video_id) is None:
            return
        self._google.ask("DELETE", f"{self._api}/videos", params={"id": video_id})
        if self._video(video_id) is not None:
            raise self._provider.fault(f"still shows the video {video_id}", "not_gone")

    def _gone_on(self, upload: Resumable, diary: Diary, film: Artifact) -> str:
        """The video of the upload that an earlier attempt began, carried to its end; empty without one."""
        session = str(diary.left.get("session", ""))
        if not session or diary.left.get("sha256") != film.sha256:
            return ""
        try:
            return _id(upload.finish(session, lambda at: diary.note(_left(session, film, at))))
        except SessionGone:
            return ""

    def _found(self, key: str) -> str:
        """The video that has ``key`` in its description, among those of the channel; empty when there is none. Not by
        search.list, which costs a hundred times as much and lags by hours."""
        for entry in self._uploaded():
            lines = str(entry.get("snippet", {}).get("description", "")).splitlines()
            video_id = str(entry.get("contentDetails", {}).get("videoId", ""))
            if lines and lines[-1].strip() == key and video_id:
                video = self._video(video_id)
                if video is not None and video.get("status", {}).get("uploadStatus") not in _UNFIT:
                    return video_id
        return ""

    def _uploaded(self) -> Iterator[Mapping[str, Any]]:
        mine = self._google.ask("GET", f"{self._api}/channels", params={"part": "contentDetails", "mine": "true"})
        channels = _items(mine)
        if not channels:
            raise EngineUnavailable(
                "Whoever gave YOUTUBE_REFRESH_TOKEN has no YouTube channel.",
                field="YOUTUBE_REFRESH_TOKEN",
                action="Consent with the account of a channel, or make one.",
            )
        uploads = channels[0].get("contentDetails", {}).get("relatedPlaylists", {}).get("uploads", "")
        asked = {"part": "snippet,contentDetails", "playlistId": str(uploads), "maxResults": "50"}
        for _ in range(_PAGES):
            response = self._google.send("GET", f"{self._api}/playlistItems", params=asked)
            if response.status_code == 404:
                # A channel that never uploaded has no such playlist yet.
                return
            if not response.is_success:
                raise self._google.refusal(response)
            page = self._google.json(response)
            yield from _items(page)
            if not (following := page.get("nextPageToken")):
                return
            asked["pageToken"] = str(following)

    def _video(self, video_id: str) -> Mapping[str, Any] | None:
        found = self._google.ask("GET", f"{self._api}/videos", params={"part": "snippet,status", "id": video_id})
        videos = _items(found)
        return videos[0] if videos else None

    def _check(self, parcel: Parcel, video: Mapping[str, Any]) -> None:
        if parcel.release.key not in str(video.get("snippet", {}).get("description", "")):
            raise EngineFailed(f"The video {video.get('id')} is not this release.", code="publication.other")
        privacy = video.get("status", {}).get("privacyStatus")
        if privacy != self._channel.privacy:
            raise EngineFailed(
                f"YouTube keeps the video {video.get('id')} {privacy}, not {self._channel.privacy}.",
                field="YOUTUBE_PRIVACY",
                code="publication.privacy",
                action="Videos of projects that Google has not audited stay private: have yours audited, or set "
                "YOUTUBE_PRIVACY to private; then resume.",
            )

    def _show_cover(self, parcel: Parcel, video_id: str) -> None:
        """Set the cover as thumbnail. A channel that may not have its own keeps YouTube's: no reason to hold it up."""
        try:
            with TemporaryDirectory() as folder:
                small = Path(folder) / "cover.jpg"
                _thumbnail(parcel.file("cover.jpg"), small)
                self._google.ask(
                    "POST",
                    f"{self._uploads}/thumbnails/set",
                    params={"videoId": video_id, "uploadType": "media"},
                    headers={"Content-Type": "image/jpeg"},
                    content=small.read_bytes(),
                )
        except (EngineUnavailable, EngineFailed) as error:
            log.warning("publishing.no_thumbnail", video=video_id, why=error.message)


def described(parcel: Parcel, channel: Channel) -> dict[str, Any]:
    """The video resource for videos.insert: what it is called, what is said of it, and what has to be declared."""
    sheet = parcel.sheet
    made_by = "\n".join(f"{credit['role'].capitalize()}: {credit['engine']}" for credit in sheet["credits"])
    codes = f"ISRC {sheet['isrc']} · UPC {sheet['upc']}\n" if sheet["codes_registered"] else ""
    words = f"{sheet['artist']} — {sheet['title']} ({sheet['year']})\n\n{sheet['disclosure']}\n\n{made_by}\n{codes}"
    key = parcel.release.key
    text = _plain(words).encode()[: _DESCRIPTION_BYTES - len(key.encode()) - 2].decode(errors="ignore")
    return {
        "snippet": {
            "title": _plain(f"{sheet['artist']} — {sheet['title']}")[:_TITLE],
            "description": f"{text}\n{key}",
            "tags": [_plain(tag)[:100] for tag in (sheet["artist"], sheet["genre"], "AI music")],
            "categoryId": MUSIC,
            "defaultLanguage": sheet["language"],
            "defaultAudioLanguage": sheet["language"],
        },
        "status": {
            "privacyStatus": channel.privacy,
            "selfDeclaredMadeForKids": channel.made_for_kids,
            "containsSyntheticMedia": True,
            "embeddable": True,
        },
    }


def _film(parcel: Parcel) -> Artifact:
    films = sorted(path for path in parcel.files if path.startswith("video-"))
    if not films:
        raise EngineFailed("The release has no video for YouTube.", code="publication.refused", action="Skip it.")
    wide = "video-16x9.mp4"
    return parcel.files[wide if wide in films else films[0]]


def _thumbnail(cover: Path, out: Path) -> None:
    """The square cover in the middle of 1280x720, over itself out of focus: well under YouTube's 2 MB."""
    over = (
        "[0:v]split[a][b];[a]scale=1280:1280:flags=area,crop=1280:720,boxblur=30:2[back];"
        "[b]scale=720:720:flags=lanczos[front];[back][front]overlay=(W-w)/2:0"
    )
    run(["-i", str(cover), "-filter_complex", over, "-frames:v", "1", "-update", "1", "-q:v", "3", str(out)])


def _plain(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›")


def _id(video: Mapping[str, Any]) -> str:
    found = video.get("id")
    if not isinstance(found, str) or not found:
        raise EngineFailed("YouTube took the upload and names no video.", code="publication.refused")
    return found


def _left(session: str, film: Artifact, offset: int) -> dict[str, str | int]:
    return {"session": session, "sha256": film.sha256, "offset": offset}


def _items(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    items = answer.get("items")
    return items if isinstance(items, list) else ()
