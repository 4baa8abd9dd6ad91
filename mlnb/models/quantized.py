"""Real values for models that store integers: `taken`, `stored`, `real`.

A quantised model says how its integers stand for real numbers. One that is fed real values and
gives real values is a model like any other, so that this is what `predict` does; `raw=True` is for
those who want the integers themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.models.inputs import Fed

_STORED = ("int8", "uint8", "int16", "uint16", "int32")


def taken(specs: TensorSpecs, noun: str = "input") -> TensorSpecs:
    """The specs as they are fed: those of quantised integers take float32.

    >>> taken(TensorSpecs([TensorSpec("x", "uint8", (1,), quantization=q)]))
    TensorSpecs(x: float32 [1])

    Args:
        specs: as the file has them.
        noun: what errors call one of them.
    """
    if not any_of(specs):
        return specs
    return TensorSpecs(
        (replace(spec, dtype="float32") if _is_quantised(spec) else spec for spec in specs), noun
    )


def stored(specs: TensorSpecs, fed: Fed) -> Fed:
    """What crosses: real values as the integers that the file stores."""
    if not any_of(specs):
        return fed
    feeds = dict(fed.feeds)
    for spec in filter(_is_quantised, specs):
        if spec.quantization is not None and feeds.get(spec.name) is not None:
            feeds[spec.name] = spec.quantization.quantized(feeds[spec.name], spec.dtype)
    return replace(fed, feeds=feeds)


def real(specs: TensorSpecs, values: dict[str, Any]) -> dict[str, Any]:
    """What comes back: stored integers as the real values they stand for."""
    if not any_of(specs):
        return values
    found = dict(values)
    for spec in filter(_is_quantised, specs):
        value = found.get(spec.name)
        if spec.quantization is not None and value is not None and value.dtype == spec.dtype:
            found[spec.name] = spec.quantization.real(value)
    return found


def any_of(specs: TensorSpecs) -> bool:
    """Whether any of them stores integers for real values."""
    return any(map(_is_quantised, specs))


def _is_quantised(spec: TensorSpec) -> bool:
    return spec.quantization is not None and spec.dtype in _STORED
