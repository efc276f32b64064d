"""What reviewers are shown on a telephone: a song as MP3, and the beginning of a film too large to be sent. Apart from
the messengers, because it is made once however many are asked."""

from pathlib import Path
from typing import Final

from activities.approvals.base import PREVIEW_SECONDS
from activities.support.ffmpeg import BIT_EXACT, run

_SHORT_SIDE: Final = 480
_STILL: Final = 320
"""Longest side of an audio message's picture (Bot API, sendAudio)."""


class FfmpegPreviews:
    """Implements :class:`activities.approvals.base.Previews`."""

    def film(self, film: Path, out: Path) -> Path:
        """The first minute in 480 lines (H.264, AAC, MP4; 1.2 Mbit/s at most: under 10 MB). Raises EngineFailed."""
        size = f"scale='if(gt(iw,ih),-2,{_SHORT_SIDE})':'if(gt(iw,ih),{_SHORT_SIDE},-2)':flags=area"
        run(
            [
                *("-t", str(PREVIEW_SECONDS), "-i", str(film), "-vf", size, "-threads", "1"),
                *("-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-maxrate", "1100k", "-bufsize", "2200k"),
                *("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", *BIT_EXACT, str(out)),
            ]
        )
        return out

    def song(self, master: Path, out: Path, *, artist: str, title: str) -> Path:
        """The song as MP3 at 192 kbit/s, named. Raises EngineFailed."""
        names = ("-metadata", f"title={title}", "-metadata", f"artist={artist}")
        run(["-i", str(master), "-vn", "-c:a", "libmp3lame", "-b:a", "192k", *names, *BIT_EXACT, str(out)])
        return out

    def still(self, picture: Path, out: Path) -> Path:
        """The picture within 320x320 as JPEG. Raises EngineFailed."""
        size = f"scale={_STILL}:{_STILL}:force_original_aspect_ratio=decrease:flags=area"
        run(["-i", str(picture), "-vf", size, "-frames:v", "1", "-update", "1", "-q:v", "4", str(out)])
        return out
