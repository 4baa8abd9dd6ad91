"""Mutants of the conformance models: what a flipped bit, a cut or a careless tool makes of a file.

A third of them is changed as bytes, which a reader mostly refuses; the others as messages, so that
the file stays well-formed and what it says becomes wrong, which reaches far into the runtimes. A
number makes a mutant, the same one on every machine, so that one that did harm can be had again.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import Message
from hostile.changes import changed, flipped, truncated

UNLUCKY = (0, 1, 2, 3, 7, 16, -1, -2, 127, 255, 2**16, 2**31 - 1, -(2**31), 2**32, 2**62, -(2**63))
NAMES = ("", "x", "y", "Loop", "Identity", "N", "\x00", "</script>", "a" * 300)


@cache
def models() -> tuple[bytes, ...]:
    """The 2,024 conformance models of the onnx wheel, in the order of their names."""
    from onnx.backend.test.case.node import collect_testcases
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {case.name: case.model.SerializeToString() for case in collect_testcases(None)}
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            found[case.name] = (Path(case.model_dir) / "model.onnx").read_bytes()
    return tuple(found[name] for name in sorted(found))


def mutant(number: int) -> bytes:
    """The mutant of that number: one conformance model, changed at one to four places."""
    chance = random.Random(number)
    content = models()[number % len(models())]
    if chance.random() < 0.67:
        message = onnx.ModelProto.FromString(content)
        for _ in range(chance.choice((1, 1, 2, 4))):
            _change_message(message, chance)
        return message.SerializeToString()
    return changed(content, chance, models())


def _change_message(root: Message, chance: random.Random) -> None:
    """One field somewhere in a message: dropped, doubled, or given a value that nobody expects."""
    owner = chance.choice(list(_messages(root)))
    present = owner.ListFields()
    if not present:
        return
    field, value = chance.choice(present)
    if chance.random() < 0.15:
        owner.ClearField(field.name)
    elif not hasattr(value, "extend"):
        if not isinstance(value, Message):
            setattr(owner, field.name, _unlucky(field, value, chance))
    elif chance.random() < 0.3:
        del value[chance.randrange(len(value))]
    elif chance.random() < 0.3:
        value.extend([value[chance.randrange(len(value))]] * chance.choice((1, 1, 3, 40)))
    elif not isinstance(value[0], Message):
        value[chance.randrange(len(value))] = _unlucky(field, value[0], chance)
    elif len(value) > 1:
        first, second = chance.sample(range(len(value)), 2)
        value[first].CopyFrom(value[second])


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in value if hasattr(value, "extend") else [value]:
                yield from _messages(inner)


def _unlucky(field: Any, value: Any, chance: random.Random) -> Any:
    if isinstance(value, bytes):
        return flipped(value, chance) if chance.random() < 0.5 else truncated(value, chance)
    if isinstance(value, str):
        return chance.choice((*NAMES, value + "_", value[:-1]))
    if isinstance(value, float):
        return chance.choice((0.0, -1.0, 1e38, float("nan"), float("inf"), float("-inf")))
    if field.type == field.TYPE_ENUM:
        return chance.choice([one.number for one in field.enum_type.values])
    if field.type == field.TYPE_INT64:
        near = chance.choice((*UNLUCKY, value + 1, value - 1, -value))
        return max(-(2**63), min(near, 2**63 - 1))
    return chance.choice([one for one in UNLUCKY if 0 <= one < 2**31])
