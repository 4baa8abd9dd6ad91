"""A module as an ONNX model: torch's own exporter, with the names and the batch as we want them.

Opset 18 is what the exporter writes by itself, and every onnxruntime of the last years takes it.
"""

from __future__ import annotations

import copy
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any

from mlnb.errors import ExportError, need
from mlnb.formatting import bytes_text, display_text
from mlnb.networks.taken import tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mlnb.networks.taken import Taken

OPSET = 18
MAX_IR = 13
"""The newest version of the format that onnxruntime reads."""
LIMIT = 2**31 - 2**20
"""One protobuf holds at most 2 GiB."""


def to_onnx(taken: Taken) -> bytes:
    """The file's content: dynamic batch, inputs and outputs named as they are in `taken`.

    Raises:
        ExportError: torch cannot follow the module, it fixes its batch, or it is over 2 GiB.
        MissingExtra: onnxscript is not installed.
    """
    need("onnxscript", "train")
    import torch

    weights = [*taken.module.parameters(), *taken.module.buffers()]
    if (size := sum(one.nbytes for one in weights)) > LIMIT:
        raise ExportError(f"The weights are {bytes_text(size)}; one ONNX file holds 2 GiB.")
    rows = [{0: "batch"} for _ in taken.sample]
    with quietly():
        try:
            program: Any = torch.onnx.export(
                _fed_by_a_list(taken.module),
                ([x[:2] for x in taken.sample.values()],),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=(rows,),
                input_names=list(taken.sample),
                external_data=False,
                verbose=False,
            )
        except Exception as error:
            raise ExportError(_why(taken.name, error)) from error
        _name_outputs(program.model.graph, taken.outputs)
        model = program.model_proto
    model.ir_version = min(model.ir_version, MAX_IR)
    model.graph.name = taken.name
    _check_batch(taken, model)
    content: bytes = model.SerializeToString()
    return content


@contextmanager
def quietly() -> Iterator[None]:
    """Drop what torch's exporter and onnxruntime's quantizer warn and log.

    torch sets its loggers up anew while it exports, so that no filter on them holds.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    mute: Any = _Muted(sys.stderr)
    try:
        with warnings.catch_warnings(), redirect_stderr(mute):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Muted:
    """A stream without what this thread writes; a run in the background goes on telling."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            return len(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _fed_by_a_list(module: nn.Module) -> nn.Module:
    """The same module taking one list of inputs and giving a tuple.

    A module around it would do as well, but would put its own name before every weight's.
    """
    kind: Any = type(module)

    def forward(self: nn.Module, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        return tensors(kind.forward(self, *inputs))

    fed = copy.copy(module)
    fed.__class__ = type(kind.__name__, (kind,), {"forward": forward})
    return fed


def _name_outputs(graph: Any, names: tuple[str, ...]) -> None:
    """Name what the graph gives; an inner value that happens to have the name gets another."""
    outputs = list(graph.outputs)
    mine = {id(one) for one in outputs}
    for node in graph.all_nodes():
        for value in node.outputs:
            if id(value) not in mine and value.name in names:
                value.name = f"{value.name}_inner"
    for value, name in zip(outputs, names, strict=True):
        value.name = name


def _check_batch(taken: Taken, model: Any) -> None:
    for one in model.graph.input:
        first = one.type.tensor_type.shape.dim[0]
        if not first.dim_param:
            raise ExportError(_constant_batch(taken.name))


def _constant_batch(name: str) -> str:
    return (
        f"{display_text(name)} computes with the size of the batch as a constant, so that its file "
        "would take no other. Write x.shape[0] or -1 where the size stands in its forward."
    )


def _why(name: str, error: BaseException) -> str:
    """One sentence, from the innermost cause that says something."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = [line.strip() for line in str(cause).splitlines() if line.strip()]
    first = display_text(said[0] if said else type(cause).__name__, 200)
    if "user-specified ranges" in first or "Constraints violated" in first:
        return _constant_batch(name)
    text = f"torch cannot follow {display_text(name)} into an ONNX file: {first}."
    if "data-dependent" in first:
        text += " An `if` or a loop on numbers of the batch cannot be exported; use torch.where."
    return text
