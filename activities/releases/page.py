"""The page of a release: listen, watch, read. One file without scripts; its links lie beside it."""

from html import escape

from models.music import Lyrics
from models.song_stages import Credit, ReleaseRequest

_STYLE = """
:root{color-scheme:dark}body{margin:0;background:#101216;color:#eceff4;font:17px/1.6 system-ui,sans-serif}
main{max-width:880px;margin:0 auto;padding:32px 20px 64px}
header{display:flex;gap:28px;align-items:flex-end;flex-wrap:wrap}
header img{width:280px;height:280px;border-radius:6px}h1{font-size:2.6rem;line-height:1.1;margin:.2em 0}
audio,video{width:100%;margin:20px 0;border-radius:6px}pre{white-space:pre-wrap;font:inherit}
a{color:inherit}dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 20px}dt,footer{opacity:.65}dd{margin:0}
"""


def landing_page(request: ReleaseRequest, lyrics: Lyrics, disclosure: str, files: tuple[str, ...]) -> str:
    """The page as HTML. ``files`` are the paths of the package; links are relative to the page."""
    mp3 = next(path for path in files if path.endswith(".mp3"))
    video = next((path for path in files if path == "video-16x9.mp4"), "")
    facts = {
        "ISRC": request.isrc,
        "UPC": request.upc,
        "Tempo": f"{request.grid.tempo_bpm:.0f} BPM",
        "Key": request.key.name,
        "Genre": request.genre.value,
        **{credit.role.capitalize(): credit.engine for credit in request.made_by if not credit.licence},
        "Approved by": ", ".join(request.approved_by),
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    listed += "".join(_owed(credit) for credit in request.made_by if credit.licence)
    links = "".join(f'<li><a href="{escape(path)}">{escape(path)}</a></li>' for path in files)
    watch = f'<video controls preload="none" poster="cover.jpg" src="{video}"></video>' if video else ""
    name = f"{request.artist} — {request.title}"
    return (
        f'<!doctype html><html lang="{escape(request.language)}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(name)}</title>'
        f"<style>{_STYLE}</style><main><header>"
        f'<img src="cover.jpg" alt="Cover of {escape(request.title)}">'
        f"<div><p>{escape(request.artist)}</p><h1>{escape(request.title)}</h1><p>{request.year}</p></div></header>"
        f'<audio controls src="{escape(mp3)}"></audio>{watch}'
        f"<h2>Words</h2><pre>{escape(lyrics.text)}</pre><h2>Credits</h2><dl>{listed}</dl>"
        f"<h2>Files</h2><ul>{links}</ul><footer>{escape(disclosure)}</footer></main></html>\n"
    )


def _owed(credit: Credit) -> str:
    """A credit of somebody whose work is used by a licence, with a link to where it is from."""
    who = escape(f"{credit.engine}, {credit.licence}")
    if credit.page.startswith(("https://", "http://")):
        who = f'<a href="{escape(credit.page)}">{who}</a>'
    return f"<dt>{escape(credit.role.capitalize())}</dt><dd>{who}</dd>"
