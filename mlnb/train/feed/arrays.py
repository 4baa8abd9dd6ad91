"""What a person passes as data, read as arrays: `read` tells inputs from targets.

A tuple is `(inputs, targets)`, a list is rows, a dict is several inputs, a frame is columns.
Whatever gives batches or items by itself (a Dataset, a DataLoader, a function that makes a
generator) is handed on as `Foreign`, untouched.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from mlnb.data.sample import Sample
from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural
from mlnb.train.feed.frames import is_frame, read_frame
from mlnb.train.feed.labels import row_text
from mlnb.train.feed.target_values import as_tensor

Target = str | Sequence[str] | None


@dataclass(frozen=True)
class Given:
    """Inputs and targets as they were given, in memory.

    Args:
        inputs: tensors on the memory they came in: one, or a tuple or dict of them.
        targets: as the user has them; `None` where there are none.
        columns: the names of the features, of a frame.
        target: the column or key that the targets stood in.
        notes: sentences on what was read.
    """

    inputs: Any
    targets: Any = None
    columns: tuple[str, ...] = ()
    target: Target = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Foreign:
    """What makes its batches or items by itself: a Dataset, a DataLoader, an iterable."""

    source: Any
    target: Target = None


def read(
    data: Any, target: Target = None, *, columns: Sequence[str] = (), name: str = "data"
) -> Given | Foreign:
    """Tell inputs from targets.

    >>> read((np.zeros((4, 2)), [0, 1, 0, 1])).inputs.shape
    torch.Size([4, 2])

    Args:
        data: arrays, tensors, lists, `(inputs, targets)`, a dict of inputs, a frame, a sample of
            mlnb, a Dataset, a DataLoader, a function that makes a generator of batches.
        target: which column or key holds the targets.
        columns: the features that are wanted, in order, where training had a frame.
        name: what it is called in messages.

    Raises:
        DataError: nothing of these, or what cannot be numbers; columns and rows are named.
    """
    if isinstance(data, Sample):
        data, target = _sample(data, target, columns)
    if is_frame(data):
        return _frame(data, target, columns, name)
    if isinstance(data, TensorDataset):
        *inputs, last = data.tensors
        data = (inputs[0] if len(inputs) == 1 else tuple(inputs), last) if inputs else last
    if isinstance(data, Mapping):
        return _mapping(dict(data), target, columns, name)
    if isinstance(data, DataLoader | Dataset) or _makes_batches(data, name):
        return Foreign(data, target)
    if isinstance(data, list) and data and all(_is_pair(item) for item in data):
        data = ([item[0] for item in data], [item[1] for item in data])
    if isinstance(data, tuple):
        return _pair(data, target, columns, name)
    _no_target(target, name)
    return Given(_tensors(data, "inputs", name))


def read_inputs(data: Any, *, columns: Sequence[str] = ()) -> Given | Foreign:
    """The same where there are only inputs: a tuple is then several of them.

    >>> read_inputs([[1.0, 2.0]]).inputs
    tensor([[1., 2.]], dtype=torch.float64)
    """
    if isinstance(data, Sample) or is_frame(data):
        return read(data, columns=columns)
    if isinstance(data, Mapping) or (isinstance(data, tuple) and not hasattr(data, "images")):
        return Given(_parts(data, "x"))
    return read(data, columns=columns, name="x")


def _pair(data: tuple[Any, ...], target: Target, columns: Sequence[str], name: str) -> Given:
    if len(data) == 1:
        return Given(_tensors(data[0], "inputs", name))
    if len(data) != 2:
        raise DataError(
            f"{name} is a tuple of {len(data)}; a tuple is (inputs, targets), and several inputs "
            "are a tuple of their own: ((a, b), y)"
        )
    inputs, targets = data
    _no_target(target, name)
    if is_frame(inputs):
        given = _frame(inputs, None, columns, name)
        return Given(given.inputs, _targets(targets), given.columns, None, given.notes)
    parts = _parts(inputs, name)
    same = targets is inputs and isinstance(parts, Tensor)
    return Given(parts, parts if same else _targets(targets))


def _frame(frame: Any, target: Target, columns: Sequence[str], name: str) -> Given:
    array, targets, features = read_frame(frame, target, columns, name)
    notes = [] if columns else [f"data: {plural(len(features), 'column')} became features"]
    return Given(as_tensor(array), targets, features, target, notes)


def _mapping(data: dict[Any, Any], target: Target, columns: Sequence[str], name: str) -> Given:
    if target is None and set(data) == {"x", "y"}:
        return _pair((data["x"], data["y"]), None, columns, name)
    targets = None
    if isinstance(target, str):
        if target not in data:
            raise unknown("key", target, [str(key) for key in data])
        targets = data.pop(target)
    elif target is not None:
        raise DataError(f"target of a dict is one key; received {list(target)}")
    if not data:
        raise DataError(f"{name} is an empty dict; it takes a name and an array for each input")
    return Given(_parts(data, name), _targets(targets), target=target)


def _targets(targets: Any) -> Any:
    """A frame of one column is that column."""
    if is_frame(targets):
        return targets.iloc[:, 0] if targets.shape[1] == 1 else targets
    return targets


def _sample(sample: Sample, target: Target, columns: Sequence[str]) -> tuple[Any, Target]:
    """A sample's data; what is to be learned of its frame stands in `label` or `score`."""
    data = sample.data()
    if is_frame(data) and target is None and not columns:
        target = next((word for word in ("label", "score") if word in data.columns), None)
    return data, target


# Arrays


def _parts(inputs: Any, name: str) -> Any:
    """One input, or a tuple or a dict of several."""
    if isinstance(inputs, tuple):
        return tuple(_tensors(part, f"inputs[{i}]", name) for i, part in enumerate(inputs))
    if isinstance(inputs, Mapping):
        return {key: _tensors(part, f"inputs[{key!r}]", name) for key, part in inputs.items()}
    return _tensors(inputs, "inputs", name)


def _tensors(value: Any, called: str, name: str) -> Tensor:
    """One input as a tensor, on its own memory where it is an array."""
    if isinstance(value, Tensor):
        if value.layout != torch.strided:
            raise DataError(f"{called} are sparse; pass {called}.to_dense()")
        return _with_rows(value.detach(), called)
    if hasattr(value, "toarray"):
        raise DataError(f"{called} are a sparse {type(value).__name__}; pass {called}.toarray()")
    if value is None or isinstance(value, str | bytes | os.PathLike):
        raise DataError(
            f"{name} is {'None' if value is None else f'a {type(value).__name__}'}; expected "
            "arrays, (x, y), a frame, a Dataset or a DataLoader, such as "
            'mlnb.load_sample("digits").data()'
        )
    if hasattr(value, "toarray"):
        raise DataError(f"{called} are a sparse matrix; pass {called}.toarray()")
    if isinstance(value, np.ma.MaskedArray):
        raise DataError(f"{called} are a masked array; fill its gaps first: x.filled(0)")
    if isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
        return _stacked(list(value), called)
    if hasattr(value, "isna") and value.isna().to_numpy().any():
        rows = np.flatnonzero(value.isna().to_numpy())
        raise DataError(f"{called} have gaps in {row_text(rows)}: leave these out, or fill them")
    try:
        array = value.to_numpy() if hasattr(value, "to_numpy") else np.asarray(value)
    except ValueError as error:
        raise _ragged(value, called) from error
    if array.dtype.kind == "O":
        raise _objects(array, called)
    if array.dtype.kind not in "biufc":
        raise DataError(
            f"{called} are {'text' if array.dtype.kind in 'UST' else array.dtype}, expected "
            "numbers: a network computes with nothing else"
        )
    if array.dtype == np.longdouble and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return _with_rows(as_tensor(array), called)


def _with_rows(tensor: Tensor, called: str) -> Tensor:
    if tensor.ndim == 0:
        raise DataError(f"{called} are one number; expected rows, [n, …]")
    return tensor


def _stacked(tensors: list[Tensor], called: str) -> Tensor:
    for row, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise _unequal(called, row, list(tensor.shape), list(tensors[0].shape))
    return torch.stack([tensor.detach() for tensor in tensors])


def _ragged(value: Any, called: str) -> DataError:
    """Which row is the first of another length."""
    try:
        shapes = [np.shape(row) for row in value]
    except ValueError:
        shapes = [(len(row),) for row in value]
    for row, shape in enumerate(shapes):
        if shape != shapes[0]:
            return _unequal(called, row, list(shape), list(shapes[0]))
    return DataError(f"{called} have rows of unequal shape; a batch needs one shape")


def _objects(array: Any, called: str) -> DataError:
    flat = array.reshape(-1)
    if len(flat) and hasattr(flat[0], "__len__") and not isinstance(flat[0], str):
        return _ragged(flat, called)
    width = max(1, array[0].size) if array.ndim > 1 and len(array) else 1
    for place, value in enumerate(flat):
        if not isinstance(value, int | float | np.number):
            what = "a gap" if value is None else display_text(repr(value), 40)
            return DataError(
                f"{called} hold {what} in row {place // width}, expected numbers: a network "
                "computes with nothing else"
            )
    return DataError(f"{called} are Python objects; pass np.asarray(x, np.float32)")


def _unequal(called: str, row: int, have: list[int], first: list[int]) -> DataError:
    sizes = (
        f"{plural(have[0], 'value')} and row 0 has {first[0]:,}"
        if len(have) == len(first) == 1
        else f"the shape {have} and row 0 {first}"
    )
    return DataError(
        f"{called} have rows of unequal length: row {row} has {sizes}; bring them to one, such as "
        "by torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), or cut them"
    )


def _no_target(target: Target, name: str) -> None:
    if target is not None:
        raise DataError(
            f"target={target!r} names a column of a frame or a key of a dict, and {name} is "
            "neither; pass (x, y)"
        )


# What makes its own batches


def _makes_batches(data: Any, name: str) -> bool:
    """Whether it is no array, but something to go through again every epoch."""
    if inspect.isgenerator(data) or isinstance(data, Iterator):
        raise DataError(
            f"{name} is {_article(data)}, which can be gone through once only, and training needs "
            "it every epoch: pass the function that makes it, without calling it, or list(data)"
        )
    plain = isinstance(data, tuple | list | str | bytes)
    if plain or hasattr(data, "__array__") or hasattr(data, "toarray"):
        return False
    if inspect.isclass(data) or isinstance(data, torch.nn.Module):
        raise DataError(
            f"{name} is {_article(data)}; expected arrays, (x, y), a frame or a Dataset"
        )
    indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    return indexed or callable(data) or hasattr(data, "__iter__")


def _article(data: Any) -> str:
    kind = type(data).__name__
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"


def _is_pair(item: Any) -> bool:
    """Whether a row is (inputs, target), as a Dataset's items are, and not two numbers."""
    return isinstance(item, tuple) and len(item) == 2 and hasattr(item[0], "__len__")
