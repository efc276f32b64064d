"""The stock performers: voices and looks that come with the studio, by the names their engines know them under. Apart
so that the API can refuse an unknown one by name without importing an engine."""

from typing import Final

from models.errors import UnknownReference

KOKORO_VOICES: Final = (
    *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river"),
    *("af_sarah", "af_sky"),
    *("am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx", "am_puck", "am_santa"),
    *("bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george", "bm_lewis"),
)
"""American and British, female and male: ``bf_emma`` is British, female, Emma."""
STOCK_VOICES: Final = {"kokoro": KOKORO_VOICES, "hibari": ("heart",)}
"""By speech engine; one that is not named here speaks with enrolled voices only."""
LOOKS: Final = ("avery", "jonas", "marcus", "mei")
"""Of the 3D presenter."""


def require_stock_voice(engine: str, voice: str) -> None:
    """Raise UnknownReference, which lists those there are, unless ``engine`` has that stock voice."""
    known = STOCK_VOICES.get(engine, ())
    if voice not in known:
        there = f"it has: {', '.join(known)}" if known else "it speaks with voices learnt from samples"
        raise UnknownReference(f"{engine} has no stock voice {voice!r}; {there}", field="stock")


def require_look(look: str) -> None:
    """Raise UnknownReference, which lists those there are, unless the presenter has that look."""
    if look not in LOOKS:
        raise UnknownReference(f"there is no presenter look {look!r}; there are: {', '.join(LOOKS)}", field="look")
