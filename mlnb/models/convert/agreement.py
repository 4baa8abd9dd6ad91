"""Whether two models agree: `compared` feeds both with the same values, each by its own runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlnb.errors import ExportError, MlnbError

if TYPE_CHECKING:
    import numpy as np

    from mlnb.models.model import Model
    from mlnb.specs import TensorSpec, TensorSpecs


def compared(
    model: Model, result: Model, feeds: Mapping[str, Any], timeout: float
) -> tuple[float, float]:
    """The largest difference between the two, and the source's largest output.

    Args:
        model: the source.
        result: what was made of it.
        feeds: values for every input of the source; of the result, which may have fewer, its own.
        timeout: seconds for each.

    Raises:
        ExportError: either fails on the inputs, or they give other shapes.
    """
    difference = largest = 0.0
    wanted = _ran("the source", model, feeds, timeout)
    given = {spec.name: feeds[spec.name] for spec in result.inputs}
    came = _ran("the converted model", result, given, timeout)
    for name in model.outputs.names:
        apart, size = distance(wanted[name], came[name])
        difference, largest = max(difference, apart), max(largest, size)
    return difference, largest


def _ran(who: str, model: Model, feeds: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
    try:
        return model.predict(dict(feeds), raw=True, timeout=timeout)
    except MlnbError as error:
        first = str(error).partition("\n")[0]
        raise ExportError(
            f"{who} does not run on random inputs, so that nothing can be compared: {first} "
            "Where it needs others, pass sample={...}"
        ) from error


def distance(wanted: Any, came: Any) -> tuple[float, float]:
    """How far apart two arrays are at most, and the largest number of the first."""
    import numpy as np

    one, other = np.asarray(wanted), np.asarray(came)
    if one.shape != other.shape:
        return float("inf"), 0.0
    if one.dtype.kind in "OUSb":
        return (0.0 if np.array_equal(one, other) else float("inf")), 0.0
    if not one.size:
        return 0.0, 0.0
    first, second = one.astype(np.float64), other.astype(np.float64)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.nan_to_num(np.abs(first - second), nan=np.inf))
    finite = np.abs(first[np.isfinite(first)])
    return float(apart.max()), float(finite.max()) if finite.size else 0.0


def require_close(difference: float, largest: float, tolerance: float, *, judged: bool) -> None:
    """Refuse a result that answers otherwise.

    Args:
        difference: as `compared` gives it.
        largest: likewise.
        tolerance: the share of the largest output by which the two may differ.
        judged: whether `tolerance` counts; other shapes are refused in any case.

    Raises:
        ExportError: it answers otherwise.
    """
    allowed = tolerance * max(1.0, largest) if judged else float("inf")
    if not difference <= allowed or difference == float("inf"):
        raise ExportError(
            f"the converted model answers otherwise, by up to {difference:.2g} where the largest "
            f"output is {largest:.3g}; nothing was written. Does the model draw random numbers?"
        )


def random_feeds(specs: TensorSpecs) -> dict[str, np.ndarray[Any, Any]]:
    """Random values for every input, always the same ones; sizes left open are 2."""
    import numpy as np

    chance = np.random.default_rng(0)
    return {spec.name: _random(spec, chance) for spec in specs}


def _random(spec: TensorSpec, chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """Values of a spec's dtype and shape: whole numbers below 2, bytes of the full range."""
    import numpy as np

    shape = [size if isinstance(size, int) else 2 for size in spec.shape or ()]
    if spec.dtype == "string":
        words = np.array(["a", "b c", "déjà vu", ""], object)
        return np.asarray(words[chance.integers(0, len(words), shape)], object).reshape(shape)
    if spec.dtype == "bool":
        return np.asarray(chance.integers(0, 2, shape), bool)
    if spec.dtype in ("uint8", "int8"):
        ends = np.iinfo(spec.dtype)
        return chance.integers(ends.min, ends.max + 1, shape).astype(spec.dtype)
    if "int" in spec.dtype:
        return chance.integers(0, 2, shape).astype(spec.dtype)
    return np.asarray(chance.standard_normal(shape), spec.dtype)
