"""A pickle read as the data it is: `read_pickle` follows its opcodes and calls nothing.

A pickle is a program for a stack machine, which may import any name and call it. The machine here
(`machine.py`) has the stack and the memo and nothing else: a name is noted as a `Global`, a
call as a `Call`, an object that lies outside as a `Persistent`. Who reads a file takes from these
records what it knows and leaves the rest; `globals.py` says which names are harmless.

The opcodes: https://docs.python.org/3/library/pickletools.html, protocols 0 to 5.
"""

from __future__ import annotations

from typing import NamedTuple

from mlnb.formats.torch.pickle.machine import CutOff, Machine
from mlnb.formats.torch.pickle.opcodes import OPCODES, STOP
from mlnb.formats.torch.pickle.records import Call, Global, Key, Persistent
from mlnb.formats.wire import Broken
from mlnb.limits import LIMITS, Limits

__all__ = ["Call", "CutOff", "Global", "Key", "Persistent", "Pickle", "read_pickle"]


class Pickle(NamedTuple):
    """What is in a pickle.

    Args:
        value: plain values (numbers, strings, bytes, lists, tuples, dicts), and the records above.
            Containers may be shared and may contain themselves.
        globals: every name that loading would import, in the order of the file.
        stop: where the pickle ends.
    """

    value: object
    globals: tuple[Global, ...]
    stop: int


def read_pickle(data: bytes, position: int = 0, limits: Limits = LIMITS) -> Pickle:
    r"""What is in the pickle at `position`; nothing is imported and nothing is called.

    >>> read_pickle(b"cos\nsystem\n(S'echo'\ntR.").globals
    (Global(module='os', name='system'),)

    Args:
        data: bytes that have the pickle in them.
        position: where it begins.
        limits: `values` caps the stack, the memo and a quarter of the opcodes, `nodes` the objects.

    Raises:
        Broken: it is no pickle; `CutOff` where more bytes might help.
        LimitExceeded: it asks for more than `limits` allows.
    """
    machine = Machine(data, position, limits)
    try:
        value = machine.run(OPCODES, STOP)
    except IndexError as error:
        if machine.position >= len(data):
            raise CutOff(len(data), "the pickle is cut off") from error
        raise Broken(machine.position, "the pickle takes more from its stack than is there") from (
            error
        )
    return Pickle(value, tuple(machine.globals), machine.position)
