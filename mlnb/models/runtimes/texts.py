"""Text on its way into a runtime and out of it: tensors of strings, and messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlnb.formatting import display_text

Array = np.ndarray[Any, np.dtype[Any]]

_LINE, _MESSAGE = 160, 1200


def as_bytes(value: Any) -> Any:
    """A tensor of strings as runtimes take it: bytes, of whatever encoding they were.

    >>> as_bytes(np.array(["ü"], object))
    array([b'\\xc3\\xbc'], dtype=object)

    Args:
        value: anything; what is no array of strings stays as it is.
    """
    if not (isinstance(value, np.ndarray) and value.dtype.kind in "OUST"):
        return value
    encoded = np.empty(value.size, object)
    encoded[:] = [
        item if isinstance(item, bytes) else str(item).encode("utf-8", "surrogateescape")
        for item in value.reshape(-1).tolist()
    ]
    return encoded.reshape(value.shape)


def as_text(value: Array) -> Array:
    """A tensor of strings as people read it: bytes that are UTF-8 become text, others stay.

    Args:
        value: any array; one of numbers stays as it is.
    """
    if value.dtype.kind not in "OS":
        return value
    texts = np.empty(value.size, object)
    texts[:] = [_text(item) for item in value.reshape(-1).tolist()]
    return texts.reshape(value.shape)


def _text(item: Any) -> Any:
    try:
        return item.decode()
    except (AttributeError, UnicodeDecodeError):
        return item


def told(message: str, before: str = "") -> str:
    """A runtime's message: a first line that stands alone, and a second with the rest of it.

    Args:
        message: as it came; it may go on for pages.
        before: who says it.
    """
    whole = " ".join(message.split())
    first = before + display_text(whole, _LINE)
    return first if len(whole) <= _LINE else f"{first}\n{display_text(whole, _MESSAGE)}"
