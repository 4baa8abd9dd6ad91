"""A call of a module as a module of its own: a row of tensors in, a row of tensors out: `Call`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn

from mlnb.errors import ModelRunError
from mlnb.formatting import display_text
from mlnb.models.torch.values import Sample, named_results


class _Enough(BaseException):
    """All that was wanted is there; nothing behind it has to be computed."""


class _Told:
    """What a forward says besides; torch.export puts a module's own attributes back."""

    def __init__(self) -> None:
        self.names: list[str] = []


class Call(nn.Module):
    """A module behind a row of tensors; `names` are its results' after a call.

    Args:
        module: called as `sample` was.
        sample: how the arguments are built.
        taps: submodules whose outputs are wanted in place of the module's own.
        whole: go on behind the last of them; torch.export follows no forward that is broken off.
    """

    def __init__(
        self,
        module: nn.Module,
        sample: Sample,
        taps: Sequence[str] = (),
        *,
        whole: bool = False,
    ) -> None:
        super().__init__()
        self.module = module
        self._sample = sample
        self._taps = tuple(taps)
        self._whole = whole
        self._told = _Told()

    @property
    def names(self) -> list[str]:
        """The names of the results, in order."""
        return self._told.names

    def forward(self, *tensors: Any) -> tuple[Any, ...]:
        """The results in order."""
        results = list(self._results(tensors))
        self._told.names = [name for name, _ in results]
        return tuple(value for _, value in results)

    def _results(self, tensors: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        if not self._taps:
            yield from _distinct(named_results(self._sample.called(self.module, tensors)))
            return
        found: dict[str, Any] = {}
        with tapped(self.module, self._taps, found, whole=self._whole), suppress(_Enough):
            self._sample.called(self.module, tensors)
        for name in self._taps:
            if name not in found:
                raise ModelRunError(f"the module does not use {display_text(name)} in its forward")
            yield from _distinct(named_results(found[name], name))


@contextmanager
def tapped(
    module: nn.Module, names: Sequence[str], found: dict[str, Any], *, whole: bool
) -> Iterator[None]:
    """Collect what submodules give at their first call into `found`.

    Args:
        module: whose forward is called in the block.
        names: of its submodules.
        found: by these names; a caller who empties it gets those of the next call.
        whole: go on behind the last of them, where the forward is otherwise broken off.
    """
    handles = []

    def hook(name: str) -> Any:
        def keep(_: nn.Module, __: Any, given: Any) -> None:
            found.setdefault(name, given)
            if len(found) == len(names) and not whole:
                raise _Enough

        return keep

    try:
        for name in names:
            handles.append(module.get_submodule(name).register_forward_hook(hook(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _distinct(results: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Names once each: what nests may repeat one."""
    seen: set[str] = set()
    for name, value in results:
        while name in seen:
            name += "_"
        seen.add(name)
        yield name, value if isinstance(value, torch.Tensor) else torch.as_tensor(value)
