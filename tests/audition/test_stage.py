"""What the audition stage is asked reaches the ear as it was meant; figures, report and print come back."""

from pathlib import Path
from typing import Any

import pytest

from activities.audition.base import AuditionReport, FinishedSong
from activities.audition.engine import SongAudition
from activities.audition.likeness import SongPrint
from activities.audition.stage import AuditionActivities
from activities.support.engine import no_progress
from activities.support.stage import Bench
from models.errors import InvalidInput
from models.song_stages import AuditionRequest, AuditionResult, Stem
from tests.mixing.test_stage import Direct, Folder


def asked(bench: Bench, song: FinishedSong, engine: SongAudition, cuts: str) -> AuditionRequest:
    wav = "audio/wav"
    return AuditionRequest(
        work_id="track-1",
        engine=engine.ref,
        master=bench.put(song.master, wav),
        vocal=bench.put(song.vocal, wav),
        melody=bench.put(song.melody, "application/x-npy"),
        timing=bench.put_text("timing.json", song.timing.model_dump_json()),
        lyrics=bench.put_text("lyrics.json", song.lyrics.model_dump_json()),
        lead=bench.put_text("lead.json", "{}"),
        plan=song.plan,
        videos=tuple(bench.put(video, "video/mp4") for video in song.videos),
        cuts=(bench.put_text("cuts.json", cuts),),
        analysis=bench.put_text("analysis.json", song.analysis.model_dump_json()),
        language=song.language,
        delivery=song.delivery,
        stems=tuple(Stem(name=name, audio=bench.put(stem, wav)) for name, stem in song.stems.items()),
        score=bench.put_text("score.json", song.score.model_dump_json()) if song.score else None,
    )


@pytest.mark.asyncio
async def test_a_request_becomes_the_figures_of_its_song(song: FinishedSong, whisper: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    store: Any = Folder(tmp_path / "store")
    bench = Bench(tmp_path, store)
    engine = SongAudition(whisper)
    direct: Any = Direct(bench)
    activities = AuditionActivities(direct, {"audition": engine})
    request = asked(bench, song, engine, str(list(song.cuts[0])))
    result: AuditionResult = await activities.audition(request)
    report, print_ = engine.audition(song, no_progress)
    assert result.figures == report.figures
    assert bench.read(result.report, AuditionReport) == report
    assert bench.read(result.print, SongPrint) == print_
    with pytest.raises(InvalidInput, match="cuts"):
        await activities.audition(asked(bench, song, engine, '{"frames": []}'))
