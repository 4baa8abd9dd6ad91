"""Every error that mlnb raises on purpose, each under the one root `MlnbError`.

A message says what was expected, what came and what to do; its first line stands alone, because a
magic prints only that line. Where a built-in class fits as well (`ValueError`, `TimeoutError`), the
error is both, so that ordinary Python code catches it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType


class MlnbError(Exception):
    """The root of all errors that mlnb raises: `except mlnb.MlnbError` catches every one."""


class ModelFormatError(MlnbError, ValueError):
    """The file is no model that mlnb can read: empty, truncated, something else altogether."""


class LimitExceeded(ModelFormatError):
    """A cap of `mlnb.limits` was hit; the message names it and how to raise it."""


class ModelFileChanged(MlnbError, RuntimeError):
    """The file was rewritten, truncated or deleted after it was loaded; load it again."""


class ModelCrashed(MlnbError, RuntimeError):
    """The process that ran the model died; the session is unharmed and the next call works."""


class ModelTimeout(MlnbError, TimeoutError):
    """The model did not answer within its deadline and was stopped."""


class ModelRunError(MlnbError, RuntimeError):
    """The runtime refused or failed to run the model; the message is the runtime's, shortened."""


class InputError(MlnbError, ValueError):
    """What was fed does not fit the model's inputs; the message lists every mismatch at once."""


class UnknownName(MlnbError, LookupError):
    """A name that does not exist; the message lists the closest ones that do."""


class SampleMissing(MlnbError, FileNotFoundError):
    """A sample that is not on this machine; the message says where it is looked for."""


class DownloadError(MlnbError, OSError):
    """A download did not come to its end; what came is kept, and the same call goes on."""


class DownloadRefused(DownloadError):
    """What came is not what was asked for, or may do harm; nothing of it was kept or unpacked."""


class ImageError(MlnbError, ValueError):
    """A picture that cannot be read: no picture at all, damaged, too large, or no regular file."""


class DataError(MlnbError, ValueError):
    """Data that cannot be trained on as it stands; the message names the row, column or label."""


class TrainError(MlnbError, RuntimeError):
    """Training cannot begin or go on; the model is as it was after the last good step."""


class CallbackError(TrainError):
    """A callback raised; the message names it, and the last finished step is kept."""


class RunBusy(TrainError):
    """The model or the folder belongs to a run that still trains; the message names it."""


class CheckpointError(MlnbError, ValueError):
    """A checkpoint that is missing, damaged, or was written for another model."""


class LayerError(MlnbError, ValueError):
    """A layer that cannot stand where it stands; the message names it, its line and a remedy."""

    layer: str = ""
    line: int | None = None


class ExportError(MlnbError, RuntimeError):
    """A network that cannot be written to a file; an older one stays as it was."""


class MissingExtra(MlnbError, ImportError):
    """A package is missing; the message is the line that installs it."""


FEW = 12
"""Names that one still reads."""


def unknown(kind: str, name: str, names: Iterable[str]) -> UnknownName:
    """The error for a name that does not exist, with the closest names that do.

    All names are listed where they are few; of many those that are close, where there are any.

    >>> unknown("input", "dta", ["data", "mask"])
    UnknownName("no input 'dta'; did you mean 'data'? Known: data, mask")
    """
    known = list(names)
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    said = f"no {kind} '{_visible(name)}'"
    said += f"; did you mean '{_visible(close[0])}'?" if close else "."
    if close and len(known) > FEW:
        others = ", ".join(map(_visible, close[1:]))
        return UnknownName(f"{said} Close too: {others}" if others else said)
    shown = ", ".join(map(_visible, known[:FEW])) or "none"
    more = f" and {len(known) - FEW} more" if len(known) > FEW else ""
    return UnknownName(f"{said} Known: {shown}{more}")


def _visible(name: str) -> str:
    """A name from a file, clipped, with what cannot be seen made visible."""
    clipped = name if len(name) <= 80 else name[:79] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in clipped)


def need(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Raises:
        MissingExtra: with the line to run, `pip install 'mlnb[extra]'`.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if error.name and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        package = module.partition(".")[0]
        raise MissingExtra(
            f"{package} is not installed; run: pip install 'mlnb[{extra}]'"
        ) from error
