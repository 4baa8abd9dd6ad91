"""Callbacks: what is done beside training, at its beginnings and ends.

A callback is any object with some of five methods: `on_fit_begin(run)`, `on_epoch_begin(run)`,
`on_step_end(run)`, `on_epoch_end(run)`, `on_fit_end(run)`. Only those that exist are called, so a
step pays for nothing unless somebody listens to steps. `state_dict` and `load_state_dict`, where an
object has them, make it part of every checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlnb.errors import CallbackError, TrainError
from mlnb.formatting import display_text

EVENTS = ("on_fit_begin", "on_epoch_begin", "on_step_end", "on_epoch_end", "on_fit_end")


class Callbacks(list[Any]):
    """The callbacks of a run, called in order.

    >>> Callbacks([EarlyStopping()]).has("on_step_end")
    False

    Raises:
        TrainError: for an object that has none of the five methods.
    """

    def __init__(self, callbacks: Iterable[Any] = ()) -> None:
        super().__init__(callback() if isinstance(callback, type) else callback
                         for callback in _several(callbacks))  # fmt: skip
        for callback in self:
            if not any(callable(getattr(callback, event, None)) for event in EVENTS):
                raise TrainError(
                    f"{name_of(callback)} is no callback: it has none of {', '.join(EVENTS)}"
                )
        self._methods = {
            event: [
                (callback, getattr(callback, event))
                for callback in self
                if callable(getattr(callback, event, None))
            ]
            for event in EVENTS
        }

    def has(self, event: str) -> bool:
        """Whether any callback listens to this event."""
        return bool(self._methods[event])

    def call(self, event: str, run: Any) -> None:
        """Call the method of this name of everyone who has it.

        Raises:
            CallbackError: naming the callback that raised, with the cause.
        """
        for callback, method in self._methods[event]:
            try:
                method(run)
            except CallbackError:
                raise
            except Exception as error:
                raise CallbackError(
                    f"the callback {name_of(callback)} failed in {event}: "
                    f"{type(error).__name__}: {display_text(str(error), 200)}"
                ) from error


def _several(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return ()
    return callbacks if isinstance(callbacks, list | tuple) else (callbacks,)


def name_of(callback: Any) -> str:
    """What a callback is called in messages."""
    kind = callback if isinstance(callback, type) else type(callback)
    return display_text(kind.__name__)
