"""Two graphs of ONNX behind each other, and the names in them."""

from __future__ import annotations

from typing import Any

from mlnb.errors import need


def behind(first: Any, second: Any) -> Any:
    """Two models of one input and one output as one, the first before the second."""
    onnx = need("onnx", "train")
    newest = max(opset_of(first), opset_of(second))
    first, second = (at_opset(model, newest) for model in (first, second))
    ir = max(first.ir_version, second.ir_version)
    first.ir_version = second.ir_version = ir
    prefix = f"{second.graph.name or 'then'}/"
    second = onnx.compose.add_prefix(second, prefix, rename_inputs=True, rename_outputs=False)
    joint = [(first.graph.output[0].name, second.graph.input[0].name)]
    made = onnx.compose.merge_models(first, second, io_map=joint)
    made.graph.name = second.graph.name
    return made


def at_opset(model: Any, opset: int) -> Any:
    """The model by the operators of that version."""
    onnx = need("onnx", "train")
    if opset_of(model) == opset:
        return model
    return onnx.version_converter.convert_version(model, opset)


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators that a model uses."""
    return next(int(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))


def rename(model: Any, old: str, new: str) -> None:
    """Another name for a value, wherever it stands."""
    for value in (*model.graph.input, *model.graph.output):
        if value.name == old:
            value.name = new
    for node in model.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new
