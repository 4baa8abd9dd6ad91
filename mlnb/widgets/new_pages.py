"""When a page connects to this kernel: `on_new_page`.

A page that was reloaded while a cell trains cannot get its widgets back by itself: JupyterLab asks
for them on the channel that the cell blocks. But it subscribes to the kernel's output anew, and
ipykernel 7 notices that. There is no public way to hear of it; where the private one is missing
nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from IPython import get_ipython

_NAME = "_send_welcome_message"

_listeners: list[Callable[[], object]] = []


def on_new_page(callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback()` when a front end connects; returns what undoes it.

    In the thread that sends the kernel's messages, so that it must only take a note.
    """
    _listeners.append(callback)
    _hook(getattr(getattr(get_ipython(), "kernel", None), "iopub_thread", None))

    def undo() -> None:
        with suppress(ValueError):
            _listeners.remove(callback)

    return undo


def _hook(thread: Any) -> None:
    welcome = getattr(thread, _NAME, None)
    if welcome is None or getattr(welcome, "mlnb", False):
        return

    def welcomed(subscription: Any) -> None:
        welcome(subscription)
        for callback in list(_listeners):
            with suppress(Exception):  # output goes on, whatever we do
                callback()

    welcomed.mlnb = True  # type: ignore[attr-defined]
    setattr(thread, _NAME, welcomed)
    with suppress(Exception):
        thread.schedule(lambda: _hear_of_everyone(thread.socket))


def _hear_of_everyone(socket: Any) -> None:
    """Else a socket tells of the first subscriber only, which is the server itself."""
    import zmq

    with suppress(Exception):
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
