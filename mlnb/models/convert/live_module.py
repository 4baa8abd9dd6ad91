"""A live module as ONNX: exported in this process, as it is the user's own and lives here."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.models.convert.exporter import exported, require_small, with_forward
from mlnb.models.convert.finishing import finished
from mlnb.models.torch.state import device_of, settled, undisturbed
from mlnb.models.torch.taps import tapped
from mlnb.models.torch.values import named_results

if TYPE_CHECKING:
    from mlnb.models.torch.module import ModuleFile


def module_to_onnx(file: ModuleFile, opset: int) -> dict[str, Any]:
    """The content of the ONNX file, and the operations in it that are not ONNX's.

    Args:
        file: the module; where it takes any batch, the file does.
        opset: the version of the operators.

    Raises:
        ExportError: torch cannot follow the module, or it is over 2 GiB.
        MissingExtra: onnxscript is not installed.
    """
    module = settled(file.module)
    if device_of(module).type != "cpu":
        module = copy.deepcopy(module).cpu()
    require_small(sum(one.nbytes for one in (*module.parameters(), *module.buffers())))
    free = [_is_free(spec.shape) for spec in file.inputs]
    rows = [_two(x.cpu()) if any(free) else x.cpu() for x in file.sample.tensors]
    found: dict[str, Any] = {}
    with undisturbed(module), tapped(module, file.taps, found, whole=True):
        proto = exported(
            _fed_by_a_list(module, file, found),
            (rows,),
            name=type(module).__name__,
            outputs=file.outputs.names,
            opset=opset,
            input_names=list(file.sample.names),
            dynamic_shapes=([{0: "batch"} if one else {} for one in free],),
        )
    ends = [[[spec.name] for spec in specs] for specs in (file.inputs, file.outputs)]
    return finished(proto, *ends)


def _is_free(shape: Any) -> bool:
    """Whether the first dimension has a name in place of a number."""
    return bool(shape) and isinstance(shape[0], str)


def _two(rows: torch.Tensor) -> torch.Tensor:
    """Two rows: a batch of one becomes a constant in the exporter's eyes."""
    if not rows.dim():
        return rows
    return torch.cat([rows, rows])[:2] if len(rows) < 2 else rows[:2]


def _fed_by_a_list(module: nn.Module, file: ModuleFile, found: dict[str, Any]) -> nn.Module:
    """The module taking one list of tensors and giving a tuple of them; taps fill `found`."""
    kind, sample = type(module), file.sample

    def forward(self: nn.Module, rows: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        found.clear()
        given = sample.called(lambda *args, **named: kind.forward(self, *args, **named), rows)
        if not file.taps:
            return tuple(value for _, value in named_results(given))
        return tuple(v for name in file.taps for _, v in named_results(found[name], name))

    return with_forward(module, forward)
