"""Opened models, kept warm by their address: what every runtime does around its own `run`.

This is what the child runs; with `trust=True` the same functions run in the caller's process. A
runtime brings one function that opens a model; the rest (is it still the same file, does its answer
come in pieces, may it take that much memory) is the same for all of them.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from mlnb.child.memory import memory_cap, out_of_memory
from mlnb.errors import ModelFileChanged, ModelRunError
from mlnb.formatting import display_text

KEPT_SESSIONS = 4
"""Opened models that stay warm; each holds its weights in memory."""

Array = np.ndarray[Any, np.dtype[Any]]


class Session(Protocol):
    """An opened model.

    Args:
        device: what it runs on, `"CPU"` or `"CUDA"`.
        notes: how it runs, a sentence each.
    """

    device: str
    notes: tuple[str, ...]

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        """The outputs of these names, in this order; `options` are the runtime's own, or `None`."""


Opener = Callable[[Mapping[str, Any], str | bytes], Session]
"""Opens a model: its address as `predict` got it, and its path or its bytes."""


def predict(
    opener: Opener,
    address: str,
    feeds: Mapping[str, Any],
    outputs: Sequence[str],
    *,
    content: bytes | None = None,
    piece: int | None = None,
    run_bytes: int | None = None,
    watch: bool = False,
    run_options: Any = None,
) -> list[Any] | None:
    """The outputs in the order asked for, the device, and notes on how it ran.

    The answer is `None` where the model was named by its hash and is not here yet.

    Args:
        opener: makes the session of a model that is not open yet.
        address: `{"path", "size", "mtime_ns", "parts", "format", …}` or `{"sha256", "parts",
            "format", …}`, as JSON; `seen` holds the size and time of each part by its name.
        feeds: a value for each input.
        outputs: the names wanted.
        content: the model itself, once for each hash.
        piece: the fixed batch size, where the feeds hold more rows than that.
        run_bytes: a cap on the memory taken, in bytes.
        watch: how the cap is kept, see `memory_cap`.
        run_options: the runtime's own, to stop a run from another thread.

    Raises:
        ModelFileChanged: the file or one of its parts is not the one that was loaded.
        ModelRunError: the runtime could not run the model, or it ran out of memory.
    """
    cap = nullcontext() if run_bytes is None else memory_cap(run_bytes, watch=watch)
    with cap:
        session = _session(opener, address, content)
        if session is None:
            return None
        try:
            values = run(session, feeds, outputs, piece, run_options)
        except Exception as error:
            if out_of_memory(error):  # its arena goes on asking for as much, whatever is fed next
                opened.pop(address, None)
            raise
    return [values, session.device, list(session.notes)]


def run(
    session: Session,
    feeds: Mapping[str, Any],
    outputs: Sequence[str],
    piece: int | None = None,
    options: Any = None,
) -> list[Any]:
    """Run an opened model; where `piece` is given, so many rows at a time.

    Raises:
        ModelRunError: the outputs of the pieces cannot be put together.
    """
    if not piece:
        return session.run(outputs, feeds, options)
    return _in_pieces(session, feeds, outputs, piece, options)


def _in_pieces(
    session: Session, feeds: Mapping[str, Any], outputs: Sequence[str], piece: int, options: Any
) -> list[Any]:
    """Run `piece` rows at a time; a short last piece is filled with its last row and cut again."""
    rows = len(next(iter(feeds.values())))
    collected: list[list[Array]] = [[] for _ in outputs]
    for start in range(0, rows, piece):
        here = min(piece, rows - start)
        part = {name: _filled(array[start : start + here], piece) for name, array in feeds.items()}
        for name, column, value in zip(
            outputs, collected, session.run(outputs, part, options), strict=True
        ):
            if not isinstance(value, np.ndarray) or value.shape[:1] != (piece,):
                raise ModelRunError(
                    f"output {display_text(name)!r} does not have one row for each of the "
                    f"{piece} rows fed: feed the model exactly {piece} at a time"
                )
            if column and value.shape[1:] != column[0].shape[1:]:
                raise ModelRunError(
                    f"output {display_text(name)!r} changes its shape from piece to piece: feed "
                    f"the model exactly {piece} rows at a time"
                )
            column.append(value[:here])
    return [column[0] if len(column) == 1 else np.concatenate(column) for column in collected]


def _filled(array: Array, piece: int) -> Array:
    missing = piece - len(array)
    return array if not missing else np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])


@contextmanager
def as_file(source: str | bytes, suffix: str) -> Iterator[str]:
    """A path with that ending: the model's own, a link to it, or a file of its bytes."""
    if isinstance(source, str) and source.endswith(suffix):
        yield source
        return
    with TemporaryDirectory(prefix="mlnb-") as folder:
        file = Path(folder) / f"model{suffix}"
        if isinstance(source, str):
            file.symlink_to(source)
        else:
            file.write_bytes(source)
        yield str(file)


opened: OrderedDict[str, Session] = OrderedDict()
"""By the address: it names the very file, by its size and time as well."""


def _session(opener: Opener, address: str, content: bytes | None) -> Session | None:
    """The opened model, from before where it is the same file."""
    model = _parsed(address)
    if "path" in model:
        _require_unchanged(model)
    if address not in opened:
        if "sha256" in model and content is None:
            return None
        opened[address] = opener(model, model["path"] if content is None else content)
        while len(opened) > KEPT_SESSIONS:
            opened.popitem(last=False)
    opened.move_to_end(address)
    return opened[address]


@lru_cache(maxsize=KEPT_SESSIONS)
def _parsed(address: str) -> Mapping[str, Any]:
    return dict(json.loads(address))


def _require_unchanged(model: Mapping[str, Any]) -> None:
    path = model["path"]
    _require_same(path, model["size"], model["mtime_ns"])
    for part, (size, mtime_ns) in model.get("seen", {}).items():
        _require_same(os.path.join(os.path.dirname(path), part), size, mtime_ns)


def _require_same(path: str, size: int, mtime_ns: int) -> None:
    try:
        found = os.stat(path)
    except OSError as error:
        raise ModelFileChanged(f"{_shown(path)} is gone; run %mlload again") from error
    if (found.st_size, found.st_mtime_ns) != (size, mtime_ns):
        raise ModelFileChanged(f"{_shown(path)} has changed since it was loaded; run %mlload again")


def _shown(path: str) -> str:
    return display_text(os.path.basename(path))
