"""Kokoro's ONNX graph cut in three, so that durations and melody can be changed between the parts.

The published graph goes from tokens to samples in one call. Cut after the duration predictor and after the pitch and
energy predictors, the same nodes run in the same order with the same numbers, and rate, emphasis and pitch become plain
arithmetic on two small arrays. Node names are those of the export in ``onnx-community/Kokoro-82M-v1.0-ONNX``.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.errors import EngineUnavailable

FloatArray = NDArray[np.float32]

RAW_DURATIONS = "/encoder/Div_output_0"
"""Predicted durations before rounding, in units of 25 ms, at speed 1."""
DURATIONS = "/encoder/Clip_output_0"
"""Whole durations, at least one unit a token: [1, tokens]."""
TEXT = "/encoder/predictor/text_encoder/Concat_4_output_0"
PHONES = "/encoder/text_encoder/Transpose_2_output_0"
PITCH = "/encoder/F0_proj/Conv_output_0"
"""Fundamental frequency in Hz, two values a unit: [1, 1, 2 * units]."""
ENERGY = "/encoder/N_proj/Conv_output_0"
ALIGNED = "/encoder/MatMul_1_output_0"
AUDIO = "audio"

_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "durations": (("tokens", "style", "speed"), (RAW_DURATIONS, DURATIONS, TEXT, PHONES)),
    "prosody": ((DURATIONS, TEXT, PHONES, "style"), (PITCH, ENERGY, ALIGNED)),
    "samples": ((PITCH, ENERGY, ALIGNED, "style"), (AUDIO,)),
}
_CUT_VERSION = "2"
_SHIFT = "signed_shift"


@dataclass(frozen=True)
class Timed:
    """What the first part knows of a line: durations in units of 25 ms, and features for the next part."""

    raw: FloatArray
    whole: FloatArray
    text: FloatArray
    phones: FloatArray


@dataclass(frozen=True)
class Sung:
    """Pitch in Hz and energy, two values a unit, and the features aligned to units."""

    pitch: FloatArray
    energy: FloatArray
    aligned: FloatArray


class KokoroGraph:
    """The three parts, ready to run. One thread a call; calls may run side by side."""

    def __init__(self, sessions: dict[str, onnxruntime.InferenceSession]) -> None:
        self._sessions = sessions

    @classmethod
    def load(cls, read_model: Callable[[], bytes], sha256: str, cache: Path) -> "KokoroGraph":
        """Load the parts of the model from ``cache``; where they are not there yet, read the model and cut it.

        Raises EngineUnavailable when it is not the Kokoro export this engine knows.
        """
        signed = _signed_is_exact()
        directory = cache / f"kokoro-{sha256[:16]}-v{_CUT_VERSION}{'-signed' if signed else ''}"
        if not all((directory / f"{name}.onnx").is_file() for name in _PARTS):
            _cut(read_model(), directory, signed)
        return cls({name: _session(directory / f"{name}.onnx") for name in _PARTS})

    def time(self, tokens: NDArray[np.int64], style: FloatArray) -> Timed:
        """Durations of ``tokens`` ([n], with the padding zeros at both ends) in the voice ``style`` ([256])."""
        speed = np.ones(1, np.float32)
        feed = {"tokens": tokens[None], "style": style[None], "speed": speed}
        raw, whole, text, phones = self._sessions["durations"].run([RAW_DURATIONS, DURATIONS, TEXT, PHONES], feed)
        return Timed(raw.reshape(-1), whole.reshape(-1), text, phones)

    def sing(self, timed: Timed, durations: FloatArray, style: FloatArray) -> Sung:
        """Pitch and energy for ``durations`` (whole units, [tokens])."""
        feed = {DURATIONS: durations[None], TEXT: timed.text, PHONES: timed.phones, "style": style[None]}
        pitch, energy, aligned = self._sessions["prosody"].run([PITCH, ENERGY, ALIGNED], feed)
        return Sung(pitch.reshape(-1), energy.reshape(-1), aligned)

    def sound(self, sung: Sung, pitch: FloatArray, style: FloatArray) -> FloatArray:
        """Samples at 24 kHz, 600 a unit, with ``pitch`` in place of the predicted one."""
        feed = {
            PITCH: pitch[None, None],
            ENERGY: sung.energy[None, None],
            ALIGNED: sung.aligned,
            "style": style[None],
        }
        samples: FloatArray = self._sessions["samples"].run([AUDIO], feed)[0].reshape(-1)
        return samples


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Sentences run side by side; more threads in one of them only take cores from the others.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _signed_is_exact() -> bool:
    """Whether this machine multiplies signed by unsigned bytes without saturating between (AVX-512 VNNI, AVX-VNNI and
    Arm's dot product do, plain AVX2 does not): the kernel itself is asked, with the largest values there are."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - a tenth of a second, once a process

    channels = 64
    weights = np.full((16, channels, 3), 255, np.uint8)
    node = helper.make_node("ConvInteger", ["sound", "weights"], ["sums"])
    graph = helper.make_graph(
        [node],
        "largest",
        [helper.make_tensor_value_info("sound", TensorProto.INT8, None)],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, None)],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = [session.run(["sums"], {"sound": np.full((1, channels, 64), level, np.int8)})[0] for level in (127, -128)]
    return all(bool((sums == 255 * level * channels * 3).all()) for sums, level in zip(found, (127, -128), strict=True))


def _cut(model: bytes, directory: Path, signed: bool) -> None:
    import onnx  # noqa: PLC0415 - needed once a model, not at every start
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - comes with onnx

    try:
        whole = onnx.load_from_string(model)
        if signed:
            _sign(whole.graph)
        parts = {name: _part(whole, inputs, outputs) for name, (inputs, outputs) in _PARTS.items()}
    except (KeyError, ValueError, DecodeError) as error:
        raise EngineUnavailable(
            "The Kokoro weights are not the ONNX export this engine knows.",
            field="KOKORO_MODEL",
            action="Use a quantised ONNX file of Kokoro-82M v1.0, or leave the setting empty for the packaged one.",
        ) from error
    directory.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        _write(directory / f"{name}.onnx", part.SerializeToString())


def _sign(graph: Any) -> None:
    """Convolutions get their input as signed bytes: the same numbers less 128, so the same sums to the bit, in half the
    time where the processor multiplies signed by unsigned bytes in one instruction."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - as in _cut

    makers = {output: node for node in graph.node for output in node.output}
    signed: set[str] = set()
    nodes = []
    for node in graph.node:
        quantised = node.input[0] if node.input else ""
        maker = makers.get(quantised)
        if node.op_type == "ConvInteger" and maker is not None and maker.op_type == "DynamicQuantizeLinear":
            _, scale, zero = maker.output
            if quantised not in signed:
                signed.add(quantised)
                nodes += [
                    helper.make_node("Cast", [zero], [f"{zero}_wide"], to=TensorProto.INT32),
                    helper.make_node("Sub", [f"{zero}_wide", _SHIFT], [f"{zero}_less"]),
                    helper.make_node("Cast", [f"{zero}_less"], [f"{zero}_signed"], to=TensorProto.INT8),
                    helper.make_node(
                        "QuantizeLinear", [maker.input[0], scale, f"{zero}_signed"], [f"{quantised}_signed"]
                    ),
                ]
            node.input[0], node.input[2] = f"{quantised}_signed", f"{zero}_signed"
        nodes.append(node)
    ordered = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(ordered)
    graph.initializer.append(numpy_helper.from_array(np.array(128, np.int32), _SHIFT))


def _part(whole: Any, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
    """The nodes of ``whole`` that lead from ``inputs`` to ``outputs``, as a model of their own."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - as in _cut

    makers = {output: node for node in whole.graph.node for output in node.output}
    constants = {constant.name: constant for constant in whole.graph.initializer}
    needed_nodes: set[int] = set()
    needed_constants: dict[str, Any] = {}
    waiting = list(outputs)
    seen = set(inputs)
    while waiting:
        name = waiting.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        if name in constants:
            needed_constants[name] = constants[name]
            continue
        node = makers[name]
        needed_nodes.add(id(node))
        waiting.extend(node.input)
    graph = helper.make_graph(
        [node for node in whole.graph.node if id(node) in needed_nodes],
        "kokoro",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64 if name == "tokens" else TensorProto.FLOAT, None)
            for name in inputs
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [needed_constants[name] for name in sorted(needed_constants)],
    )
    part = helper.make_model(graph, opset_imports=whole.opset_import)
    part.ir_version = whole.ir_version
    return part


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: two processes may cut the same model at the same time."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).replace(path)
