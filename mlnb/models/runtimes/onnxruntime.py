"""Runs an ONNX model: onnxruntime first, onnx's reference evaluator where that lacks something.

This is what the child runs; with `trust=True` the same functions run in the caller's process. The
evaluator is slow and complete: it knows every operator and dtype of the standard, of which
onnxruntime leaves out a quarter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from mlnb.child.machine import cores
from mlnb.errors import MlnbError, ModelRunError
from mlnb.formats.onnx.cut import cut_content
from mlnb.formatting import display_text
from mlnb.models.runtimes import sessions
from mlnb.models.runtimes.external_data import require_contained
from mlnb.models.runtimes.texts import told

if TYPE_CHECKING:
    from mlnb.models.runtimes.sessions import Session


def predict(
    address: str, feeds: Mapping[str, Any], outputs: Sequence[str], **how: Any
) -> list[Any] | None:
    """As `sessions.predict`, by onnxruntime.

    Args:
        address: of the model, as JSON.
        feeds: a value for each input.
        outputs: the names wanted.
        how: as there; `run_options` are onnxruntime's.
    """
    return sessions.predict(_open, address, feeds, outputs, watch=_has_cuda(), **how)


def device() -> str:
    """What models run on here: `"CUDA"` or `"CPU"`."""
    return "CUDA" if _has_cuda() else "CPU"


def _open(model: Mapping[str, Any], source: str | bytes) -> Session:
    if "path" in model:
        require_contained(Path(model["path"]), model["parts"])
    elif model.get("parts"):
        raise ModelRunError(
            "the model keeps weights in other files, and bytes have no folder to look in; "
            "load it by its path"
        )
    folder = str(Path(model["path"]).parent) if model.get("parts") else ""
    if "cuts" in model:
        source = cut_content(source, model["cuts"], model["limits"])
    try:
        return _OnnxRuntime(source, folder)
    except Exception as error:  # noqa: BLE001 - raised again where the evaluator fails too
        return _reference(source, folder, error)


class _OnnxRuntime:
    """A model opened by onnxruntime; becomes the evaluator's where a run shows what is lacking."""

    def __init__(self, source: str | bytes, folder: str) -> None:
        options = onnxruntime.SessionOptions()
        if folder and isinstance(source, bytes):
            options.add_session_config_entry(_PARTS_FOLDER, folder)
        options.intra_op_num_threads = cores()
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(source, options, providers=_providers())
        self._source, self._folder = source, folder
        self._instead: Session | None = None
        self.device = "CUDA" if "CUDA" in self._session.get_providers()[0] else "CPU"
        self.notes: tuple[str, ...] = ()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        if self._instead is None:
            try:
                return list(self._session.run(list(outputs), dict(feeds), options))
            except Exception as error:
                if not _LACKING.search(str(error)):
                    raise _shortened(error) from error
                self._instead = _reference(self._source, self._folder, error)
                self.device, self.notes = self._instead.device, self._instead.notes
        return self._instead.run(outputs, feeds, options)


_PARTS_FOLDER = "session.model_external_initializers_file_folder_path"


class _Reference:
    """A model opened by onnx's reference evaluator."""

    device = "CPU"

    def __init__(self, source: str | bytes, folder: str, lacking: str) -> None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        proto = onnx.load(source) if isinstance(source, str) else onnx.load_from_string(source)
        if folder and isinstance(source, bytes):
            onnx.load_external_data_for_model(proto, folder)
        self._evaluator = ReferenceEvaluator(proto)
        self._lacking = lacking
        first = lacking.partition("\n")[0]
        self.notes: tuple[str, ...] = (
            f"onnxruntime cannot run this model ({first}); onnx's reference evaluator did, which "
            f"is exact and slow",
        )

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], _: Any) -> list[Any]:
        # Some of its operators write into what they are fed, and received arrays are read-only.
        own = {name: _copy(value) for name, value in feeds.items()}
        try:
            values = self._evaluator.run(list(outputs), own)
        except MemoryError:
            raise
        except Exception as error:
            text = display_text(f"{type(error).__name__}: {error}", 600)
            raise ModelRunError(f"{self._lacking}\nonnx's reference evaluator: {text}") from error
        return [np.asarray(value) if isinstance(value, np.generic) else value for value in values]


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


_LACKING = re.compile(
    r"NOT_IMPLEMENTED|not implemented|Numpy_type|can't be converted|Unable to handle object of type"
    r"|not supported|Unsupported|unsupported",
)
"""What onnxruntime says at run time when it lacks an operator or a dtype."""


def _reference(source: str | bytes, folder: str, error: Exception) -> Session:
    """The evaluator in place of onnxruntime; where it fails too, onnxruntime's word counts."""
    short = _shortened(error)
    if _HOPELESS.search(str(error)) or isinstance(error, MemoryError):
        raise short from error
    try:
        return _Reference(source, folder, str(short))
    except Exception:  # noqa: BLE001 - the evaluator raises almost anything for a broken model
        raise short from error


_HOPELESS = re.compile(
    r"INVALID_PROTOBUF|NO_SUCHFILE|allocate memory|bad_alloc|External data|external data"
)


def _shortened(error: Exception) -> MlnbError:
    """onnxruntime's message without its codes, source paths and C++ signatures.

    It may go on for pages; the first line stands alone and is short, and the second tells more.
    """
    text = re.sub(r"\[ONNXRuntimeError\] : \d+ : (\w+) : ", "", str(error))
    text = re.sub(r"\S*/onnxruntime/\S+?:\d+ .*?\)(?: const)?(?: \[with .*?\])? (?=\S)", "", text)
    lacking = _FOREIGN.search(text)
    if lacking:
        return ModelRunError(
            f"the model uses the operation {display_text(lacking[2], 60)!r} of the domain "
            f"{display_text(lacking[1], 60)!r}, which onnxruntime does not have: its author's own "
            "library is needed to run it"
        )
    return ModelRunError(told(re.sub(r"^Load model from .* failed: ?", "", " ".join(text.split()))))


_FOREIGN = re.compile(r"([\w.]+):(\w+)\(-1\) is not a registered function/op")


def _providers() -> list[str]:
    return ["CUDAExecutionProvider"] * _has_cuda() + ["CPUExecutionProvider"]


@lru_cache(maxsize=1)
def _has_cuda() -> bool:
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
