"""Everything a run changes while it trains, copied at a step boundary: `take` and `put_back`.

Training that goes on from a snapshot goes on bit for bit. So the copy holds what one forgets: the
random generators, gradients that are being accumulated, buffers that no state_dict names; and what
is put back is first compared as a whole, so that a snapshot of another model changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.errors import CheckpointError
from mlnb.formatting import display_text, plural
from mlnb.train.keep.differences import difference_text, differences, pairs_of
from mlnb.train.keep.packing import Json, pack, unpack
from mlnb.train.keep.random_state import random_state, set_random_state

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from mlnb.train.state import TrainState


@dataclass(frozen=True)
class Snapshot:
    """A copy of a `TrainState`, in memory of its own on the CPU.

    Args:
        step: optimizer steps done when it was taken.
        epoch: epochs finished.
        batch: batches done of the unfinished epoch.
        tensors: every tensor, by name; those of models are named `model/<model>/<name>`.
        plan: the rest as JSON, with `{"$tensor": name}` where a tensor stood.
        nbytes: what the tensors take.
        note: what was written beside it, where it was read from a checkpoint.
    """

    step: int
    epoch: int
    batch: int
    tensors: dict[str, Tensor]
    plan: dict[str, Json]
    nbytes: int
    note: dict[str, Json] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Snapshot(step {self.step}, epoch {self.epoch}, batch {self.batch})"


def take(state: TrainState) -> Snapshot:
    """Copy everything that training changes.

    >>> snapshot = take(state)
    >>> put_back(state, snapshot)

    Raises:
        CheckpointError: a state_dict holds what cannot be written down; the message says where.
    """
    tensors: dict[str, Tensor] = {}
    plan = {
        "models": {name: _pack_model(name, model, tensors) for name, model in state.models.items()},
        "optimizers": {
            name: pack(optimizer.state_dict(), tensors, f"optimizer/{name}")
            for name, optimizer in state.optimizers.items()
        },
        "schedule": _pack_stateful(state.schedule, tensors, "schedule"),
        "scaler": _pack_stateful(state.scaler, tensors, "scaler"),
        "callbacks": [
            [kind, pack(callback.state_dict(), tensors, f"callback/{i}/{kind}")]
            for i, (kind, callback) in enumerate(_stateful(state.callbacks))
        ],
        "batches": pack(state.batches.state_dict(), tensors, "batches"),
        "history": pack(state.history.state_dict(), tensors, "history", own=False),
        "sums": pack(dict(state.sums), tensors, "sums"),
        "random": pack(random_state(), tensors, "random"),
    }
    held = {tensor.data_ptr(): tensor.nbytes for tensor in tensors.values()}
    return Snapshot(state.step, state.epoch, state.batch, tensors, plan, sum(held.values()))


def put_back(state: TrainState, snapshot: Snapshot, *, history: bool = True) -> list[str]:
    """Make `state` what it was when `snapshot` was taken; sentences on what did not fit.

    Tensors that exist are written into, so that a compiled step or an optimizer that holds them
    sees the old values.

    Args:
        state: of the same models and optimizers.
        snapshot: stays as it is; it can be put back again.
        history: False leaves the history as it stands, for a caller that cuts it itself.

    Raises:
        CheckpointError: it was taken from other models or optimizers; nothing was changed.
    """
    found = differences(state, snapshot)
    if found:
        raise CheckpointError(f"the checkpoint is not of this model: {difference_text(found)}")
    plan, tensors = snapshot.plan, snapshot.tensors
    state.batches.load_state_dict(unpack(plan["batches"], tensors))  # may refuse, so first
    for name, model in state.models.items():
        _put_model(model, plan["models"][name], tensors)
    for name, optimizer in state.optimizers.items():
        _put_optimizer(optimizer, unpack(plan["optimizers"][name], tensors))
    for target, word in ((state.schedule, "schedule"), (state.scaler, "scaler")):
        saved = unpack(plan[word], tensors)
        if target is not None and saved:
            target.load_state_dict(saved)
    notes = _put_callbacks(state.callbacks, plan["callbacks"], tensors)
    if history:
        state.history.load_state_dict(unpack(plan["history"], tensors))
    _put_sums(state.sums, unpack(plan["sums"], tensors, own=False), state)
    set_random_state(unpack(plan["random"], tensors))
    state.step, state.epoch, state.batch = snapshot.step, snapshot.epoch, snapshot.batch
    if state.batch and not getattr(state.batches, "exact", True):
        notes.append(
            f"the data cannot continue in the middle of an epoch: epoch {state.epoch + 1} begins "
            f"again, with the weights after its first {state.batch:,} batches"
        )
        state.batch = 0
        state.sums.clear()
    return notes


# ---------------------------------------------------------------------------------------- models


def _pack_model(name: str, model: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Json]:
    memo: dict[tuple[Any, ...], Tensor] = {}

    def held(value: Tensor, where: str) -> Json:
        """Tied weights are copied once."""
        key = (value.data_ptr(), value.shape, value.stride(), value.dtype, value.device)
        if value.numel() and key in memo:
            tensors[where] = memo[key]
            return {"$tensor": where}
        plan = pack(value, tensors, where)
        memo[key] = tensors[where]
        return {"$tensor": plan["$tensor"]}

    saved = model.state_dict()
    return {
        "tensors": [
            [
                key,
                held(value, f"model/{name}/{key}")
                if isinstance(value, Tensor)
                else pack(value, tensors, f"extra/{name}/{key}"),
            ]
            for key, value in saved.items()
        ],
        "buffers": [
            [key, held(value, f"buffer/{name}/{key}")]
            for key, value in model.named_buffers()
            if key not in saved
        ],
        "grads": [
            [key, pack(value.grad, tensors, f"grad/{name}/{key}")]
            for key, value in model.named_parameters()
            if value.grad is not None
        ],
    }


def _put_model(model: nn.Module, plan: dict[str, Json], tensors: dict[str, Tensor]) -> None:
    model.load_state_dict(
        {key: unpack(value, tensors, own=False) for key, value in pairs_of(plan["tensors"])}
    )
    buffers = dict(model.named_buffers())
    with torch.no_grad():
        for key, value in pairs_of(plan["buffers"]):
            if key in buffers:
                buffers[key].copy_(tensors[value["$tensor"]])
        grads = {key: tensors[value["$tensor"]] for key, value in pairs_of(plan["grads"])}
        for key, parameter in model.named_parameters():
            if key not in grads:
                parameter.grad = None
            elif parameter.grad is None:
                parameter.grad = torch.empty_like(parameter).copy_(grads[key])
            else:
                parameter.grad.copy_(grads[key])


# ------------------------------------------------------------------------------------ optimizers


def _put_optimizer(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """As `load_state_dict`, which would round moments to the type of their parameter, and make new
    tensors with the layout of the file in place of those that a compiled step holds.
    """
    if type(optimizer).load_state_dict is not torch.optim.Optimizer.load_state_dict:
        optimizer.load_state_dict(saved)
        return
    with torch.no_grad():
        for group, then in zip(optimizer.param_groups, saved["param_groups"], strict=True):
            for key, value in then.items():
                if key != "params":
                    group[key] = _into(group.get(key), value)
            for parameter, number in zip(group["params"], then["params"], strict=True):
                kept = saved["state"].get(number)
                if kept is None:
                    optimizer.state.pop(parameter, None)
                    continue
                now = optimizer.state.get(parameter, {})
                optimizer.state[parameter] = {
                    key: _moment(now.get(key), value, key, parameter, group)
                    for key, value in kept.items()
                }


def _moment(now: Any, value: Any, key: str, parameter: Tensor, group: dict[str, Any]) -> Any:
    if not isinstance(value, Tensor):
        return value
    if _same(now, value):
        return now.copy_(value)
    if value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
    if key == "step" and not (group.get("fused") or group.get("capturable")):
        return value.cpu()
    return value.to(parameter.device)


def _into(now: Any, value: Any) -> Any:
    if not isinstance(now, Tensor):
        return value
    if _same(now, value):
        return now.copy_(value)
    if isinstance(value, float | int) and now.ndim == 0:
        return now.fill_(value)
    return value


def _same(now: Any, value: Any) -> bool:
    return (
        isinstance(now, Tensor)
        and isinstance(value, Tensor)
        and now.shape == value.shape
        and now.dtype == value.dtype
    )


# ----------------------------------------------------------------------- callbacks, sums, chance


def _stateful(callbacks: list[Any]) -> Iterator[tuple[str, Any]]:
    for callback in callbacks:
        if hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict"):
            yield type(callback).__name__, callback


def _pack_stateful(value: Any, tensors: dict[str, Tensor], where: str) -> Json:
    return None if value is None else pack(value.state_dict(), tensors, where)


def _put_callbacks(callbacks: list[Any], saved: Json, tensors: dict[str, Tensor]) -> list[str]:
    """Give each its state, the n-th of a class that of the n-th of that class."""
    waiting = list(saved)
    notes = []
    for kind, callback in _stateful(callbacks):
        match = next((pair for pair in waiting if pair[0] == kind), None)
        if match is None:
            notes.append(f"callback {kind} is new and begins afresh")
            continue
        waiting.remove(match)
        callback.load_state_dict(unpack(match[1], tensors))
    if waiting:
        names = ", ".join(display_text(str(kind)) for kind, _ in waiting)
        notes.append(
            f"{plural(len(waiting), 'callback')} of the checkpoint not given again: {names}"
        )
    return notes


def _put_sums(now: dict[str, Tensor], saved: dict[str, Any], state: TrainState) -> None:
    parameter = next(state.parameters(), None)
    device = parameter.device if parameter is not None else torch.device("cpu")
    for name in [name for name in now if name not in saved]:
        del now[name]
    for name, value in saved.items():
        if _same(now.get(name), value):
            now[name].copy_(value)
        else:
            now[name] = value.to(device, copy=True) if isinstance(value, Tensor) else value
