"""`run.json`, which tells of a run without its checkpoints: written whole, believed by its sum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.cache import write_whole
from mlnb.train.keep.checkpoint_files import damaged, read_bytes
from mlnb.train.steer.interrupts import shield

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json

ABOUT = "run.json"
ABOUT_BYTES = 16 * 2**20


def write_about(folder: Path, status: Mapping[str, Json]) -> None:
    """Write what is told of the run in that folder.

    >>> write_about(Path("mlnb_runs/net-1"), {"name": "net-1", "status": "training"})

    Raises:
        OSError: the disk is full; the old one stays.
    """
    text = json.dumps(status, default=str)
    whole = {"sha256": _sum(text), "run": json.loads(text)}
    (folder / f"{ABOUT}.{os.getpid()}.new").unlink(missing_ok=True)  # perhaps a link
    with shield():
        write_whole(folder / ABOUT, json.dumps(whole, indent=1).encode())


def read_about(folder: Path) -> dict[str, Json]:
    """What is told of the run in that folder.

    >>> read_about(Path("mlnb_runs/net-1"))["status"]
    'training'

    Raises:
        CheckpointError: it is missing or damaged.
    """
    raw = read_bytes(folder, ABOUT, ABOUT_BYTES)
    try:
        whole = json.loads(raw)
        about = whole["run"]
        if isinstance(about, dict) and _sum(json.dumps(about)) == whole["sha256"]:
            return about
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise damaged(folder, ABOUT, "is damaged")


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
