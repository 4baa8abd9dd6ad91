"""Files of weights, small ones: checkpoints, TorchScript, safetensors and GGUF.

PyTorch writes its own; safetensors and GGUF are put together here by hand, so that a test can leave
something out or lie.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn


class Net(nn.Module):
    """A convolution, a norm and a head: a class that only these tests have."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Two numbers for each picture."""
        return self.head(self.body(x).mean((2, 3))) + torch.tensor([1.0, 2.0])


def net() -> Net:
    """The same weights on every call."""
    torch.manual_seed(0)
    return Net().eval()


def saved(value: Any, **how: Any) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, **how)
    return buffer.getvalue()


def legacy(value: Any, **how: Any) -> bytes:
    """What `torch.save` wrote before torch 1.6."""
    return saved(value, _use_new_zipfile_serialization=False, **how)


def training_state() -> dict[str, Any]:
    """What a training loop keeps: weights, the optimizer's state, and where it was."""
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(torch.zeros(1, 3, 5, 5)).sum().backward()
    optimizer.step()
    return {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "classes": ["cat", "dog"],
    }


def scripted(module: nn.Module | None = None, **how: Any) -> bytes:
    """A module as TorchScript."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module or net(), torch.zeros(1, 3, 5, 5))
        torch.jit.save(traced, buffer, **how)
    return buffer.getvalue()


def with_pickle(pickle: bytes, storages: Mapping[str, bytes] | None = None) -> bytes:
    """A checkpoint of today with that pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle)
        for key, content in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", content)
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def safetensors(header: Any, content: bytes = b"") -> bytes:
    """A header, given as JSON or as what becomes JSON, and what follows it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def two_tensors() -> bytes:
    """Two tensors and a note of the author."""
    header = {
        "__metadata__": {"format": "pt"},
        "layer.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "layer.bias": {"dtype": "I64", "shape": [2], "data_offsets": [24, 40]},
    }
    return safetensors(header, struct.pack("<6f2q", *range(6), 7, 8))


U32, I32, F32, BOOL, STRING, ARRAY, U64, F64 = 4, 5, 6, 7, 8, 9, 10, 12


def gguf(
    keys: Sequence[tuple[str, int, Any]] = (),
    tensors: Sequence[tuple[str, Sequence[int], int, bytes]] = (),
    *,
    version: int = 3,
    order: str = "<",
) -> bytes:
    """A GGUF file: keys as (name, type, value), tensors as (name, dimensions, type, bytes).

    An array is (type of its elements, elements); dimensions stand as in the file, fastest first.
    """
    out = b"GGUF" + struct.pack(order + "IQQ", version, len(tensors), len(keys))
    for name, kind, value in keys:
        out += _string(name, order) + struct.pack(order + "I", kind) + _value(kind, value, order)
    content = b""
    for name, dimensions, kind, data in tensors:
        content += bytes(-len(content) % 32)
        row = [len(dimensions), *dimensions, kind, len(content)]
        out += _string(name, order)
        out += struct.pack(f"{order}I{len(dimensions)}QIQ", *row)
        content += data
    return out + bytes(-len(out) % 32) + content


def _string(text: str, order: str) -> bytes:
    raw = text.encode()
    return struct.pack(order + "Q", len(raw)) + raw


def _value(kind: int, value: Any, order: str) -> bytes:
    if kind == STRING:
        return _string(value, order)
    if kind == ARRAY:
        inner, items = value
        packed = b"".join(_value(inner, item, order) for item in items)
        return struct.pack(order + "IQ", inner, len(items)) + packed
    return struct.pack(order + {4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 12: "d"}[kind], value)


def small_gguf(order: str = "<") -> bytes:
    """Metadata of several types, a plain tensor and a quantised one."""
    keys = [
        ("general.architecture", STRING, "llama"),
        ("llama.block_count", U32, 2),
        ("llama.rope.scale", F32, 0.5),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, [f"token{i}" for i in range(20)])),
        ("tokenizer.ggml.scores", ARRAY, (F32, [float(i) for i in range(20)])),
        ("nested", ARRAY, (ARRAY, [(I32, [1, 2]), (I32, [3])])),
    ]
    tensors = [
        ("blk.0.attn_norm.weight", [3, 2], 0, struct.pack(order + "6f", *range(6))),
        ("blk.0.attn_q.weight", [64, 2], 2, bytes(4 * 18)),
        ("output_norm.weight", [4], 1, struct.pack(order + "4e", 1, 2, 3, 4)),
    ]
    return gguf(keys, tensors, order=order)


def good_checkpoint() -> list[bytes]:
    """Checkpoints of today and of old, a state dict, a training state and a whole module."""
    return [
        saved(net().state_dict()),
        saved(training_state()),
        legacy(net().state_dict()),
        legacy(training_state(), pickle_protocol=4),
        saved(net()),
    ]


def good_torchscript() -> list[bytes]:
    """A traced network."""
    return [scripted()]


def good_safetensors() -> list[bytes]:
    """Two tensors, and one that is empty."""
    empty = {"a": {"dtype": "BF16", "shape": [0, 3], "data_offsets": [0, 0]}}
    return [two_tensors(), safetensors(empty)]


def good_gguf() -> list[bytes]:
    """Both orders of bytes, and version 2."""
    old = gguf(tensors=[("a", [2], 24, bytes(2))], version=2)
    return [small_gguf(), small_gguf(">"), old]
