"""Importing torchaudio beside a CPU build of torch; for every engine whose library wants it."""

import sys
import types
from collections.abc import Callable
from typing import Any


def let_torchaudio_import() -> None:
    """PyPI's torchaudio is linked against CUDA and refuses to import beside a CPU build of torch. Its pure Python
    parts, all that engines here need, work when its extension is declared absent."""
    import torch  # noqa: PLC0415

    name = "torchaudio._extension"
    if torch.version.cuda is not None or name in sys.modules:
        return
    extension = types.ModuleType(name)
    absent: dict[str, Any] = {
        "_IS_TORCHAUDIO_EXT_AVAILABLE": False,
        "_IS_ALIGN_AVAILABLE": False,
        "_check_cuda_version": lambda: None,
        "fail_if_no_align": _without_extension,
    }
    for attribute, value in absent.items():
        setattr(extension, attribute, value)
    sys.modules[name] = extension


def _without_extension(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise RuntimeError(f"{function.__name__} needs torchaudio's native extension")

    return refuse
