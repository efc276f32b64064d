"""The page of a release: listen, watch, read along. One file that loads nothing but what lies beside it; its links are
relative, and whoever serves it elsewhere signs them."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from html import escape, unescape
from importlib import resources

from models.music import SungTiming, SungWord
from models.publication import public_path
from models.song_stages import Credit, ReleaseRequest

_BESIDE = "'self' file:"
"""Where the page's pictures and sounds may come from: beside it, also on a disk."""
_LINK = re.compile(r'(?P<name>src|href|poster)="(?P<path>[^"]*)"')


def landing_page(request: ReleaseRequest, timing: SungTiming, disclosure: str, files: Mapping[str, str]) -> str:
    """The page as HTML. ``files`` are the paths of the package with their sha256."""
    name = f"{request.artist} — {request.title}"
    mp3 = next(path for path in files if path.endswith(".mp3"))
    facts = f"{request.year} · {request.genre.value} · {request.grid.tempo_bpm:.0f} BPM · {request.key.name}"
    explicit = " · explicit" if request.explicit else ""
    return (
        f"{_head(name, request.language)}"
        '<img class="backdrop" src="cover.jpg" alt=""><main><header>'
        f'<img src="cover.jpg" alt="Cover of {escape(request.title)}">'
        f'<div><p class="artist">{escape(request.artist)}</p><h1>{escape(request.title)}</h1>'
        f'<p class="facts">{escape(facts + explicit)}</p>'
        f'<audio controls preload="metadata" src="{escape(mp3)}"></audio></div></header>'
        f"{_films(files)}{_words(timing)}{_credits(request)}{_listed(files)}"
        f'<p class="disclosure">{escape(disclosure)}</p></main><script>{_resource("page.js")}</script></html>\n'
    )


def withdrawn_page(artist: str, title: str) -> str:
    """What stands in the page's place once the release was withdrawn."""
    name = f"{artist} — {title}"
    return (
        f"{_head(name, 'en')}<main><h1>{escape(title)}</h1><p class='artist'>{escape(artist)}</p>"
        "<p>This release has been withdrawn.</p></main></html>\n"
    )


def signed(page: str, sign: Callable[[str], str | None], origin: str) -> str:
    """The page with its links through ``sign``, which gives the address of a path of the package, or None for one that
    the public does not get; ``origin`` is where those addresses are."""

    def link(found: re.Match[str]) -> str:
        path = unescape(found["path"])
        address = None if "://" in path else sign(path)
        return found[0] if address is None else f'{found["name"]}="{escape(address)}"'

    return _LINK.sub(link, page).replace(_BESIDE, escape(origin), 2)


def policy(origin: str = _BESIDE) -> str:
    """The page's Content-Security-Policy: its own style and script by their hashes, media from ``origin``, no more."""
    style, script = _hash("page.css"), _hash("page.js")
    return (
        f"default-src 'none'; img-src {origin}; media-src {origin}; style-src {style}; script-src {script}; "
        "base-uri 'none'; form-action 'none'"
    )


def _head(name: str, language: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(language)}"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(name)}</title><style>{_resource('page.css')}</style>"
    )


def _films(files: Mapping[str, str]) -> str:
    films = [path for path in files if path.startswith("video-")]
    shown = "".join(
        f'<video controls preload="metadata" poster="cover.jpg" src="{escape(path)}"></video>' for path in sorted(films)
    )
    return f'<h2>Watch</h2><div class="films">{shown}</div>' if films else ""


def _words(timing: SungTiming) -> str:
    lines = "".join(_line(words) for words in timing.lines if words)
    return f'<h2>Words</h2><div class="stage"><ol class="lyrics">{lines}</ol></div>' if lines else ""


def _line(words: tuple[SungWord, ...]) -> str:
    sung = " ".join(f'<span data-at="{word.start:.2f}">{escape(word.text)}</span>' for word in words)
    return f'<li data-at="{words[0].start:.2f}">{sung}</li>'


def _credits(request: ReleaseRequest) -> str:
    facts = {
        **{credit.role.capitalize(): credit.engine for credit in request.made_by if not credit.licence},
        "Approved by": ", ".join(request.approved_by),
        "ISRC": request.isrc if request.registered else f"{request.isrc} (not registered)",
        "UPC": request.upc if request.registered else f"{request.upc} (not registered)",
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    listed += "".join(_owed(credit) for credit in request.made_by if credit.licence)
    return f"<h2>Credits</h2><dl>{listed}</dl>"


def _owed(credit: Credit) -> str:
    """A credit of somebody whose work is used by a licence, with a link to where it is from."""
    who = escape(f"{credit.engine}, {credit.licence}")
    if credit.page.startswith(("https://", "http://")):
        who = f'<a href="{escape(credit.page)}">{who}</a>'
    return f"<dt>{escape(credit.role.capitalize())}</dt><dd>{who}</dd>"


def _listed(files: Mapping[str, str]) -> str:
    rows = ""
    for path, sha256 in sorted(files.items()):
        name = f'<a href="{escape(path)}">{escape(path)}</a>' if public_path(path) else escape(path)
        rows += f"<tr><td>{name}</td><td><code>{sha256}</code></td></tr>"
    return f"<h2>Files, with their SHA-256</h2><table>{rows}</table>"


@cache
def _resource(name: str) -> str:
    return resources.files("activities.releases").joinpath(name).read_text("utf-8")


@cache
def _hash(name: str) -> str:
    digest = hashlib.sha256(_resource(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
