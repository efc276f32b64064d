"""The Montreal Forced Aligner, run as an external program: the most exact aligner, for studios that installed it. Apart
because it is Kaldi in an environment of its own and can never be a dependency."""

import re
import shlex
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import soundfile as sf

from activities.alignment.g2p import Sound, from_arpabet, parse_ipa, with_stress
from activities.alignment.words import Heard, HeardWord, Token, captioned, captions, spread
from activities.support.audio import RATE, mono_16k, wav_seconds
from activities.support.engine import Progress
from activities.support.program import run_program
from models.alignment import Alignment
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable
from models.plan import Capability, EngineRef
from models.script import Utterance

SECONDS_PER_SECOND: Final = 5.0
"""Patience for each second of audio, on top of the fixed part: MFA runs at about real time with its default beams."""
UNKNOWN: Final = frozenset({"spn", "<unk>", "[bracketed]", "<cutoff>"})
"""What MFA writes for a word its dictionary lacks, and for that word's sound."""
SILENCE: Final = frozenset({"", "sil", "sp", "<eps>", "<sil>"})
_MFA_IPA: Final = (
    ("aj", "aɪ"), ("aw", "aʊ"), ("ej", "eɪ"), ("ow", "oʊ"), ("əw", "əʊ"), ("ɔj", "ɔɪ"), ("ɟ", "ɡ"), ("c", "k"),
    ("ɲ", "n"), ("ʎ", "l"), ("ç", "h"), ("ʈ", "t"), ("ɖ", "d"), ("t̪", "θ"), ("d̪", "ð"),
)  # fmt: skip
"""The phone set of MFA's IPA dictionaries where it differs from the IPA of the contracts; longest first."""


class Interval(NamedTuple):
    """One interval of a TextGrid tier, times in seconds."""

    start: float
    end: float
    text: str


class MfaEngine:
    """Forced alignment by the ``mfa`` program.

    ``command`` is its command line (``mfa`` on PATH, a path, or ``conda run -n aligner mfa``), ``dictionary`` and
    ``acoustic_model`` are names MFA knows or files, ``workspace`` is where it keeps compiled lexicons, ``patience`` the
    seconds a sentence may take beyond its own length (the first one compiles the lexicon).
    """

    def __init__(
        self,
        workspace: Path,
        command: str = "",
        dictionary: str = "english_us_arpa",
        acoustic_model: str = "english_us_arpa",
        patience: float = 300.0,
    ) -> None:
        self._command = shlex.split(command) or ["mfa"]
        self._models = (dictionary, acoustic_model)
        self._workspace = workspace
        self._patience = patience
        # MFA compiles lexicons into one shared place, without a lock of its own.
        self._lock = threading.Lock()

    @property
    def ref(self) -> EngineRef:
        """Its identity; its models are the operator's."""
        return find_engine(Capability.ALIGNMENT, "mfa").ref()

    def align(
        self,
        wav: Path,
        utterance: Utterance,
        known: Alignment | None,  # noqa: ARG002 - the audio alone decides
        progress: Progress,
    ) -> Alignment:
        """Word and phoneme times of ``utterance`` in ``wav``.

        Raises EngineUnavailable when the program or its models are absent, EngineFailed when it fails, takes too long
        or answers with other words, MediaRejected for unreadable audio.
        """
        duration = wav_seconds(wav)
        words = captions(utterance)
        tokens = tuple(token for caption in words for token in caption.tokens)
        with tempfile.TemporaryDirectory(prefix="mfa-") as scratch:
            sound, text, grid = (Path(scratch, name) for name in ("speech.wav", "speech.txt", "speech.TextGrid"))
            sf.write(sound, mono_16k(wav), RATE, subtype="PCM_16")
            text.write_text(" ".join(_plain(token) for token in tokens), encoding="utf-8")
            with self._lock:
                self._run(sound, text, grid, self._patience + SECONDS_PER_SECOND * duration, progress)
            tiers = _read(grid)
        heard = _match(tokens, tiers)
        progress(1, 1)
        return captioned(words, heard, duration, self.ref.name)

    def _run(self, sound: Path, text: Path, grid: Path, patience: float, progress: Progress) -> None:
        self._workspace.mkdir(parents=True, exist_ok=True)
        log = grid.with_suffix(".log")
        arguments = [
            *self._command, "align_one", str(sound), str(text), *self._models, str(grid),
            "--output_format", "long_textgrid", "--no_tokenization", "--temporary_directory", str(self._workspace),
            "--num_jobs", "1", "--quiet",
        ]  # fmt: skip
        deadline = time.monotonic() + patience

        def beat() -> None:
            progress(0, 1)
            if time.monotonic() > deadline:
                raise EngineFailed(f"MFA gave no answer within {patience:.0f} s.", code="alignment.mfa_stalled")

        try:
            status = run_program(arguments, log, beat)
        except OSError as error:
            raise _unavailable(f"The program {self._command[0]!r} cannot be started: {error.strerror}.") from error
        said = " ".join(re.sub(r"[│╭╮╰╯─]", " ", log.read_text("utf-8", errors="replace")).split())
        if status and "Could not find a model named" in said:
            raise _unavailable(f"MFA has no such model: {said[-300:]}")
        if status:
            raise EngineFailed(f"MFA ended with status {status}: {said[-600:]}", code="alignment.mfa_failed")


def _unavailable(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message,
        field="MFA_COMMAND",
        action="Install Montreal Forced Aligner with its models (mfa model download acoustic english_us_arpa, and the "
        "dictionary of that name) and point MFA_COMMAND at it, or leave mfa out of the plan.",
    )


def _plain(token: Token) -> str:
    return token.text.replace(".", "")


def _read(grid: Path) -> dict[str, list[Interval]]:
    try:
        return parse_textgrid(grid.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineFailed(f"MFA wrote no readable TextGrid: {error}.", code="alignment.mfa_failed") from error


def parse_textgrid(text: str) -> dict[str, list[Interval]]:
    """The interval tiers of a long-format Praat TextGrid by name. Raises ValueError when it is none."""
    if '"TextGrid"' not in text[:200]:
        raise ValueError("it has no TextGrid header")
    tiers: dict[str, list[Interval]] = {}
    for tier in re.split(r'class = "IntervalTier"', text)[1:]:
        name = re.search(r'name = "((?:[^"]|"")*)"', tier)
        found = re.findall(r'xmin = ([\d.eE+-]+)\s+xmax = ([\d.eE+-]+)\s+text = "((?:[^"]|"")*)"', tier)
        tiers[name[1] if name else ""] = [Interval(float(a), float(b), t.replace('""', '"')) for a, b, t in found]
    return tiers


def _match(tokens: Sequence[Token], tiers: dict[str, list[Interval]]) -> list[HeardWord]:
    words = [word for word in _tier(tiers, "words") if word.text.strip() not in SILENCE]
    phones = [phone for phone in _tier(tiers, "phones") if phone.text.strip() not in SILENCE]
    heard: list[HeardWord] = []
    position = 0
    for token in tokens:
        first, letters = position, ""
        while position < len(words) and letters != _letters(token.text):
            # MFA may cut a compound or a clitic off a word it does not know, so one token can be several intervals.
            letters = (
                _letters(token.text) if words[position].text in UNKNOWN else letters + _letters(words[position].text)
            )
            position += 1
        if letters != _letters(token.text):
            raise EngineFailed(
                f"MFA's words differ from the sentence at {token.text!r}.", code="alignment.does_not_fit"
            )
        start, end = words[first].start, words[position - 1].end
        inside = [phone for phone in phones if start <= (phone.start + phone.end) / 2 < end]
        heard.append(HeardWord(start, end, _sounds(token, inside, start, end)))
    if position != len(words):
        raise EngineFailed(f"MFA heard {words[position].text!r} after the sentence.", code="alignment.does_not_fit")
    return heard


def _tier(tiers: dict[str, list[Interval]], kind: str) -> list[Interval]:
    for name, intervals in tiers.items():
        if name.endswith(kind):
            return intervals
    raise EngineFailed(f"MFA's TextGrid has no tier of {kind}.", code="alignment.mfa_failed")


def _sounds(token: Token, phones: Sequence[Interval], start: float, end: float) -> tuple[Heard, ...]:
    """The phones of a word; evenly the sounds that were expected, where MFA heard a word it does not know."""
    named = [_sound(phone.text) for phone in phones]
    sounds = tuple(sound for sound in named if sound is not None)
    if not phones or len(sounds) != len(named):
        return spread(token.sounds, start, end)
    if not any(sound.stress for sound in sounds):
        sounds = with_stress(sounds, token.sounds)
    return tuple(Heard(sound, phone.start, phone.end) for sound, phone in zip(sounds, phones, strict=True))


def _sound(label: str) -> Sound | None:
    if label in UNKNOWN:
        return None
    with suppress(KeyError):
        return from_arpabet(label)
    for theirs, ours in _MFA_IPA:
        label = label.replace(theirs, ours)
    sounds = parse_ipa(label)
    return sounds[0] if len(sounds) == 1 else None


def _letters(word: str) -> str:
    return re.sub(r"[^a-z]", "", word.casefold())
