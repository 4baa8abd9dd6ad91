"""Which name belongs to which output of a classifier: `class_names`.

ImageNet comes with 1,000 classes and with 1,001, whose first is the background; label files of
either kind are taken for models of either kind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mlnb.errors import DataError
from mlnb.formatting import display_text

_BACKGROUND = "background"
_SYNSET = re.compile(r"n\d{8}\s+")
_NUMBER = re.compile(r"\s*(\d+)[:,]?\s+")
_LARGEST_FILE = 16 * 2**20


def class_names(
    labels: str | os.PathLike[str] | Sequence[object] | None, count: int
) -> tuple[str, ...]:
    """A name for each of `count` outputs; without labels their numbers.

    >>> class_names(["cat", "dog"], 3)
    ('background', 'cat', 'dog')

    Args:
        labels: names in the order of the outputs, or a text file of them, one a line; numbers and
            WordNet's ids at the beginnings of its lines are taken off.
        count: how many outputs the model has.

    Raises:
        DataError: there are more or fewer names than outputs.
    """
    if labels is None:
        return tuple(map(str, range(count)))
    if isinstance(labels, str | os.PathLike):
        names = _read(Path(labels))
    else:
        names = [str(label) for label in labels]
    if len(names) == count - 1 and names[:1] != [_BACKGROUND]:
        names = [_BACKGROUND, *names]
    elif len(names) == count + 1 and names[0].strip().lower() in (_BACKGROUND, "dummy", "???"):
        names = names[1:]
    if len(names) != count:
        raise DataError(
            f"the model has {count:,} classes and there are {len(names):,} labels; expected one "
            f"label for each class, in the order of the model's output"
        )
    return tuple(names)


def _read(path: Path) -> list[str]:
    shown = display_text(str(path), 200)
    try:
        if not path.is_file():
            raise DataError(f"no file of labels at {shown}")
        if path.stat().st_size > _LARGEST_FILE:
            raise DataError(f"{shown} is too large for a file of labels")
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown} is no text file of labels: {error}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    numbers = [_NUMBER.match(line) for line in lines]
    if all(found and int(found[1]) - at in (0, 1) for at, found in enumerate(numbers)):
        lines = [_NUMBER.sub("", line, count=1) for line in lines]
    if all(_SYNSET.match(line) for line in lines):
        lines = [_SYNSET.sub("", line, count=1) for line in lines]
    return [line.strip() for line in lines]
