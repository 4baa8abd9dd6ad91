"""The panel explains any model: `install` lends it what `mlnb.tasks` can tell from outside."""

from __future__ import annotations

from typing import Any

from mlnb.widgets import explaining


def install() -> None:
    """Cover places of pictures and leave out words, for models without an `explain`."""
    explaining.explain_by(pictures=_pictures, texts=_texts)


def remove() -> None:
    """Leave such models unexplained."""
    explaining.forget()


def _pictures(*given: Any, **options: Any) -> Any:
    from mlnb.tasks.explain import occlusion

    return occlusion(*given, **options)


def _texts(*given: Any, **options: Any) -> Any:
    from mlnb.tasks.word_shares import words

    return words(*given, **options)
