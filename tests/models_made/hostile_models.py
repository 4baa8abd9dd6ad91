"""The corpus of files that want to do harm: what each is, how it is fed, and how it has to end.

A person meets them as files, so each is written to a folder and opened from there. What an act ends
with stands beside the builder: one line, as a magic prints it, or nothing where all goes well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.made import (
    asks_for_6_gib,
    divides_int_min,
    doubler,
    laughs,
    loops_for_ever,
    splits_by_zero,
    with_external_weights,
)
from models_made.build import FLOAT, VALUE, model, weight
from models_made.nested_models import nested_ifs
from onnx import helper

from mlnb.formats.wire import encode, encode_varint

TIMEOUT = 0.7
SECRET = "secret.bin"
"""A file outside the models' folder, of the size that they ask for."""


@dataclass(frozen=True)
class Hostile:
    """One file, and the first line that each act on it ends with, as a pattern; empty: it works.

    Args:
        name: what it is, in the issue's words.
        build: makes its content.
        view: what looking at it ends with.
        infer: what shape inference notes.
        predict: what a prediction ends with.
        feeds: what it is fed.
        beside: makes what lies around the file, given its folder.
    """

    name: str
    build: Callable[[], bytes]
    view: str = ""
    infer: str = ""
    predict: str = ""
    feeds: Mapping[str, Any] = field(default_factory=dict)
    beside: Callable[[Path], object] = lambda _: None

    def write(self, folder: Path) -> Path:
        """The file, in a folder of its own beside the secret."""
        (folder / SECRET).write_bytes(b"secret!!" * 500)
        (folder / "models").mkdir()
        file = folder / "models" / "stranger.onnx"
        file.write_bytes(self.build())
        self.beside(file.parent)
        return file


# What runs into a wall

_CRASHED = r"ModelCrashed: onnxruntime crashed \(SIGFPE\) on this model; your session is unharmed"
_STOPPED = (
    r"{} did not answer within 700 ms and was stopped; your session is unharmed\. Where the model "
    r"needs longer, pass timeout=1\.4"
)
_HUNG = "ModelTimeout: " + _STOPPED.format("onnxruntime")
_NO_SHAPES = "no shapes could be inferred: "
_FULL = (
    r"ModelRunError: ran out of memory \(it asked for 6\.44 GB at once\): "
    r"(it may take 4\.29 GB; if you trust the model, raise the cap: "
    r"load_model\(path, limits=Limits\(run_bytes=8589934592\)\)"
    r"|this machine has .* left; free some first)"
)

RUNNING = (
    Hostile("constant INT_MIN / -1", divides_int_min, predict=_CRASHED),
    Hostile("SplitToSequence with split 0", splits_by_zero, predict=_CRASHED),
    Hostile("endless Loop", loops_for_ever, predict=_HUNG, feeds={"x": [1.0]}),
    Hostile("6 GiB ConstantOfShape", asks_for_6_gib, predict=_FULL, feeds={"shape": [3 * 2**29]}),
    Hostile(
        "nine levels of functions, each calling ten",
        laughs,
        infer=_NO_SHAPES + _STOPPED.format("onnx"),
        predict=_HUNG,
        feeds={"x": [1.0]},
    ),
)

# What is not what it says


def nested_graphs(depth: int = 5_000) -> bytes:
    """Graphs in attributes of nodes of graphs, written from the inside: protobuf refuses to."""
    graph = encode(1, encode(4, b"Relu"))
    for _ in range(depth):
        attribute = encode(1, b"then_branch") + encode(6, graph)
        graph = encode(1, encode(4, b"If") + encode(5, attribute))
    return _wrapped(graph)


def _wrapped(graph: bytes) -> bytes:
    return b"\x08\x0a" + encode(7, graph) + b"\x42\x02\x10\x15"


def declares(length: int, inside: bool) -> bytes:
    """Says that a field is longer than any disk; of the file, or of a node inside a good graph."""
    if not inside:
        return b"\x08\x0a" + encode_varint(7 << 3 | 2) + encode_varint(length) + b"abc"
    lie = b"\x0a\x03abc" + encode_varint(4 << 3 | 2) + encode_varint(length) + b"Relu"
    return _wrapped(encode(1, lie) + encode(12, encode(1, b"y")))


def _lie(length: int, inside: bool) -> Hostile:
    where = "inside" if inside else "outside"
    return Hostile(
        f"declared length of 2^{length.bit_length() - 1}, {where}",
        lambda: declares(length, inside),
        *[r"ModelFormatError: stranger\.onnx .*, at byte [\d,]+ of \d+"] * 3,
    )


_DEEP = (
    r"LimitExceeded: stranger\.onnx: the file's messages: depth is 101, the limit is 100; if you "
    r"trust the file, raise it: load_model\(path, limits=Limits\(depth=101\)\)"
)
_GROUPS = r"ModelFormatError: stranger\.onnx .* at byte [\d,]+ of [\d,]+"

LYING = (
    Hostile("5,000 nested graphs", nested_graphs, *[_DEEP] * 3, feeds={"x": [1.0]}),
    Hostile(
        "as many nested graphs as are read",
        lambda: nested_ifs(31),
        predict=r"ModelRunError: This is an invalid model\. .*'else_branch' is missing\.…",
        feeds={"yes": True, "x": [1.0]},
    ),
    Hostile("10^6 group tags", lambda: b"\x0b" * 10**6, *[_GROUPS] * 3),
    Hostile("10^6 group tags in a graph", lambda: _wrapped(b"\x0b" * 10**6), *[_GROUPS] * 3),
    *(_lie(length, inside) for length in (2**31, 2**62) for inside in (False, True)),
)

# Names that are more than names

NAMES = {
    "HTML": "<img src=x onerror=alert(1)></script><script>alert(1)</script>",
    "ANSI": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J",
    "RTL": "photo\u202egnp.exe\u2066\u200f",
    "NUL": "before\x00after",
    "100,000 characters": "long" * 24_999,
    "quotes and braces": "'\"{x!r} %s ${x} \\ \n",
}


def named(name: str) -> bytes:
    """A model that runs, and bears one name wherever a file can bear one."""
    nodes = [
        helper.make_node("Mul", [f"{name} in", f"{name} w"], [f"{name} mid"], name=f"{name}/Mul"),
        helper.make_node("Relu", [f"{name} mid"], [f"{name} out"], name=f"{name}/{name}/Relu"),
    ]
    for node in nodes:
        node.doc_string = name
        node.metadata_props.add(key=name, value=name)
    return model(
        nodes,
        [VALUE(f"{name} in", FLOAT, [name, 3])],
        [VALUE(f"{name} out", FLOAT, [name, 3])],
        {f"{name} w": weight(3)},
        producer_name=name,
        doc_string=name,
    )


NAMED = tuple(
    Hostile(f"names with {kind}", lambda n=name: named(n), feeds={f"{name} in": [[1.0, 2.0, 3.0]]})
    for kind, name in NAMES.items()
)

# Weights that lie where a model has no business


def _escape(name: str, location: str, why: str, make: Callable[[Path], object] = str) -> Hostile:
    said = (
        rf"ModelRunError: stranger\.onnx keeps weights in '.*', which {why}; external data must be "
        r"plain files in the model's own folder"
    )
    return Hostile(
        f"external data: {name}",
        lambda: with_external_weights(location, 1000),
        predict=said,
        feeds={"x": [0.0] * 1000},
        beside=make,
    )


def _outside(folder: Path) -> Path:
    return folder.parent / SECRET


ESCAPES = (
    _escape("..", f"../{SECRET}", "climbs out of the folder"),
    _escape("absolute", "/proc/self/environ", "is an absolute path"),
    _escape(
        "symlink",
        "weights.bin",
        "is reached by a symbolic link",
        lambda folder: (folder / "weights.bin").symlink_to(_outside(folder)),
    ),
    _escape(
        "folder that is a symlink",
        f"up/{SECRET}",
        "is reached by a symbolic link",
        lambda folder: (folder / "up").symlink_to(".."),
    ),
    _escape(
        "hard link",
        "weights.bin",
        "is a hard link to a file that may lie elsewhere",
        lambda folder: os.link(_outside(folder), folder / "weights.bin"),
    ),
    _escape(
        "pipe",
        "weights.bin",
        "is no regular file",
        lambda folder: os.mkfifo(folder / "weights.bin"),
    ),
)

CORPUS = (*RUNNING, *LYING, *NAMED, *ESCAPES)


def good() -> bytes:
    """What the same process has to read and predict right afterwards: y = x + x."""
    return doubler()
