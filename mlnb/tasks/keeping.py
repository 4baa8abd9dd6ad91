"""What all classifiers share that are kept in a folder: one JSON, safetensors, no pickle.

The JSON is written last and holds the sha256 of everything beside it, so that two halves are never
mixed and damage is told before anything is built.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlnb.cache import file_sha256, write_whole
from mlnb.errors import CheckpointError, MlnbError, need
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_JSON = 16 << 20


def made(folder: str | os.PathLike[str]) -> Path:
    """The folder to write into, new or old.

    Raises:
        CheckpointError: it cannot be made.
    """
    target = Path(folder).expanduser()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{shown(target)} can be no folder: {error.strerror}") from error
    return target


def write(
    folder: Path,
    json_file: str,
    weights_file: str,
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    others: Sequence[str] = (),
) -> None:
    """Write weights, then the JSON with their sha256; what only an older one needed goes.

    Args:
        folder: as `made` gave it.
        json_file: the name of the JSON.
        weights_file: the name of the weights.
        facts: what goes into the JSON.
        tensors: what goes into the weights.
        others: files in the folder that belong to it, with `/` below it.
    """
    content = need("safetensors.torch", "train").save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    )
    kept = {**facts, "weights_sha256": hashlib.sha256(content).hexdigest()}
    if others:
        kept["files"] = {name: file_sha256(folder / name) for name in others}
    older = _files_of(folder, json_file)
    write_whole(folder / weights_file, content)
    write_whole(folder / json_file, json.dumps(kept, indent=1, ensure_ascii=False).encode())
    for name in older.keys() - set(others):
        _remove(folder, name, older[name])


def _files_of(folder: Path, json_file: str) -> dict[str, str]:
    """What an older JSON there says of its files."""
    try:
        files = json.loads((folder / json_file).read_bytes())["files"]
        return {str(name): str(sha256) for name, sha256 in files.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _remove(folder: Path, name: str, sha256: str) -> None:
    """Remove a file that is as it was written, and the folders in this one that it leaves empty."""
    file = folder / name
    if not _is_within(name) or not file.is_file() or file_sha256(file) != sha256:
        return
    with suppress(OSError):  # something else is in it, or reads it
        file.unlink()
        for place in list(PurePosixPath(name).parents)[:-1]:
            (folder / place).rmdir()


@contextmanager
def rebuilding(folder: Path, what: str) -> Iterator[None]:
    """Say of whatever fails while something is built from its files that it is none of ours."""
    try:
        yield
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OSError, MlnbError) as error:
        raise CheckpointError(f"{shown(folder)} holds no {what} that mlnb knows.") from error


def read(
    folder: Path, json_file: str, weights_file: str, form: str, version: int
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `write` wrote: the JSON and the weights, after all files are as they were written.

    Args:
        folder: which holds it.
        json_file: the name of the JSON.
        weights_file: the name of the weights.
        form: the format that the JSON must name.
        version: likewise.

    Raises:
        CheckpointError: something is missing, damaged, or of something else.
    """
    facts = _facts(folder, json_file, form, version)
    tensors = _tensors(folder, weights_file, facts)
    _check_files(folder, facts)
    return facts, tensors


def _facts(folder: Path, json_file: str, form: str, version: int) -> dict[str, Any]:
    """The JSON of a classifier."""
    file = folder / json_file
    if not file.is_file():
        raise CheckpointError(f"{shown(folder)} holds no classifier: {json_file} is missing.")
    try:
        if file.stat().st_size > MOST_JSON:
            raise ValueError("it is too large")
        facts = json.loads(file.read_bytes())
        known = facts["format"] == form and facts["version"] == version
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{shown(file)} is damaged, or no classifier's.") from error
    if not known:
        raise CheckpointError(
            f"{shown(file)} is {display_text(str(facts['format']), 40)} version "
            f"{display_text(str(facts['version']), 10)}; expected {form} version {version}."
        )
    return dict(facts)


def _tensors(folder: Path, weights_file: str, facts: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights that the JSON tells of."""
    file = folder / weights_file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"There is no file {shown(file)}.") from error
    if hashlib.sha256(content).hexdigest() != facts.get("weights_sha256"):
        raise CheckpointError(f"{shown(file)} is damaged, or another classifier's.")
    tensors: dict[str, Tensor] = need("safetensors.torch", "train").load(content)
    return tensors


def _check_files(folder: Path, facts: Mapping[str, Any]) -> None:
    """Refuse other files than those that were written."""
    files = facts.get("files", {})
    if not isinstance(files, dict):
        raise CheckpointError(f"{shown(folder)} holds no classifier that mlnb knows.")
    for name, sha256 in files.items():
        if not _is_within(name):
            raise CheckpointError(f"{shown(folder)} names a file outside of it; refused.")
        file = folder / name
        if not file.is_file():
            raise CheckpointError(f"There is no file {shown(file)}.")
        if file_sha256(file) != sha256:
            raise CheckpointError(f"{shown(file)} is damaged, or another classifier's.")


def _is_within(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not Path(name).is_absolute()


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def fill(module: nn.Module, state: Mapping[str, Tensor], folder: Path) -> None:
    """Put weights into a module.

    Raises:
        CheckpointError: they do not fit.
    """
    try:
        module.load_state_dict(dict(state))
    except (RuntimeError, MlnbError) as error:
        said = display_text(str(error), 300)
        raise CheckpointError(f"The weights in {shown(folder)} do not fit: {said}") from error


def shown(path: Path) -> str:
    """A path in a sentence."""
    return display_text(str(path), 200)
