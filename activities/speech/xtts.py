"""Coqui XTTS v2: voices enrolled from recordings, with weights the operator supplies, on the gpu lane. The model keeps
state while it generates and is not reentrant, so one synthesis runs at a time in a process."""

import hashlib
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from activities.speech.base import Spoken, Voice
from activities.speech.normalise import SpokenWord, speakable
from activities.speech.phrases import GAPS_MS, said_alike, shorten
from activities.speech.samples import SampleReport, check_samples, load_mono
from activities.speech.sound import Samples, silence, trimmed, write_wav
from activities.support.engine import Progress
from activities.support.torchaudio import let_torchaudio_import
from models.errors import EngineFailed, EngineUnavailable, ScriptRejected, UnknownReference
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.script import Span, Utterance

NAME = "xtts"
VERSION = "1"
SETTING = "XTTS_CHECKPOINT_DIR"
FILES = ("model.pth", "config.json", "vocab.json")
SAMPLE_RATE = 24_000
REFERENCE_RATE = 22_050
LONGEST_SAMPLE = 30.0
"""Seconds used of each sample, as in Coqui's own ``get_conditioning_latents``."""
MAX_CHARACTERS = 200
"""In one call; the model is trained on up to 250 characters of English."""
LATENTS = ("gpt_cond_latent", "speaker_embedding")

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Enrolled:
    """A voice enrolled from samples: its latents file (safetensors) and what was measured in the samples."""

    latents: Path
    report: SampleReport

    @property
    def seconds(self) -> float:
        """Speech in all samples together."""
        return self.report.seconds


class XttsEngine:
    """Speaks with enrolled voices. ``checkpoint_dir`` holds model.pth, config.json and vocab.json of XTTS v2;
    ``device`` is "cuda" or "cpu", by default what there is. Loads at the first use."""

    def __init__(self, checkpoint_dir: Path | None, device: str | None = None) -> None:
        self._checkpoint_dir = checkpoint_dir
        self._device = device

    @property
    def ref(self) -> EngineRef:
        """The engine and the hash of its checkpoint, read once. Raises EngineUnavailable when it is not there."""
        return EngineRef(capability=Capability.SPEECH, name=NAME, version=VERSION, lane=Lane.GPU, weights=self._sha256)

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for name in FILES:
            with (self._directory() / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def voices(self) -> tuple[str, ...]:
        """None: only enrolled voices speak."""
        return ()

    def enrol(self, samples: Sequence[Path], out: Path) -> Enrolled:
        """Check ``samples`` (WAV, FLAC, ...) and write the voice's latents and embedding to ``out``.

        Raises MediaRejected for samples that do not do, EngineUnavailable for an absent checkpoint.
        """
        report = check_samples(samples)
        audios = [load_mono(path, REFERENCE_RATE, LONGEST_SAMPLE) for path in samples]
        with _one_at_a_time:
            model = self._model
            import torch  # noqa: PLC0415
            from safetensors.torch import save_file  # noqa: PLC0415

            waves = [torch.from_numpy(audio)[None].to(model.device) for audio in audios]
            embeddings = [model.get_speaker_embedding(wave, REFERENCE_RATE) for wave in waves]
            config = model.config
            latent = model.get_gpt_cond_latents(
                torch.cat(waves, dim=-1),
                REFERENCE_RATE,
                length=config.gpt_cond_len,
                chunk_length=config.gpt_cond_chunk_len,
            )
            embedding = torch.stack(embeddings).mean(dim=0)
            part = out.with_name(out.name + ".part")
            tensors = dict(zip(LATENTS, (latent, embedding), strict=True))
            save_file({name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}, part)
        part.replace(out)
        return Enrolled(out, report)

    def speak(self, utterance: Utterance, voice: Voice, seed: int, out: Path, progress: Progress) -> Spoken:
        """See :class:`~activities.speech.base.SpeechEngine`. Rate and pauses are honoured; emphasis, pitch and IPA are
        not, for the model has no such input. One unit of progress a piece of at most 200 characters."""
        pieces = _pieces(utterance)
        samples: list[Samples] = []
        with _one_at_a_time, self._speaker(utterance, voice, seed) as (model, latents):
            for done, piece in enumerate(pieces, start=1):
                said = model.inference(piece.text, utterance.language, *latents, speed=piece.rate)["wav"]
                samples.append(trimmed(np.asarray(said, np.float32).reshape(-1), SAMPLE_RATE))
                gap_ms = utterance.pause_after_ms if done == len(pieces) else GAPS_MS.get(piece.mark, GAPS_MS[""])
                samples.append(silence(max(gap_ms, piece.pause_after_ms), SAMPLE_RATE))
                progress(done, len(pieces))
        joined = np.concatenate(samples)
        if not np.isfinite(joined).all() or not np.abs(joined).max(initial=0.0) > 0.0:
            raise EngineFailed("XTTS gave no sound.", action="Try another seed, or enrol the voice again.")
        write_wav(out, joined, SAMPLE_RATE)
        return Spoken(wav=out, sample_rate=SAMPLE_RATE, duration=len(joined) / SAMPLE_RATE, alignment=None)

    def stream(self, utterance: Utterance, voice: Voice, seed: int) -> Iterator[Samples]:
        """The same speech as float32 chunks at 24 kHz, each as soon as it is generated, for a listener who waits. The
        engine is busy until the iterator is exhausted or closed."""
        pieces = _pieces(utterance)
        with _one_at_a_time, self._speaker(utterance, voice, seed) as (model, latents):
            for piece in pieces:
                for chunk in model.inference_stream(piece.text, utterance.language, *latents, speed=piece.rate):
                    yield chunk.detach().float().cpu().numpy().reshape(-1)

    def _directory(self) -> Path:
        if self._checkpoint_dir is None:
            raise _unavailable("XTTS v2 has no checkpoint here.")
        for name in FILES:
            if not (self._checkpoint_dir / name).is_file():
                raise _unavailable(f"The XTTS checkpoint lacks {name}.")
        return self._checkpoint_dir

    @cached_property
    def _model(self) -> Any:
        directory = self._directory()
        if importlib.util.find_spec("TTS") is None:
            raise _unavailable("The package coqui-tts is not installed.")
        let_torchaudio_import()
        import torch  # noqa: PLC0415 - gigabytes that only this engine needs
        from TTS.tts.configs.xtts_config import XttsConfig  # noqa: PLC0415
        from TTS.tts.models.xtts import Xtts  # noqa: PLC0415

        device = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            config = XttsConfig()
            config.load_json(str(directory / "config.json"))
            model = Xtts(config)
            model.load_checkpoint(config, checkpoint_dir=str(directory), eval=True)
        except (RuntimeError, KeyError, ValueError, TypeError, OSError, EOFError) as error:
            raise _unavailable("The XTTS checkpoint cannot be loaded: it is damaged or of another version.") from error
        return model.to(device)

    def _speaker(self, utterance: Utterance, voice: Voice, seed: int) -> "_Seeded":
        if voice.latents is None:
            raise UnknownReference(
                f'XTTS has no stock voice "{voice.name[:60]}".',
                field="voice",
                action="Enrol a voice from samples first.",
            )
        model = self._model
        language = utterance.language.split("-")[0]
        known = {name.split("-")[0] for name in model.config.languages}
        if language not in known:
            raise ScriptRejected(
                f'XTTS does not speak "{utterance.language}".',
                field="language",
                action=f"Use one of: {', '.join(sorted(known))}.",
            )
        return _Seeded(model, _load_latents(voice.latents, str(model.device)), seed)


class _Seeded:
    """A model and a voice's tensors, for as long as torch's random state belongs to one synthesis."""

    def __init__(self, model: Any, latents: tuple[Any, ...], seed: int) -> None:
        self._value = (model, latents)
        self._seed = seed
        self._fork: Any = None

    def __enter__(self) -> tuple[Any, tuple[Any, ...]]:
        import torch  # noqa: PLC0415

        self._fork = torch.random.fork_rng()
        self._fork.__enter__()
        torch.manual_seed(self._seed)
        return self._value

    def __exit__(self, *error: object) -> None:
        self._fork.__exit__(*error)


@dataclass(frozen=True)
class _Piece:
    """What is said in one call."""

    text: str
    mark: str
    rate: float
    pause_after_ms: int


def _pieces(utterance: Utterance) -> list[_Piece]:
    """Cut where the rate changes or a pause is asked for, and where it gets too long. English is normalised here; other
    languages by the model's own tokeniser."""
    words = speakable(utterance) if utterance.language.split("-")[0] == "en" else tuple(_unread(utterance.spans))
    pieces = [
        piece
        for run in said_alike(words, lambda word: word)
        for piece in shorten(run, lambda word: len(_text(word)) + 1, lambda word: word.mark, MAX_CHARACTERS)
    ]
    return [
        _Piece(" ".join(map(_text, piece)), piece[-1].mark, piece[0].rate, piece[-1].pause_after_ms) for piece in pieces
    ]


def _text(word: SpokenWord) -> str:
    return " ".join(word.spoken) + (word.mark if word.mark not in "—…" else ",")


def _unread(spans: Sequence[Span]) -> Iterator[SpokenWord]:
    for span in spans:
        words = (span.alias or span.text).split()
        for at, text in enumerate(words):
            pause = span.pause_after_ms if at == len(words) - 1 else 0
            bare = text.rstrip(",.;:!?…")
            mark = text[len(bare) :][-1:]
            yield SpokenWord(text, (bare,), mark=mark, rate=span.rate, pause_after_ms=pause)


def _load_latents(path: Path, device: str) -> tuple[Any, ...]:
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        tensors = load_file(path, device=device)
        return tuple(tensors[name] for name in LATENTS)
    except (OSError, KeyError, SafetensorError) as error:
        raise EngineFailed(
            "The enrolled voice cannot be read.", field="voice", action="Enrol the voice again from its samples."
        ) from error


def _unavailable(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message,
        field=SETTING,
        action=f"Point {SETTING} at a directory with {', '.join(FILES)} of XTTS v2, on a worker of the gpu lane.",
    )
