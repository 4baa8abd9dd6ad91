"""Takes checked feeds to the runtime, in the child or here, and brings the answer back: `Runner`.

A model's file is named to the child by its path, size and time, and opened there; bytes are named
by their hash and cross once.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlnb.child.client import child
from mlnb.errors import ModelCrashed, ModelRunError
from mlnb.formatting import display_text
from mlnb.models.runtimes import sessions
from mlnb.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlnb.formats.model_file import Danger, ModelFile, Part
    from mlnb.models.inputs import Fed

_SHARED_CHILDREN = {"keras": "tensorflow"}
_RUNS_HERE = ("onnxruntime",)
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
        trust: run in this process, where the runtime suits it: TensorFlow never does.
        allow_io: run it although it has dangers.
    """

    def __init__(self, file: ModelFile, label: str, *, trust: bool, allow_io: bool = False) -> None:
        self._file = file
        self._label = label
        self._trust = trust and file.runtime in _RUNS_HERE
        self._allow_io = allow_io
        self._runtime = f"mlnb.models.runtimes.{file.runtime}"
        self._child = _SHARED_CHILDREN.get(file.runtime or "", file.runtime or "")
        self._session = file.session()
        self._runnable = False
        self._device: str | None = None
        self.notes: tuple[str, ...] = ()
        """How it will run, where that is otherwise than was asked for, a sentence each."""
        if trust and not self._trust and self._session is None and file.runtime:
            self.notes = (f"trust=True changes nothing: {file.format} always runs in a child",)
        crosses = file.runtime is not None and self._session is None
        self.address = json.dumps(_address(file)) if crosses else ""
        """What tells the child which model is meant, as JSON."""
        self.run_bytes = file.limits.run_bytes + _WEIGHT_COPIES * file.nbytes
        """A cap on the memory that a run may take."""

    @property
    def device(self) -> str:
        """What models run on: `"CUDA"` or `"CPU"`."""
        if self._device is None:
            self._device = self._asked_device()
        return self._device

    def _asked_device(self) -> str:
        if self._session is not None:
            return str(self._session.device)
        if self._file.runtime is None:
            return "CPU"
        if self._trust:
            return str(import_module(self._runtime).device())
        return str(child(self._child).call(f"{self._runtime}:device"))

    def require_runnable(self) -> None:
        """Refuse what nothing runs, and what would act with the user's rights.

        Raises:
            ModelRunError: the message says how it is used instead, or what would act and how to
                let it.
        """
        if self._runnable:
            return
        file = self._file
        name = display_text(file.title, 60)
        if file.runtime is None and self._session is None:
            instead = f"; {file.advice}" if file.advice else ""
            raise ModelRunError(f"{name} ({file.format}) cannot run by itself{instead}")
        if file.dangers and not file.allows_io:
            nodes = ", ".join(display_text(one.node, 60) for one in file.dangers[:5])
            raise ModelRunError(
                f"{name} cannot run, because of {nodes}: {told(file.dangers)}. It can be looked at "
                f"as it is{'; ' + file.advice if file.advice else ''}"
            )
        if file.dangers and not self._allow_io:
            raise ModelRunError(
                f"{name} would act with your rights: {told(file.dangers)}. It can be looked at as "
                f"it is; where you trust it, load_model(path, allow_io=True) lets it run"
            )
        self._runnable = True

    def run(self, fed: Fed, wanted: list[str], timeout: float) -> Answer:
        """The runtime's answer; a long batch goes over in chunks, so that one sees it advance."""
        if fed.rows is None or fed.piece is None:
            answer = self._call(fed.feeds, wanted, None, timeout)
        else:
            answer = self._in_chunks(fed, fed.rows, fed.piece, wanted, timeout)
        self._device = answer.device
        return answer

    def _in_chunks(
        self, fed: Fed, rows: int, piece: int, wanted: list[str], timeout: float
    ) -> Answer:
        deadline = time.monotonic() + timeout
        answers: list[Answer] = []
        done, chunk = 0, 8 * piece
        with progress(self._label, rows) as show:
            while done < rows:
                began = time.monotonic()
                part = {name: value[done : done + chunk] for name, value in fed.feeds.items()}
                answers.append(self._call(part, wanted, piece, max(0.01, deadline - began)))
                done = min(rows, done + chunk)
                show(done)
                if time.monotonic() - began < _CHUNK_SECONDS / 2:
                    chunk *= 2
        return _joined(answers)

    def _call(
        self, feeds: Mapping[str, Any], wanted: list[str], piece: int | None, timeout: float
    ) -> Answer:
        content = self._file.source.content
        if self._session is not None:
            values = sessions.run(self._session, feeds, wanted, piece)
            return Answer(
                dict(zip(wanted, values, strict=True)), self._session.device, self._session.notes
            )
        if self._trust:
            from mlnb.models.runtimes.trusted import predict_here

            arguments = (self.address, feeds, wanted)
            answer = predict_here(*arguments, content=content, piece=piece, timeout=timeout)
            return _answer(answer, wanted, self._child)
        runtime = child(self._child)

        def ask(**more: Any) -> Any:
            arguments = (f"{self._runtime}:predict", self.address, feeds, wanted)
            return runtime.call(
                *arguments, piece=piece, run_bytes=self.run_bytes, timeout=timeout, **more
            )

        answer = ask()
        # Bytes cross once: only where the child does not know their hash yet.
        return _answer(ask(content=content) if answer is None else answer, wanted, self._child)


def told(dangers: tuple[Danger, ...]) -> str:
    """Dangers as one reads them, each op once: `ReadFile (reads files), PyFunc (runs Python)`."""
    whys = {danger.op: danger.why for danger in dangers}
    shown = [f"{display_text(op, 60)} ({display_text(why, 80)})" for op, why in whys.items()]
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return ", ".join(shown[:8]) + more


def _address(file: ModelFile) -> dict[str, Any]:
    """What tells the runtime which model is meant; it crosses as one string, which is fast."""
    source = file.source
    facts = {
        "parts": [part.name for part in file.parts],
        "format": file.format,
        **file.run_facts,
    }
    if source.content is not None:
        return {"sha256": hashlib.sha256(source.content).hexdigest(), **facts}
    assert source.path is not None
    assert source.identity is not None
    return {
        "path": os.path.abspath(source.path),
        "size": source.size,
        "mtime_ns": source.identity[1],
        "seen": _seen(source.path.parent, file.parts),
        **facts,
    }


def _seen(folder: Path, parts: tuple[Part, ...]) -> dict[str, tuple[int, int]]:
    """Size and time of each part that is there, by its name."""
    seen = {}
    for part in parts:
        if part.exists:
            with suppress(OSError):
                found = os.stat(folder / part.name)
                seen[part.name] = (found.st_size, found.st_mtime_ns)
    return seen


def _answer(answer: Any, wanted: list[str], runtime: str) -> Answer:
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
    raise ModelCrashed(f"{runtime} answered with something else than it was asked; try again")


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
