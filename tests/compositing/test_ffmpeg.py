"""A segment is drawn as the layout says, a film is joined without touching its pictures, and bad material is named."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from activities.compositing.base import CardPicture, SpokenSound
from activities.compositing.ffmpeg import FfmpegCompositor
from activities.compositing.frame import frame_of, presenter_height
from activities.compositing.sound import measure
from activities.support.engine import no_progress
from activities.support.ffmpeg import encode_frames, probe, run
from models.artifacts import Artifact
from models.errors import EngineFailed, InvalidInput, MediaRejected, StorageFull
from models.layout import Brand, Captions, Card, Layout, LowerThird, MusicBed, Plate, PlateKind, Shape, Slide
from tests.compositing.conftest import (
    FPS,
    Finished,
    Studio,
    artifact,
    make_clip,
    picture_of,
    speak,
    spread,
)

PLAIN = Layout(brand=Brand(name="Acme"), disclosure="", captions=Captions.NONE)


class Stopped(Exception):
    pass


def packets(path: Path, kind: str = "video") -> list[str]:
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in container.demux(stream) if packet.size]


def frame_sums(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [hashlib.sha256(frame.to_ndarray()).hexdigest() for frame in container.decode(video=0)]


def near(pixel: np.ndarray, colour: tuple[int, int, int], by: int = 14) -> bool:
    return bool(np.abs(pixel.astype(int) - np.array(colour)).max() <= by)


@pytest.mark.parametrize("shape", list(Shape))
def test_a_segment_has_its_shape_its_frames_and_begins_with_a_key_frame(studio: Studio, shape: Shape) -> None:
    out = studio.folder / "segment.mp4"
    clip = make_clip(studio.folder / "clip.mp4", 7)
    assert studio.engine.compose(picture_of(clip, PLAIN, shape), out, no_progress) == 7
    info = probe(out, whole=True)
    assert ((info.width, info.height), info.frames, info.fps, info.matrix) == (shape.size, 7, FPS, "bt709")
    with av.open(str(out)) as container:
        assert next(packet.is_keyframe for packet in container.demux(video=0) if packet.size)
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_the_presenter_stands_on_the_plate_where_the_matte_is_white(studio: Studio) -> None:
    layout = PLAIN.model_copy(update={"plate": Plate(colour="#2a6f4d")})
    frame = studio.frames(picture_of(make_clip(studio.folder / "clip.mp4", 3), layout))[0]
    box = frame_of(Shape.WIDE).presenter
    face = frame[box.top + int(0.4 * box.height), box.left + box.width // 2]
    beside = frame[box.top + int(0.4 * box.height), box.left + int(0.1 * box.width)]
    assert near(face, (0xC7, 0x9A, 0x80))
    assert beside[1] > beside[0] + 20, "the plate's green shows beside the head"
    assert beside[1] > beside[2] + 10


def test_bt601_and_bt709_clips_come_out_in_the_same_colours(studio: Studio) -> None:
    tagged = make_clip(studio.folder / "clip.mp4", 3)
    untagged = studio.folder / "bt601.mp4"
    run(["-i", str(tagged.path), "-vf", "scale=out_color_matrix=bt601", "-colorspace", "smpte170m", "-crf", "8",
         "-c:v", "libx264", str(untagged)])  # fmt: skip
    assert probe(untagged).matrix == "bt601"
    one = studio.frames(picture_of(tagged, PLAIN))[0]
    other = studio.frames(picture_of(dataclasses.replace(tagged, path=untagged), PLAIN))[0]
    assert np.abs(one.astype(int) - other.astype(int)).mean() < 1.0


def test_a_photo_clip_is_framed_with_rounded_corners(studio: Studio) -> None:
    clip = make_clip(studio.folder / "clip.mp4", 3, matte=False)
    frame = studio.frames(picture_of(clip, PLAIN.model_copy(update={"plate": Plate(colour="#101820")})))[0]
    box = frame_of(Shape.WIDE).photo
    corner, inside = frame[box.top + 1, box.left + 1], frame[box.top + 40, box.left + 40]
    assert corner.max() < 60
    assert near(inside, (0x6D, 0x5C, 0x50))


def test_an_upright_photo_clip_fills_a_tall_picture(studio: Studio) -> None:
    out = studio.folder / "upright.mp4"
    encode_frames((bytes((0, 160, 80)) * (180 * 320) for _ in range(3)), out, (180, 320), FPS)
    clip = dataclasses.replace(make_clip(studio.folder / "clip.mp4", 3, matte=False), path=out, width=180, height=320)
    frame = studio.frames(picture_of(clip, PLAIN, Shape.TALL))[0]
    assert all(near(frame[y, x], (0, 160, 80)) for y, x in ((5, 5), (1915, 1075), (960, 540)))


def test_the_lower_third_comes_at_its_time_of_the_spoken_part_and_goes_on_over_a_cut(studio: Studio) -> None:
    title = LowerThird(name="Avery Collins", start_ms=400, duration_ms=1_600)
    layout = PLAIN.model_copy(update={"lower_third": title, "brand": Brand(name="Acme", primary="#d01030")})
    clip = make_clip(studio.folder / "clip.mp4", 30)
    place = frame_of(Shape.WIDE).lower_third

    def shows(frame: np.ndarray) -> bool:
        return near(frame[place.bottom - 12, place.left + 60], (0xD0, 0x10, 0x30), 24)

    first = [shows(frame) for frame in studio.frames(picture_of(clip, layout))]
    second = [shows(frame) for frame in studio.frames(picture_of(clip, layout, offset_ms=1_200))]
    assert not any(first[:10])
    assert all(first[22:])
    assert second[0], "goes on where the first segment stopped"
    assert not any(second[20:]), "ends at 2.0 s of the spoken part"


def test_burnt_captions_are_where_the_words_are_and_nowhere_else(studio: Studio) -> None:
    layout = PLAIN.model_copy(update={"captions": Captions.BURNT})
    clip = make_clip(studio.folder / "clip.mp4", 40)
    words = spread("Margins held", 0.4, 0.8, 1.6)
    place = frame_of(Shape.WIDE).caption
    rows, columns = slice(place.bottom - 60, place.bottom - 20), slice(900, 1020)
    lit = [
        float((f[rows, columns].min(axis=2) > 200).mean())
        for f in studio.frames(picture_of(clip, layout, alignment=words))
    ]
    assert max(lit[:10]) < 0.01
    assert min(lit[10:34]) > 0.02


@pytest.mark.parametrize("captions", [Captions.NONE, Captions.TRACK])
def test_captions_are_not_burnt_unless_asked_for(studio: Studio, captions: Captions) -> None:
    layout = PLAIN.model_copy(update={"captions": captions})
    clip = make_clip(studio.folder / "clip.mp4", 5)
    with_words = studio.frames(picture_of(clip, layout, alignment=spread("Margins held", 0, 0.2, 0.2)), "with")
    without = studio.frames(picture_of(clip, layout), "without")
    assert all(np.array_equal(a, b) for a, b in zip(with_words, without, strict=True))


def test_the_disclosure_line_is_always_on(studio: Studio) -> None:
    layout = PLAIN.model_copy(update={"disclosure": "Synthetic presenter", "plate": Plate(colour="#808080")})
    clip = make_clip(studio.folder / "clip.mp4", 3)
    place = frame_of(Shape.SQUARE)
    for frame in studio.frames(picture_of(clip, layout, Shape.SQUARE)):
        line = frame[place.disclosure_middle - 10 : place.disclosure_middle + 10, 850 : place.disclosure_right]
        assert (line.min(axis=2) > 190).mean() > 0.02


def test_slides_follow_their_segments_and_move_the_presenter_aside(studio: Studio) -> None:
    assets: dict[str, Path] = {}
    slides = []
    for number, colour in enumerate(("#c02020", "#2020c0")):
        path = studio.folder / f"{number}.png"
        Image.new("RGB", (160, 90), colour).save(path)
        found, more = artifact(path, "image/png")
        assets |= more
        slides.append(Slide(picture=found, from_segment=number * 2 + 1))
    layout = PLAIN.model_copy(update={"plate": Plate(kind=PlateKind.SLIDES, slides=tuple(slides))})
    clip = make_clip(studio.folder / "clip.mp4", 2)
    box = frame_of(Shape.WIDE).slide
    seen = [
        studio.frames(picture_of(clip, layout, index=index, assets=assets))[0][box.top + 60, box.left + 80]
        for index in range(4)
    ]
    assert not near(seen[0], (0xC0, 0x20, 0x20))
    assert near(seen[1], (0xC0, 0x20, 0x20))
    assert near(seen[2], (0xC0, 0x20, 0x20))
    assert near(seen[3], (0x20, 0x20, 0xC0))


def ramp(out: Path, frames: int) -> Path:
    """A video whose grey tells the frame."""
    encode_frames((bytes([40 + 4 * n]) * (160 * 90 * 3) for n in range(frames)), out, (160, 90), FPS)
    return out


def test_a_moving_plate_runs_on_through_segments_and_loops(studio: Studio) -> None:
    plate, assets = artifact(ramp(studio.folder / "plate.mp4", 40), "video/mp4")
    layout = PLAIN.model_copy(update={"plate": Plate(kind=PlateKind.VIDEO, asset=plate)})
    clip = make_clip(studio.folder / "clip.mp4", 20)
    first = studio.frames(picture_of(clip, layout, assets=assets))
    later = studio.frames(picture_of(clip, layout, assets=assets, offset_ms=30 * 40))
    grey = [float(frame[540, 200].mean()) for frame in [*first, *later]]
    assert grey[0] < grey[10] < grey[19] < grey[20] < grey[29], "goes on in the next segment, 10 frames later"
    assert grey[30] < grey[0] + 6, "frame 40 is frame 0 again"
    assert grey[29] - grey[20] == pytest.approx(grey[9] - grey[0], rel=0.15)


def rejected(studio: Studio, name: str, plate: Plate, assets: dict[str, Path]) -> None:
    clip = make_clip(studio.folder / "clip.mp4", 2)
    out = studio.folder / "segment.mp4"
    layout = PLAIN.model_copy(update={"plate": plate})
    with pytest.raises(MediaRejected, match=name):
        studio.engine.compose(picture_of(clip, layout, assets=assets), out, no_progress)
    assert not out.exists()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) * 6 // 10], lambda b: b"%PDF-1.7" + b[8:], lambda b: b""])
def test_a_damaged_video_plate_is_refused_by_name(studio: Studio, damage: Callable[[bytes], bytes]) -> None:
    path = ramp(studio.folder / "plate.mp4", 50)
    path.write_bytes(damage(path.read_bytes()))
    plate, assets = artifact(path, "video/mp4")
    rejected(studio, "plate.asset", Plate(kind=PlateKind.VIDEO, asset=plate), assets)


def test_sound_in_place_of_a_video_plate_is_refused_by_name(studio: Studio, bed: Path) -> None:
    plate, assets = artifact(bed, "video/mp4")
    rejected(studio, "plate.asset", Plate(kind=PlateKind.VIDEO, asset=plate), assets)


def test_a_picture_that_is_none_is_refused_by_name(studio: Studio) -> None:
    path = studio.folder / "plate.png"
    path.write_bytes(b"%PDF-1.7 and so on")
    plate, assets = artifact(path, "image/png")
    rejected(studio, "plate.asset", Plate(kind=PlateKind.IMAGE, asset=plate), assets)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(studio: Studio) -> None:
    path = studio.folder / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    plate, assets = artifact(path, "image/png")
    rejected(studio, "plate.asset", Plate(kind=PlateKind.IMAGE, asset=plate), assets)


def test_an_asset_that_was_not_fetched_is_named(studio: Studio) -> None:
    absent = Artifact(uri="s3://assets/logo.png", sha256="0" * 64, media_type="image/png", size=1)
    rejected(studio, "plate.asset", Plate(kind=PlateKind.IMAGE, asset=absent), {})


def test_a_clip_that_is_not_as_announced_is_refused(studio: Studio) -> None:
    clip = dataclasses.replace(make_clip(studio.folder / "clip.mp4", 5), frames=6)
    with pytest.raises(MediaRejected, match="segment 0 has 5 frames"):
        studio.engine.compose(picture_of(clip, PLAIN), studio.folder / "out.mp4", no_progress)


def test_a_stop_leaves_nothing_behind(studio: Studio) -> None:
    clip = make_clip(studio.folder / "clip.mp4", 80)

    def stop(done: int, total: int) -> None:
        if done:
            raise Stopped

    before = set(studio.folder.iterdir())
    with pytest.raises(Stopped):
        studio.engine.compose(picture_of(clip, PLAIN), studio.folder / "out.mp4", stop)
    assert set(studio.folder.iterdir()) == before


def test_a_full_disk_is_named(studio: Studio) -> None:
    clip = make_clip(studio.folder / "clip.mp4", 3)
    full = studio.folder / "out.mp4"
    full.symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        studio.engine.compose(picture_of(clip, PLAIN), full, no_progress)


def test_composing_twice_gives_the_same_bytes(studio: Studio) -> None:
    layout = Layout(brand=Brand(name="Acme"), lower_third=LowerThird(name="Avery", start_ms=0))
    segment = picture_of(
        make_clip(studio.folder / "clip.mp4", 12), layout, alignment=spread("Good morning", 0, 0.4, 0.4)
    )
    for name in ("one.mp4", "two.mp4"):
        FfmpegCompositor().compose(segment, studio.folder / name, no_progress)
    assert (studio.folder / "one.mp4").read_bytes() == (studio.folder / "two.mp4").read_bytes()


def test_the_film_holds_the_very_packets_of_its_segments(finished: Finished) -> None:
    film = packets(finished.made.video)
    composed = [packet for segment in finished.film.segments for packet in packets(segment.picture)]
    assert film[15 : 15 + len(composed)] == composed
    assert len(film) == 15 + len(composed) + 10


def test_segments_that_were_encoded_otherwise_are_not_joined(finished: Finished, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    first = finished.film.segments[0]
    run(["-i", str(first.picture), "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", str(other)])
    segments = (dataclasses.replace(first, picture=other), *finished.film.segments[1:])
    with pytest.raises(EngineFailed, match="not all encoded alike"):
        FfmpegCompositor().assemble(dataclasses.replace(finished.film, segments=segments), tmp_path, no_progress)


def test_every_frame_of_the_film_is_there_at_its_time(finished: Finished) -> None:
    with av.open(str(finished.made.video)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([number / FPS for number in range(len(times))], abs=1e-4)
    assert finished.made.duration == pytest.approx(len(times) / FPS)
    starts = np.cumsum([15, *[segment.frames for segment in finished.film.segments]])[:-1] / FPS
    assert finished.made.speech_starts == pytest.approx(tuple(starts))


def test_joins_decode_to_the_pictures_that_were_composed(finished: Finished) -> None:
    composed = [sums for segment in finished.film.segments for sums in frame_sums(segment.picture)]
    assert frame_sums(finished.made.video)[15:-10] == composed


def test_the_film_is_as_loud_as_asked_for_and_as_long_as_its_picture(finished: Finished) -> None:
    found = measure(finished.made.video)
    assert found.integrated == pytest.approx(-16, abs=0.15)
    assert found.true_peak <= -1
    with av.open(str(finished.made.video)) as container:
        audio = container.streams.audio[0]
        assert (audio.codec_context.name, audio.sample_rate, audio.channels) == ("aac", 48_000, 2)
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(finished.made.duration, abs=0.03)


def test_the_film_carries_captions_and_starts_fast(finished: Finished) -> None:
    with av.open(str(finished.made.video)) as container:
        assert [stream.codec_context.name for stream in container.streams.subtitles] == ["mov_text"]
    head = finished.made.video.read_bytes()[:200_000]
    assert head.index(b"moov") < head.index(b"mdat")
    web = finished.made.vtt.read_text(encoding="utf-8")
    first = finished.made.speech_starts[0] + finished.film.segments[0].alignment.words[0].start
    assert f"00:00:{first:06.3f} --> " in web
    assert "<00:00:" in web
    assert "percent in the third quarter." in finished.made.srt.read_text(encoding="utf-8")


def test_the_thumbnail_is_a_picture_of_the_film(finished: Finished) -> None:
    with Image.open(finished.made.thumbnail) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (1920, 1080)
        shot = np.asarray(picture, int)
    box = frame_of(Shape.WIDE).presenter
    assert near(shot[box.top + int(0.4 * box.height), box.left + box.width // 2], (0xC7, 0x9A, 0x80), 24)


def test_progress_of_a_film_reaches_its_total_once(finished: Finished) -> None:
    done = [one for one, _ in finished.reports]
    totals = {total for _, total in finished.reports}
    assert done == sorted(done)
    assert totals == {done[-1]}


def test_assembling_twice_gives_the_same_bytes(finished: Finished, tmp_path: Path) -> None:
    again = FfmpegCompositor().assemble(finished.film, tmp_path, no_progress)
    for name in ("video", "thumbnail", "srt", "vtt"):
        one, other = (hashlib.sha256(getattr(made, name).read_bytes()).hexdigest() for made in (finished.made, again))
        assert one == other, name


def test_the_film_holds_the_very_packets_of_its_sound(finished: Finished) -> None:
    assert packets(finished.made.video, "audio") == packets(finished.film.sound, "audio")


def test_mixing_and_drawing_a_card_twice_gives_the_same_bytes(studio: Studio) -> None:
    wav, card = studio.folder / "speech.wav", Card(title="Thank you", duration_ms=400)
    spoken = SpokenSound(wav, 40, speak("Good morning.", wav))
    beside = studio.folder / "beside.mp4"
    studio.engine.compose(picture_of(make_clip(studio.folder / "clip.mp4", 3), PLAIN), beside, no_progress)
    made = []
    for name in ("one", "two"):
        folder = studio.folder / name
        folder.mkdir()
        studio.engine.soundtrack((spoken,), PLAIN.sound(), {}, folder / "sound.m4a", no_progress)
        drawn = Studio(folder).card(card, False, PLAIN.brand, Shape.WIDE, beside)
        made.append(((folder / "sound.m4a").read_bytes(), drawn.read_bytes()))
    assert made[0] == made[1]


@pytest.mark.parametrize("after", [1, 3])
def test_a_stop_while_assembling_leaves_nothing_behind(finished: Finished, tmp_path: Path, after: int) -> None:
    def stop(done: int, total: int) -> None:
        if done >= after:
            raise Stopped

    with pytest.raises(Stopped):
        FfmpegCompositor().assemble(finished.film, tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_while_mixing_or_drawing_a_card_leaves_nothing_behind(studio: Studio, finished: Finished) -> None:
    def stop(done: int, total: int) -> None:
        raise Stopped

    wav = studio.folder / "speech.wav"
    spoken = SpokenSound(wav, 40, speak("Good morning.", wav))
    beside = finished.film.segments[0].picture
    card = CardPicture(Card(title="Welcome"), True, PLAIN.brand, FPS, Shape.WIDE, beside, {})
    before = set(studio.folder.iterdir())
    with pytest.raises(Stopped):
        studio.engine.soundtrack((spoken,), PLAIN.sound(), {}, studio.folder / "sound.m4a", stop)
    with pytest.raises(Stopped):
        studio.engine.card(card, studio.folder / "card.mp4", stop)
    assert set(studio.folder.iterdir()) == before


def test_music_that_is_none_is_refused_by_name(studio: Studio) -> None:
    path, wav = studio.folder / "bed.mp3", studio.folder / "speech.wav"
    path.write_bytes(b"not music at all" * 50)
    track, assets = artifact(path, "audio/mpeg")
    layout = PLAIN.model_copy(update={"music": MusicBed(track=track)})
    spoken = SpokenSound(wav, 40, speak("Good morning.", wav))
    before = set(studio.folder.iterdir())
    with pytest.raises(MediaRejected, match=r"music\.track"):
        studio.engine.soundtrack((spoken,), layout.sound(), assets, studio.folder / "sound.m4a", no_progress)
    assert set(studio.folder.iterdir()) == before


def test_a_card_beside_a_picture_of_another_shape_is_refused(finished: Finished, studio: Studio) -> None:
    with pytest.raises(MediaRejected, match="not 1080 x 1080"):
        studio.card(Card(title="Bye"), False, PLAIN.brand, Shape.SQUARE, finished.film.segments[0].picture)


def test_a_card_of_another_length_is_not_joined(finished: Finished, tmp_path: Path) -> None:
    film = dataclasses.replace(finished.film, intro=finished.film.outro)
    with pytest.raises(MediaRejected, match="The picture of the intro has 10 frames"):
        FfmpegCompositor().assemble(film, tmp_path, no_progress)


def test_a_film_without_segments_is_refused(tmp_path: Path, finished: Finished) -> None:
    with pytest.raises(InvalidInput):
        FfmpegCompositor().assemble(dataclasses.replace(finished.film, segments=()), tmp_path, no_progress)


def test_an_avatar_is_drawn_no_larger_than_it_is_shown() -> None:
    assert presenter_height(PLAIN) == frame_of(Shape.WIDE).presenter.height
    assert presenter_height(PLAIN.model_copy(update={"shapes": (Shape.TALL,)})) == 1080
