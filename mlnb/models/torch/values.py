"""What a module is called with and what it gives, as rows of tensors with names."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from mlnb.errors import InputError
from mlnb.formatting import display_text


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of a tensor among the arguments."""

    at: int


@dataclass(frozen=True)
class Sample:
    """A call of a module: its tensors by name, and how its arguments are built from them.

    Args:
        names: of the tensors, in order.
        tensors: as large as the sample, of its types.
        args: by position, a `_Slot` for each tensor.
        named: by keyword.
    """

    names: tuple[str, ...]
    tensors: tuple[torch.Tensor, ...]
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def called(self, module: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """What the module gives for these tensors."""
        args = [_filled(one, tensors) for one in self.args]
        return module(*args, **{name: _filled(one, tensors) for name, one in self.named.items()})

    @property
    def batch(self) -> int | None:
        """The first dimension, where all tensors with dimensions have the same."""
        sizes = {tensor.shape[0] for tensor in self.tensors if tensor.dim()}
        return sizes.pop() if len(sizes) == 1 else None


def sample_for(module: nn.Module, given: Any, names: Sequence[str] = ()) -> Sample:
    """The call that a sample stands for.

    >>> sample_for(nn.Linear(4, 2), (1, 4)).names
    ('input',)

    Args:
        module: whose `forward` names the arguments.
        given: a tensor or an array; a shape, of zeros; a tuple of them for several arguments; or a
            dict of them by the names of arguments, or of the entries of the only argument.
        names: for the tensors, where something knows better ones than `forward`.

    Raises:
        InputError: there is no tensor in it, or `forward` has no such argument.
    """
    parameters = _parameters(module)
    kind = _float_type(module)
    if isinstance(given, Mapping) and _by_keyword(given, parameters):
        named = {str(name): _as_tensor(one, kind) for name, one in given.items()}
        building = _Building()
        call = {name: building.taken(one, name) for name, one in named.items()}
        return building.sample((), call, names)
    rows = given if isinstance(given, tuple) and not _is_shape(given) else (given,)
    building = _Building()
    if len(rows) == 1 and isinstance(rows[0], Mapping):
        entries = {key: _as_tensor(one, kind) for key, one in rows[0].items()}
        taken = {key: building.taken(one, str(key)) for key, one in entries.items()}
        return building.sample((taken,), {}, names)
    labels = _labels(parameters, len(rows))
    pairs = zip(rows, labels, strict=True)
    return building.sample(
        tuple(building.taken(_as_tensor(one, kind), label) for one, label in pairs), {}, names
    )


def named_results(given: Any, name: str = "output") -> Iterator[tuple[str, Any]]:
    """Tensors and numbers in what a module gives: by key, by field, by index, by `name` alone.

    >>> [name for name, _ in named_results((torch.zeros(1), {"mask": torch.ones(1)}))]
    ['output_0', 'mask']
    """
    if isinstance(given, Mapping):
        fields = [(str(key), str(key), one) for key, one in given.items()]
    elif isinstance(given, tuple) and hasattr(given, "_fields"):
        fields = [(key, key, one) for key, one in zip(given._fields, given, strict=True)]
    elif dataclasses.is_dataclass(given) and not isinstance(given, type):
        keys = [one.name for one in dataclasses.fields(given)]
        fields = [(key, key, getattr(given, key)) for key in keys]
    elif isinstance(given, tuple | list):
        fields = [(f"{name}_{at}", f"{name}_{at}", one) for at, one in enumerate(given)]
    else:
        if isinstance(given, torch.Tensor | int | float | complex | np.ndarray | np.generic):
            yield name, given
        return
    for _, inner, one in fields:
        yield from named_results(one, inner)


def forward_text(module: nn.Module) -> str:
    """The arguments of `forward` as one reads them: `forward(x, mask)`."""
    return f"forward({', '.join(_parameters(module))})"


class _Building:
    """Takes the tensors out of arguments and leaves slots."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._tensors: list[torch.Tensor] = []

    def taken(self, given: Any, name: str) -> Any:
        if isinstance(given, torch.Tensor):
            self._names.append(name)
            self._tensors.append(given.detach())
            return _Slot(len(self._tensors) - 1)
        if isinstance(given, Mapping):
            return {key: self.taken(one, f"{name}_{key}") for key, one in given.items()}
        if isinstance(given, tuple | list):
            row = [self.taken(one, f"{name}_{at}") for at, one in enumerate(given)]
            return type(given)(*row) if hasattr(given, "_fields") else type(given)(row)
        return given

    def sample(
        self, args: tuple[Any, ...], named: Mapping[str, Any], names: Sequence[str]
    ) -> Sample:
        if not self._tensors:
            raise InputError(
                "the sample has no tensor in it. Pass what goes into the module, such as "
                "sample=torch.zeros(1, 3, 224, 224), or its shape, sample=(1, 3, 224, 224)"
            )
        labels = names if len(names) == len(self._names) else self._names
        return Sample(tuple(labels), tuple(self._tensors), args, named)


def _filled(template: Any, tensors: Sequence[Any]) -> Any:
    if isinstance(template, _Slot):
        return tensors[template.at]
    if isinstance(template, dict):
        return {key: _filled(one, tensors) for key, one in template.items()}
    if isinstance(template, tuple | list):
        row = [_filled(one, tensors) for one in template]
        return type(template)(*row) if hasattr(template, "_fields") else type(template)(row)
    return template


def _parameters(module: nn.Module) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):
        return {}


def _by_keyword(given: Mapping[Any, Any], parameters: Mapping[str, inspect.Parameter]) -> bool:
    """Whether a dict is meant by the names of arguments; else it is itself the argument."""
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return True
    alone = [one for one in parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    unknown = [str(name) for name in given if name not in parameters]
    if not unknown:
        return True
    needed = [one for one in alone if one.default is one.empty]
    if len(unknown) == len(given) and len(needed) == 1:
        return False
    if any(one.kind is one.VAR_POSITIONAL for one in parameters.values()):
        return False
    told = ", ".join(map(display_text, unknown))
    raise InputError(f"the module's forward({', '.join(parameters)}) has no argument {told}")


def _labels(parameters: Mapping[str, inspect.Parameter], count: int) -> list[str]:
    """Names for so many arguments by position."""
    labels: list[str] = []
    for name, one in parameters.items():
        if one.kind is one.VAR_POSITIONAL:
            rest = count - len(labels)
            stem = "input" if name in ("args", "inputs", "input") else name
            labels += [stem] if rest == 1 else [f"{stem}_{at + 1}" for at in range(rest)]
            break
        if one.kind is not one.VAR_KEYWORD:
            labels.append(name)
    if len(labels) < count:
        raise InputError(
            f"the sample has {count} values, and forward({', '.join(parameters)}) takes "
            f"{len(labels)}"
        )
    return labels[:count]


def _is_shape(given: Any) -> bool:
    return isinstance(given, tuple) and all(type(size) is int for size in given) and bool(given)


def _as_tensor(given: Any, kind: torch.dtype) -> Any:
    if _is_shape(given):
        if min(given) < 0:
            raise InputError(f"{given} is no shape: give the sizes of one batch, (1, 3, 224, 224)")
        return torch.zeros(given, dtype=kind)
    if isinstance(given, np.ndarray | np.generic):
        return torch.tensor(given)
    if isinstance(given, dict):
        return {key: _as_tensor(one, kind) for key, one in given.items()}
    return given


def _float_type(module: nn.Module) -> torch.dtype:
    weights = (one.dtype for one in module.parameters() if one.is_floating_point())
    return next(weights, torch.float32)
