"""Takes checked feeds to the runtime, in the child or here, and brings the answer back: `Runner`.

A model's file is named to the child by its path, size and time, and opened there; bytes are named
by their hash and cross once.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlnb.child.client import child
from mlnb.errors import ModelCrashed, ModelRunError
from mlnb.formatting import display_text
from mlnb.models.facts import file_bytes
from mlnb.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlnb.formats.model_file import ModelFile
    from mlnb.models.inputs import Fed

_RUNTIME = "mlnb.models.runtimes.onnxruntime"
_CHUNK_SECONDS = 0.25
_WEIGHT_COPIES = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run came to.

    Args:
        outputs: by name, in the order asked for.
        device: `"CPU"` or `"CUDA"`.
        notes: how it ran, a sentence each.
    """

    outputs: dict[str, Any]
    device: str
    notes: tuple[str, ...]


class Runner:
    """Runs one model file.

    Args:
        file: the opened file.
        label: what progress is called.
        trust: run in this process.
    """

    def __init__(self, file: ModelFile, label: str, *, trust: bool) -> None:
        self._file = file
        self._label = label
        self._trust = trust
        self._address = json.dumps(_address(file))
        self._run_bytes = file.limits.run_bytes + _WEIGHT_COPIES * file_bytes(file)

    def device(self) -> str:
        """What models run on: `"CUDA"` or `"CPU"`."""
        if self._trust:
            from mlnb.models.runtimes.onnxruntime import device

            return device()
        return str(child("onnxruntime").call(f"{_RUNTIME}:device"))

    def run(self, fed: Fed, wanted: list[str], timeout: float) -> Answer:
        """The runtime's answer; a long batch goes over in chunks, so that one sees it advance."""
        if fed.rows is None or fed.piece is None:
            return self._call(fed.feeds, wanted, None, timeout)
        deadline = time.monotonic() + timeout
        answers: list[Answer] = []
        done, chunk = 0, 8 * fed.piece
        with progress(self._label, fed.rows) as show:
            while done < fed.rows:
                began = time.monotonic()
                part = {name: rows[done : done + chunk] for name, rows in fed.feeds.items()}
                answers.append(self._call(part, wanted, fed.piece, max(0.01, deadline - began)))
                done = min(fed.rows, done + chunk)
                show(done)
                if time.monotonic() - began < _CHUNK_SECONDS / 2:
                    chunk *= 2
        return _joined(answers)

    def _call(
        self, feeds: Mapping[str, Any], wanted: list[str], piece: int | None, timeout: float
    ) -> Answer:
        content = self._file.source.content
        if self._trust:
            from mlnb.models.runtimes.trusted import predict_here

            arguments = (self._address, feeds, wanted)
            answer = predict_here(*arguments, content=content, piece=piece, timeout=timeout)
            return _answer(answer, wanted)
        runtime = child("onnxruntime")

        def ask(**more: Any) -> Any:
            arguments = (f"{_RUNTIME}:predict", self._address, feeds, wanted)
            return runtime.call(
                *arguments, piece=piece, run_bytes=self._run_bytes, timeout=timeout, **more
            )

        answer = ask()
        # Bytes cross once: only where the child does not know their hash yet.
        return _answer(ask(content=content) if answer is None else answer, wanted)


def _address(file: ModelFile) -> dict[str, Any]:
    """What tells the runtime which model is meant; it crosses as one string, which is fast."""
    source = file.source
    parts = [part.name for part in file.parts]
    if source.content is not None:
        return {"sha256": hashlib.sha256(source.content).hexdigest(), "parts": parts}
    assert source.path is not None
    assert source.identity is not None
    return {
        "path": os.path.abspath(source.path),
        "size": source.size,
        "mtime_ns": source.identity[1],
        "parts": parts,
    }


def _answer(answer: Any, wanted: list[str]) -> Answer:
    """The runtime's answer by name; it was made where a stranger's model ran, and may be anything.

    Raises:
        ModelCrashed: it is no answer.
    """
    try:
        values, device, notes = answer
        if device in ("CPU", "CUDA") and isinstance(values, list):
            outputs = dict(zip(wanted, values, strict=True))
            return Answer(outputs, device, tuple([display_text(note, 1000) for note in notes]))
    except (TypeError, ValueError):
        pass
    raise ModelCrashed("onnxruntime answered with something else than it was asked; try again")


def _joined(answers: list[Answer]) -> Answer:
    """The chunks' answers as one."""
    import numpy as np

    last = answers[-1]
    try:
        outputs = {
            name: np.concatenate([answer.outputs[name] for answer in answers])
            for name in last.outputs
        }
    except (TypeError, ValueError) as error:
        raise ModelRunError(
            f"the outputs of the pieces do not fit together ({display_text(str(error), 200)}): "
            f"feed the model exactly one batch at a time"
        ) from error
    return replace(last, outputs=outputs)
