"""An encoder in the folder of what was trained on it: by its name and its sha256, or whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlnb.errors import CheckpointError, MlnbError
from mlnb.formatting import display_text
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.keeping import shown
from mlnb.tasks.texts.fitting import AUTO
from mlnb.tasks.texts.training import TUNED

FOLDER = "encoder"

Stored = tuple[dict[str, Any], list[str]]
"""What a JSON says of an encoder, and the files that it was written into."""
Parts = tuple[dict[str, Any], dict[str, Any], list[str]]
"""What `Kept` writes: facts for the JSON, tensors, and files that are there already."""


def keep(body: Encoder, given: Any, folder: Path, *, whole: bool) -> Stored:
    """Write an encoder, where it is none that its name alone brings back.

    Args:
        body: the encoder.
        given: how the user named it; one that was made by hand, or tuned, cannot be named.
        folder: of what was trained on it.
        whole: whether it goes in although it can be named.
    """
    place = _place(body.source)
    is_named = isinstance(given, str | os.PathLike) and not body.source.endswith(TUNED)
    is_within = place is not None and folder.resolve() in place.parents
    is_stored = whole or is_within or not is_named
    facts = {
        "name": body.name,
        "source": str(place or body.source),
        "sha256": body.weights,
        "stored": is_stored,
    }
    return facts, written(body, folder, FOLDER) if is_stored else []


def _place(source: str) -> Path | None:
    """The folder of an encoder, found from anywhere; `None` of "auto" and of names on the hub."""
    return Path(source).resolve() if source not in ("", AUTO) and Path(source).is_dir() else None


def written(body: Encoder, folder: Path, name: str) -> list[str]:
    """The files below a folder that an encoder was written into; others in there do not count."""
    with TemporaryDirectory(dir=folder) as fresh:
        body.save(Path(fresh))
        files = sorted(file for file in Path(fresh).rglob("*") if file.is_file())
        names = [f"{name}/{file.relative_to(fresh).as_posix()}" for file in files]
        for file, place in zip(files, names, strict=True):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            file.replace(folder / place)
    return names


def kept(facts: Mapping[str, Any], given: Any, folder: Path) -> Encoder:
    """The encoder that `keep` told of; no network is asked.

    Args:
        facts: of the JSON.
        given: an `Encoder` or where one is, by the user; `None` for what the facts say.
        folder: of what was trained on it.

    Raises:
        CheckpointError: it is not there, or another one is.
    """
    if facts["stored"]:
        body = encoder(folder / FOLDER)
        body.name, body.source = str(facts["name"]), str(facts["source"])
        body.weights = str(facts["sha256"])
        return body
    name = ", ".join(display_text(str(facts[key]), 60) for key in ("name", "source"))
    try:
        named = given or str(facts["source"])
        body = named if isinstance(named, Encoder) else encoder(named, local=True)
    except MlnbError as error:
        raise CheckpointError(
            f"What is in {shown(folder)} needs the encoder {name}, which is not in the folder and "
            "not on this machine: save(folder, whole=True) puts it in, or "
            f"load(folder, encoder=path). ({error})"
        ) from error
    if body.weights != facts["sha256"]:
        raise CheckpointError(
            f"What is in {shown(folder)} was trained on the encoder {name}, with other weights "
            f"than those that are here ({display_text(str(body.source), 80)}); give the right "
            "ones: load(folder, encoder=)"
        )
    return body
