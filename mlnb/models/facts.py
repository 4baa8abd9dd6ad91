"""What a model is called and what it is in a few words: `identifier`, `facts`, `contents`."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from mlnb.formats import WeightsFile
from mlnb.formatting import bytes_text, count_text, display_text, plural
from mlnb.graph.weights import elements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlnb.formats.model_file import ModelFile
    from mlnb.graph.graph import Graph


def facts(file: ModelFile, graph: Graph, parameters: int | None) -> str:
    """One line: `ONNX opset 17 · pytorch 2.15 · 69 nodes · 11.7 M parameters · 46.8 MB`.

    Args:
        file: the model.
        graph: its own.
        parameters: how many; `None` counts every stored element.
    """
    nodes = len(graph.nodes)
    if parameters is None:
        parameters = sum(map(elements, graph.weights))
    told = [
        f"{file.format} {_opset(file.metadata)}".strip(),
        display_text(file.metadata.get("producer", ""), 40),
        plural(nodes, "node") if nodes or not file.advice else "weights only",
        _parameters(parameters),
        bytes_text(file.nbytes),
    ]
    return " · ".join(fact for fact in told if fact)


def _opset(metadata: Mapping[str, str]) -> str:
    """`opset 17`, of the format's own operator set."""
    found = re.search(r"\bai\.onnx (\d+)", metadata.get("opsets", ""))
    return f"opset {found[1]}" if found else ""


def _parameters(count: int) -> str:
    return "1 parameter" if count == 1 else f"{count_text(count)} parameters"


def contents(file: ModelFile, graph: Graph) -> str:
    """How much there is: `1 input, 1 output, 69 nodes`."""
    if isinstance(file, WeightsFile):
        return f"weights only, {plural(len(file.tensors), 'tensor')}"
    counted = ((file.inputs, "input"), (file.outputs, "output"), (graph.nodes, "node"))
    return ", ".join(plural(len(things), noun) for things, noun in counted)


def identifier(text: str) -> str:
    """A Python name made from a file's: `squeezenet1.1_fp16` becomes `squeezenet1_1_fp16`."""
    name = re.sub(r"\W", "_", text) or "model"
    name = f"_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name[:80]
