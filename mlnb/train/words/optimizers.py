"""Optimizers by name, class, partial, factory or instance, fused wherever torch can.

The fused form alone makes a small dense network 1.3 times as fast on a CPU, and torch does not
choose it there by itself. The first optimizer of a process imports torch._dynamo (1 to 2.5 s, and
its `step` asks for it again, so it cannot be left out); that happens under a shield, because an
interrupt in the middle of an import leaves torch unusable.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch.optim import Optimizer

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.train.words.parsing import look_up, parse_word

RATES = {
    "adadelta": 1.0, "adafactor": 1e-2, "adagrad": 1e-2, "adam": 1e-3, "adamax": 2e-3,
    "adamw": 1e-3, "asgd": 1e-2, "muon": 1e-3, "nadam": 2e-3, "radam": 1e-3, "rmsprop": 1e-3,
    "rprop": 1e-2, "sgd": 1e-2, "sparseadam": 1e-3,
}  # fmt: skip
"""The learning rate of a name where none is given."""
_ALIASES = {"auto": "adamw", "sparse_adam": "sparseadam", "momentum": "sgd"}


def resolve_optimizer(
    optimizer: object,
    parameters: Iterable[Any],
    lr: float | None = None,
    *,
    device: torch.device | str | None = None,
) -> Optimizer:
    """The optimizer that a word, class, partial, factory or instance means for these parameters.

    >>> describe_optimizer(resolve_optimizer("adamw", net.parameters()))
    'optimizer: adamw fused, lr 0.001'

    Args:
        optimizer: "auto" (adamw), a name such as "sgd" or "sgd(momentum=0.9)", a class (of torch or
            of anybody), a `functools.partial` of one, a function of the parameters, or an instance.
        parameters: those of the network; frozen ones may be among them.
        lr: the learning rate; None takes the optimizer's own.
        device: where the parameters are; by default where the first one is.

    Raises:
        UnknownName: for a name that does not exist, with the closest.
        TrainError: where nothing is there to train, or the optimizer cannot be made.
    """
    import_dynamo()
    params = list(parameters)
    tensors = [tensor for item in params for tensor in _tensors(item)]
    trainable = [tensor for tensor in tensors if tensor.requires_grad]
    if not trainable:
        what = "all parameters are frozen" if tensors else "the model has no parameters"
        raise TrainError(f"{what}, so there is nothing to train; set requires_grad on some of them")
    _check_rate(lr)
    if _is_optimizer(optimizer) and not isinstance(optimizer, type):
        return _instance(optimizer, tensors, lr)
    options: dict[str, Any] = {}
    if isinstance(optimizer, str):
        name, options = parse_word(optimizer)
        optimizer, rate = _class(name)
        lr = lr if lr is not None or "lr" in options else rate
    elif isinstance(optimizer, partial):
        options = dict(optimizer.keywords)
        optimizer = optimizer.func if not optimizer.args else optimizer
    if not callable(optimizer):
        raise TrainError(
            "optimizer is a name, a class, a partial of one, or an optimizer of the model's "
            f"parameters; received {type(optimizer).__name__}"
        )
    if lr is not None:
        options["lr"] = lr
    return _built(optimizer, params, trainable, options, device)


def describe_optimizer(optimizer: Any, called: str = "optimizer") -> str:
    """One line: `optimizer: adamw fused, lr 0.001`; of several each by what it is called."""
    groups = optimizer.param_groups
    fused = " fused" if all(group.get("fused") for group in groups) else ""
    # A schedule may have begun low already; what was asked for is the base.
    rates = sorted({float(g.get("initial_lr", g["lr"])) for g in groups if "lr" in g})
    shown = " to ".join(f"{rate:g}" for rate in (rates[:1] + rates[-1:] if rates[1:] else rates))
    name = display_text(type(optimizer).__name__.lower())
    return f"{display_text(called, 40)}: {name}{fused}{f', lr {shown}' if shown else ''}"


def import_dynamo() -> None:
    """What every optimizer of torch imports at its first step, under a shield from interrupts."""
    import sys

    if "torch._dynamo" not in sys.modules:
        from mlnb.train.steer.interrupts import shield

        with shield():
            import_module("torch._dynamo")


def _class(name: str) -> tuple[type[Optimizer], float | None]:
    if name == "lbfgs":
        raise TrainError(
            "lbfgs evaluates the loss many times a step, which this loop does not do; "
            "use adamw, or Trainer(step=…) with your own call of optimizer.step(closure)"
        )
    known = {n.lower(): getattr(torch.optim, n) for n in dir(torch.optim)}
    table = {name: known[name] for name in RATES if name in known}
    return look_up("optimizer", name, table, _ALIASES), RATES.get(_ALIASES.get(name, name))


def _built(
    factory: Callable[..., Any],
    params: list[Any],
    trainable: list[torch.Tensor],
    options: dict[str, Any],
    device: torch.device | str | None,
) -> Optimizer:
    name = display_text(getattr(factory, "__name__", type(factory).__name__))
    faster = {"fused": True} if _can_fuse(factory, trainable, options, device) else {}
    made = None
    for extra in [faster, {}] if faster else [{}]:
        try:
            made = factory(params, **options, **extra)
            break
        except (TypeError, ValueError, RuntimeError) as error:
            if not extra:
                raise TrainError(
                    f"{name} cannot be made: {display_text(str(error), 200)}"
                ) from error
    if not _is_optimizer(made):
        raise TrainError(f"{name} gave a {type(made).__name__}, expected an optimizer")
    return made


def _can_fuse(
    factory: Any,
    trainable: list[torch.Tensor],
    options: dict[str, Any],
    device: torch.device | str | None,
) -> bool:
    """Whether class, dtypes and devices allow it and the user asked for nothing else."""
    if not isinstance(factory, type) or not issubclass(factory, Optimizer):
        return False
    if any(options.get(word) is not None for word in ("fused", "foreach", "differentiable")):
        return False
    if "fused" not in inspect.signature(factory).parameters:
        return False
    from torch.utils._foreach_utils import _get_fused_kernels_supported_devices

    kinds = {torch.device(device).type} if device is not None else set()
    kinds |= {tensor.device.type for tensor in trainable}
    fits = kinds <= set(_get_fused_kernels_supported_devices())
    return fits and all(tensor.is_floating_point() for tensor in trainable)


def _instance(optimizer: Any, tensors: list[torch.Tensor], lr: float | None) -> Optimizer:
    own = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
    if not own & {id(tensor) for tensor in tensors}:
        raise TrainError(
            f"this {type(optimizer).__name__} holds parameters of another model; make it with "
            "the parameters of the model that is trained, or give its class"
        )
    if lr is not None:
        for group in optimizer.param_groups:
            group["lr"] = lr
            group.pop("initial_lr", None)
    return optimizer


def _is_optimizer(value: object) -> bool:
    """By what it does, so that optimizers of other packages pass."""
    return isinstance(value, Optimizer) or all(
        hasattr(value, name) for name in ("param_groups", "step", "zero_grad")
    )


def _tensors(item: Any) -> list[torch.Tensor]:
    if isinstance(item, dict):
        members = item["params"]
        return [members] if isinstance(members, torch.Tensor) else list(members)
    return [item[1] if isinstance(item, tuple) else item]


def _check_rate(lr: float | None) -> None:
    if lr is None:
        return
    if not isinstance(lr, int | float) or isinstance(lr, bool) or not math.isfinite(lr) or lr <= 0:
        raise TrainError(f"lr is a number above 0, such as 0.001; received {lr!r}")
