"""Releases over REST: a page that plays, whose links serve; places that fail are mended or let go; what is withdrawn is
gone, also for those who were given a link."""

from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from activities.releases.page import policy
from tests.api.conftest import Tenant, problem
from tests.api.songs import TIMING
from tests.api.test_artists import born, ended, settled, track_of

VOID = {"img", "meta", "br", "link", "input"}


class Page(HTMLParser):
    """What a page holds: its links by tag, its words, and tags that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.times: list[float] = []
        self.open: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.links += [(tag, found[name]) for name in ("src", "href", "poster") if name in found]
        if "data-at" in found and tag == "span":
            self.times.append(float(found["data-at"]))
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = unescape(found["content"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


def released(tenant: Tenant, **changes: Any) -> str:
    track = track_of(tenant, born(tenant, autopilot=True, **changes))
    ended(tenant, track, "released")
    return track


def publications(tenant: Tenant, track: str) -> dict[str, Any]:
    view = tenant.viewer.get(f"/tracks/{track}/publications").json()
    return {publication["publisher"]: publication for publication in view["publications"]}


def standing(tenant: Tenant, track: str, publisher: str, state: str) -> dict[str, Any]:
    """A publication, as soon as it is at ``state``."""
    path = f"/tracks/{track}/publications"

    def holds(view: dict[str, Any]) -> bool:
        return any(p["publisher"] == publisher and p["state"] == state for p in view["publications"])

    return next(p for p in settled(tenant, path, holds)["publications"] if p["publisher"] == publisher)


def test_the_page_of_a_release_plays_and_every_link_of_it_serves(tenant: Tenant) -> None:
    track = released(tenant)
    store = publications(tenant, track)["store"]
    assert store["state"] == "published" and store["confirmed_at"] and store["url"].endswith(f"/releases/{track}/page")
    answer = tenant.viewer.get(f"/releases/{track}/page")
    page = Page(answer.text)
    assert page.open == []
    assert {tag for tag, _ in page.links} == {"img", "audio", "video", "a"}
    assert page.times == [word.start for word in TIMING.lines[0]]
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(link)) for _, link in page.links}
    assert len(origins) == 1
    assert answer.headers["content-security-policy"] == page.policy == policy(origins.pop())
    kinds = {"img": "image/", "audio": "audio/mpeg", "video": "video/mp4"}
    for tag, link in set(page.links):
        with httpx.stream("GET", link, headers={"Range": "bytes=0-99"}) as media:
            poster = tag == "video" and "cover.jpg" in link
            assert media.is_success, link
            assert media.headers["content-type"].startswith("image/" if poster else kinds.get(tag, "")), link
    assert "master.wav" in answer.text and not any("master.wav" in link for _, link in page.links)
    problem(httpx.get(str(answer.url)), 401, "access.unauthenticated")


def test_a_link_for_anybody_ends_when_the_release_is_withdrawn(tenant: Tenant) -> None:
    track = released(tenant)
    link = tenant.producer.post(f"/releases/{track}/link").json()
    given = httpx.get(link["url"])
    assert given.headers["content-type"].startswith("text/html") and link["expires_in_seconds"] == 24 * 3600
    media = [address for tag, address in Page(given.text).links if tag == "audio"]
    assert httpx.get(media[0]).is_success
    assert tenant.producer.post(f"/tracks/{track}/withdraw").status_code == 202
    withdrawn = standing(tenant, track, "store", "withdrawn")
    assert withdrawn["withdrawn_at"] and withdrawn["confirmed_at"]
    assert httpx.get(link["url"]).status_code == httpx.get(media[0]).status_code == 404
    notice = tenant.viewer.get(f"/releases/{track}/page")
    assert notice.status_code == 410 and "withdrawn" in notice.text and not Page(notice.text).links
    problem(tenant.producer.post(f"/releases/{track}/link"), 409, "release.withdrawn")
    assert tenant.viewer.get(f"/tracks/{track}/release").status_code == 200
    # A withdrawn release can go out again.
    assert tenant.producer.post(f"/tracks/{track}/publications/store").status_code == 202
    standing(tenant, track, "store", "published")
    assert tenant.viewer.get(f"/releases/{track}/page").status_code == 200


def test_a_place_without_credentials_waits_is_named_and_can_be_let_go(tenant: Tenant) -> None:
    track = released(tenant, publishers=["youtube", "store"])
    blocked = standing(tenant, track, "youtube", "blocked")
    assert blocked["failure"]["field"] == "YOUTUBE_CLIENT_ID" and blocked["confirmed_at"] is None
    assert publications(tenant, track)["store"]["state"] == "published"
    assert tenant.producer.post(f"/tracks/{track}/publications/youtube/resume").status_code == 202
    standing(tenant, track, "youtube", "blocked")
    assert tenant.producer.post(f"/tracks/{track}/publications/youtube/skip").status_code == 202
    standing(tenant, track, "youtube", "skipped")
    problem(tenant.producer.post(f"/tracks/{track}/publications/youtube/resume"), 409, "publication.ended")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tracks/{track}/publications/radio", 404, "reference.unknown"),
        ("/tracks/{track}/publications/store", 409, "track.not_released"),
        ("/tracks/{track}/publications/store/skip", 404, "reference.unknown"),
        ("/tracks/{track}/withdraw", 409, "release.unpublished"),
        ("/tracks/nobody-0001/withdraw", 404, "reference.unknown"),
        ("/releases/nobody-0001/link", 404, "reference.unknown"),
    ],
)
def test_what_cannot_be_published_or_withdrawn_says_why(tenant: Tenant, path: str, status: int, code: str) -> None:
    track = track_of(tenant, born(tenant))
    problem(tenant.producer.post(path.format(track=track)), status, code)
    problem(tenant.viewer.post(path.format(track=track)), 403, "access.forbidden")


def test_where_nobody_publishes_is_refused_at_birth(tenant: Tenant) -> None:
    answer = tenant.producer.post("/artists", json={"id": "x", "publishers": ["radio"]})
    assert problem(answer, 404, "reference.unknown")["field"] == "publishers"
