"""A network in one file: weights as safetensors, the definition as JSON in its head. No pickle.

Weights that are one in the network (tied) are stored once and are one again after loading.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.errors import CheckpointError, MlnbError, need
from mlnb.formatting import display_text
from mlnb.models.convert.target import export_target, write_export

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder

_KEY = "mlnb"


def save(net: Holder, path: str | Path) -> Path:
    """Write a network; see `Holder.save`."""
    safetensors = need("safetensors.torch", "train")
    target = export_target(path)
    spec = net.spec()
    tensors, ties = _stored(net.module)
    head = {_KEY: json.dumps({"spec": spec, "ties": ties})}
    write_export(target, safetensors.save(tensors, metadata=head))
    return target


def load(path: str | Path, cls: type[Any]) -> Any:
    """Read a network; see `Holder.load`."""
    from mlnb.networks.spec import from_spec

    safe_open = need("safetensors", "train").safe_open
    shown = display_text(str(path))
    if not Path(path).expanduser().is_file():
        raise CheckpointError(f"There is no file {shown}.")
    try:
        with safe_open(str(Path(path).expanduser()), framework="pt") as file:
            head = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:
        text = f"{shown} is no whole safetensors file: {display_text(str(error))}"
        raise CheckpointError(text) from error
    try:
        stored = json.loads(head or "null")
        spec, ties = stored["spec"], dict(stored["ties"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CheckpointError(
            f"{shown} holds weights without the definition of a network. Build the network and "
            f"take them: net.load_state_dict(safetensors.torch.load_file(path))."
        ) from None
    with torch.random.fork_rng(devices=[]):
        try:
            net = from_spec(spec, cls)
        except MlnbError as error:
            raise CheckpointError(f"The definition in {shown} cannot be built: {error}") from error
    _fill(net.module, tensors, ties, shown)
    return net


def _stored(module: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors to write, and for each name that shares another's, that other."""
    names: dict[int, str] = {}
    ties: dict[str, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(parameter), name)
        if first != name:
            ties[name] = first
    state = {k: v for k, v in module.state_dict().items() if k not in ties}
    return {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}, ties


def _fill(
    module: nn.Module, tensors: dict[str, torch.Tensor], ties: dict[str, str], shown: str
) -> None:
    try:
        for name, other in ties.items():
            owner, _, leaf = name.rpartition(".")
            setattr(module.get_submodule(owner), leaf, module.get_parameter(other))
            tensors[name] = tensors[other]
        module.load_state_dict(tensors)
    except (RuntimeError, AttributeError, KeyError, TypeError) as error:
        text = f"The weights in {shown} do not fit its definition: {display_text(str(error), 300)}"
        raise CheckpointError(text) from error
