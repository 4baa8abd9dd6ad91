"""A loaded model file: `load_model`, and `Model`, which shows itself and predicts.

Looking reads the file and runs nothing. Whatever executes what the file says, shape inference
included, happens in a child process, unless the caller trusts the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.child.client import TIMEOUT, child
from mlnb.downloads import is_address
from mlnb.errors import MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formatting import display_text, plural
from mlnb.limits import LIMITS, Limits
from mlnb.models.facts import facts, identifier
from mlnb.models.inputs import check_inputs, feed_code
from mlnb.models.prediction import Prediction
from mlnb.models.runner import Runner

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.model_file import ModelFile, Part
    from mlnb.formatting import Markup
    from mlnb.graph.graph import Graph
    from mlnb.graph.summary import Summary
    from mlnb.specs import TensorSpecs


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
    if isinstance(path_or_bytes, str) and is_address(path_or_bytes):
        address = display_text(path_or_bytes, 200)
        raise ModelFormatError(
            f"{address} is an address, and mlnb asks the network for nothing unless it is told to: "
            f"load_model(mlnb.download({address!r})), or %mlload --download {address}"
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
        self._device: str | None = None
        self.name = name or identifier(file.source.path)
        self._runner = Runner(file, self.name, trust=trust)
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
            self._device = self._runner.device()
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
        answer = self._runner.run(fed, wanted, timeout)
        self._device = answer.device
        return Prediction(
            answer.outputs,
            inputs=fed.feeds,
            notes=(*fed.notes, *answer.notes),
            seconds=time.monotonic() - start,
            device=answer.device,
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

        return summarize(self)

    @property
    def feed_code(self) -> str:
        """Python that feeds the model with zeros, to copy into a cell."""
        return feed_code(self.inputs, self.name)

    @property
    def facts(self) -> str:
        """One line: `ONNX opset 17 · pytorch 2.15 · 69 nodes · 11.7 M parameters · 46.8 MB`."""
        return facts(self._file, len(self.graph.nodes), self.summary().parameters)

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


def _known_shapes(graph: Graph) -> int:
    """How much is known: every known rank and every dimension with a number counts one."""
    return sum(
        1 + sum(isinstance(dimension, int) for dimension in value.shape)
        for one in (graph, *graph.subgraphs)
        for value in one.values.values()
        if value.shape is not None
    )
