"""Runs an ONNX model: onnxruntime first, onnx's reference evaluator where that lacks something.

This is what the child runs; with `trust=True` the same functions run in the caller's process. The
evaluator is slow and complete: it knows every operator and dtype of the standard, of which
onnxruntime leaves out a quarter.
"""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from mlnb.child.machine import cores
from mlnb.child.memory import memory_cap, out_of_memory
from mlnb.errors import MlnbError, ModelFileChanged, ModelRunError
from mlnb.formatting import display_text
from mlnb.models.runtimes.external_data import require_contained

KEPT_SESSIONS = 4
"""Opened models that stay warm; each holds its weights in memory."""

Array = np.ndarray[Any, np.dtype[Any]]


def predict(
    address: str,
    feeds: Mapping[str, Any],
    outputs: Sequence[str],
    *,
    content: bytes | None = None,
    piece: int | None = None,
    run_bytes: int | None = None,
    run_options: Any = None,
) -> list[Any] | None:
    """The outputs in the order asked for, the device, and notes on how it ran.

    The answer is `None` where the model was named by its hash and is not here yet.

    Args:
        address: `{"path", "size", "mtime_ns", "parts"}` or `{"sha256", "parts"}`, as JSON.
        feeds: a value for each input.
        outputs: the names wanted.
        content: the model itself, once for each hash.
        piece: the fixed batch size, where the feeds hold more rows than that.
        run_bytes: a cap on the memory taken, in bytes.
        run_options: onnxruntime's, to stop a run from another thread.

    Raises:
        ModelFileChanged: the file is not the one that was loaded.
        ModelRunError: neither runtime could run the model, or it ran out of memory.
    """
    cap = nullcontext() if run_bytes is None else memory_cap(run_bytes, watch=_has_cuda())
    with cap:
        session = _session(address, content)
        if session is None:
            return None
        run = _in_pieces if piece else _whole
        try:
            values = run(session, feeds, outputs, piece or 0, run_options)
        except Exception as error:
            if out_of_memory(error):  # its arena goes on asking for as much, whatever is fed next
                _sessions.popitem()
            raise
    return [values, session.device, list(session.notes)]


def device() -> str:
    """What models run on here: `"CUDA"` or `"CPU"`."""
    return "CUDA" if _has_cuda() else "CPU"


class _Session(Protocol):
    device: str
    notes: tuple[str, ...]

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]: ...


def _whole(
    session: _Session, feeds: Mapping[str, Any], outputs: Sequence[str], _: int, options: Any
) -> list[Any]:
    return session.run(outputs, feeds, options)


def _in_pieces(
    session: _Session, feeds: Mapping[str, Any], outputs: Sequence[str], piece: int, options: Any
) -> list[Any]:
    """Run `piece` rows at a time; a short last piece is filled with its last row and cut again."""
    rows = len(next(iter(feeds.values())))
    collected: list[list[Array]] = [[] for _ in outputs]
    for start in range(0, rows, piece):
        here = min(piece, rows - start)
        part = {name: _filled(array[start : start + here], piece) for name, array in feeds.items()}
        for name, column, value in zip(
            outputs, collected, session.run(outputs, part, options), strict=True
        ):
            if not isinstance(value, np.ndarray) or value.shape[:1] != (piece,):
                raise ModelRunError(
                    f"output {display_text(name)!r} does not have one row for each of the "
                    f"{piece} rows fed: feed the model exactly {piece} at a time"
                )
            if column and value.shape[1:] != column[0].shape[1:]:
                raise ModelRunError(
                    f"output {display_text(name)!r} changes its shape from piece to piece: feed "
                    f"the model exactly {piece} rows at a time"
                )
            column.append(value[:here])
    return [column[0] if len(column) == 1 else np.concatenate(column) for column in collected]


def _filled(array: Array, piece: int) -> Array:
    missing = piece - len(array)
    return array if not missing else np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])


_sessions: OrderedDict[str, _Session] = OrderedDict()
"""By the address: it names the very file, by its size and time as well."""


def _session(address: str, content: bytes | None) -> _Session | None:
    """The opened model, from before where it is the same file."""
    model = _parsed(address)
    if "path" in model:
        _require_unchanged(model)
    if address not in _sessions:
        if "sha256" in model and content is None:
            return None
        _sessions[address] = _open(model, content)
        while len(_sessions) > KEPT_SESSIONS:
            _sessions.popitem(last=False)
    _sessions.move_to_end(address)
    return _sessions[address]


@lru_cache(maxsize=KEPT_SESSIONS)
def _parsed(address: str) -> Mapping[str, Any]:
    return dict(json.loads(address))


def _require_unchanged(model: Mapping[str, Any]) -> None:
    try:
        found = os.stat(model["path"])
    except OSError as error:
        raise ModelFileChanged(f"{_file_name(model)} is gone; run %mlload again") from error
    if (found.st_size, found.st_mtime_ns) != (model["size"], model["mtime_ns"]):
        raise ModelFileChanged(
            f"{_file_name(model)} has changed since it was loaded; run %mlload again"
        )


def _file_name(model: Mapping[str, Any]) -> str:
    return display_text(os.path.basename(model["path"]))


def _open(model: Mapping[str, Any], content: bytes | None) -> _Session:
    source = model["path"] if content is None else content
    if "path" in model:
        require_contained(Path(model["path"]), model["parts"])
    elif model.get("parts"):
        raise ModelRunError(
            "the model keeps weights in other files, and bytes have no folder to look in; "
            "load it by its path"
        )
    try:
        return _OnnxRuntime(source)
    except Exception as error:  # noqa: BLE001 - raised again where the evaluator fails too
        return _reference(source, error)


class _OnnxRuntime:
    """A model opened by onnxruntime; becomes the evaluator's where a run shows what is lacking."""

    def __init__(self, source: str | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(source, options, providers=_providers())
        self._source: str | bytes | None = source
        self._instead: _Session | None = None
        self.device = "CUDA" if "CUDA" in self._session.get_providers()[0] else "CPU"
        self.notes: tuple[str, ...] = ()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        if self._instead is None:
            try:
                return list(self._session.run(list(outputs), dict(feeds), options))
            except Exception as error:
                if not _LACKING.search(str(error)):
                    raise _shortened(error) from error
                self._instead = _reference(self._source, error)
                self.device, self.notes = self._instead.device, self._instead.notes
        return self._instead.run(outputs, feeds, options)


class _Reference:
    """A model opened by onnx's reference evaluator."""

    device = "CPU"

    def __init__(self, source: str | bytes, lacking: str) -> None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        proto = onnx.load(source) if isinstance(source, str) else onnx.load_from_string(source)
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


def _reference(source: str | bytes | None, error: Exception) -> _Session:
    """The evaluator in place of onnxruntime; where it fails too, onnxruntime's word counts."""
    short = _shortened(error)
    if _HOPELESS.search(str(error)) or source is None or isinstance(error, MemoryError):
        raise short from error
    try:
        return _Reference(source, str(short))
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
    text = re.sub(r"^Load model from .* failed: ?", "", " ".join(text.split()))
    first = display_text(text, 160)
    return ModelRunError(first if len(text) <= 160 else f"{first}\n{display_text(text, 1200)}")


def _providers() -> list[str]:
    return ["CUDAExecutionProvider"] * _has_cuda() + ["CPUExecutionProvider"]


@lru_cache(maxsize=1)
def _has_cuda() -> bool:
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
