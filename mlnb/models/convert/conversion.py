"""`Conversion`: what was written as ONNX, and how well it agrees with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.formatting import bytes_text, display_text, facts_table, seconds_text

if TYPE_CHECKING:
    from mlnb.formatting import Markup
    from mlnb.specs import TensorSpecs


@dataclass(frozen=True)
class Conversion:
    """What was written, and how well it agrees with its source.

    Args:
        path: of the ONNX file.
        source: the name of the file that it was made from.
        inputs: what goes in.
        outputs: what comes out.
        nbytes: the size of the file.
        difference: the largest between the two, over all outputs, on random inputs.
        largest: the largest number among the source's outputs, to compare `difference` with.
        opset: the version of the operators.
        seconds: how long it took.
        notes: what one should know of it, a sentence each.
    """

    path: Path
    source: str
    inputs: TensorSpecs
    outputs: TensorSpecs
    nbytes: int
    difference: float
    largest: float
    opset: int
    seconds: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        told = ", ".join(text for name, text in self._told() if name != "source")
        return f"Conversion({display_text(self.path.name)!r}, {told})"

    def _repr_html_(self) -> Markup:
        return facts_table([("file", display_text(str(self.path), 200)), *self._told()])

    def _told(self) -> Iterator[tuple[str, str]]:
        yield "source", display_text(self.source)
        yield "size", bytes_text(self.nbytes)
        yield "shapes", f"{_shapes(self.inputs)} -> {_shapes(self.outputs)}"
        yield "format", f"opset {self.opset}"
        yield "check", f"differs by {self.difference:.1e} at most, of {self.largest:.3g}"
        yield "time", seconds_text(self.seconds)
        for note in self.notes:
            yield "note", note


def _shapes(specs: TensorSpecs) -> str:
    return ", ".join(f"{display_text(spec.name, 40)} {spec.shape_text}" for spec in specs)
