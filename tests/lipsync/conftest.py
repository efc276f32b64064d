"""A Wav2Lip checkpoint of random weights in the published form, a face, and a second of speech-like sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from torch import nn

from activities.lipsync.wav2lip_model import Wav2Lip


@pytest.fixture(scope="session")
def random_network() -> Wav2Lip:
    """Seeded; batch norms hold the statistics of one random batch, as after training, so that signals come through."""
    torch.manual_seed(3)
    network = Wav2Lip()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.inference_mode():
        network.train()(torch.randn(8, 1, 80, 16), torch.rand(8, 6, 96, 96))
    return network.eval()


@pytest.fixture(scope="session")
def checkpoint(random_network: Wav2Lip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As published: under ``state_dict``, trained in parallel, beside the optimizer and counters."""
    path = tmp_path_factory.mktemp("wav2lip") / "wav2lip.pth"
    weights = {f"module.{name}": value for name, value in random_network.state_dict().items()}
    torch.save({"state_dict": weights, "optimizer": None, "global_step": 1, "global_epoch": 1}, path)
    return path


@pytest.fixture(scope="session")
def face() -> Path:
    return Path(__file__).parents[1] / "media" / "faces" / "warpable.jpg"


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.6 s of a voice-like buzz, 24 kHz."""
    seconds = np.arange(14_400) / 24_000
    buzz = sum(np.sin(2 * np.pi * 120 * k * seconds) / k for k in range(1, 20))
    path = tmp_path_factory.mktemp("sound") / "buzz.wav"
    sf.write(path, 0.2 * buzz * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * seconds)), 24_000)
    return path
