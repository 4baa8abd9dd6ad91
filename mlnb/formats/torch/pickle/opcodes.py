"""What each opcode of a pickle does to the machine: `OPCODES`, by its byte.

The table follows the order of CPython's Lib/pickle.py, where the opcodes are defined.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from mlnb.formats.torch.pickle.machine import Machine
from mlnb.formats.torch.pickle.records import Call, Global, Persistent
from mlnb.formats.wire import Broken

STOP = ord(".")


def _short_text(m: Machine) -> None:
    m.stack.append(m.text(m.byte()))


def _int_line(m: Machine) -> None:
    m.stack.append(m.parsed(lambda line: line == "01" if line in ("00", "01") else int(line)))


def _quoted(m: Machine) -> None:
    line = m.line().strip()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"":
        raise Broken(m.position, "a string in the pickle has no quotes")
    m.stack.append(_unescaped(line[1:-1]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _character(match.group(1)), text)


def _character(escape: str) -> str:
    if len(escape) == 1:
        return {"n": "\n", "t": "\t", "r": "\r"}.get(escape, escape)
    code = int(escape[1:], 16)
    return chr(code) if code < 0x110000 else "\ufffd"


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")


def _tuple(m: Machine, count: int) -> None:
    items = tuple(m.stack[-count:])
    if len(items) < count:
        raise IndexError
    del m.stack[-count:]
    m.make(items)


def _dict(m: Machine) -> None:
    items = m.to_mark()
    m.make({})
    m.set_items(items)


def _frozenset(m: Machine) -> None:
    items = m.to_mark()
    m.call(Global("builtins", "frozenset"), ())
    m.extend(items)


def _append(m: Machine) -> None:
    item = m.stack.pop()
    m.extend([item])


def _set_item(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.set_items([key, value])


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.to_mark()


def _pop_mark(m: Machine) -> None:
    m.to_mark()


def _frame(m: Machine) -> None:
    m.take(8)


def _proto(m: Machine) -> None:
    version = m.byte()
    if version > 5:
        raise Broken(m.position - 1, f"no protocol of pickle is {version}; 0 to 5 are read")


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.name(module, name)


def _reduce(m: Machine) -> None:
    arguments, function = m.stack.pop(), m.stack.pop()
    m.call(function, arguments)


def _new_object_by_name(m: Machine) -> None:
    named, arguments, function = m.stack.pop(), m.stack.pop(), m.stack.pop()
    m.call(function, (arguments, named))


def _instance(m: Machine) -> None:
    arguments = m.to_mark()
    m.name(m.line(), m.line())
    m.call(m.stack.pop(), tuple(arguments))


def _object(m: Machine) -> None:
    function, *arguments = m.to_mark() or [None]
    m.call(function, tuple(arguments))


def _build(m: Machine) -> None:
    state, target = m.stack.pop(), m.stack[-1]
    if isinstance(target, Call):
        target.state = state


def _outside(m: Machine) -> None:
    raise Broken(m.position - 1, "a part of the pickle lies outside the file")


_TABLE: dict[int, Callable[[Machine], None]] = {
    ord("("): Machine.mark,
    STOP: lambda m: None,
    ord("0"): _pop,
    ord("1"): _pop_mark,
    ord("2"): lambda m: m.stack.append(m.stack[-1]),
    ord("F"): lambda m: m.stack.append(m.parsed(float)),
    ord("I"): _int_line,
    ord("J"): lambda m: m.stack.append(m.number(4, signed=True)),
    ord("K"): lambda m: m.stack.append(m.byte()),
    ord("L"): lambda m: m.stack.append(m.parsed(lambda line: int(line.removesuffix("L")))),
    ord("M"): lambda m: m.stack.append(m.number(2)),
    ord("N"): lambda m: m.stack.append(None),
    ord("P"): lambda m: m.make(Persistent(m.line())),
    ord("Q"): lambda m: m.make(Persistent(m.stack.pop())),
    ord("R"): _reduce,
    ord("S"): _quoted,
    ord("T"): lambda m: m.stack.append(m.text(m.number(4, signed=True))),
    ord("U"): _short_text,
    ord("V"): lambda m: m.stack.append(_unescaped(m.line())),
    ord("X"): lambda m: m.stack.append(m.text(m.number(4))),
    ord("a"): _append,
    ord("b"): _build,
    ord("c"): lambda m: m.name(m.line(), m.line()),
    ord("d"): _dict,
    ord("}"): lambda m: m.make({}),
    ord("e"): lambda m: m.extend(m.to_mark()),
    ord("g"): lambda m: m.get(m.parsed(int)),
    ord("h"): lambda m: m.get(m.byte()),
    ord("i"): _instance,
    ord("j"): lambda m: m.get(m.number(4)),
    ord("l"): lambda m: m.make(m.to_mark()),
    ord("]"): lambda m: m.make([]),
    ord("o"): _object,
    ord("p"): lambda m: m.put(m.parsed(int)),
    ord("q"): lambda m: m.put(m.byte()),
    ord("r"): lambda m: m.put(m.number(4)),
    ord("s"): _set_item,
    ord("t"): lambda m: m.make(tuple(m.to_mark())),
    ord(")"): lambda m: m.stack.append(()),
    ord("u"): lambda m: m.set_items(m.to_mark()),
    ord("G"): lambda m: m.stack.append(struct.unpack(">d", m.take(8))[0]),
    # Protocol 2
    0x80: _proto,
    0x81: _reduce,
    0x82: lambda m: m.name("copyreg", f"extension {m.byte()}"),
    0x83: lambda m: m.name("copyreg", f"extension {m.number(2)}"),
    0x84: lambda m: m.name("copyreg", f"extension {m.number(4)}"),
    0x85: lambda m: _tuple(m, 1),
    0x86: lambda m: _tuple(m, 2),
    0x87: lambda m: _tuple(m, 3),
    0x88: lambda m: m.stack.append(True),
    0x89: lambda m: m.stack.append(False),
    0x8A: lambda m: m.stack.append(m.long(m.byte())),
    0x8B: lambda m: m.stack.append(m.long(m.number(4, signed=True))),
    # Protocol 3
    ord("B"): lambda m: m.stack.append(m.take(m.number(4))),
    ord("C"): lambda m: m.stack.append(m.take(m.byte())),
    # Protocol 4
    0x8C: _short_text,
    0x8D: lambda m: m.stack.append(m.text(m.number(8))),
    0x8E: lambda m: m.stack.append(m.take(m.number(8))),
    0x8F: lambda m: m.call(Global("builtins", "set"), ()),
    0x90: lambda m: m.extend(m.to_mark()),
    0x91: _frozenset,
    0x92: _new_object_by_name,
    0x93: _stack_global,
    0x94: lambda m: m.put(len(m.memo)),
    0x95: _frame,
    # Protocol 5
    0x96: lambda m: m.stack.append(m.take(m.number(8))),
    0x97: _outside,
    0x98: lambda m: None,
}

OPCODES = tuple(_TABLE.get(code) for code in range(256))
"""What to do, by the opcode's byte; `None` where no opcode has it."""
