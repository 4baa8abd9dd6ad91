"""Who explains a model that cannot explain itself.

Widgets and tasks do not know each other: `%load_ext mlnb` registers here what looks at a model from
outside, by covering parts of a picture and leaving out words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HOW = "this model has no explain(); %load_ext mlnb, or explain=, gives it one"

_by: dict[str, Callable[..., Any]] = {}


def explain_by(*, pictures: Callable[..., Any], texts: Callable[..., Any]) -> None:
    """Register what explains a model's answers from outside.

    Args:
        pictures: called with a function `[n, h, w, 3]` to `[n, classes]`, a picture, and `target=`;
            returns a map `[h, w]` of 0 to 1.
        texts: called with a function of a list of texts to `[n, classes]`, a text, and `target=`;
            returns words with `start`, `end` and `share`.
    """
    _by.update(pictures=pictures, texts=texts)


def forget() -> None:
    """Take back what was registered."""
    _by.clear()


def outside(takes_text: bool) -> Callable[..., Any] | None:
    """What explains pictures, or texts, from outside; `None` where nothing is registered."""
    return _by.get("texts" if takes_text else "pictures")
