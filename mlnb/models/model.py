"""`Model`: a loaded model file, which shows itself and predicts.

Looking reads the file and runs nothing. Whatever executes what the file says, shape inference
included, happens in a child process, unless the caller trusts the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.child.client import TIMEOUT
from mlnb.errors import MlnbError
from mlnb.formatting import display_text
from mlnb.models import quantized
from mlnb.models.facts import contents, facts, identifier
from mlnb.models.inputs import check_inputs, feed_code
from mlnb.models.prediction import Prediction
from mlnb.models.runner import Runner
from mlnb.models.shapes import inferred

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.model_file import Danger, ModelFile, Part
    from mlnb.formatting import Markup
    from mlnb.graph.graph import Graph
    from mlnb.graph.summary import Summary
    from mlnb.graph.tensor_table import TensorTable
    from mlnb.models.convert.conversion import Conversion
    from mlnb.specs import TensorSpecs


class Model:
    """A model as its file has it, ready to be looked at and to predict; `load_model` makes one.

    Args:
        file: the opened file.
        name: an identifier; by default made from the file's name.
        trust: as in `load_model`.
        allow_io: as in `load_model`.
    """

    def __init__(
        self,
        file: ModelFile,
        *,
        name: str | None = None,
        trust: bool = False,
        allow_io: bool = False,
    ) -> None:
        self._file = file
        self._graph: Graph | None = None
        self.name = name or identifier(file.path.stem if file.path else "model")
        self._runner = Runner(file, self.name, trust=trust, allow_io=allow_io)
        self.trust = trust
        self.allow_io = allow_io
        self.is_cut = False
        self.notes = self._runner.notes

    @property
    def title(self) -> str:
        """The name of the file or folder, or `"bytes"`."""
        return self._file.title

    @property
    def format(self) -> str:
        """Such as `"ONNX"`, `"TensorFlow SavedModel"`, `"TFLite"`, `"safetensors"`."""
        return self._file.format

    @property
    def path(self) -> Path | None:
        """Where the file or folder lies; `None` for bytes."""
        return self._file.path

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
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, where they lie inside the file."""
        return self._file.labels

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the entry points; `load_model(path, signature=)` chooses one."""
        return self._file.signatures

    @property
    def signature(self) -> str | None:
        """The entry point whose inputs and outputs these are."""
        return self._file.signature

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """What would act with your rights if the model ran; it then runs with `allow_io=True`."""
        return self._file.dangers

    @property
    def advice(self) -> str:
        """How it is used where nothing runs it, as the end of a sentence; empty for most."""
        return self._file.advice

    @property
    def tensors(self) -> TensorTable:
        """The stored tensors as a table, grouped by the beginnings of their names."""
        from mlnb.graph.tensor_table import TensorTable

        return TensorTable(tuple(self._file.graph.weights), self._file.ties)

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
        """What it runs on: `"CUDA"` where the installed runtime has it, else `"CPU"`."""
        return self._runner.device

    def predict(
        self,
        feeds: object = None,
        /,
        *,
        outputs: str | Sequence[str] | None = None,
        raw: bool = False,
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
            raw: feed a quantised model the integers that it stores, and get such; by default it
                takes and gives real values.
            timeout: seconds until the child is stopped.
            named: values by input name, where the names are Python's.

        Raises:
            InputError: the values do not fit; it lists every mismatch with its remedy.
            ModelCrashed: the model killed the child; the session is unharmed, the next call works.
            ModelTimeout: the deadline passed.
            ModelRunError: the runtime refused the model or failed in it, or ran out of memory; or
                nothing runs such a file, or it has `dangers`.
            ModelFileChanged: the file is not the one that was loaded.
            MissingExtra: its runtime is not installed; the message is the line that installs it.
            UnknownName: no output of that name.
        """
        self._runner.require_runnable()
        start = time.monotonic()
        raw = raw or not self._is_quantised
        given, returned = self.inputs, self.outputs
        asked = [outputs] if isinstance(outputs, str) else outputs
        wanted = [returned[name].name for name in asked] if asked else returned.names
        fed = check_inputs(given if raw else quantized.taken(given), returned, feeds, named)
        crossing = fed if raw else quantized.stored(given, fed)
        answer = self._runner.run(crossing, wanted, timeout)
        return Prediction(
            answer.outputs if raw else quantized.real(returned, answer.outputs),
            inputs=fed.feeds,
            notes=(*fed.notes, *answer.notes),
            seconds=time.monotonic() - start,
            device=answer.device,
            labels=self._class_names,
        )

    @cached_property
    def _class_names(self) -> tuple[str, ...]:
        """The labels, where they can be read: an answer does not depend on them."""
        try:
            return self.labels
        except MlnbError:
            return ()

    @cached_property
    def _is_quantised(self) -> bool:
        return quantized.any_of(self.inputs) or quantized.any_of(self.outputs)

    def tensor(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        """A stored weight or constant, read from the file now.

        Raises:
            UnknownName: nothing is stored under this name.
            ModelFileChanged: the file is not the one that was loaded.
        """
        return self._file.tensor(name)

    def cut(
        self, inputs: str | Sequence[str] | None = None, *, outputs: str | Sequence[str]
    ) -> Model:
        """The part of the model between tensors, as a smaller model: a feature extractor.

        >>> features = model.cut(outputs=[model.suggest_cut()])
        >>> features.predict(image)["pool5"].shape
        (1, 2048, 1, 1)

        Args:
            inputs: names of tensors to feed in place of what makes them; by default the model is
                fed as before.
            outputs: names of the tensors that come out.

        Raises:
            UnknownName: no tensor of that name; the closest ones are listed.
            ModelRunError: this format cannot be cut.
        """
        wanted = [outputs] if isinstance(outputs, str) else list(outputs)
        given = [inputs] if isinstance(inputs, str) else inputs
        names = (*wanted, *(given or ()))
        if self._graph is None and any(self.graph.value(name).shape is None for name in names):
            self.infer_shapes()
        file = self._file.cut(given, wanted)
        part = Model(file, name=self.name, trust=self.trust, allow_io=self.allow_io)
        part.is_cut = True
        return part

    def suggest_cut(self) -> str | None:
        """The last tensor before the classifier: the last global pool or flatten, or `None`."""
        from mlnb.models.cut import suggest_cut

        if self._graph is None:  # what is a pool over the whole picture shows in its shape
            self.infer_shapes()
        graph = self._file.cut_graph
        return suggest_cut(self.graph if graph is self._file.graph else graph, self._file)

    def to_onnx(self, path: str | os.PathLike[str], **options: Any) -> Conversion:
        """Convert to ONNX in a child, and check the result against this model.

        >>> model.to_onnx("model.onnx")

        Args:
            path: of the file to write.
            options: as `mlnb.models.convert.to_onnx.to_onnx` takes them.

        Raises:
            ExportError: operations are left over that ONNX does not know; they are named.
            ModelRunError: nothing runs such a file, or it has `dangers`.
        """
        from mlnb.models.convert.to_onnx import to_onnx

        return to_onnx(self, path, **options)

    def infer_shapes(self, timeout: float = TIMEOUT) -> bool:
        """Work out the shapes that the file lacks, in a child; whether there were any to learn.

        `graph` is then the one with the shapes. A file that inference cannot make sense of is no
        error: the answer is `False` and `notes` says why.
        """
        try:
            graph = inferred(self._file, self.graph, timeout)
        except MlnbError as error:
            self.notes = (*self.notes, f"no shapes could be inferred: {error}")
            return False
        self._graph = graph or self._graph
        return graph is not None

    def summary(self) -> Summary:
        """Rows per op and per layer: parameters, bytes, multiplications where shapes are known."""
        from mlnb.graph.summary import summarize

        return summarize(self)

    @property
    def feed_code(self) -> str:
        """Python that feeds the model with zeros, to copy into a cell."""
        return feed_code(quantized.taken(self.inputs), self.name)

    @property
    def facts(self) -> str:
        """One line: `ONNX opset 17 · pytorch 2.15 · 69 nodes · 11.7 M parameters · 46.8 MB`."""
        counted = self.summary().parameters if self.graph.nodes else None
        return facts(self._file, self.graph, counted)

    def __repr__(self) -> str:
        return f"Model({display_text(self.title)!r}, {contents(self._file, self.graph)})"

    def _repr_html_(self) -> Markup:
        from mlnb.graph.card import card

        shown: Markup = card(self.title, self.facts, self.inputs, self.outputs, self.graph)
        if not self.graph.nodes:
            shown = type(shown)(shown + self.tensors._repr_html_())
        return shown
