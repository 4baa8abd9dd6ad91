"""What a run was begun with, as JSON: its words, `record`, and its data's `fingerprint`.

A checkpoint keeps both, so that whoever goes on with a run goes on with the same.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mlnb.formatting import display_text
from mlnb.train.trees import leaves

if TYPE_CHECKING:
    from mlnb.train.feed.data import Prepared
    from mlnb.train.keep.packing import Json

CUSTOM = "custom"


def record(value: Any) -> Json:
    """A word of `Trainer` or `fit` as JSON; an object by its qualified name.

    >>> record(("adamw", 0.1, torch.nn.MSELoss()))
    ['adamw', 0.1, {'custom': 'torch.nn.modules.loss.MSELoss'}]
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    if isinstance(value, torch.device | Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [record(item) for item in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: record(item) for key, item in value.items()}
    kind = value if hasattr(value, "__qualname__") else type(value)
    return {CUSTOM: f"{kind.__module__}.{kind.__qualname__}"}


def objects_in(value: Json) -> str:
    """The objects in a recorded word, by name; empty where it can be used as it is.

    >>> objects_in(["adamw", {"custom": "torch.nn.modules.loss.MSELoss"}])
    'torch.nn.modules.loss.MSELoss'
    """
    if isinstance(value, dict):
        if list(value) == [CUSTOM]:
            return str(value[CUSTOM])
        value = list(value.values())
    if isinstance(value, list):
        return ", ".join(name for name in map(objects_in, value) if name)
    return ""


def fingerprint(prepared: Prepared) -> dict[str, Json]:
    """What tells data from other data, cheaply: rows, shapes, types, and the rows at both ends.

    >>> fingerprint(prepared)
    {'rows': 200, 'inputs': ['float32 [8]'], 'targets': ['int64 []'], 'ends': '5f70bf18…'}
    """
    inputs, targets = prepared.sample
    batches = prepared.train
    found: dict[str, Json] = {
        "rows": batches.samples,
        "inputs": [_row_text(leaf) for leaf in leaves(inputs)],
        "targets": None if targets is None else [_row_text(leaf) for leaf in leaves(targets)],
    }
    held, rows = getattr(batches, "inputs", None), getattr(batches, "rows", None)
    if held is not None and batches.samples:
        ends = [0, 1, -2, -1] if batches.samples > 3 else [0]
        digest = hashlib.sha256()
        for tree in (held, getattr(batches, "targets", None)):
            for leaf in leaves(tree) if tree is not None else ():
                for end in ends:
                    row = leaf[end if rows is None else int(rows[end])]
                    digest.update(
                        row.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
                    )
        found["ends"] = digest.hexdigest()
    return found


def other_data(then: Any, now: dict[str, Json]) -> list[str]:
    """What tells two fingerprints apart, as a sentence; nothing where they are equal.

    >>> other_data({"rows": 200}, {"rows": 100})
    ['the data is not what the run was begun with: other rows (200, now 100)']
    """
    if not isinstance(then, dict) or then == now:
        return []
    for name in ("rows", "inputs", "targets"):
        if then.get(name) != now.get(name):
            said = f"{_said(then.get(name))}, now {_said(now.get(name))}"
            return [f"the data is not what the run was begun with: other {name} ({said})"]
    return ["the data is not what the run was begun with: other first or last rows"]


def _said(value: Json) -> str:
    if isinstance(value, list):
        return display_text(", ".join(map(str, value)))
    return display_text(str(value))


def _row_text(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape[1:])}"
