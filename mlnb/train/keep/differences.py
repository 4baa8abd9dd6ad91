"""What keeps a snapshot from being put back: names, shapes and types that are others now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mlnb.formatting import display_text
from mlnb.train.keep.packing import Json, unpack

if TYPE_CHECKING:
    from mlnb.train.keep.snapshot import Snapshot
    from mlnb.train.state import TrainState

SHOWN_DIFFERENCES = 8


def differences(state: TrainState, snapshot: Snapshot) -> list[str]:
    """What keeps `snapshot` from being put back: one sentence for each, none where it fits."""
    saved = snapshot.plan["models"]
    found = _names_differ("model", list(state.models), list(saved))
    for name, model in state.models.items():
        if name in saved:
            found += model_differences(model, snapshot, name)
    optimizers = snapshot.plan["optimizers"]
    found += _names_differ("optimizer", list(state.optimizers), list(optimizers))
    for name, optimizer in state.optimizers.items():
        if name in optimizers:
            plan = unpack(optimizers[name], snapshot.tensors, own=False)
            now = [len(group["params"]) for group in optimizer.param_groups]
            then = [len(group["params"]) for group in plan["param_groups"]]
            if now != then:
                found.append(
                    f"optimizer '{display_text(name)}' has groups of {now} parameters, in the "
                    f"checkpoint of {then}"
                )
    return found


def difference_text(found: list[str]) -> str:
    """The first few differences as one line."""
    more = len(found) - SHOWN_DIFFERENCES
    return "; ".join(found[:SHOWN_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def model_differences(model: nn.Module, snapshot: Snapshot, name: str = "model") -> list[str]:
    """How the tensors of `model` differ from those kept under `name`: names, shapes, types."""
    then = {
        key: snapshot.tensors[plan["$tensor"]]
        for key, plan in pairs_of(snapshot.plan["models"][name]["tensors"])
        if isinstance(plan, dict) and "$tensor" in plan
    }
    now = {key: value for key, value in model.state_dict().items() if isinstance(value, Tensor)}
    found = []
    for key, value in now.items():
        if key not in then:
            found.append(f"'{display_text(key)}' is not in the checkpoint")
        elif value.shape != then[key].shape or value.dtype != then[key].dtype:
            found.append(
                f"'{display_text(key)}' is {_said(value)}, in the checkpoint {_said(then[key])}"
            )
    return found + [
        f"the checkpoint holds '{display_text(key)}', {_said(then[key])}, which the model lacks"
        for key in then
        if key not in now
    ]


def _names_differ(kind: str, now: list[str], then: list[str]) -> list[str]:
    missing = [
        f"no {kind} '{display_text(name)}' in the checkpoint" for name in now if name not in then
    ]
    return missing + [
        f"the checkpoint has {kind} '{display_text(name)}', which was not given"
        for name in then
        if name not in now
    ]


def _said(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def pairs_of(plan: Json) -> Iterator[tuple[str, Json]]:
    """Names and what stood there, as JSON keeps them in order."""
    for key, value in plan:
        yield str(key), value
