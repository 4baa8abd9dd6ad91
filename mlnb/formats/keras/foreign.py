"""What in a Keras config is code, or not Keras's own: `foreign_parts`. None of it is ever loaded.

A config can carry code (a Lambda's marshalled function) or name classes that are not Keras's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlnb.formats.keras.config import TENSORFLOW_OPS, Layer

CODE = "contains code, not loaded"
CUSTOM = "a class that is not Keras's own, not loaded"
OLD = "a TensorFlow function of Keras 2, not loaded by Keras 3"


def foreign_parts(layer: Layer) -> Iterator[tuple[str, str]]:
    """Name and reason of everything in a layer's entry that is code or not Keras's own.

    The layers of a nested model are not looked into: they have entries of their own.
    """
    if layer.kind in TENSORFLOW_OPS:
        yield layer.kind, OLD
        return
    if layer.kind == "Lambda":
        yield layer.kind, CODE
        return
    waiting: list[Any] = [layer.entry]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            reason = _foreign(value)
            if reason:
                yield _shown_class(value), reason
            waiting += [inner for key, inner in value.items() if key not in _SKIPPED]
        elif isinstance(value, list):
            waiting += value


_SKIPPED = ("layers", "compile_config", "build_config", "inbound_nodes")


def _foreign(entry: Mapping[str, Any]) -> str:
    kind, module, registered = (entry.get(k) for k in ("class_name", "module", "registered_name"))
    if not isinstance(kind, str):
        return ""
    if kind in ("__lambda__", "Lambda") or (kind == "function" and module == "builtins"):
        return CODE
    if ">" in kind or (isinstance(registered, str) and ">" in registered):
        return CUSTOM
    if "module" not in entry or kind.startswith("__"):
        return ""
    if isinstance(module, str) and module.partition(".")[0] in ("keras", "builtins"):
        return ""
    return CUSTOM


def _shown_class(entry: Mapping[str, Any]) -> str:
    registered = entry.get("registered_name")
    return registered if isinstance(registered, str) else str(entry.get("class_name"))
