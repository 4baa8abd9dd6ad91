"""A loaded model file: `load_model`, and `Model`, which shows itself and predicts.

Looking reads the file and runs nothing. Whatever executes what the file says, shape inference
included, happens in a child process, unless the caller trusts the file.
"""

from __future__ import annotations

import hashlib
import keyword
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.child.client import TIMEOUT, child
from mlnb.errors import MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formatting import bytes_text, count_text, display_text, plural
from mlnb.limits import LIMITS, Limits
from mlnb.models.inputs import Fed, check_inputs, feed_code
from mlnb.models.prediction import Prediction
from mlnb.progress import progress

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.model_file import ModelFile, Part
    from mlnb.formatting import Markup
    from mlnb.graph.graph import Graph
    from mlnb.graph.summary import Summary
    from mlnb.specs import TensorSpecs

_RUNTIME = "mlnb.models.runtimes.onnxruntime"
_CHUNK_SECONDS = 0.25
_WEIGHT_COPIES = 4


def load_model(
    path_or_bytes: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    trust: bool = False,
    limits: Limits = LIMITS,
) -> Model:
    """Open a model file; its format is told by its content.

    >>> model = load_model("squeezenet1.1_fp16.onnx")
    >>> model.inputs
    TensorSpecs(data_0: float16 [1, 3, 224, 224])

    Args:
        path_or_bytes: the file, or what is in it.
        name: what to call it in code; by default made from the file's name.
        trust: run it in this process, without deadline for opening and without a memory cap; a
            model that crashes then takes the session along.
        limits: caps on what the file may ask of this machine.

    Raises:
        ModelFormatError: it is no model that mlnb reads, or no file.
        LimitExceeded: it is larger than `limits` allow.
    """
    if isinstance(path_or_bytes, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path_or_bytes):
        address = display_text(path_or_bytes, 200)
        raise ModelFormatError(
            f"{address} is an address; mlnb opens files and asks the network for nothing: "
            f"download it first and load the file"
        )
    return Model(open_model_file(path_or_bytes, limits), name=name, trust=trust)


class Model:
    """A model as its file has it, ready to be looked at and to predict; `load_model` makes one.

    Args:
        file: the opened file.
        name: an identifier; by default made from the file's name.
        trust: as in `load_model`.
    """

    def __init__(self, file: ModelFile, *, name: str | None = None, trust: bool = False) -> None:
        self._file = file
        self._graph: Graph | None = None
        self._address = _address(file)
        self._device: str | None = None
        self.name = name or _identifier(file.source.path)
        self.trust = trust
        self.notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The file's name, or `"bytes"`."""
        return self._file.source.name

    @property
    def format(self) -> str:
        """Such as `"ONNX"`."""
        return self._file.format

    @property
    def path(self) -> Path | None:
        """Where the file lies; `None` for bytes."""
        return self._file.source.path

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in: `model.inputs["data_0"]`, `model.inputs[0]`."""
        return self._file.inputs

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out, like `inputs`."""
        return self._file.outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself: producer, versions, and what its author added."""
        return self._file.metadata

    @property
    def parts(self) -> tuple[Part, ...]:
        """Files beside the model that hold weights; they are named and not opened."""
        return self._file.parts

    @property
    def graph(self) -> Graph:
        """The operations and the values between them; with more shapes after `infer_shapes`."""
        return self._graph or self._file.graph

    @property
    def device(self) -> str:
        """What it runs on: `"CUDA"` where the installed onnxruntime has it, else `"CPU"`."""
        if self._device is None:
            if self.trust:
                from mlnb.models.runtimes.onnxruntime import device

                self._device = device()
            else:
                self._device = str(child("onnxruntime").call(f"{_RUNTIME}:device"))
        return self._device

    def predict(
        self,
        feeds: object = None,
        /,
        *,
        outputs: str | Sequence[str] | None = None,
        timeout: float = TIMEOUT,
        **named: object,
    ) -> Prediction:
        """Run the model, in a child process that may die in this one's place.

        >>> model.predict({"data_0": image})["softmaxout_1"].argmax()
        937
        >>> model.predict(image)  # where there is one input

        Args:
            feeds: values by input name, or the only input's value. Arrays, lists, numbers, torch
                tensors, pandas columns; a longer batch than the file fixes runs piece by piece.
            outputs: the names wanted; all by default.
            timeout: seconds until the child is stopped.
            named: values by input name, where the names are Python's.

        Raises:
            InputError: the values do not fit; it lists every mismatch with its remedy.
            ModelCrashed: the model killed the child; the session is unharmed, the next call works.
            ModelTimeout: the deadline passed.
            ModelRunError: the runtime refused the model or failed in it, or ran out of memory.
            ModelFileChanged: the file is not the one that was loaded.
            UnknownName: no output of that name.
        """
        start = time.monotonic()
        wanted = [outputs] if isinstance(outputs, str) else list(outputs or self.outputs.names)
        for name in wanted:
            self.outputs[name]
        fed = check_inputs(self.inputs, self.outputs, feeds, named)
        answer = self._run(fed, wanted, timeout)
        self._device = answer["device"]
        return Prediction(
            answer["outputs"],
            inputs=fed.feeds,
            notes=(*fed.notes, *answer["notes"]),
            seconds=time.monotonic() - start,
            device=answer["device"],
        )

    def tensor(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        """A stored weight or constant, read from the file now.

        Raises:
            UnknownName: nothing is stored under this name.
            ModelFileChanged: the file is not the one that was loaded.
        """
        return self._file.tensor(name)

    def infer_shapes(self, timeout: float = TIMEOUT) -> bool:
        """Work out the shapes that the file lacks, in a child; whether there were any to learn.

        `graph` is then the one with the shapes. A file that inference cannot make sense of is no
        error: the answer is `False` and `notes` says why.
        """
        try:
            inferred = child("onnx").call(
                "mlnb.models.runtimes.shapes:infer_shapes", self._file.skeleton(), timeout=timeout
            )
            graph = self._file.with_shapes(inferred)
            learned = _known_shapes(graph) > _known_shapes(self.graph)
        except MlnbError as error:
            self.notes = (*self.notes, f"no shapes could be inferred: {error}")
            return False
        if learned:
            self._graph = graph
        return learned

    def summary(self) -> Summary:
        """Rows per op and per layer: parameters, bytes, multiplications where shapes are known."""
        from mlnb.graph.summary import summarize

        return summarize(self.graph)

    @property
    def feed_code(self) -> str:
        """Python that feeds the model with zeros, to copy into a cell."""
        return feed_code(self.inputs, self.name)

    @property
    def facts(self) -> str:
        """One line: `ONNX opset 17 · pytorch 2.15 · 69 nodes · 11.7 M parameters · 46.8 MB`."""
        size = self._file.source.size + sum(part.nbytes or 0 for part in self.parts)
        facts = [
            f"{self.format} {_opset(self.metadata)}".strip(),
            display_text(self.metadata.get("producer", ""), 40),
            plural(len(self.graph.nodes), "node"),
            _parameters(self.summary().parameters),
            bytes_text(size),
        ]
        return " · ".join(fact for fact in facts if fact)

    def __repr__(self) -> str:
        counts = ", ".join(
            plural(len(things), noun)
            for things, noun in (
                (self.inputs, "input"),
                (self.outputs, "output"),
                (self.graph.nodes, "node"),
            )
        )
        return f"Model({display_text(self.title)!r}, {counts})"

    def _repr_html_(self) -> Markup:
        from mlnb.graph.card import card

        shown: Markup = card(self.title, self.facts, self.inputs, self.outputs, self.graph)
        return shown

    def _run(self, fed: Fed, wanted: list[str], timeout: float) -> dict[str, Any]:
        """The runtime's answer; a long batch goes over in chunks, so that one sees it advance."""
        if fed.rows is None or fed.piece is None:
            return self._call(fed.feeds, wanted, None, timeout)
        deadline = time.monotonic() + timeout
        answers: list[dict[str, Any]] = []
        done, chunk = 0, 8 * fed.piece
        with progress(self.name, fed.rows) as show:
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
    ) -> dict[str, Any]:
        if self.trust:
            from mlnb.models.runtimes.trusted import predict_here

            arguments = (self._whole_address(), feeds, wanted)
            return dict(predict_here(*arguments, piece=piece, timeout=timeout))
        runtime = child("onnxruntime")
        memory = self._run_bytes()

        def ask(address: dict[str, Any]) -> Any:
            arguments = (f"{_RUNTIME}:predict", address, feeds, wanted)
            return runtime.call(*arguments, piece=piece, run_bytes=memory, timeout=timeout)

        answer = ask(self._address)
        # Bytes cross once: only where the child does not know their hash yet.
        return dict(ask(self._whole_address()) if answer is None else answer)

    def _whole_address(self) -> dict[str, Any]:
        content = self._file.source.content
        return self._address if content is None else {**self._address, "bytes": content}

    def _run_bytes(self) -> int:
        weights = self._file.source.size + sum(part.nbytes or 0 for part in self.parts)
        return self._file.limits.run_bytes + _WEIGHT_COPIES * weights


def _address(file: ModelFile) -> dict[str, Any]:
    """What tells the runtime which model is meant."""
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


def _joined(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The chunks' answers as one."""
    import numpy as np

    last = answers[-1]
    outputs = {
        name: np.concatenate([answer["outputs"][name] for answer in answers])
        for name in last["outputs"]
    }
    return {**last, "outputs": outputs}


def _known_shapes(graph: Graph) -> int:
    """How much is known: every known rank and every dimension with a number counts one."""
    return sum(
        1 + sum(isinstance(dimension, int) for dimension in value.shape)
        for one in (graph, *graph.subgraphs)
        for value in one.values.values()
        if value.shape is not None
    )


def _opset(metadata: Mapping[str, str]) -> str:
    """`opset 17`, of the format's own operator set."""
    found = re.search(r"\bai\.onnx (\d+)", metadata.get("opsets", ""))
    return f"opset {found[1]}" if found else ""


def _parameters(count: int) -> str:
    return "1 parameter" if count == 1 else f"{count_text(count)} parameters"


def _identifier(path: Path | None) -> str:
    """A Python name made from a file's: `squeezenet1.1_fp16.onnx` becomes `squeezenet1_1_fp16`."""
    stem = re.sub(r"\W", "_", path.stem if path else "model") or "model"
    stem = f"_{stem}" if stem[0].isdigit() else stem
    return f"{stem}_" if keyword.iskeyword(stem) else stem[:80]
