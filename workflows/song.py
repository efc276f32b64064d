"""A song's stages, each taking what those before it made: music, tune, words, voice, mix, pictures, figures."""

from activities.analysis.stage import AnalysisActivities
from activities.artwork.stage import ArtworkActivities
from activities.audition.stage import AuditionActivities
from activities.footage.stage import FootageActivities
from activities.lyrics.stage import LyricsActivities
from activities.mixing.stage import MixingActivities
from activities.music.stage import MusicActivities
from activities.musicvideo.stage import MusicVideoActivities
from activities.vocals.stage import VocalActivities
from models.layout import Shape
from models.music import BEATS_PER_BAR, SectionKind, SectionToSing
from models.plan import EngineRef
from models.song_stages import (
    AnalyseSongRequest,
    AnalyseSongResult,
    AuditionRequest,
    AuditionResult,
    Clip,
    ComposeSongRequest,
    ComposeSongResult,
    CoverRequest,
    CoverResult,
    FootageRequest,
    LyricsRequest,
    LyricsResult,
    MixRequest,
    MixResult,
    MusicVideoRequest,
    MusicVideoResult,
    PlacedPart,
    ShapedVideo,
    SingRequest,
    SungPart,
)
from models.track import Song, StepState, TrackRequest, TrackStep
from workflows.stages import PassedOver, StageRunner
from workflows.tasks import together
from workflows.trackboard import TrackBoard


class SongMaking:
    """The stages of one song."""

    def __init__(self, request: TrackRequest, stages: StageRunner, board: TrackBoard) -> None:
        self._request = request
        self._stages = stages
        self._board = board

    async def made(self) -> Song:
        """The whole song, with cover, videos and figures. What an earlier take made and still holds is found again."""
        music = await self._music()
        analysis = await self._analysis(music)
        words = await self._words(analysis)
        cover, mix, footage = await together(
            self._cover(analysis, words), self._sound(music, analysis, words), self._footage()
        )
        self._running(TrackStep.VIDEO)
        shapes = self._request.shapes
        videos = await together(
            *(
                self._video(shape, clips, analysis, words, cover, mix)
                for shape, clips in zip(shapes, footage, strict=True)
            )
        )
        self._done(TrackStep.VIDEO)
        check = await self._check(music, analysis, words, mix, videos)
        return Song(
            music=music,
            analysis=analysis,
            words=words,
            mix=mix,
            cover=cover,
            videos=tuple(ShapedVideo(shape=s, video=v.video) for s, v in zip(shapes, videos, strict=True)),
            thumbnail=videos[0].thumbnail,
            check=check,
            footage=tuple(clip for clips in footage for clip in clips),
        )

    def _running(self, step: TrackStep, detail: str = "") -> None:
        self._board.step(step, StepState.RUNNING, detail)

    def _done(self, step: TrackStep) -> None:
        self._board.step(step, StepState.DONE)

    async def _music(self) -> ComposeSongResult:
        self._running(TrackStep.MUSIC)
        request = self._request

        def ask(engine: EngineRef, _: tuple[str, ...]) -> ComposeSongRequest:
            seed = request.part_seed("music")
            return ComposeSongRequest(work_id=request.track_id, engine=engine, plan=request.song, seed=seed)

        made, failed = await self._stages.first(
            MusicActivities.compose, request.plan.music, ask, lambda engine: f"Compose by {engine.name}"
        )
        self._fell_back("music", made.source, failed)
        self._done(TrackStep.MUSIC)
        return made

    async def _analysis(self, music: ComposeSongResult) -> AnalyseSongResult:
        self._running(TrackStep.ANALYSIS)
        request = self._request
        ask = AnalyseSongRequest(
            work_id=request.track_id,
            engine=request.plan.analysis,
            audio=music.audio,
            score=music.score,
            plan=request.song,
            voice_low=request.identity.voice.low,
            voice_high=request.identity.voice.high,
            rhyme=request.identity.rhyme,
            seed=request.part_seed("analysis"),
        )
        made = await self._stages.run(AnalysisActivities.analyse, ask, "Listen to the music and write the tune")
        self._done(TrackStep.ANALYSIS)
        return made

    async def _words(self, analysis: AnalyseSongResult) -> LyricsResult:
        self._running(TrackStep.LYRICS)
        request, identity = self._request, self._request.identity

        def ask(engine: EngineRef, _: tuple[str, ...]) -> LyricsRequest:
            return LyricsRequest(
                work_id=request.track_id,
                engine=engine,
                lead=analysis.lead,
                themes=identity.themes,
                language=identity.language,
                explicit=identity.explicit,
                banned=request.banned,
                notes=f"{request.brief}\n{request.notes}".strip()[:2_000],
                seed=request.part_seed("lyrics"),
            )

        made, failed = await self._stages.first(
            LyricsActivities.write, request.plan.lyrics, ask, lambda engine: f"Write the words by {engine.name}"
        )
        self._fell_back("lyrics", made.source, failed)
        self._done(TrackStep.LYRICS)
        return made

    def _fell_back(self, what: str, source: str, failed: tuple[PassedOver, ...]) -> None:
        if failed:
            told = "; ".join(f"{one.engine} ({one.why[: 200 // len(failed)]})" for one in failed)
            self._board.told_instead(f"{what}: {source} instead of {told}")

    async def _sound(self, music: ComposeSongResult, analysis: AnalyseSongResult, words: LyricsResult) -> MixResult:
        """Every distinct section sung side by side, then mixed and mastered."""
        request = self._request
        self._running(TrackStep.VOCALS, f"singing “{words.title}”")
        sung = await together(*(self._sung(at, section, analysis) for at, section in enumerate(words.sections)))
        self._done(TrackStep.VOCALS)
        self._running(TrackStep.MIX)
        placed = [
            PlacedPart(part=part, at_ms=round(analysis.grid.seconds(bar * BEATS_PER_BAR) * 1000))
            for section, part in zip(words.sections, sung, strict=True)
            for bar in section.start_bars
        ]
        ask = MixRequest(
            work_id=request.track_id,
            engine=request.plan.mixing,
            genre=request.song.genres[0].genre,
            music=music.audio,
            stems=music.stems,
            vocals=tuple(sorted(placed, key=lambda part: part.at_ms)),
            grid=analysis.grid,
            seed=request.part_seed("mix"),
        )
        made = await self._stages.run(MixingActivities.mix, ask, "Mix and master")
        self._done(TrackStep.MIX)
        return made

    async def _sung(self, at: int, section: SectionToSing, analysis: AnalyseSongResult) -> SungPart:
        request = self._request
        ask = SingRequest(
            work_id=request.track_id,
            segment=at,
            engine=request.plan.vocals,
            lines=section.lines,
            tempo_bpm=analysis.grid.tempo_bpm,
            key=analysis.key,
            voice=request.identity.voice,
            language=request.identity.language,
            delivery=request.identity.delivery,
            support=section.kind is SectionKind.CHORUS,
            seed=request.part_seed("vocals"),
        )
        title = f"Sing the {section.kind.value}: “{section.lines[0].text[:80]}”"
        return (await self._stages.run(VocalActivities.sing, ask, title)).part

    async def _cover(self, analysis: AnalyseSongResult, words: LyricsResult) -> CoverResult:
        self._running(TrackStep.COVER)
        request, identity = self._request, self._request.identity
        ask = CoverRequest(
            work_id=request.track_id,
            engine=request.plan.artwork,
            artist=identity.name,
            title=words.title,
            palette=identity.palette,
            motif=identity.motif,
            analysis=analysis.analysis,
            seed=request.part_seed("cover"),
        )
        made = await self._stages.run(ArtworkActivities.cover, ask, f"Draw the cover of “{words.title}”")
        self._done(TrackStep.COVER)
        return made

    async def _footage(self) -> tuple[tuple[Clip, ...], ...]:
        """What each shape's video is cut from: nothing where the plan has no footage or no library could help, and the
        pictures are then generated."""
        shapes = self._request.shapes
        if not self._request.plan.footage:
            return ((),) * len(shapes)
        return await together(*(self._clips(shape) for shape in shapes))

    async def _clips(self, shape: Shape) -> tuple[Clip, ...]:
        request, identity = self._request, self._request.identity

        def ask(engine: EngineRef, _: tuple[str, ...]) -> FootageRequest:
            return FootageRequest(
                work_id=request.track_id,
                engine=engine,
                shape=shape,
                motif=identity.motif,
                palette=identity.palette,
                themes=identity.themes,
                # With another take of the video comes other footage.
                seed=request.part_seed("video"),
            )

        found, failed = await self._stages.first_if_any(
            FootageActivities.find,
            request.plan.footage,
            ask,
            lambda engine: f"Find footage {shape.value} in {engine.name}",
        )
        instead = found.source if found else f"pictures by {request.plan.musicvideo.name}"
        self._fell_back(f"footage {shape.value}", instead, failed)
        return found.clips if found else ()

    async def _video(
        self,
        shape: Shape,
        clips: tuple[Clip, ...],
        analysis: AnalyseSongResult,
        words: LyricsResult,
        cover: CoverResult,
        mix: MixResult,
    ) -> MusicVideoResult:
        request, identity = self._request, self._request.identity
        ask = MusicVideoRequest(
            work_id=request.track_id,
            engine=request.plan.musicvideo,
            shape=shape,
            artist=identity.name,
            title=words.title,
            palette=identity.palette,
            motif=identity.motif,
            genre=request.song.genres[0].genre,
            master=mix.master,
            analysis=analysis.analysis,
            timing=mix.timing,
            cover=cover.cover,
            plates=tuple(clip.plate for clip in clips),
            seed=request.part_seed("video"),
        )
        return await self._stages.run(MusicVideoActivities.draw, ask, f"Draw the video {shape.value}")

    async def _check(
        self,
        music: ComposeSongResult,
        analysis: AnalyseSongResult,
        words: LyricsResult,
        mix: MixResult,
        videos: tuple[MusicVideoResult, ...],
    ) -> AuditionResult:
        self._running(TrackStep.CHECK, "listening to the finished song")
        request = self._request
        ask = AuditionRequest(
            work_id=request.track_id,
            engine=request.plan.audition,
            master=mix.master,
            vocal=mix.vocal,
            melody=mix.melody,
            timing=mix.timing,
            lyrics=words.lyrics,
            lead=analysis.lead,
            stems=mix.stems,
            score=music.score,
            plan=request.song,
            videos=tuple(video.video for video in videos),
            cuts=tuple(video.cuts for video in videos),
            analysis=analysis.analysis,
            language=request.identity.language,
            delivery=request.identity.delivery,
            thresholds=request.thresholds,
        )
        made = await self._stages.run(AuditionActivities.audition, ask, "Listen to the finished song")
        self._done(TrackStep.CHECK)
        return made
