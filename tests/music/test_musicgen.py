"""MusicGen's path, with a checkpoint of random weights in the published layout: a song of the asked length, window by
window, the same for the same seed."""

import hashlib
from pathlib import Path

import pytest
import soundfile as sf

from activities.music.musicgen import MusicgenEngine
from activities.support.engine import no_progress
from activities.support.torchaudio import let_torchaudio_import
from models.errors import EngineUnavailable
from models.music import FormSection, Genre, SectionKind
from tests.music.conftest import plan

PLAN = plan(
    Genre.LOFI,
    form=(FormSection(kind=SectionKind.VERSE, bars=1), FormSection(kind=SectionKind.CHORUS, bars=1)),
    tempo_bpm=200,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    let_torchaudio_import()
    import torch  # noqa: PLC0415 - seconds that only these tests need
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        EncodecConfig,
        MusicgenConfig,
        MusicgenForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
    )
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("musicgen")
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=64, special_tokens=["<pad>", "</s>", "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(["abcdefghijklmnopqrstuvwxyz 0123456789 ,/:."], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(directory)
    config = MusicgenConfig(
        text_encoder=T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2).to_dict(),
        audio_encoder=EncodecConfig(
            sampling_rate=32_000,
            target_bandwidths=[2.2],
            upsampling_ratios=[8, 5, 4, 4],
            num_filters=4,
            hidden_size=16,
            codebook_size=1024,
            codebook_dim=16,
            num_lstm_layers=1,
        ).to_dict(),
        decoder=MusicgenDecoderConfig(
            vocab_size=1024,
            pad_token_id=1024,
            bos_token_id=1024,
            hidden_size=16,
            ffn_dim=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_codebooks=4,
        ).to_dict(),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MusicgenForConditionalGeneration(config)
        for layer in model.audio_encoder.quantizer.layers:
            # They are made of zeros, with which every song is the same.
            layer.codebook.embed.normal_()
    model.generation_config.pad_token_id = 1024
    model.generation_config.decoder_start_token_id = 1024
    model.save_pretrained(directory)
    return directory


def test_a_song_is_written_window_by_window_and_twice_the_same(checkpoint: Path, tmp_path: Path) -> None:
    engine = MusicgenEngine(checkpoint, "cpu", window_seconds=1.2)
    units: list[tuple[int, int]] = []
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        folder.mkdir()
        made = engine.compose(PLAN, seed, folder, lambda *unit: units.append(unit))
        digests.append(hashlib.sha256(made.mix.read_bytes()).hexdigest())
        info = sf.info(made.mix)
        assert (info.samplerate, info.channels) == (44_100, 2)
        assert info.duration == pytest.approx(PLAN.duration_ms / 1000, abs=0.03)
    assert digests[0] == digests[1] != digests[2]
    assert units[:3] == [(1, 3), (2, 3), (3, 3)]
    assert len(engine.ref.weights) == 64


def test_without_a_checkpoint_it_names_the_setting(tmp_path: Path) -> None:
    for directory in (None, tmp_path):
        with pytest.raises(EngineUnavailable) as caught:
            _ = MusicgenEngine(directory, "cpu").ref
        assert caught.value.field == "MUSICGEN_DIR"
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailable):
        MusicgenEngine(tmp_path, "cpu").compose(PLAN, 1, tmp_path, no_progress)
