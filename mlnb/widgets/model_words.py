"""What stands beside the name of a model: its facts, its entry points and its class names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.models.model import Model

FEW = 4
"""Entry points, or class names, that are named; it is said how many there are."""


def model_words(model: Model) -> str:
    """One line: `TensorFlow SavedModel · 12 nodes · signature classify, one of 6: …`."""
    return " · ".join(part for part in (model.facts, _signatures(model), _labels(model)) if part)


def _signatures(model: Model) -> str:
    if not model.signatures or len(model.signatures) < 2:
        return ""
    if model.signature is None:
        return f"{len(model.signatures)} signatures: {_named(model.signatures)}"
    chosen = display_text(model.signature, 60)
    others = [name for name in model.signatures if name != model.signature]
    return f"signature {chosen}, one of {len(model.signatures)}: also {_named(others)}"


def _labels(model: Model) -> str:
    if not model.labels:
        return ""
    return f"{plural(len(model.labels), 'label')}: {_named(model.labels)}"


def _named(names: Sequence[str]) -> str:
    few = ", ".join(display_text(name, 40) for name in names[:FEW])
    return few + (", …" if len(names) > FEW else "")
