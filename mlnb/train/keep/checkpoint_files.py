"""The files of a checkpoint: written whole and synced, with their sums; read if they are what they
should be, never through a link.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mlnb.cache import sync
from mlnb.errors import CheckpointError
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json

TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> dict[str, Json]:
    """A safetensors file, written here so that its sum is taken on the way, without a copy of all.

    The format: https://huggingface.co/docs/safetensors, "Format".
    """
    header: dict[str, Json] = {"__metadata__": {"format": "pt"}}
    parts: list[Any] = []
    offset = 0
    # Wide types first, which keeps every tensor aligned.
    for name, tensor in sorted(tensors.items(), key=lambda pair: (-_type(pair[1])[1], pair[0])):
        kind, _ = _type(tensor)
        shape = list(tensor.shape) if tensor.dtype in TYPES else [tensor.nbytes]
        header[name] = {
            "dtype": kind,
            "shape": shape,
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
        parts.append(_bytes_of(tensor))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return write_bytes(path, [struct.pack("<Q", len(text)), text, *parts])


def _type(tensor: Tensor) -> tuple[str, int]:
    if tensor.dtype in TYPES:
        return TYPES[tensor.dtype], tensor.element_size()
    return "U8", 1


def _bytes_of(tensor: Tensor) -> memoryview:
    if not tensor.numel():  # torch cannot look at nothing as bytes
        return memoryview(b"")
    flat = tensor.contiguous().reshape(-1)
    if flat.stride(0) != 1:  # of none or one element, which counts as contiguous all the same
        flat = torch.empty(flat.shape, dtype=flat.dtype).copy_(flat)
    return memoryview(flat.view(torch.uint8).numpy())


def write_bytes(path: Path, parts: list[Any]) -> dict[str, Json]:
    """A new file of these parts, synced; its size and sum."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
            size += len(part)
        file.flush()
        sync(file.fileno())
    return {"bytes": size, "sha256": digest.hexdigest()}


def read_bytes(folder: Path, name: str, limit: int) -> bytes:
    """A regular file of that folder, never what a link there points to, and at most `limit` long.

    Raises:
        CheckpointError: it is missing, too long, a link or no file.
    """
    path = folder / name
    try:
        if folder.is_symlink() or path.is_symlink():
            raise damaged(folder, name, "is a link, which mlnb never writes")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise damaged(folder, name, "is no regular file")
            if about.st_size > limit:
                raise damaged(
                    folder, name, f"has {about.st_size:,} bytes, at most {limit:,} are expected"
                )
            return file.read(limit)
    except FileNotFoundError as error:
        raise damaged(folder, name, "is missing") from error
    except OSError as error:
        raise damaged(folder, name, f"cannot be read: {error.strerror or error}") from error


def damaged(folder: Path, name: str, what: str) -> CheckpointError:
    """What is wrong with a file, as an error."""
    return CheckpointError(f"{display_text(str(folder), 200)}: {name} {what}")
