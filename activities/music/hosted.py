"""What hosted composers share: the plan in words, and the file that comes back as music of the right length."""

from pathlib import Path
from typing import Final

import soundfile as sf

from activities.music.base import Composition
from activities.support.ffmpeg import BIT_EXACT, probe, run
from activities.support.provider import Provider
from models.errors import MediaRejected
from models.music import SongPlan

RATE: Final = 44_100
_LENGTH_TOLERANCE: Final = 0.25


def described(plan: SongPlan) -> str:
    """The plan in words, for models that are asked in words."""
    genres = " with ".join(share.genre.value for share in plan.genres)
    sections = ", ".join(section.kind.value for section in plan.form)
    energy = "calm" if plan.energy < 0.4 else "driving" if plan.energy > 0.7 else "steady"
    instruments = f", {', '.join(plan.instruments)}" if plan.instruments else ""
    words = f"{plan.prompt}. " if plan.prompt else ""
    return (
        f"{words}{energy} instrumental {genres}{instruments}, {plan.tempo_bpm:.0f} BPM, 4/4, {plan.key.name}, "
        f"form: {sections}, no vocals"
    )


def fetched(provider: Provider, url: str, plan: SongPlan, folder: Path, source: str) -> Composition:
    """The file at ``url`` as stereo WAV at 44.1 kHz. Raises ProviderFault for anything but music as long as planned."""
    received, mix = folder / "received", folder / "mix.wav"
    try:
        provider.download(url, received)
        _check(provider, received, plan)
        run(["-i", str(received), "-vn", "-ac", "2", "-ar", str(RATE), "-c:a", "pcm_s16le", *BIT_EXACT, str(mix)])
    except BaseException:
        mix.unlink(missing_ok=True)
        raise
    finally:
        received.unlink(missing_ok=True)
    return Composition(mix=mix, seconds=sf.info(mix).duration, source=source)


def _check(provider: Provider, received: Path, plan: SongPlan) -> None:
    try:
        info = probe(received, whole=True, name=f"the file from {provider.name}")
    except MediaRejected as error:
        raise provider.fault(f"sent no whole piece of music: {error.message}", "not_music") from error
    wanted = plan.duration_ms / 1000
    if not info.has_audio or abs(info.duration - wanted) > _LENGTH_TOLERANCE * wanted:
        raise provider.fault(f"sent {info.duration:.0f} s of music for a song of {wanted:.0f} s", "wrong_length")
