"""The Wav2Lip generator (Prajwal et al., "A Lip Sync Expert Is All You Need", 2020) as our own module, and the mel
spectrogram it hears. Names and shapes are those of the published checkpoints, so that these load unchanged."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter
from torch import Tensor, nn

Floats = NDArray[np.float32]

FACE: Final = 96
"""Pixels of the square face crop the network sees."""
MEL_BANDS: Final = 80
MEL_STEPS: Final = 16
"""Mel frames heard for one picture: 0.2 s."""
MEL_RATE: Final = 80.0
"""Mel frames a second: 16 kHz over a hop of 200."""

SAMPLE_RATE: Final = 16_000
_N_FFT: Final = 800
_HOP: Final = 200
_PREEMPHASIS: Final = 0.97
_LOWEST_HZ, _HIGHEST_HZ = 55.0, 7_600.0
_REFERENCE_DB: Final = 20.0
_FLOOR_DB: Final = -100.0
_MEL_BOUND: Final = 4.0
"""Constants of the published training; the spectrogram is scaled into ``[-4, 4]``."""


class Conv(nn.Module):
    """Convolution, batch norm, optional shortcut, ReLU; ``transposed`` doubles the size at stride 2."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int | tuple[int, int] = 1,
        padding: int = 1,
        *,
        residual: bool = False,
        transposed: bool = False,
    ) -> None:
        super().__init__()
        convolution: nn.Module
        if transposed:
            growth = 1 if stride == 2 else 0
            convolution = nn.ConvTranspose2d(channels_in, channels_out, kernel, stride, padding, output_padding=growth)
        else:
            convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, padding)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(channels_out))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] in and out."""
        out: Tensor = self.conv_block(x)
        return torch.relu(out + x if self.residual else out)


def _same(channels: int, count: int) -> list[Conv]:
    return [Conv(channels, channels, 3, residual=True) for _ in range(count)]


def _face_encoder() -> nn.ModuleList:
    """Seven blocks from the masked and the reference crop (6 channels) at 96 pixels down to 512 channels at 1."""
    blocks: list[nn.Module] = [nn.Sequential(Conv(6, 16, 7, padding=3))]
    for channels, repeats in ((32, 2), (64, 3), (128, 2), (256, 2), (512, 1)):
        blocks.append(nn.Sequential(Conv(channels // 2, channels, 3, 2), *_same(channels, repeats)))
    blocks.append(nn.Sequential(Conv(512, 512, 3, padding=0), Conv(512, 512, 1, padding=0)))
    return nn.ModuleList(blocks)


def _audio_encoder() -> nn.Sequential:
    """From one mel window [1, 80, 16] to 512 channels at 1 x 1."""
    layers: list[nn.Module] = [Conv(1, 32, 3), *_same(32, 2)]
    strides: Sequence[tuple[int, int | tuple[int, int], int]] = ((64, (3, 1), 2), (128, 3, 2), (256, (3, 2), 1))
    for channels, stride, repeats in strides:
        layers += [Conv(channels // 2, channels, 3, stride), *_same(channels, repeats)]
    layers += [Conv(256, 512, 3, padding=0), Conv(512, 512, 1, padding=0)]
    return nn.Sequential(*layers)


def _face_decoder() -> nn.ModuleList:
    """Seven blocks back to 96 pixels; each sees what the one before made beside the encoder's features of that size."""
    blocks: list[nn.Module] = [
        nn.Sequential(Conv(512, 512, 1, padding=0)),
        nn.Sequential(Conv(1024, 512, 3, padding=0, transposed=True), *_same(512, 1)),
    ]
    for channels_in, channels in ((1024, 512), (768, 384), (512, 256), (320, 128), (160, 64)):
        blocks.append(nn.Sequential(Conv(channels_in, channels, 3, 2, transposed=True), *_same(channels, 2)))
    return nn.ModuleList(blocks)


class Wav2Lip(nn.Module):
    """The generator, 36.3 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = _face_encoder()
        self.audio_encoder = _audio_encoder()
        self.face_decoder_blocks = _face_decoder()
        self.output_block = nn.Sequential(Conv(80, 32, 3), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mels: Tensor, faces: Tensor) -> Tensor:
        """``mels`` [batch, 1, 80, 16]; ``faces`` [batch, 6, 96, 96], 0..1, BGR: the crop with its lower half black,
        then the reference crop. Returns the crop with the mouth speaking, [batch, 3, 96, 96], 0..1, BGR."""
        features: list[Tensor] = []
        x = faces
        for block in self.face_encoder_blocks:
            x = block(x)
            features.append(x)
        x = self.audio_encoder(mels)
        for block in self.face_decoder_blocks:
            x = torch.cat((block(x), features.pop()), dim=1)
        drawn: Tensor = self.output_block(x)
        return drawn


def load_wav2lip(checkpoint: Path, device: str) -> Wav2Lip:
    """The generator with the weights of ``checkpoint``, ready to draw: a state dict, bare or under ``state_dict``, with
    or without the ``module.`` prefix of parallel training.

    Raises OSError when the file cannot be read, ValueError when it is no checkpoint of this network.
    """
    try:
        stored: Any = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch raises whatever the damaged part of the file led to
        raise ValueError(f"it is no PyTorch checkpoint of plain weights ({type(error).__name__})") from error
    weights = stored.get("state_dict", stored) if isinstance(stored, dict) else None
    if not isinstance(weights, dict):
        raise ValueError("it holds no state dict")
    model = Wav2Lip()
    try:
        model.load_state_dict({str(name).removeprefix("module."): value for name, value in weights.items()})
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(f"its weights are not Wav2Lip's: {' '.join(str(error).split())[:200]}") from error
    # torch's overloads of ``to`` leave the memory format of a module out.
    return model.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


def mel_spectrogram(sound: Floats) -> Floats:
    """``sound`` (16 kHz mono, -1..1) as the network hears it: [80, frames], 80 frames a second, -4..4."""
    emphasised = lfilter([1.0, -_PREEMPHASIS], [1.0], sound)
    if len(emphasised) <= _N_FFT // 2:
        emphasised = np.pad(emphasised, (0, _N_FFT // 2 + 1 - len(emphasised)))
    # The published spectrograms are padded by reflection, which was librosa's default then.
    magnitude = np.abs(librosa.stft(y=emphasised, n_fft=_N_FFT, hop_length=_HOP, win_length=_N_FFT, pad_mode="reflect"))
    decibels = 20 * np.log10(np.maximum(10 ** (_FLOOR_DB / 20), _mel_basis() @ magnitude)) - _REFERENCE_DB
    scaled = 2 * _MEL_BOUND * (decibels - _FLOOR_DB) / -_FLOOR_DB - _MEL_BOUND
    return np.asarray(np.clip(scaled, -_MEL_BOUND, _MEL_BOUND), dtype=np.float32)


@functools.cache
def _mel_basis() -> NDArray[np.float64]:
    basis: NDArray[np.float64] = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=_N_FFT, n_mels=MEL_BANDS, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ
    ).astype(np.float64)
    return basis


def mel_window(mel: Floats, frame: int, fps: int) -> Floats:
    """The 0.2 s that frame ``frame`` of the picture hears, [80, 16]; at the end the last window. Shorter sound is
    padded with silence."""
    if mel.shape[1] < MEL_STEPS:
        mel = np.pad(mel, ((0, 0), (0, MEL_STEPS - mel.shape[1])), constant_values=-_MEL_BOUND)
    start = min(int(frame * MEL_RATE / fps), mel.shape[1] - MEL_STEPS)
    return mel[:, start : start + MEL_STEPS]
