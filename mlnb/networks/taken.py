"""What is exported or run by another backend: a module with its inputs named, whatever was given.

A network knows its inputs; of a bare module they are learned from a sample. The module is a copy in
eval mode, so that neither a training that goes on nor its own mode are disturbed.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.errors import InputError, unknown
from mlnb.formatting import display_text, first_line
from mlnb.models.torch.state import device_of


@dataclass(frozen=True)
class Taken:
    """A module, and what it is fed.

    Args:
        module: a copy in eval mode.
        name: for files and reports.
        sample: a batch of at least two for each input by name, in the order of the module; on the
            CPU, wherever the module is.
        outputs: the names of what it gives, in order.
    """

    module: nn.Module
    name: str
    sample: dict[str, Tensor]
    outputs: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return device_of(self.module)

    def run(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """What the module gives for a batch, output by output, brought to the CPU."""
        device = self.device
        with torch.no_grad():
            out = tensors(self.module(*[x.to(device) for x in batch.values()]))
        return tuple(one.cpu() for one in out)

    def on_cpu(self) -> Taken:
        """The same on the CPU, as a copy where it is elsewhere."""
        if self.device.type == "cpu":
            return self
        return replace(self, module=copy.deepcopy(self.module).cpu())


def take(given: Any, sample: Any = None, *, on_cpu: bool = True) -> Taken:
    """A copy of a module with its inputs.

    Args:
        given: a `Sequential` or `Network`, a `torch.nn.Module`, a `Trainer` or a `Run`.
        sample: a batch, [samples, …]; for several inputs a tuple or a dict of them. A network that
            knows its shapes and a trainer that has trained need none.
        on_cpu: whether to bring the copy to the CPU; else it is where the module is.

    Raises:
        InputError: what was given is no module, or a sample is missing or does not fit.
        TrainError: the module cannot be copied.
    """
    module = module_of(given)
    batch = two_at_least(_fed(given, module, sample))
    mine = copied(module)
    device = torch.device("cpu") if on_cpu else device_of(mine)
    mine.to(device)
    try:
        with torch.no_grad():
            out = mine(*[x.to(device) for x in batch.values()])
    except Exception as error:
        shapes = ", ".join(f"{name} {list(x.shape)}" for name, x in batch.items())
        first = first_line(error)
        raise InputError(f"The module fails on the sample, {shapes}: {first}") from error
    return Taken(mine, _name(given, module), batch, _outputs(given, out, batch))


def module_of(given: Any) -> nn.Module:
    """The module in a network, a trainer or a run.

    Raises:
        InputError: there is none, or several.
    """
    models = getattr(given, "models", None)
    if isinstance(models, dict) and len(models) > 1:
        names = ", ".join(display_text(str(name)) for name in models)
        raise InputError(
            f"This trainer trains several models: {names}. Give one of them: "
            f"trainer.models[{display_text(str(next(iter(models))))!r}]."
        )
    for one in (given, getattr(given, "module", None), getattr(given, "model", None)):
        if isinstance(one, nn.Module):
            return one
    kind = type(given).__name__
    raise InputError(f"Expected a network, a torch.nn.Module or a Trainer; received {kind}.")


def copied(module: nn.Module) -> nn.Module:
    """A copy in eval mode without gradients; of a module that trains, taken between two steps."""
    from mlnb.train import active
    from mlnb.train.steer.copies import for_prediction

    run = active.run_of(module)
    place = _place(run, module)
    if run is None or place is None:
        return for_prediction({"model": module})["model"]
    name, path = place
    made: Any = run.copy()
    whole: nn.Module = made[name] if isinstance(made, dict) else made
    return whole.get_submodule(path)


def tensors(out: Any) -> tuple[Tensor, ...]:
    """What a module gave, as a row of tensors.

    Raises:
        InputError: something in it is no tensor.
    """
    if isinstance(out, Tensor):
        return (out,)
    parts = out.values() if isinstance(out, Mapping) else out
    if isinstance(out, Mapping | tuple | list) and out:
        return tuple(one for part in parts for one in tensors(part))
    raise InputError(f"The module must give tensors; it gave {type(out).__name__}.")


def two_at_least(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch of one sample becomes one of two: with one, torch takes the size for a constant."""
    return {name: torch.cat([x, x]) if len(x) == 1 else x for name, x in batch.items()}


def batch_of(sample: Any, names: tuple[str, ...]) -> dict[str, Tensor]:
    """A sample as a tensor for each input.

    Raises:
        InputError: another number of inputs, or something that is no batch.
        UnknownName: a dict with a name that no input has.
    """
    if isinstance(sample, Mapping):
        for name in sample:
            if name not in names:
                raise unknown("input", str(name), names)
        given = [sample[name] for name in names if name in sample]
    else:
        given = list(sample) if isinstance(sample, tuple) else [sample]
    if len(given) != len(names):
        listed = ", ".join(map(display_text, names))
        raise InputError(f"The sample has {len(given)} of {len(names)} inputs: {listed}.")
    return {name: as_batch(name, one) for name, one in zip(names, given, strict=True)}


def as_batch(name: str, value: Any) -> Tensor:
    """What is given for an input as a tensor on the CPU.

    Raises:
        InputError: it holds no numbers, or is no batch.
    """
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        kind = type(value).__name__
        raise InputError(f"Input {display_text(name)} expects numbers; received {kind}.") from error
    if tensor.dim() == 0 or len(tensor) == 0:
        raise InputError(
            f"Input {display_text(name)} expects a batch, [samples, …]; "
            f"received {list(tensor.shape)}."
        )
    return tensor.float() if tensor.dtype == torch.float64 else tensor


def _fed(given: Any, module: nn.Module, sample: Any) -> dict[str, Tensor]:
    shapes: dict[str, tuple[int, ...]] = getattr(given, "input_shapes", None) or {}
    if sample is not None:
        if isinstance(sample, Mapping) and not shapes:
            return batch_of(sample, tuple(map(str, sample)))
        count = len(sample) if isinstance(sample, tuple) else 1
        return batch_of(_with_batch(sample, shapes), tuple(shapes) or _parameters(module, count))
    dry = given.dry_inputs() if shapes and hasattr(given, "dry_inputs") else None
    if dry is not None:
        return dict(zip(shapes, dry, strict=True))
    seen = _trained_on(given, module)
    if seen is not None:
        return _fed(given, module, seen)
    shape = getattr(module, "input_shape", None)
    if isinstance(shape, tuple):
        return {_parameters(module, 1)[0]: torch.zeros(2, *shape)}
    raise InputError(
        "The inputs of this module are not known; give a batch of them: sample=x, or for several "
        "inputs sample=(a, b)."
    )


def _with_batch(sample: Any, shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """One sample of a network that knows its shape becomes a batch of one."""
    if len(shapes) == 1 and not isinstance(sample, Mapping | tuple):
        ((name, shape),) = shapes.items()
        value = as_batch(name, sample)
        return value[None] if value.dim() == len(shape) else value
    return sample


def _place(run: Any, module: nn.Module) -> tuple[str, str] | None:
    """Which of a run's models it is or lies in, and where in that."""
    models = run._state.models if run is not None else {}
    for name, model in models.items():
        for path, one in model.named_modules():
            if one is module:
                return name, path
    return None


def _trained_on(given: Any, module: nn.Module) -> Any:
    """The inputs of the two rows that a training was tried with before it began."""
    from mlnb.train import active

    held = vars(given)
    for one in (given, held.get("_trainer"), held.get("trainer"), active.run_of(module)):
        trainer = getattr(one, "trainer", None) if type(one).__name__ == "Run" else one
        plan = getattr(trainer, "last_plan", None)
        if plan is not None:
            return plan.prepared.sample[0]
    return None


def _parameters(module: nn.Module, count: int) -> tuple[str, ...]:
    """The names that the module's `forward` gives its first inputs."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    fed = getattr(module, "inputs", None)  # of a wiring
    if isinstance(fed, tuple) and len(fed) == count:
        return tuple(map(str, fed))
    known = inspect.signature(module.forward).parameters.values()
    kept = [p.name for p in known if p.kind in kinds]
    if len(kept) >= count:
        return tuple(kept[:count])
    return ("input",) if count == 1 else tuple(f"input_{at + 1}" for at in range(count))


def _outputs(given: Any, out: Any, inputs: Mapping[str, Tensor]) -> tuple[str, ...]:
    count = len(tensors(out))
    outputs, layers = getattr(given, "outputs", None), getattr(given, "built", None)
    if isinstance(outputs, Mapping) and len(outputs) == count:
        names = list(map(str, outputs))
    elif isinstance(out, Mapping) and len(out) == count:
        names = list(map(str, out))
    elif layers and count == 1:
        names = [layers[-1].layer.name]
    else:
        names = ["output"] if count == 1 else [f"output_{at + 1}" for at in range(count)]
    return tuple(f"{name}_out" if name in inputs else name for name in names)


def _name(given: Any, module: nn.Module) -> str:
    name = getattr(given, "name", None)
    return name if isinstance(name, str) and name else type(module).__name__
