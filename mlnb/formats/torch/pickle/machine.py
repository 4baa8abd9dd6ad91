"""The machine behind `read_pickle`: a stack, a memo, and what every opcode needs of them.

It imports and calls nothing that the pickle names. Keys of dicts are hashed, and the hash of a
tuple of tuples of tuples … takes for ever: what is no plain key is wrapped in a `Key`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import LimitExceeded
from mlnb.formats.torch.pickle.records import Call, Global, Key
from mlnb.formats.wire import Broken

if TYPE_CHECKING:
    from mlnb.limits import Limits

LONGEST_INT = 1024
"""Bytes of one whole number; hashing and printing a longer one takes noticeable time."""

_ROUND = 1000
"""Opcodes between two looks at the limits; each opcode adds at most one thing to anything."""


class CutOff(Broken):
    """The bytes end before the pickle does; with more of them it may be whole."""


class Machine:
    """A run over one pickle.

    Args:
        data: bytes that have the pickle in them.
        position: where it begins.
        limits: caps on what it may ask for.
    """

    def __init__(self, data: bytes, position: int, limits: Limits) -> None:
        self.data = data
        self.position = position
        self.limits = limits
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[Global, None] = {}
        self.objects = 0

    def run(self, opcodes: Sequence[Callable[[Machine], None] | None], stop: int) -> object:
        """What lies on top of the stack at the opcode `stop`; `position` is then behind it."""
        data, rounds = self.data, 0
        while True:
            for _ in range(_ROUND):
                code = data[self.position]
                act = opcodes[code]
                if act is None:
                    raise Broken(self.position, f"no opcode of pickle is {code:#04x}")
                self.position += 1
                if code == stop:
                    self._check(rounds)
                    return self.stack.pop()
                act(self)
            rounds += 1
            self._check(rounds)

    def _check(self, rounds: int) -> None:
        kept = len(self.stack) + len(self.memo) + len(self.outer)
        self.limits.check("nodes", self.objects, "the objects in its pickle")
        self.limits.check("values", max(kept, rounds * _ROUND // 4), "what is in its pickle")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start, stop = self.position, self.position + count
        if count < 0:
            raise Broken(start, "a length in the pickle is negative")
        if stop > len(self.data):
            raise CutOff(len(self.data), "the pickle is cut off")
        self.position = stop
        return self.data[start:stop]

    def byte(self) -> int:
        """The next byte."""
        self.position += 1
        return self.data[self.position - 1]

    def number(self, size: int, *, signed: bool = False) -> int:
        """The number in the next `size` bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def long(self, size: int) -> int:
        """A whole number of any length."""
        if size > LONGEST_INT:
            raise LimitExceeded(f"a number in its pickle has {size:,} bytes")
        return self.number(size, signed=True)

    def text(self, size: int) -> str:
        """The next `size` bytes as text."""
        return self.take(size).decode("utf-8", "backslashreplace")

    def line(self) -> str:
        """The text up to the end of the line."""
        stop = self.data.find(b"\n", self.position)
        if stop < 0:
            raise CutOff(len(self.data), "the pickle is cut off")
        line = self.text(stop - self.position)
        self.position += 1
        return line

    def parsed(self, kind: Callable[[str], Any]) -> Any:
        """The next line as a number."""
        try:
            return kind(self.line()[:LONGEST_INT])
        except ValueError as error:
            raise Broken(self.position, "a number in the pickle is no number") from error

    def mark(self) -> None:
        """Begin a row of things on the stack."""
        self.outer.append(self.stack)
        self.stack = []

    def to_mark(self) -> list[Any]:
        """What lies above the last mark; the mark goes too."""
        if not self.outer:
            raise Broken(self.position, "the pickle takes up to a mark that is not there")
        items = self.stack
        self.stack = self.outer.pop()
        return items

    def make(self, value: object) -> None:
        """Put an object there that is made anew."""
        self.objects += 1
        self.stack.append(value)

    def call(self, function: object, arguments: object) -> None:
        """Put a call there, written down and not made."""
        self.make(Call(function, arguments))

    def name(self, module: object, name: object) -> None:
        """Put a name there, and note it, even where the pickle computes it."""
        if not isinstance(module, str) or not isinstance(name, str):
            module, name = "?", "a name that is computed"
        found = Global(_PYTHON_3.get(module, module), name)
        self.globals[found] = None
        self.make(found)

    def extend(self, items: list[Any]) -> None:
        """Append to what is on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, Call):
            target.elements = target.elements or []
            target = target.elements
        if not isinstance(target, list):
            raise Broken(self.position, "the pickle appends to what is no list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Set keys and values, in turn, in what is on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, Call):
            target.items = target.items or {}
            target = target.items
        if not isinstance(target, dict) or len(items) % 2:
            raise Broken(self.position, "the pickle sets keys of what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key if type(key) is str else _as_key(key)] = value

    def put(self, index: int) -> None:
        """Note what is on top of the stack in the memo."""
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        """Put an entry of the memo on the stack."""
        if index not in self.memo:
            raise Broken(self.position, f"the pickle takes entry {index} of a memo without it")
        self.stack.append(self.memo[index])


def _as_key(key: object) -> object:
    if _is_atom(key) or (isinstance(key, tuple) and len(key) <= 16 and all(map(_is_atom, key))):
        return key
    return Key(key)


def _is_atom(value: object) -> bool:
    return value is None or isinstance(value, int | str | float | bytes)


_PYTHON_3 = {"__builtin__": "builtins", "copy_reg": "copyreg", "cPickle": "pickle"}
