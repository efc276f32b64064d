"""XTTS v2 through the production loading code, with a checkpoint of random weights: enrol, keep, speak, stream."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from activities.speech.base import Voice
from activities.speech.xtts import FILES, LATENTS, SAMPLE_RATE, XttsEngine
from activities.support.engine import no_progress
from models.errors import EngineFailed, EngineUnavailable, MediaRejected
from tests.speech.conftest import samples_of, sentence

LINE = sentence("Costs fell by 12%.")


def test_a_voice_is_enrolled_from_several_samples_into_one_file_without_code(
    xtts: XttsEngine, voice_samples: tuple[Path, ...], tmp_path: Path
) -> None:
    both = xtts.enrol(voice_samples, tmp_path / "both.safetensors")
    again = xtts.enrol(voice_samples, tmp_path / "again.safetensors")
    longer = xtts.enrol((*voice_samples, voice_samples[0]), tmp_path / "other.safetensors")
    assert len(both.report.samples) == 2
    with safe_open(both.latents, "np") as file:
        assert set(file.keys()) == set(LATENTS)
        assert file.get_tensor("speaker_embedding").shape == (1, 512, 1)
    assert both.latents.read_bytes() == again.latents.read_bytes()
    assert both.latents.read_bytes() != longer.latents.read_bytes()


def test_samples_that_do_not_do_leave_no_voice(
    xtts: XttsEngine, voice_samples: tuple[Path, ...], tmp_path: Path
) -> None:
    with pytest.raises(MediaRejected, match="together"):
        xtts.enrol(voice_samples[:1], tmp_path / "voice.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_seed_decides(xtts: XttsEngine, enrolled: Voice, tmp_path: Path) -> None:
    first = xtts.speak(LINE, enrolled, 1, tmp_path / "1.wav", no_progress).wav.read_bytes()
    other = xtts.speak(LINE, enrolled, 2, tmp_path / "2.wav", no_progress).wav.read_bytes()
    assert first != other


def test_speech_is_streamed_in_chunks(xtts: XttsEngine, enrolled: Voice, tmp_path: Path) -> None:
    chunks = list(xtts.stream(LINE, enrolled, 1))
    assert len(chunks) > 1
    assert all(chunk.dtype == np.float32 and np.isfinite(chunk).all() for chunk in chunks)
    assert sum(map(len, chunks)) > SAMPLE_RATE // 10
    np.testing.assert_array_equal(np.concatenate(chunks), np.concatenate(list(xtts.stream(LINE, enrolled, 1))))


def test_a_closed_stream_frees_the_engine(xtts: XttsEngine, enrolled: Voice, tmp_path: Path) -> None:
    stream = xtts.stream(LINE, enrolled, 1)
    next(stream)
    stream.close()
    assert samples_of(xtts.speak(LINE, enrolled, 1, tmp_path / "a.wav", no_progress).wav).any()


def test_german_is_read_by_the_models_own_tokeniser(xtts: XttsEngine, enrolled: Voice, tmp_path: Path) -> None:
    assert xtts.speak(sentence("Guten Tag, Welt.", "de"), enrolled, 1, tmp_path / "a.wav", no_progress).duration > 0.2


@pytest.mark.parametrize("missing", [None, *FILES])
def test_an_absent_checkpoint_names_the_setting(missing: str | None, tmp_path: Path, xtts_checkpoint: Path) -> None:
    for name in FILES:
        if missing and name != missing:
            (tmp_path / name).symlink_to(xtts_checkpoint / name)
    engine = XttsEngine(tmp_path if missing else None)
    with pytest.raises(EngineUnavailable, match=missing or "no checkpoint") as refused:
        engine.speak(LINE, Voice("avery", tmp_path / "voice"), 0, tmp_path / "a.wav", no_progress)
    assert refused.value.field == "XTTS_CHECKPOINT_DIR"
    with pytest.raises(EngineUnavailable):
        _ = engine.ref


def test_a_damaged_checkpoint_is_unavailable(tmp_path: Path, xtts_checkpoint: Path, enrolled: Voice) -> None:
    for name in FILES:
        (tmp_path / name).symlink_to(xtts_checkpoint / name)
    (tmp_path / "model.pth").unlink()
    (tmp_path / "model.pth").write_bytes((xtts_checkpoint / "model.pth").read_bytes()[:100_000])
    with pytest.raises(EngineUnavailable, match="damaged"):
        XttsEngine(tmp_path, device="cpu").speak(LINE, enrolled, 0, tmp_path / "a.wav", no_progress)


def test_a_damaged_voice_says_to_enrol_again(xtts: XttsEngine, tmp_path: Path) -> None:
    latents = tmp_path / "voice.safetensors"
    latents.write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(EngineFailed) as refused:
        xtts.speak(LINE, Voice("avery", latents), 0, tmp_path / "a.wav", no_progress)
    assert "Enrol" in refused.value.action
