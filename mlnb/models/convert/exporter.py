"""What torch's ONNX exporter needs around it: names for outputs, limits, an error in one sentence.

Shared by whoever exports: a network, a live module, an ExportedProgram in the child.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import ExportError, need
from mlnb.formatting import bytes_text, display_text, first_line
from mlnb.models.silence import quietly

if TYPE_CHECKING:
    from torch import nn

OPSET = 18
"""What the exporter writes by itself; every onnxruntime of the last years takes it."""
MAX_IR = 13
"""The newest version of the format that onnxruntime reads."""
LIMIT = 2**31 - 2**20
"""One protobuf holds at most 2 GiB."""


def exported(
    what: Any,
    args: tuple[Any, ...],
    *,
    name: str,
    outputs: Sequence[str],
    opset: int = OPSET,
    kwargs: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """The ONNX model, as onnx has it, with its outputs named.

    >>> exported(module, (torch.zeros(2, 3),), name="net", outputs=["y"]).ir_version
    10

    Args:
        what: a module, or an ExportedProgram.
        args: a sample for each input.
        name: of the graph, and in errors.
        outputs: what to call what it gives, in order.
        opset: the version of the operators.
        kwargs: samples of inputs that go by name.
        options: more for `torch.onnx.export`: `dynamic_shapes`, `input_names`.

    Raises:
        ExportError: torch cannot follow it, or it has another number of outputs.
        MissingExtra: onnxscript is not installed.
    """
    need("onnxscript", "train")
    import torch

    with quietly():
        try:
            program: Any = torch.onnx.export(
                what,
                args,
                kwargs=dict(kwargs or {}),
                dynamo=True,
                opset_version=opset,
                external_data=False,
                verbose=False,
                **options,
            )
        except Exception as error:
            raise ExportError(why(name, error)) from error
        _name_outputs(program.model.graph, outputs)
        model = program.model_proto
    model.ir_version = min(model.ir_version, MAX_IR)
    model.graph.name = name
    return model


def with_forward(module: nn.Module, forward: Callable[..., Any]) -> nn.Module:
    """The same module with another `forward`, as a shallow copy.

    A module around it would do as well, but would put its own name before every weight's.

    Args:
        module: a module.
        forward: called with the copy first, like a method.
    """
    kind: Any = type(module)
    fed = copy.copy(module)
    fed.__class__ = type(kind.__name__, (kind,), {"forward": forward})
    return fed


def require_small(size: int) -> None:
    """Refuse weights that one protobuf cannot hold.

    Raises:
        ExportError: they are over 2 GiB.
    """
    if size > LIMIT:
        raise ExportError(f"The weights are {bytes_text(size)}; one ONNX file holds 2 GiB.")


def _name_outputs(graph: Any, names: Sequence[str]) -> None:
    """Name what the graph gives; an inner value that happens to have the name gets another."""
    outputs = list(graph.outputs)
    mine = {id(one) for one in outputs}
    for node in graph.all_nodes():
        for value in node.outputs:
            if id(value) not in mine and value.name in names:
                value.name = f"{value.name}_inner"
    for value, name in zip(outputs, names, strict=True):
        value.name = name


def constant_batch(name: str) -> str:
    """The sentence for a module that takes one size of batch only."""
    return (
        f"{display_text(name)} computes with the size of the batch as a constant, so that its file "
        "would take no other. Write x.shape[0] or -1 where the size stands in its forward."
    )


def why(name: str, error: BaseException) -> str:
    """One sentence, from the innermost cause that says something."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    first = first_line(cause)
    if "user-specified ranges" in first or "Constraints violated" in first:
        return constant_batch(name)
    text = f"torch cannot follow {display_text(name)} into an ONNX file: {first}."
    if "data-dependent" in first:
        text += " An `if` or a loop on numbers of the batch cannot be exported; use torch.where."
    return text
