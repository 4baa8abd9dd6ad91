"""What every format gives: `ModelFile`, and `Part`, a file beside it that holds weights.

A model file is read in three depths, each only when it is asked for: what goes in and out at once,
the graph at the first look at it, a weight when its statistics are wanted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

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


class ModelFile(ABC):
    """A model as its file has it; `open_model_file` tells the format and makes one.

    >>> file = open_model_file("squeezenet1.1_fp16.onnx")
    >>> file.inputs
    TensorSpecs(data_0: float16 [1, 3, 224, 224])
    """

    format: ClassVar[str]

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self.source = source
        self.limits = limits

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
    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """Files beside the model that hold weights, in the order in which the model names them."""

    @abstractmethod
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

    @abstractmethod
    def skeleton(self) -> bytes:
        """The model without its weights, as a file of the same format, for shape inference."""

    @abstractmethod
    def with_shapes(self, inferred: bytes) -> Graph:
        """The graph with the dtypes and shapes that inference wrote into a skeleton.

        Args:
            inferred: the skeleton as `onnx.shape_inference.infer_shapes` returned it.

        Raises:
            ModelFormatError: it is no model, or another one.
        """

    def __repr__(self) -> str:
        from mlnb.formatting import display_text, plural

        ends = f"{plural(len(self.inputs), 'input')}, {plural(len(self.outputs), 'output')}"
        return f"{type(self).__name__}({display_text(self.source.name)!r}, {ends})"
