"""How the content of samples is read: one function a layout, each to a frame, arrays or strings.

A file of texts is read with TAB and without quoting, because a review may open a quotation and
never close it, which would swallow the rest of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlnb.data.sample import LabelledImages
from mlnb.data.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}


def read_class_folders(folder: Path) -> pd.DataFrame:
    """A row a photograph: `path`, and in `label` the name of its folder."""
    import pandas as pd

    rows = [(str(file), inner.name) for inner in folders_in(folder) for file in pictures_in(inner)]
    return pd.DataFrame(rows, columns=["path", "label"])


def read_tagged_pictures(folder: Path) -> pd.DataFrame:
    """A row a photograph: `path` and `label`, which is missing where `tags.tsv` has no word."""
    import pandas as pd

    tags: dict[str, str] = {}
    if (folder / "tags.tsv").is_file():
        lines = (folder / "tags.tsv").read_text(encoding="utf-8").splitlines()
        tags = dict(line.split("\t", 1) for line in lines if "\t" in line)
    rows = [(str(file), tags.get(file.name)) for file in pictures_in(folder)]
    return pd.DataFrame(rows, columns=["path", "label"])


def read_mnist(file: Path) -> LabelledImages:
    """Lines of `label`, then 784 values, or `784` and `index:value` for those that are not 0."""
    images, labels = [], []
    for line in file.read_text(encoding="ascii").split("\n"):
        label, *cells = line.split() or [""]
        if not label:
            continue
        pixels = np.zeros(784, np.uint8)
        if any(":" in cell for cell in cells):
            for cell in cells[1:]:
                index, value = cell.split(":")
                pixels[int(index)] = int(value)
        else:
            pixels[:] = [int(cell) for cell in cells]
        images.append(pixels.reshape(28, 28))
        labels.append(int(label))
    return LabelledImages(np.stack(images), np.array(labels, np.int64))


def read_labelled_lines(file: Path) -> pd.DataFrame:
    """A row a line: `text`, and the whole number after its last TAB as `label`."""
    return _table(file, ["text", "label"])


def read_sentence_pairs(path: Path) -> pd.DataFrame:
    """A row a pair: `sentence_a`, `sentence_b`, `score`, and in `part` the file it came from.

    `path` is a file or a folder of them. SICK in one file says itself which part a pair is in.
    """
    import pandas as pd

    found = files_in(path, {".txt", ".tsv"}) if path.is_dir() else [path]
    parts = [_pairs(file) for file in found if file.stem.lower() != "readme"]
    return pd.concat(parts, ignore_index=True)


def _pairs(file: Path) -> pd.DataFrame:
    with file.open(encoding="utf-8") as content:
        titled = "sentence_A" in content.readline()
    if not titled:
        return _table(file, ["score", "sentence_a", "sentence_b"]).assign(part=file.stem)
    names = {"sentence_A": "sentence_a", "sentence_B": "sentence_b", "relatedness_score": "score"}
    frame = _table(file).rename(columns=names)
    return frame.assign(part=frame.get("SemEval_set", file.stem))


def _table(file: Path, names: list[str] | None = None) -> pd.DataFrame:
    """Columns with TABs between; by these names, or by those in the first line."""
    header = names is None
    frame = read_table(file, names, "\t", header=header, quote=None, tell=lambda _: None)
    frame.attrs.clear()
    return frame


def read_optdigits(file: Path) -> LabelledImages:
    """Lines of 64 values from 0 to 16 and the label, with commas between, as UCI has the digits."""
    rows = np.loadtxt(file, dtype=np.int64, delimiter=",", ndmin=2)
    return LabelledImages(rows[:, :64].reshape(-1, 8, 8).astype(np.uint8), rows[:, 64])


def read_pet_images(folder: Path) -> pd.DataFrame:
    """Microsoft's folders `Cat` and `Dog` as `cats` and `dogs`; a few of its files are empty."""
    import pandas as pd

    labels = {"Cat": "cats", "Dog": "dogs"}
    rows = [
        (str(file), label)
        for name, label in labels.items()
        for file in pictures_in(folder / name)
        if file.stat().st_size
    ]
    return pd.DataFrame(rows, columns=["path", "label"])


def read_lines(file: Path) -> list[str]:
    """Every line that is not empty, as it stands."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, by name; none where there is no such folder."""
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def files_in(folder: Path, suffixes: set[str]) -> list[Path]:
    """The files in a folder that end so, by name."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in suffixes)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder, by name."""
    return files_in(folder, PICTURES)
