"""A module as an ONNX model: torch's own exporter, with the names and the batch as we want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import ExportError, need
from mlnb.models.convert.exporter import (
    OPSET,
    constant_batch,
    exported,
    require_small,
    with_forward,
)
from mlnb.networks.taken import tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mlnb.networks.taken import Taken

__all__ = ["OPSET", "to_onnx"]


def to_onnx(taken: Taken) -> bytes:
    """The file's content: dynamic batch, inputs and outputs named as they are in `taken`.

    Raises:
        ExportError: torch cannot follow the module, it fixes its batch, or it is over 2 GiB.
        MissingExtra: onnxscript is not installed.
    """
    need("onnxscript", "train")
    require_small(sum(x.nbytes for x in (*taken.module.parameters(), *taken.module.buffers())))
    model = exported(
        _fed_by_a_list(taken.module),
        ([x[:2] for x in taken.sample.values()],),
        name=taken.name,
        outputs=taken.outputs,
        dynamic_shapes=([{0: "batch"} for _ in taken.sample],),
        input_names=list(taken.sample),
    )
    _check_batch(taken, model)
    content: bytes = model.SerializeToString()
    return content


def _fed_by_a_list(module: nn.Module) -> nn.Module:
    """The same module taking one list of inputs and giving a tuple."""
    kind: Any = type(module)

    def forward(self: nn.Module, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        return tensors(kind.forward(self, *inputs))

    return with_forward(module, forward)


def _check_batch(taken: Taken, model: Any) -> None:
    for one in model.graph.input:
        first = one.type.tensor_type.shape.dim[0]
        if not first.dim_param:
            raise ExportError(constant_batch(taken.name))
