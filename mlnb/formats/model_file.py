"""What every format gives: `ModelFile`, and `Part`, a file beside it that holds weights.

A model file is read in three depths, each only when it is asked for: what goes in and out at once,
the graph at the first look at it, a weight when its statistics are wanted.
"""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from mlnb.errors import LimitExceeded, ModelFormatError, ModelRunError, unknown
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text, plural
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph
    from mlnb.specs import TensorSpecs


@dataclass(frozen=True, slots=True)
class Part:
    """A file beside the model that holds some of its weights; it is named and never opened.

    Args:
        name: as the model names it, relative to the model's folder.
        nbytes: its size; `None` where it is not there or not looked at.
        exists: whether it lies in the model's folder, as a regular file.
    """

    name: str
    nbytes: int | None
    exists: bool

    @classmethod
    def beside(cls, folder: Path | None, name: str, *, links: bool = False) -> Part:
        """A file by its size on disk; what lies outside of the model's folder is not looked at.

        Args:
            folder: the model's; `None` for bytes.
            name: relative to it.
            links: whether a symbolic link to a file counts as one.
        """
        steps = name.replace("\\", "/").split("/")
        if folder is None or not name or os.path.isabs(name) or ".." in steps:
            return cls(name, None, False)
        try:
            seen = (os.stat if links else os.lstat)(folder / name)
        except (OSError, ValueError):
            return cls(name, None, False)
        regular = stat.S_ISREG(seen.st_mode)
        return cls(name, seen.st_size if regular else None, regular)


@dataclass(frozen=True, slots=True)
class Danger:
    """An operation that would act with the user's rights if the model ran.

    >>> model.dangers
    (Danger(op='ReadFile', node='load/ReadFile', why='reads files'),)

    Args:
        op: the operation's type.
        node: the name it has in the file.
        why: what it does, as the end of a sentence: "reads files", "contains code, not loaded".
    """

    op: str
    node: str
    why: str


class ModelFile(ABC):
    """A model as its file has it; `open_model_file` tells the format and makes one.

    >>> file = open_model_file("squeezenet1.1_fp16.onnx")
    >>> file.inputs
    TensorSpecs(data_0: float16 [1, 3, 224, 224])

    A format is a subclass that gives `inputs`, `outputs`, `metadata` and `graph`; all the rest has
    a default, which says that the format has no such thing.
    """

    format: ClassVar[str]
    """Such as `"ONNX"`."""

    runtime: str | None = None
    """The module of `mlnb.models.runtimes` that runs it; `None` where nothing does."""

    advice: str = ""
    """Where nothing runs it: how it is used instead, as the end of a sentence."""

    allows_io: bool = True
    """Whether a model with `dangers` runs where the user says `allow_io=True`."""

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self.source = source
        self.limits = limits

    @property
    def path(self) -> Path | None:
        """What was opened, a file or a folder; `None` for bytes."""
        return self.source.path

    @property
    def title(self) -> str:
        """The name of the file or folder, or `"bytes"`."""
        return self.path.name if self.path else self.source.name

    @property
    @abstractmethod
    def inputs(self) -> TensorSpecs:
        """What goes in; weights are not among them."""

    @property
    @abstractmethod
    def outputs(self) -> TensorSpecs:
        """What comes out."""

    @property
    @abstractmethod
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself: producer, versions, and what its author added."""

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """The operations and the values between them; read at the first look and kept."""

    @property
    def cut_graph(self) -> Graph:
        """The graph between whose tensors `cut` cuts, where that is another than the one shown."""
        return self.graph

    @property
    def parts(self) -> tuple[Part, ...]:
        """Files beside the model that hold weights, in the order in which the model names them."""
        return ()

    @property
    def nbytes(self) -> int:
        """The size of the file and of those beside it that hold its weights."""
        return self.source.size + sum(part.nbytes or 0 for part in self.parts)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, where they lie inside the file."""
        return ()

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the entry points, in a format that may have several."""
        return ()

    @property
    def signature(self) -> str | None:
        """The entry point whose inputs and outputs these are."""
        return None

    def with_signature(self, name: str) -> ModelFile:
        """The same model by another of its entry points.

        Raises:
            UnknownName: there is none of that name.
            ModelFormatError: the format has none at all.
        """
        if self.signatures:
            raise unknown("signature", name, self.signatures)
        raise ModelFormatError(
            f"{self._full_title} has no signatures to choose from; load it without signature="
        )

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """What would act with the user's rights if the model ran."""
        return ()

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """What the runtime has to know besides the path, as JSON has it: a signature, a cut."""
        return _NOTHING

    def session(self) -> Any:
        """What runs it in this process, for a model that was made here; else `None`.

        It is a `mlnb.models.runtimes.sessions.Session`.
        """
        return None

    def cut(self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> ModelFile:
        """The part of the model between tensors, as a model of its own.

        Args:
            inputs: names of the tensors that are fed; those of the model where `None`.
            outputs: names of the tensors that come out.

        Raises:
            UnknownName: no tensor of that name.
            ModelRunError: the format cannot be cut.
        """
        if self.runtime is None:
            raise ModelRunError(f"{self._full_title} holds weights and no graph that could be cut")
        raise ModelRunError(
            f"{self._full_title} cannot be cut as it is; its conversion can: "
            "model.to_onnx('model.onnx'), then load_model('model.onnx').cut(outputs=[...])"
        )

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored weight or constant, read from the file now.

        Args:
            name: of the value.
            graph: the nested graph it belongs to; without it the outer one is looked through first.

        Raises:
            UnknownName: nothing is stored under this name.
            ModelFormatError: its bytes are missing, or lie in another file.
            LimitExceeded: it is larger than `limits.tensor_bytes`.
        """
        raise unknown("stored tensor", name, ())

    def skeleton(self) -> bytes | None:
        """The model without its weights, for shape inference; `None` where the format has none."""
        return None

    def with_shapes(self, inferred: bytes) -> Graph:
        """The graph with the dtypes and shapes that inference wrote into a skeleton.

        Args:
            inferred: the skeleton as `onnx.shape_inference.infer_shapes` returned it.

        Raises:
            ModelFormatError: it is no model, or another one.
        """
        raise ModelFormatError(f"there is no shape inference for {self.format}")

    @property
    def ties(self) -> Mapping[str, str]:
        """The tensors that share their bytes with another: its name by theirs."""
        return _NOTHING

    @property
    def _full_title(self) -> str:
        return f"{display_text(self.title, 60)} ({self.format})"

    def _broken(self, reason: str) -> ModelFormatError:
        """The error for this file: what in it is not as the format has it."""
        name = display_text(self.source.name, 60)
        return ModelFormatError(f"{name} cannot be read as {self.format}: {reason}")

    @contextmanager
    def _told(self, size: int | None = None) -> Iterator[None]:
        """What breaks in the block, told with this file's name and the byte.

        Args:
            size: of what is read; of the file by default.
        """
        try:
            yield
        except Broken as broken:
            of = self.source.size if size is None else size
            place = f"at byte {broken.position:,} of {of:,}"
            raise self._broken(f"{broken.reason}, {place}") from broken
        except LimitExceeded as over:
            raise LimitExceeded(f"{display_text(self.source.name, 60)}: {over}") from over

    def __repr__(self) -> str:
        ends = f"{plural(len(self.inputs), 'input')}, {plural(len(self.outputs), 'output')}"
        return f"{type(self).__name__}({display_text(self.source.name)!r}, {ends})"


_NOTHING: Mapping[str, Any] = MappingProxyType({})
