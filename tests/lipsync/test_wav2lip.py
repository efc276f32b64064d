"""Wav2Lip: the published checkpoint's names and shapes, what the network is given, and what becomes of each frame."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import torch
from PIL import Image

from activities.lipsync.wav2lip import Wav2LipEngine, blend, network_input, smoothed
from activities.lipsync.wav2lip_model import load_wav2lip, mel_spectrogram, mel_window
from activities.support.box import Box
from activities.support.engine import no_progress
from activities.support.ffmpeg import encode_frames
from models.errors import EngineUnavailable, MediaRejected
from models.lanes import Lane

PUBLISHED = {
    "face_encoder_blocks.0.0.conv_block.0.weight": (16, 6, 7, 7),
    "face_encoder_blocks.1.0.conv_block.0.weight": (32, 16, 3, 3),
    "face_encoder_blocks.2.3.conv_block.1.running_var": (64,),
    "face_encoder_blocks.5.1.conv_block.0.weight": (512, 512, 3, 3),
    "face_encoder_blocks.6.1.conv_block.0.weight": (512, 512, 1, 1),
    "audio_encoder.0.conv_block.0.weight": (32, 1, 3, 3),
    "audio_encoder.9.conv_block.0.weight": (256, 128, 3, 3),
    "audio_encoder.12.conv_block.0.weight": (512, 512, 1, 1),
    "face_decoder_blocks.0.0.conv_block.0.weight": (512, 512, 1, 1),
    "face_decoder_blocks.1.0.conv_block.0.weight": (1024, 512, 3, 3),
    "face_decoder_blocks.3.0.conv_block.0.weight": (768, 384, 3, 3),
    "face_decoder_blocks.6.2.conv_block.0.weight": (64, 64, 3, 3),
    "output_block.0.conv_block.0.weight": (32, 80, 3, 3),
    "output_block.1.weight": (3, 32, 1, 1),
}
"""Names and shapes in the published checkpoints (github.com/Rudrabha/Wav2Lip)."""


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        assert not container.streams.audio
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Wav2LipEngine:
    return Wav2LipEngine(checkpoint, "cpu")


def test_names_shapes_and_size_are_those_of_the_published_checkpoint(random_network):
    weights = random_network.state_dict()
    assert {name: tuple(weights[name].shape) for name in PUBLISHED} == PUBLISHED
    assert sum(parameter.numel() for parameter in random_network.parameters()) == 36_298_035
    assert len(weights) == 352


@pytest.mark.parametrize("form", ["bare", "wrapped", "published"])
def test_every_form_of_checkpoint_loads_and_draws_the_same(random_network, checkpoint, tmp_path, form):
    path = tmp_path / "checkpoint.pth"
    weights = random_network.state_dict()
    if form == "published":
        path = checkpoint
    else:
        torch.save({"state_dict": weights} if form == "wrapped" else weights, path)
    mels, faces = torch.rand(2, 1, 80, 16), torch.rand(2, 6, 96, 96)
    with torch.inference_mode():
        drawn = load_wav2lip(path, "cpu")(mels, faces)
        expected = random_network(mels, faces)
    assert drawn.shape == (2, 3, 96, 96)
    torch.testing.assert_close(drawn, expected, rtol=0, atol=1e-5)


def test_both_ears_and_eyes_reach_the_drawing(random_network):
    mels, faces = torch.zeros(1, 1, 80, 16), torch.full((1, 6, 96, 96), 0.5)
    with torch.inference_mode():
        still = random_network(mels, faces)
        assert (random_network(mels + 2, faces) - still).abs().max() > 1e-3
        assert (random_network(mels, faces * 0.5) - still).abs().max() > 1e-3


class Payload:
    def __reduce__(self):
        return (Path.touch, (Path("opened"),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a checkpoint", "no PyTorch checkpoint"),
        (pickle.dumps(Payload()), "no PyTorch checkpoint"),
        ({"state_dict": {"conv.weight": torch.zeros(3)}}, "not Wav2Lip's"),
        ([1, 2, 3], "no state dict"),
        (None, "cannot be read"),
    ],
    ids=["text", "code", "another network", "no weights", "absent"],
)
def test_a_file_that_is_no_wav2lip_checkpoint_names_the_setting(tmp_path, face, sound, content, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(EngineUnavailable, match=message) as raised:
        Wav2LipEngine(path, "cpu").resync(face, sound, 25, tmp_path / "out.mp4", no_progress)
    assert raised.value.field == "WAV2LIP_CHECKPOINT"
    assert not (tmp_path / "opened").exists() and not (tmp_path / "out.mp4").exists()


def test_without_a_checkpoint_it_is_unavailable_but_can_be_named(tmp_path, face, sound, checkpoint):
    engine = Wav2LipEngine(None)
    assert (engine.ref.lane, engine.ref.weights) == (Lane.GPU, "")
    with pytest.raises(EngineUnavailable) as raised:
        engine.resync(face, sound, 25, tmp_path / "out.mp4", no_progress)
    assert raised.value.field == "WAV2LIP_CHECKPOINT"
    assert len(Wav2LipEngine(checkpoint).ref.weights) == 64


def test_the_mel_spectrogram_has_the_published_scale():
    seconds = np.arange(16_000) / 16_000
    silent = mel_spectrogram(np.zeros(16_000, np.float32))
    assert silent.shape == (80, 81) and (silent == -4).all()
    low, high = (mel_spectrogram(np.sin(2 * np.pi * hz * seconds).astype(np.float32)) for hz in (300, 4_000))
    assert np.abs(low).max() <= 4
    assert low.mean(axis=1).argmax() < 15 and high.mean(axis=1).argmax() > 50
    # 20 dB less is 8 * 20 / 100 less; preemphasis lifts 4 kHz by 3 dB.
    quiet = mel_spectrogram((0.1 * np.sin(2 * np.pi * 4_000 * seconds)).astype(np.float32))
    assert high[:, 40].max() - quiet[:, 40].max() == pytest.approx(1.6, abs=0.01)


def test_each_frame_hears_its_fifth_of_a_second():
    mel = np.tile(np.arange(200, dtype=np.float32), (80, 1))
    starts = [mel_window(mel, frame, 25)[0, 0] for frame in range(60)]
    assert [int(b - a) for a, b in pairwise(starts[:6])] == [3, 3, 3, 3, 4]
    assert starts[25] == 80 and mel_window(mel, 10_000, 25)[0, -1] == 199
    assert mel_window(mel[:, :5], 0, 25).shape == (80, 16)


def test_the_network_sees_the_upper_half_and_the_whole_in_bgr():
    crops = np.zeros((2, 96, 96, 3), np.uint8)
    crops[..., 0] = 255
    given = network_input(crops)
    assert given.shape == (2, 6, 96, 96) and given.dtype == np.float32
    assert (given[:, 2, :48] == 1).all() and not given[:, :3, 48:].any()
    assert (given[:, 5] == 1).all() and not given[:, 3:5].any()


def test_the_drawn_mouth_has_no_edge_and_leaves_the_rest_alone():
    picture = np.full((200, 200, 3), 100, np.uint8)
    box = Box.between(50, 40, 150, 180)
    result = blend(picture, box, np.ones((96, 96, 3), np.float32)).astype(int)
    assert (picture == 100).all()
    outside = np.ones((200, 200), bool)
    outside[40:180, 50:150] = False
    assert (result[outside] == 100).all()
    assert (result[: 40 + int(0.4 * 140)] == 100).all()
    assert (result[130:165, 65:135] == 255).all()
    assert np.abs(np.diff(result, axis=0)).max() < 40 and np.abs(np.diff(result, axis=1)).max() < 40


def test_boxes_are_steadied_within_a_run_of_faces_only():
    boxes = [
        Box.between(0, 0, 10, 10),
        Box.between(10, 0, 20, 10),
        Box.between(20, 0, 30, 10),
        None,
        Box.between(100, 0, 110, 10),
    ]
    steadied = smoothed(boxes)
    assert steadied[1] == Box.between(10, 0, 20, 10) and steadied[0] == Box.between(10, 0, 20, 10)
    assert steadied[3] is None and steadied[4] == Box.between(100, 0, 110, 10)


def test_a_picture_speaks_for_as_long_as_the_sound(engine, face, sound, tmp_path):
    calls = []
    out = tmp_path / "out.mp4"
    assert engine.resync(face, sound, 25, out, lambda *call: calls.append(call)) == 15
    frames = decoded(out)
    assert len(frames) == 15
    assert calls[-1][0] == calls[-1][1]
    original = np.asarray(Image.open(face).convert("RGB")).astype(int)
    change = np.abs(frames[7].astype(int) - original).mean(axis=2)
    rows, columns = np.nonzero(change > 25)
    # In this picture the mouth is at row 258, column 235.
    assert change[250:270, 215:255].mean() > 25
    assert rows.min() > 190 and rows.max() < 320
    assert columns.min() > 150 and columns.max() < 330
    assert change[:180].mean() < 4


def video(path: Path, pictures: list[np.ndarray], fps: int) -> Path:
    height, width = pictures[0].shape[:2]
    encode_frames((np.ascontiguousarray(p).tobytes() for p in pictures), path, (width, height), fps)
    return path


def test_a_frame_without_a_face_is_carried_over(engine, face, sound, tmp_path):
    person = np.asarray(Image.open(face).convert("RGB"))
    empty = np.full_like(person, 90)
    clip = video(tmp_path / "clip.mp4", [person] * 5 + [empty] * 5 + [person] * 5, 25)
    out = tmp_path / "out.mp4"
    assert engine.resync(clip, sound, 25, out, no_progress) == 15
    before, after = decoded(clip), decoded(out)
    mouth = np.s_[240:280, 205:265]
    change = [np.abs(a[mouth].astype(int) - b[mouth]).mean() for a, b in zip(after, before, strict=True)]
    assert min(change[:4] + change[11:]) > 15
    assert max(change[6:9]) < 2


def test_a_video_without_any_face_comes_back_as_it_was(engine, sound, tmp_path):
    clip = video(tmp_path / "clip.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 15, 25)
    assert engine.resync(clip, sound, 25, tmp_path / "out.mp4", no_progress) == 15
    for a, b in zip(decoded(tmp_path / "out.mp4"), decoded(clip), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 3


def test_a_short_video_starts_over_and_its_rate_is_kept(engine, sound, tmp_path):
    greys = [np.full((48, 64, 3), 20 + 40 * i, np.uint8) for i in range(5)]
    clip = video(tmp_path / "clip.mp4", greys, 10)
    assert engine.resync(clip, sound, 20, tmp_path / "out.mp4", no_progress) == 12
    shown = [round((frame.mean() - 20) / 40) for frame in decoded(tmp_path / "out.mp4")]
    assert shown == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0]


def test_pictures_with_odd_sides_and_turned_by_exif_are_taken(engine, face, sound, tmp_path):
    picture = Image.open(face).convert("RGB").crop((0, 0, 479, 451))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    engine.resync(tmp_path / "turned.jpg", sound, 5, tmp_path / "out.mp4", no_progress)
    assert decoded(tmp_path / "out.mp4")[0].shape == (450, 478, 3)


@pytest.mark.parametrize("kind", ["no frames", "text", "only sound"])
def test_a_file_without_pictures_is_refused(engine, sound, tmp_path, kind):
    path = tmp_path / "clip.mp4"
    if kind == "text":
        path.write_text("not a video")
    elif kind == "only sound":
        path.write_bytes(sound.read_bytes())
    else:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            container.start_encoding()
    with pytest.raises(MediaRejected, match=r"clip\.mp4"):
        engine.resync(path, sound, 25, tmp_path / "out.mp4", no_progress)
    assert not (tmp_path / "out.mp4").exists()


def test_progress_can_stop_it_at_either_pass_and_no_partial_file_stays(engine, sound, face, tmp_path):
    sf.write(tmp_path / "long.wav", np.tile(sf.read(sound)[0], 2), 24_000)

    def stop_at(limit: int):
        def progress(done, total):
            if done >= limit:
                raise KeyboardInterrupt

        return progress

    for limit in (1, 31):
        with pytest.raises(KeyboardInterrupt):
            engine.resync(face, tmp_path / "long.wav", 25, tmp_path / "out.mp4", stop_at(limit))
        assert not (tmp_path / "out.mp4").exists()


def test_two_calls_at_once_write_the_same_bytes(engine, face, sound, tmp_path):
    def run(name: str) -> bytes:
        engine.resync(face, sound, 5, tmp_path / name, no_progress)
        return (tmp_path / name).read_bytes()

    with ThreadPoolExecutor(2) as pool:
        results: Iterator[bytes] = pool.map(run, ["a.mp4", "b.mp4"])
    first, second = results
    assert first == second
