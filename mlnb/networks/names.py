"""The words for losses, optimizers and schedules, looked at where they are written.

Whether a loss goes with the data only `fit` can know; that its name exists can be told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlnb.errors import LayerError
from mlnb.train.words import loss_functions, optimizers, schedules
from mlnb.train.words.parsing import look_up, parse_word


def check_loss(loss: object) -> None:
    """Raise UnknownName for a name that is no loss."""
    if isinstance(loss, str) and loss != "auto":
        look_up("loss", parse_word(loss)[0], loss_functions.WORDS, loss_functions.ALIASES)


def check_optimizer(optimizer: object) -> None:
    """Raise UnknownName for a name that is no optimizer."""
    if isinstance(optimizer, str):
        optimizers._class(parse_word(optimizer)[0])


def check_schedule(schedule: object) -> None:
    """Raise UnknownName for a name that is no schedule."""
    if isinstance(schedule, str):
        look_up("schedule", parse_word(schedule)[0], schedules.WORDS, schedules.ALIASES)


def with_options(word: Any, options: Mapping[str, Any]) -> Any:
    """A word with its options in brackets, `sgd(momentum=0.9)`, which files and magics hold too.

    Raises:
        LayerError: options with something that is no word, or twice.
    """
    if not options:
        return word
    if not isinstance(word, str) or "(" in word:
        raise LayerError(f"Only a bare name takes options beside it; received {word!r}.")
    return f"{word}({', '.join(f'{key}={value!r}' for key, value in options.items())})"
