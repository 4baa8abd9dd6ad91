"""What a pickle says instead of a plain value: a name, a call, an object outside, an odd key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Global(NamedTuple):
    """A name that loading would import.

    Args:
        module: such as `"collections"`; with the names of Python 3.
        name: such as `"OrderedDict"`; may have dots.
    """

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True, repr=False)
class Call:
    """What loading would make by calling something; here it is only written down.

    Args:
        function: mostly a `Global`.
        arguments: a tuple, or whatever else stood there.
        state: what the object's attributes would be set from.
        items: what would be set in it by key, as in an `OrderedDict`; `None` for nothing.
        elements: what would be appended or added to it; `None` for nothing.
    """

    function: object
    arguments: object
    state: Any = None
    items: dict[Any, Any] | None = None
    elements: list[Any] | None = None


class Persistent(NamedTuple):
    """An object that lies outside the pickle, such as a storage of PyTorch.

    Args:
        id: what the pickle says to find it by.
    """

    id: object


@dataclass(eq=False, slots=True, repr=False)
class Key:
    """A key of a dict that is no number, string or short tuple of these."""

    value: object
