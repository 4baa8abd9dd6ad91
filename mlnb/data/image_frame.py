"""A folder of pictures as a pandas frame: a row for everything in it, with the reason if it is bad.

Only headers are read, and the end of each file: a photograph of 12 megapixels costs no more than a
thumbnail. What ends otherwise than its format does is decoded, which tells whether it is cut off.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlnb.data.image_labels import labels_of
from mlnb.data.images import open_image, orientation, to_rgb
from mlnb.errors import DataError, ImageError, unknown
from mlnb.formatting import display_text, plural
from mlnb.progress import progress

if TYPE_CHECKING:
    from pandas import DataFrame
    from PIL.Image import Image

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b"\0;"}
_ODD = {
    "1": "black and white",
    "CMYK": "CMYK, shown as RGB",
    "I": "16 bits, scaled to 8",
    "I;16": "16 bits, scaled to 8",
    "I;16B": "16 bits, scaled to 8",
    "L": "grey",
    "LA": "transparent, shown on white",
    "P": "palette",
    "PA": "transparent, shown on white",
    "RGBA": "transparent, shown on white",
}
_CHUNK = 64
_THREADS = 8
"""More than there are cores: on a network's disk the time goes by in waiting."""


def image_frame(
    folder: str | os.PathLike[str],
    *,
    labels: Literal["auto", "folder", "name"] = "auto",
    hashes: bool = False,
    tell: Callable[[str], object] = print,
) -> DataFrame:
    """The pictures of a folder as a frame, a row a file, sorted by path.

    Nothing is dropped: what cannot be read has its reason in `status` and stays, as do empty
    folders, hidden files and what is no picture. `split` and the classifiers take the rows whose
    status is "ok".

    >>> frame = image_frame("cats_vs_dogs")
    labels from the folders: cats 500, dogs 500
    >>> frame[frame.status != "ok"]

    Args:
        folder: its folders are looked into as well.
        labels: `"folder"`, the folder below the one that all share; `"name"`, what stands before
            the number (`cat.12.jpg` is a cat); `"auto"`, the folders where there are two or more,
            else the names, and says which.
        hashes: decode every picture too, which finds damage inside of it, and add its `hash` for
            `near_duplicates`.
        tell: what is worth a sentence goes here, line by line.

    Returns:
        The columns `path`, `label` (missing where there is none), `width` and `height` (in pixels,
        upright, 0 where unknown), `mode` (Pillow's), `bytes`, `status` ("ok" or the reason), `note`
        (what is unusual about a picture that can be read: CMYK, animated, turned), with `hashes`
        the column `hash`; and `split`, where the folders are called train, validation or test.

    Raises:
        DataError: no such folder.
        MissingExtra: Pillow is not installed.
    """
    import pandas as pd

    if labels not in ("auto", "folder", "name"):
        raise unknown("way to label", labels, ("auto", "folder", "name"))
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"no folder at {display_text(str(root), 200)}")
    if not _is_utf8(str(root)):
        raise DataError(f"{display_text(str(root), 200)} is no UTF-8; rename the folder")
    rows = _read(sorted(_walk(str(root)), key=lambda found: found.path))
    named = labels_of(
        [Path(row.path).relative_to(root).parts for row in rows],
        [row.status == "ok" for row in rows],
        labels,
    )
    frame = pd.DataFrame([asdict(row) for row in rows], columns=list(_Row.__dataclass_fields__))
    frame.insert(1, "label", named.labels)
    if named.splits:
        frame["split"] = named.splits
    if hashes:
        _add_hashes(frame)
    for line in (*named.notes, *_bad(frame)):
        tell(line)
    return frame


@dataclass(slots=True)
class _Row:
    """One row of the frame, without what its place among the others says."""

    path: str
    width: int = 0
    height: int = 0
    mode: str = ""
    bytes: int = 0
    status: str = "ok"
    note: str = ""


def _walk(root: str) -> Iterator[_Row]:
    """Everything below a folder; what needs no opening to be told bad has its reason already."""
    folders, links = [root], list[str]()
    seen = set[tuple[int, int]]()
    while folders or links:
        # A folder is listed once, however many links lead to it, and by its own name if it has one.
        folder = folders.pop() if folders else links.pop()
        name = display_text(os.path.basename(folder))
        try:
            there = os.stat(folder)
            entries = list(os.scandir(folder))
        except OSError as error:
            yield _Row(folder, status=f"{name} is a folder that cannot be listed: {error.strerror}")
            continue
        if (there.st_dev, there.st_ino) in seen:
            yield _Row(folder, status=f"{name} is a link to a folder that is listed already")
            continue
        seen.add((there.st_dev, there.st_ino))
        if not entries:
            yield _Row(folder, status=f"{name} is an empty folder; expected pictures")
        for entry in entries:
            row = _row(entry)
            if row.status != "ok" or not _is_folder(entry):
                yield row
                continue
            (links if entry.is_symlink() else folders).append(entry.path)
            if entry.name.lower().endswith(_SUFFIXES):
                shown = display_text(entry.name)
                yield _Row(entry.path, status=f"{shown} is a folder; expected a picture file")


def _row(entry: os.DirEntry[str]) -> _Row:
    """The row of a file or folder, with a reason where its name is one."""
    shown = display_text(entry.name)
    if not _is_utf8(
        entry.name
    ):  # Pillow could read it, but Jupyter cannot show it nor JSON keep it
        path = entry.path.encode("utf-8", "backslashreplace").decode()
        return _Row(path, status=f"{shown} has a name that is no UTF-8; rename it")
    if entry.name.startswith("."):
        return _Row(entry.path, status=f"{shown} is hidden: its name begins with a dot")
    return _Row(entry.path)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _read(found: list[_Row]) -> list[_Row]:
    """Fill in what the files say."""
    chunks = [found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK)]
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mlnb-list")
    try:
        with progress("listing pictures", len(found)) as done:
            for number, _ in enumerate(pool.map(_read_chunk, chunks), 1):
                done(min(number * _CHUNK, len(found)))
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _read_chunk(rows: list[_Row]) -> None:
    for row in rows:
        if row.status == "ok":
            _read_file(row)


def _read_file(row: _Row) -> None:
    try:
        row.bytes = os.lstat(row.path).st_size
        with open_image(row.path) as picture:
            row.bytes = os.stat(row.path).st_size
            turned = orientation(picture)
            row.width, row.height = picture.size if turned < 5 else picture.size[::-1]
            row.mode = picture.mode
            row.note = _note(picture, turned)
            if picture.mode in ("F", "I") or not _ends_well(picture, row):
                with _one_at_a_time:
                    picture.draft(None, (1, 1))
                    to_rgb(picture)
    except ImageError as error:
        row.status, row.note = str(error), ""
    except OSError as error:
        shown = display_text(os.path.basename(row.path))
        row.status = f"{shown} went while the folder was read: {error.strerror}"


def _note(picture: Image, turned: int) -> str:
    """What is unusual, in a few words."""
    odd = [_ODD.get(picture.mode, "")]
    if "transparency" in picture.info:
        odd.append(_ODD["RGBA"])
    if getattr(picture, "is_animated", False):
        odd.append("several frames, the first counts")
    if turned > 1:
        odd.append("turned upright")
    return "; ".join(filter(None, odd))


def _ends_well(picture: Image, row: _Row) -> bool:
    """Whether a file ends as its format does; without that it may be whole all the same."""
    with open(row.path, "rb") as file:
        if picture.format == "WEBP":
            return int.from_bytes(file.read(8)[4:], "little") + 8 <= row.bytes
        file.seek(-min(64, row.bytes), os.SEEK_END)
        end = _ENDS.get(picture.format or "")
        return end is not None and file.read().rstrip(b"\0\r\n").endswith(end)


def _add_hashes(frame: DataFrame) -> None:
    from mlnb.data.duplicates import image_hashes

    good = (frame["status"] == "ok").to_numpy()
    paths = frame.loc[good, "path"]
    hashes, reasons = image_hashes(list(paths))
    frame["hash"] = ""
    frame.loc[good, "hash"] = hashes
    for position, reason in reasons.items():
        frame.loc[paths.index[position], ["status", "hash"]] = [reason, ""]


def _bad(frame: DataFrame) -> list[str]:
    """A line on what cannot be used, if there is any."""
    reasons = frame.loc[frame["status"] != "ok", "status"]
    if not len(reasons):
        return []
    more = f", and {len(reasons) - 1:,} more" if len(reasons) > 1 else ""
    return [
        f"{plural(len(reasons), 'row')} of {len(frame):,} cannot be used "
        f"(frame[frame.status != 'ok']): {reasons.iloc[0]}{more}"
    ]


_one_at_a_time = threading.Lock()
"""Held while a whole picture is decoded, so that the threads do not hold eight large ones."""
