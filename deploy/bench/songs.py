"""Songs without their pictures, made and measured by the default engines in this process: five artists, line by line;
and a house full of voices."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.analysis.topline import VoiceRange, write_topline
from activities.audition.base import AuditionReport, FinishedSong
from activities.lyrics.base import LyricsBrief
from activities.mixing.base import Session, StemFile, SungSection
from activities.support.engine import no_progress
from deploy.settings import Settings
from models.birth import conceive
from models.growth import plan_song
from models.identity import Identity
from models.lanes import Lane
from models.music import BEATS_PER_BAR, SectionKind, to_sing
from models.plan import Capability
from models.quality import TrackThresholds
from models.song_stages import VoicePrint, VoicePrints
from workers.wiring import build_engines

FIRST_SEED = 1_000


@dataclass(frozen=True)
class MeasuredSong:
    """Who sang, how fast, and what was heard."""

    artist: str
    genre: str
    tempo_bpm: float
    report: AuditionReport


class Room:
    """The default engines of songs."""

    def __init__(self, settings: Settings) -> None:
        engines = build_engines(settings, Lane.CPU)

        def one(capability: Capability, name: str) -> Any:
            return engines[capability][name]

        self._composer = one(Capability.MUSIC, "composer")
        self._listener = one(Capability.ANALYSIS, "listener")
        self._writer = one(Capability.LYRICS, "writer")
        self._singer = one(Capability.VOCALS, "singer")
        self._desk = one(Capability.MIXING, "desk")
        self._audition = one(Capability.AUDITION, "audition")

    def artists(self, count: int, folder: Path) -> Iterator[tuple[Identity, float]]:
        """So many artists of one house, born one after another, and how near each voice came to one before it."""
        prints: tuple[VoicePrint, ...] = ()
        for number in range(count):
            seed, name = FIRST_SEED + number, f"bench-{number + 1}"
            home = folder / name
            home.mkdir()
            cast = self._singer.cast(VoicePrints(prints=prints), seed, home, no_progress)
            prints = (*prints, VoicePrint(artist=name, embedding=cast.embedding))
            yield conceive(seed, name).voiced(cast.voice), cast.nearest

    def song(self, identity: Identity, folder: Path) -> MeasuredSong:
        """The artist's first song, from plan to figures, as the stages make it."""
        plan = plan_song(identity, 1, identity.seed)
        composed = self._composer.compose(plan, identity.seed, folder, no_progress)
        heard = self._listener.listen(composed.mix, composed.score, plan, no_progress)
        grid, key = heard.analysis.grid, heard.analysis.key
        voice = VoiceRange(identity.voice.low, identity.voice.high)
        lead = write_topline(
            grid, key, heard.analysis.sections, heard.chords, voice, identity.rhyme, identity.seed, heard.swing
        )
        brief = LyricsBrief(identity.themes, identity.language, identity.explicit, (), "", identity.seed)
        lyrics = self._writer.write(lead, brief, no_progress)
        sections = []
        for at, section in enumerate(to_sing(lead, lyrics)):
            home = folder / f"sung-{at}"
            home.mkdir()
            support = section.kind is SectionKind.CHORUS
            sung = self._singer.sing(
                section.lines,
                grid.tempo_bpm,
                key,
                identity.voice,
                identity.language,
                identity.delivery,
                support,
                identity.seed,
                home,
                no_progress,
            )
            sections += [
                SungSection(
                    at_ms=round(grid.seconds(bar * BEATS_PER_BAR) * 1000),
                    lead_in_ms=sung.lead_in_ms,
                    lead=sung.lead,
                    doubles=sung.doubles,
                    harmonies=sung.harmonies,
                    timing=sung.timing,
                    melody=sung.melody,
                )
                for bar in section.start_bars
            ]
        session = Session(
            genre=identity.genres[0].genre,
            music=composed.mix,
            stems=tuple(StemFile(name, wav) for name, wav in composed.stems.items()),
            vocals=tuple(sorted(sections, key=lambda section: section.at_ms)),
            grid=grid,
            seed=identity.seed,
        )
        (folder / "mix").mkdir()
        mixed = self._desk.mix(session, folder / "mix", no_progress)
        finished = FinishedSong(
            master=mixed.master,
            vocal=mixed.vocal,
            melody=mixed.melody,
            timing=mixed.timing,
            lyrics=lyrics,
            plan=plan,
            analysis=heard.analysis,
            videos=(),
            cuts=(),
            language=identity.language,
            delivery=identity.delivery,
            thresholds=TrackThresholds(),
            stems={stem.name: stem.wav for stem in mixed.stems},
            score=composed.score,
        )
        report, _ = self._audition.audition(finished, no_progress)
        return MeasuredSong(identity.name, session.genre.value, plan.tempo_bpm, report)

    def songs(self, identities: list[Identity], folder: Path) -> list[MeasuredSong]:
        """A song of each, two at a time."""

        def made(identity: Identity) -> MeasuredSong:
            home = folder / f"song-{identity.artist}"
            home.mkdir()
            return self.song(identity, home)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(made, identities))
