"""The tutorials: where they lie, and `copy_tutorials`, which puts them where one can write.

They travel inside the package, so that `pip install mlnb` brings them. A reader gets copies: what
is installed may be read-only, and what one writes into it is gone at the next upgrade.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mlnb.errors import MlnbError, unknown
from mlnb.formatting import display_text

_PACKAGE = Path(__file__).resolve().parent


def copy_tutorials(
    folder: str | os.PathLike[str], names: Iterable[str] | None = None
) -> list[Path]:
    """Copy tutorials into `folder` and return the new files.

    >>> copy_tutorials("tutorials")
    [PosixPath('tutorials/01_look_into_a_model.ipynb')]

    Args:
        folder: made where it is missing. A file that is there already is left as it is, since its
            reader may have worked in it.
        names: as `tutorials` has them, with or without `.ipynb`; all of them without it.

    Raises:
        UnknownName: no such tutorial, with the closest one.
        MlnbError: the folder cannot be made or written to.
    """
    there = tutorials()
    wanted = there if names is None else {}
    for name in names or ():
        stem = name.removesuffix(".ipynb")
        if stem not in there:
            raise unknown("tutorial", name, there)
        wanted[stem] = there[stem]
    target = Path(folder).expanduser()
    try:
        target.mkdir(parents=True, exist_ok=True)
        return [copy for path in wanted.values() if (copy := _copied(path, target)) is not None]
    except OSError as error:
        place = display_text(str(error.filename or target), 200)
        raise MlnbError(
            f"the tutorials cannot be put into {place}: {error.strerror}; name another folder"
        ) from error


def tutorials() -> dict[str, Path]:
    """Every tutorial by name, in reading order.

    >>> list(tutorials())
    ['01_look_into_a_model']
    """
    inside = _PACKAGE / "notebooks"  # in a wheel; a checkout has them beside the package
    folder = inside if inside.is_dir() else _PACKAGE.parent / "notebooks"
    return {path.stem: path for path in sorted(folder.glob("*.ipynb"))}


def _copied(tutorial: Path, folder: Path) -> Path | None:
    """The new copy; `None` where a file of that name stands already."""
    copy = folder / tutorial.name
    try:
        with copy.open("xb") as file:
            file.write(tutorial.read_bytes())
    except FileExistsError:
        return None
    return copy
