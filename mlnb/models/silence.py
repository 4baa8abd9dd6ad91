"""`quietly`: without what a library tells its own developers."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any


@contextmanager
def quietly() -> Iterator[None]:
    """Drop what torch's exporters and onnxruntime's quantizer warn and log.

    torch sets its loggers up anew while it exports, so that no filter on them holds.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    mute: Any = _Muted(sys.stderr)
    try:
        with warnings.catch_warnings(), redirect_stderr(mute):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Muted:
    """A stream without what this thread writes; a run in the background goes on telling."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            return len(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
