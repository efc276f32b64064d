"""Real engines for the speech tests: the packaged voices, and XTTS from a checkpoint of random weights that is made
here and loaded by the production code."""

import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activities.speech.base import SpeechEngine, Voice
from activities.speech.hibari import HibariEngine
from activities.speech.kokoro import KokoroEngine
from activities.speech.xtts import XttsEngine
from activities.support.engine import no_progress
from activities.support.torchaudio import let_torchaudio_import
from models.script import Utterance
from models.ssml import parse_script

WEIGHTS = Path(__file__).parents[2] / ".studio" / "weights"
RANDOM_CHANNELS = 64
AUDIO_TOKENS = 66


@dataclass(frozen=True)
class Speaker:
    """An engine with a voice it can speak with."""

    engine: SpeechEngine
    voice: Voice


def sentence(text: str, language: str = "en") -> Utterance:
    return parse_script(text, language, ())[0].utterance


def samples_of(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


@pytest.fixture(scope="session")
def kokoro() -> KokoroEngine:
    return KokoroEngine(None, WEIGHTS / "kokoro-js" / "voices", WEIGHTS / "prepared")


@pytest.fixture(scope="session")
def hibari() -> HibariEngine:
    return HibariEngine()


@pytest.fixture(scope="session")
def xtts_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XTTS v2 with 64 channels, one layer and random weights: the published layout, 90 MB instead of 1.9 GB."""
    let_torchaudio_import()
    import torch  # noqa: PLC0415 - seconds that only the tests of XTTS need
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415
    from TTS.tts.configs.xtts_config import XttsArgs, XttsAudioConfig, XttsConfig  # noqa: PLC0415
    from TTS.tts.models.xtts import Xtts  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("xtts")
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[de]"]
    trainer = trainers.BpeTrainer(vocab_size=100, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(["abcdefghijklmnopqrstuvwxyz 0123456789 .,!?'-:;"], trainer)
    tokenizer.save(str(directory / "vocab.json"))
    arguments = XttsArgs(
        gpt_layers=1,
        gpt_n_model_channels=RANDOM_CHANNELS,
        gpt_n_heads=1,
        gpt_max_audio_tokens=24,
        gpt_max_text_tokens=402,
        gpt_max_prompt_tokens=70,
        gpt_number_text_tokens=tokenizer.get_vocab_size(),
        gpt_num_audio_tokens=AUDIO_TOKENS,
        gpt_start_audio_token=AUDIO_TOKENS - 2,
        gpt_stop_audio_token=AUDIO_TOKENS - 1,
        decoder_input_dim=RANDOM_CHANNELS,
        tokenizer_file="vocab.json",
    )
    XttsConfig(model_args=arguments, audio=XttsAudioConfig()).save_json(str(directory / "config.json"))
    config = XttsConfig()
    config.load_json(str(directory / "config.json"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Xtts(config)
        model.tokenizer.__init__(vocab_file=str(directory / "vocab.json"))
        model.init_models()
    weights = model.state_dict()
    # Random weights stop at random; without the stop token every sentence has some sound.
    weights["gpt.mel_head.bias"][AUDIO_TOKENS - 1] = -1e4
    torch.save({"model": weights}, directory / "model.pth")
    torch.save(torch.ones(80), directory / "mel_stats.pth")
    assert json.loads((directory / "config.json").read_text())["model"] == "xtts"
    return directory


@pytest.fixture(scope="session")
def xtts(xtts_checkpoint: Path) -> XttsEngine:
    return XttsEngine(xtts_checkpoint, device="cpu")


@pytest.fixture(scope="session")
def voice_samples(hibari: HibariEngine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Two recordings of one voice, four to five seconds each."""
    directory = tmp_path_factory.mktemp("samples")
    texts = (
        "We will continue to invest in our people, our products, and our customers in every region.",
        "This quarter our revenue grew by twelve percent, driven by strong demand for new services.",
    )
    paths = []
    for number, text in enumerate(texts):
        path = directory / f"sample-{number}.wav"
        hibari.speak(sentence(text), Voice("heart"), 0, path, no_progress)
        paths.append(path)
    return tuple(paths)


@pytest.fixture(scope="session")
def enrolled(xtts: XttsEngine, voice_samples: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Voice:
    latents = tmp_path_factory.mktemp("enrolled") / "voice.safetensors"
    return Voice("avery", xtts.enrol(voice_samples, latents).latents)


@pytest.fixture
def speaker(request: pytest.FixtureRequest) -> Iterator[Speaker]:
    """The engine whose fixture the test names."""
    name: str = request.param
    engine: SpeechEngine = request.getfixturevalue(name)
    stock = engine.voices()
    yield Speaker(engine, Voice(stock[0]) if stock else request.getfixturevalue("enrolled"))
