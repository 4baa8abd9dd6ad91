"""What is fed to a model, checked before it crosses: `check_inputs`, and `feed_code` to copy.

Everything that does not fit is told at once, each with the nearest remedy. Floats convert into each
other while every finite value stays finite, integers and bools while every value fits. An integer
array for a float input is refused: a `uint8` picture fits every float model and mostly means
nothing to it, because it was trained on scaled ones. Numbers and lists, which have no dtype of
their own, convert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import InputError, UnknownName, unknown
from mlnb.formatting import display_text
from mlnb.models.dtypes import Array, Problem, another_family, converted, expected_dtype
from mlnb.models.remedies import remedy
from mlnb.models.shape_rules import (
    batch_rows,
    disagreements,
    fits,
    fixed_batch,
    pieces_note,
)

if TYPE_CHECKING:
    from mlnb.specs import TensorSpec, TensorSpecs

MOST_TOLD = 12


@dataclass(frozen=True, slots=True)
class Fed:
    """What will cross, and what was done to it.

    Args:
        feeds: a value for each input, arrays contiguous or not.
        notes: what was changed, a sentence each.
        rows: the length of the batch, where the model's own is fixed and shorter; else `None`.
        piece: the model's fixed batch, where `rows` is given; else `None`.
    """

    feeds: dict[str, Any]
    notes: tuple[str, ...] = ()
    rows: int | None = None
    piece: int | None = None


def check_inputs(
    inputs: TensorSpecs, outputs: TensorSpecs, feeds: object, named: Mapping[str, object]
) -> Fed:
    """Bring what the user passed to what the model takes.

    >>> data = TensorSpecs([TensorSpec("data", "float32", ("N", 2))])
    >>> check_inputs(data, TensorSpecs(), np.zeros((1, 2)), {}).notes
    ('data: float64 became float32',)

    Args:
        inputs: the model's.
        outputs: the model's; they tell whether its batch is fixed.
        feeds: a mapping of names to values, or the value of the only input, or `None`.
        named: more values by name.

    Raises:
        InputError: listing every mismatch.
    """
    exact = _exact(inputs, feeds, named)
    if exact is not None:
        return Fed(exact)
    problems: list[str] = []
    given = _by_name(inputs, feeds, named, problems)
    piece = fixed_batch(inputs, outputs)
    taken: dict[str, Any] = {}
    notes: list[str] = []
    for spec in inputs:
        if spec.name not in given:
            if "optional" in spec.kind:
                taken[spec.name] = None
            else:
                problems.append(f"Input `{_shown(spec)}` ({spec}) is missing.")
            continue
        try:
            taken[spec.name] = _value(spec, given[spec.name], piece, notes)
        except Problem as problem:
            problems.append(str(problem))
    if not problems:
        problems += disagreements(inputs, taken)
    rows = None if problems or piece is None else batch_rows(inputs, taken, piece, problems)
    if problems:
        raise InputError(_told(problems))
    if rows is None:
        return Fed(taken, tuple(notes))
    return Fed(taken, (*notes, pieces_note(rows, piece or 1)), rows, piece)


def feed_code(inputs: TensorSpecs, variable: str = "model") -> str:
    """Python that feeds the model with zeros, to copy into a cell.

    >>> feed_code(TensorSpecs([TensorSpec("x", "float16", ("N", 3))]), "net")
    'net.predict({"x": np.zeros((1, 3), np.float16)})'

    Args:
        inputs: the model's; a dimension without a number becomes 1.
        variable: the name that the model has in the notebook.
    """
    feeds = ", ".join(f"{_quoted(spec.name)}: {_zeros(spec)}" for spec in inputs)
    return f"{variable}.predict({{{feeds}}})"


def _exact(
    inputs: TensorSpecs, feeds: object, named: Mapping[str, object]
) -> dict[str, Any] | None:
    """The feeds where each has the very dtype and shape that the file says; else `None`.

    Nothing can be wrong with those, and in a loop nearly all are.
    """
    if isinstance(feeds, np.ndarray):
        feeds = {inputs[0].name: feeds} if inputs else {}
    if named or type(feeds) is not dict or len(feeds) != len(inputs):
        return None
    for spec in inputs:
        value = feeds.get(spec.name)
        if (
            type(value) is not np.ndarray
            or value.shape != spec.shape
            or _NAMES.get(value.dtype) != spec.dtype
            or spec.kind != "tensor"
        ):
            return None
    return dict(feeds)


_NAMES = {np.dtype(code): np.dtype(code).name for code in "?bBhHiIlLqQefd"}


def _by_name(
    inputs: TensorSpecs, feeds: object, named: Mapping[str, object], problems: list[str]
) -> dict[str, object]:
    """The values by the names of inputs; what cannot be placed becomes a problem."""
    given: dict[str, object] = {}
    if isinstance(feeds, Mapping):
        given.update({inputs.own_name(str(name)): value for name, value in feeds.items()})
    elif feeds is not None and len(inputs) == 1:
        given[inputs[0].name] = feeds
    elif feeds is not None:
        problems.append(
            f"The model has {len(inputs)} inputs, so that one value is not enough: pass them by "
            f"name, {display_text(feed_code(inputs), 400)}."
        )
        return {spec.name: None for spec in inputs if "optional" in spec.kind}
    for name, value in named.items():
        name = inputs.own_name(name)
        if name in given:
            problems.append(f"Input `{display_text(name)}` is given twice.")
        given[name] = value
    for name in given:
        if name not in inputs.names:
            problems.append(f"{_sentence(unknown('input', str(name), inputs.names))}")
    return given


def _value(spec: TensorSpec, value: object, piece: int | None, notes: list[str]) -> Any:
    """One value as the model takes it."""
    if "optional" in spec.kind and value is None:
        return None
    if "map" in spec.kind or "sparse" in spec.kind:
        raise Problem(f"Input `{_shown(spec)}` is {spec}, which cannot be fed from Python.")
    if "sequence" in spec.kind:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise Problem(
                f"Input `{_shown(spec)}` expects {spec}, a list of arrays; received "
                f"{_kind(value)}. Try [x]."
            )
        return [_array(spec, item, None, notes) for item in value]
    return _array(spec, value, piece, notes)


def _array(spec: TensorSpec, value: object, piece: int | None, notes: list[str]) -> Array:
    array, chosen = _as_array(spec, value)
    shape_fits = fits(array.shape, spec.shape, piece)
    try:
        result, note = converted(array, spec.dtype, chosen)
    except Problem as problem:
        raise _mismatch(spec, array, piece, str(problem), shape_fits) from None
    if not shape_fits:
        raise _mismatch(spec, array, piece, "", shape_fits)
    if note:
        notes.append(f"{_shown(spec)}: {note}")
    return result


def _mismatch(
    spec: TensorSpec, array: Array, piece: int | None, dtype_fault: str, shape_fits: bool
) -> Problem:
    received = f"{array.dtype.name if array.dtype.kind not in 'OUST' else 'object'} {_shape(array)}"
    advice = remedy(
        array,
        lambda shape: fits(shape, spec.shape, piece),
        spec,
        cast=expected_dtype(spec.dtype) if another_family(array.dtype, spec.dtype) else "",
        reshape=not shape_fits,
    )
    if spec.quantization is not None and array.dtype.kind in "iu":
        dtype_fault = "The model stores integers and is fed the real values they stand for."
        advice += " To feed what it stores as it is, pass raw=True."
    parts = (f"Input `{_shown(spec)}` expects {spec}; received {received}.", dtype_fault, advice)
    return Problem(" ".join(part for part in parts if part))


def _as_array(spec: TensorSpec, value: object) -> tuple[Array, bool]:
    """The value as an array, and whether its dtype was somebody's choice."""
    chosen = hasattr(value, "dtype") or hasattr(value, "dtypes")
    try:
        if hasattr(value, "detach"):  # a torch tensor, perhaps on a device, perhaps bfloat16
            value = _from_torch(value)
        elif hasattr(value, "to_numpy"):  # pandas, polars, pyarrow
            value = value.to_numpy()
        # A picture has a dtype without showing it: its bytes are as much uint8 as an array's.
        chosen = chosen or hasattr(value, "__array_interface__")
        array = np.asarray(value)
    except Exception as error:
        raise Problem(
            f"Input `{_shown(spec)}` expects {spec}; received {_kind(value)} of which NumPy "
            f"cannot make an array ({display_text(str(error), 120)})."
        ) from error
    if array.dtype.kind == "O" and spec.dtype != "string" and array.size:
        raise Problem(
            f"Input `{_shown(spec)}` expects {spec}; received an array of Python objects "
            f"({_kind(array.reshape(-1)[0])} first). "
            f"Try np.asarray(x, {expected_dtype(spec.dtype)})."
        )
    return array, chosen


def _from_torch(value: Any) -> Any:
    value = value.detach().cpu()
    try:
        return value.numpy()
    except TypeError:  # NumPy has no bfloat16; float32 holds every one of its values
        return value.float().numpy()


def _told(problems: list[str]) -> str:
    """All of them in one line: a magic shows only the first line of an error."""
    more = len(problems) - MOST_TOLD
    told = " ".join(problems[:MOST_TOLD])
    return f"{told} And {more} more mismatches." if more > 0 else told


def _sentence(error: UnknownName) -> str:
    text = str(error)
    return f"There is {text}."


def _shown(spec: TensorSpec) -> str:
    return display_text(spec.name)


def _shape(array: Array) -> str:
    return "[" + ", ".join(map(str, array.shape)) + "]" if array.ndim else "scalar"


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


def _quoted(text: str) -> str:
    """`text` as a Python literal, in double quotes where that needs no escape."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def _zeros(spec: TensorSpec) -> str:
    if "optional" in spec.kind:
        return "None"
    shape = tuple(d if isinstance(d, int) else 1 for d in spec.shape or ())
    if spec.dtype == "string":
        code = f'np.full({shape}, "", object)'
    else:
        # The one dtype without a zero is a scale: 2 to the power of something.
        fill = "ones" if spec.dtype == "float8_e8m0fnu" else "zeros"
        code = f"np.{fill}({shape}, {expected_dtype(spec.dtype)})"
    return f"[{code}]" if spec.kind == "sequence" else code
