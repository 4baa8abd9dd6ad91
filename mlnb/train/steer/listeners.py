"""Whoever wants to be told of a run: `Listeners`, of whom one that fails is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlnb.train.run import Run

Listener = Callable[["Run"], object]


class Listeners(list[Listener]):
    """Functions of a run, called in order.

    >>> listeners = Listeners()
    >>> undo = listeners.add(lambda run: print(run.name))
    >>> listeners.tell(run)
    net-1
    >>> undo()
    """

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell this one too; returns what undoes it."""
        self.append(listener)
        return lambda: self.remove(listener) if listener in self else None

    def tell(self, run: Run) -> None:
        """Call all of them; one that raises is left out with a notice, for it is only a view."""
        for listener in list(self):
            try:
                listener(run)
            except Exception as error:  # noqa: BLE001  a view must not end the training
                if listener in self:
                    self.remove(listener)
                run.say(f"a listener failed and is left out: {error!r}")
