"""The graph of a live module by `torch.export`: on tensors without data, with a free batch.

Where torch.export gives up, as it does where the flow depends on the data, the module runs on its
sample and `record.py` notes what it did; a warning in the graph says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.errors import ModelRunError
from mlnb.formatting import first_line
from mlnb.models.silence import quietly
from mlnb.models.torch.record import loose, recorded
from mlnb.models.torch.state import device_of, undisturbed
from mlnb.models.torch.taps import Call
from mlnb.models.torch.walk import Traced, Walk, specs_of, symbols_of

if TYPE_CHECKING:
    from mlnb.models.torch.values import Sample


_MODULES = 2000
"""More are noted while they run: torch.export takes some 5 ms an operation."""


def traced(module: nn.Module, sample: Sample, name: str, taps: Sequence[str] = ()) -> Traced:
    """The graph of a module that is called with `sample`.

    Args:
        module: stays as it is.
        sample: the call.
        name: of the graph.
        taps: submodules whose outputs are wanted in place of the module's own.

    Raises:
        ModelRunError: the module fails on its sample, by itself.
    """
    place = device_of(module)
    tensors = tuple(tensor.to(place) for tensor in sample.tensors)
    with undisturbed(module):
        try:
            _require_small(module)
            program, call = _exported(module, sample, tensors, taps)
        except Exception as error:  # noqa: BLE001  torch.export raises what it likes
            graph = recorded(
                module, sample, tensors, taps, name, first_line(error, 160).rstrip(".")
            )
            ends = ((graph.inputs, "input"), (graph.outputs, "output"))
            return Traced(graph, *(loose(graph, row, noun, sample.batch) for row, noun in ends))
    return Walk(program, module, name, sample.names, call.names).traced()


def _require_small(module: nn.Module) -> None:
    count = sum(1 for _ in module.modules())
    if count > _MODULES:
        raise ModelRunError(f"it would take minutes over {count:,} modules")


def _exported(
    module: nn.Module, sample: Sample, tensors: tuple[torch.Tensor, ...], taps: Sequence[str]
) -> tuple[Any, Call]:
    """The program with a free batch where the module has one, else exactly as the sample."""
    if sample.batch is not None:
        # A batch of one would be taken for a constant.
        pairs = tuple(torch.cat([t, t]) if t.dim() and len(t) == 1 else t for t in tensors)
        free = tuple({0: torch.export.Dim.AUTO} if t.dim() else None for t in tensors)
        call = Call(module, sample, taps, whole=True)
        try:
            program = _export(call, pairs, (free,))
        except Exception:  # noqa: BLE001  the sample itself may do
            pass
        else:
            if _is_free(program):
                return program, call
    call = Call(module, sample, taps, whole=True)
    return _export(call, tensors, None), call


def _export(call: Call, tensors: tuple[torch.Tensor, ...], free: Any) -> Any:
    with quietly():
        return torch.export.export(call, tensors, dynamic_shapes=free, strict=False)


def _is_free(program: Any) -> bool:
    fed = {spec.arg.name for spec in specs_of(program, "USER_INPUT")}
    values = [node.meta.get("val") for node in program.graph.nodes if node.name in fed]
    return any(
        isinstance(value, torch.Tensor) and value.dim() and symbols_of(value.shape[0])
        for value in values
    )
