"""A snapshot as a folder of four files, without pickle: `write` and `read`.

    model.safetensors       the weights, under the names of the state_dict; others can load it too
    training.safetensors    moments, random generators, the history's arrays, what callbacks hold
    state.json              step, epoch, batch, and the rest as JSON
    manifest.json           the size and sha256 of each of the three

A folder appears whole or not at all: it is written under another name beside its place, brought to
the disk, and renamed. Reading believes nothing: only these four names, only regular files, only the
sizes and sums of the manifest, and the manifest only if it is byte for byte what `write` makes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mlnb._version import __version__
from mlnb.cache import put, sync_folder
from mlnb.formatting import display_text
from mlnb.train.keep.checkpoint_files import (
    TYPES,
    damaged,
    read_bytes,
    write_bytes,
    write_tensors,
)
from mlnb.train.keep.snapshot import Snapshot
from mlnb.train.steer.interrupts import shield

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json

MODEL, TRAINING, STATE, MANIFEST = (
    "model.safetensors",
    "training.safetensors",
    "state.json",
    "manifest.json",
)
FILES = (MODEL, TRAINING, STATE, MANIFEST)
FORMAT = "mlnb checkpoint"
VERSION = 1
MANIFEST_BYTES = 4096
STATE_BYTES = 256 * 2**20
NEW = ".new"


def write(snapshot: Snapshot, folder: Path, note: Mapping[str, Json] | None = None) -> int:
    """Write a checkpoint, and the bytes that it takes; afterwards it is on the disk, whole.

    >>> write(take(state), Path("runs/digits/000001-step-120"))

    Args:
        snapshot: what to write.
        folder: must not exist; its parent must.
        note: more to keep in state.json: the `note` of the snapshot that is read.

    Raises:
        OSError: the disk is full, or nothing may be written there; nothing is left behind.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}{NEW}")
    with shield():
        try:
            part.mkdir()
            size = _write_files(snapshot, part, dict(note or {}))
            sync_folder(part)
            if folder.exists():  # a rename would put it in the place of an empty folder
                raise FileExistsError(17, "exists already", str(folder))
            put(part, folder)
        finally:
            if part.exists():
                shutil.rmtree(part, ignore_errors=True)
    return size


def read(folder: Path) -> Snapshot:
    """Read a checkpoint, after every byte of it was compared with the manifest.

    >>> read(Path("runs/digits/000001-step-120"))
    Snapshot(step 120, epoch 3, batch 0)

    Raises:
        CheckpointError: a file is missing, damaged, or none that mlnb writes; the message says
            which.
    """
    sums = _manifest(folder)
    state = _state(folder, sums)
    tensors = {}
    for name in (MODEL, TRAINING):
        tensors.update(_tensors(folder, name, sums, state))
    try:
        return Snapshot(
            step=_count(state["step"]),
            epoch=_count(state["epoch"]),
            batch=_count(state["batch"]),
            tensors=tensors,
            plan=_plan(state["plan"], tensors),
            nbytes=sum(tensor.nbytes for tensor in tensors.values()),
            note=dict(state["note"]) | {"written": state["written"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(folder, STATE, f"lacks what a checkpoint has ({error})") from error


def size_of(folder: Path) -> int:
    """The bytes of a checkpoint's files."""
    total = 0
    for name in FILES:
        with suppress(OSError):
            total += (folder / name).lstat().st_size
    return total


# --------------------------------------------------------------------------------------- writing


def _write_files(snapshot: Snapshot, part: Path, note: dict[str, Json]) -> int:
    models = list(snapshot.plan["models"])
    weights, training = {}, {}
    for name, tensor in snapshot.tensors.items():
        if name.startswith("model/"):
            weights[_file_name(name, models)] = tensor
        else:
            training[name] = tensor
    odd = {
        name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for held in (weights, training)
        for name, tensor in held.items()
        if tensor.dtype not in TYPES
    }
    state = {
        "format": FORMAT,
        "version": VERSION,
        "mlnb": __version__,
        "torch": str(torch.__version__),
        "written": time.time(),
        "step": snapshot.step,
        "epoch": snapshot.epoch,
        "batch": snapshot.batch,
        "note": note,
        "odd": odd,
        "plan": snapshot.plan,
    }
    sums = {
        MODEL: write_tensors(part / MODEL, weights),
        TRAINING: write_tensors(part / TRAINING, training),
        STATE: write_bytes(part / STATE, [json.dumps(state, default=str).encode()]),
    }
    manifest = _manifest_bytes(sums)
    write_bytes(part / MANIFEST, [manifest])
    return sum(int(entry["bytes"]) for entry in sums.values()) + len(manifest)


def _manifest_bytes(sums: Mapping[str, Mapping[str, Json]]) -> bytes:
    return json.dumps(
        {"format": FORMAT, "version": VERSION, "files": sums}, sort_keys=True, indent=1
    ).encode()


def _file_name(name: str, models: list[str]) -> str:
    """`model/model/0.weight` as others know it: `0.weight`; several models: `critic.0.weight`."""
    _, model, key = name.split("/", 2)
    return key if len(models) == 1 else f"{model}.{key}"


def _tensor_name(name: str, models: list[str]) -> str:
    if len(models) == 1:
        return f"model/{models[0]}/{name}"
    model = max((one for one in models if name.startswith(f"{one}.")), key=len, default="")
    return f"model/{model}/{name[len(model) + 1 :]}"


# --------------------------------------------------------------------------------------- reading


def _manifest(folder: Path) -> dict[str, dict[str, Json]]:
    raw = read_bytes(folder, MANIFEST, MANIFEST_BYTES)
    try:
        found = json.loads(raw)
        sums = found["files"]
        known = {name: {"bytes", "sha256"} for name in (MODEL, TRAINING, STATE)}
        whole = (
            {name: set(entry) for name, entry in sums.items()} == known
            and all(type(entry["bytes"]) is int for entry in sums.values())
            and raw == _manifest_bytes(sums)
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise damaged(folder, MANIFEST, "is damaged, or of another version of mlnb")
    return dict(sums)


def _state(folder: Path, sums: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    raw = _verified(folder, STATE, sums)
    try:
        state = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise damaged(folder, STATE, "is no JSON") from error
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise damaged(folder, STATE, "is of another version of mlnb")
    return state


def _tensors(
    folder: Path, name: str, sums: Mapping[str, Mapping[str, Json]], state: dict[str, Json]
) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    raw = _verified(folder, name, sums)
    try:
        found = load(raw)
        for key, (kind, shape) in dict(state["odd"]).items():
            if key in found:
                dtype = getattr(torch, kind)
                found[key] = found[key].view(dtype).reshape(shape)
        models = list(state["plan"]["models"])
        if name == MODEL:
            return {_tensor_name(key, models): tensor for key, tensor in found.items()}
        # A name that begins so would take the place of a weight.
        return {key: tensor for key, tensor in found.items() if not key.startswith("model/")}
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError, AttributeError) as e:
        raise damaged(folder, name, f"cannot be read ({display_text(str(e), 120)})") from e


def _verified(folder: Path, name: str, sums: Mapping[str, Mapping[str, Json]]) -> bytes:
    expected = sums[name]["bytes"]
    if name == STATE and expected > STATE_BYTES:
        raise damaged(folder, name, f"is said to have {expected:,} bytes")
    raw = read_bytes(folder, name, expected)
    if len(raw) != expected:
        raise damaged(folder, name, f"has {len(raw):,} bytes, the manifest says {expected:,}")
    if hashlib.sha256(raw).hexdigest() != sums[name]["sha256"]:
        raise damaged(folder, name, "is damaged: its sha256 is not that of the manifest")
    return raw


def _plan(plan: Json, tensors: Mapping[str, Tensor]) -> dict[str, Json]:
    """The plan, if it has the parts that a snapshot has, and names tensors that are there."""
    parts = "models optimizers schedule scaler callbacks batches history sums random"
    for word in parts.split():
        plan[word]
    for held in plan["models"].values():
        for part in ("tensors", "buffers", "grads"):
            for _, value in held[part]:
                if isinstance(value, dict) and "$tensor" in value:
                    tensors[value["$tensor"]]
    return dict(plan)


def _count(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
