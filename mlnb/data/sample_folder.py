"""The samples in a folder of real models and data: found by looking, described where we know them.

The folder's layout says what a thing is: `models/**` (a file, or a folder with `saved_model.pb`),
`images/**` (photographs, with the truth in `tags.tsv`), `labels/`, `mnist/`, `text/`, and any
folder of class folders. A table that must list every file would be stale the day one is added, so
`KNOWN` only describes; `MANIFEST.tsv` in the folder gives source and licence.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlnb.data.images import read_image
from mlnb.data.sample import Kind, LabelledImages, Sample
from mlnb.errors import SampleMissing
from mlnb.formatting import display_text

if TYPE_CHECKING:
    import pandas as pd

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}
MODELS = {".onnx", ".pb", ".tflite", ".keras", ".h5", ".hdf5"}
MODELS |= {".pt", ".pth", ".th", ".safetensors", ".gguf"}
TABS = {"sep": "\t", "quoting": csv.QUOTE_NONE, "encoding": "utf-8"}


class Known(NamedTuple):
    """What we can say of a sample that is not in every folder."""

    kind: Kind
    description: str


KNOWN = {
    "images": Known("images", "photographs of six ImageNet classes, truth in tags.tsv"),
    "detection": Known("images", "street and pet scenes for detectors"),
    "cats_vs_dogs": Known("images", "photographs of cats and dogs in two class folders"),
    "mnist": Known("images", "real MNIST digits, 28 × 28, values 0 to 255, ten classes"),
    "yelp": Known("text", "1,000 sentences of restaurant reviews; label 1 liked, 0 not"),
    "sick": Known("text", "sentence pairs with their relatedness, 1 to 5"),
    "sts": Known("text", "sentence pairs with their similarity, 0 to 5"),
    "squeezenet1.1_fp16": Known("model", "SqueezeNet 1.1 of ImageNet; BGR minus (104, 117, 123)"),
    "mnist-8": Known("model", "a small digits network; 28 × 28, values 0 to 255"),
    "FastestDet": Known("model", "an object detector, 80 classes of COCO"),
    "super_resolution_bsd": Known("model", "enlarges a grey picture three times"),
    "candy_style": Known("model", "paints a photograph in the style of a mosaic"),
    "silero_vad": Known("model", "tells speech from silence; an If with two subgraphs"),
}


def folder_samples(root: Path, taken: set[str]) -> list[Sample]:
    """Every sample under `root`, in the order of its folders.

    Args:
        root: such a folder as `MLNB_DATA` names.
        taken: names that are in use; a file whose stem is among them goes by its whole name.

    Raises:
        SampleMissing: `root` is no folder.
    """
    if not root.is_dir():
        raise SampleMissing(
            f"MLNB_DATA is {display_text(str(root), 200)!r}, which is no folder; "
            "set it to a folder of samples, or unset it"
        )
    root = root.resolve()
    manifest = _read_manifest(root / "MANIFEST.tsv")
    used, samples = set(taken), []
    for name, kind, path, read in _look(root):
        name = name if name not in used else path.name
        if name in used:
            name = path.relative_to(root).as_posix()
        used.add(name)
        samples.append(_describe(name, kind, path, read, root, manifest))
    return samples


Found = tuple[str, Kind, Path, "Callable[[], Any] | None"]


def _look(root: Path) -> Iterator[Found]:
    """Name, kind, path and reader of everything; whole sets before single files."""
    for folder in _folders(root):
        if folder.name not in ("models", "images", "labels", "text", "mnist", "malformed"):
            classes = _folders(folder)
            if classes and all(_pictures(inner) for inner in classes):
                yield folder.name, "images", folder, partial(_class_folders, folder)
    for folder in [root / "images", *_folders(root / "images")]:
        if _pictures(folder):
            yield folder.name, "images", folder, partial(_tagged_pictures, folder)
    for file in _files(root / "mnist", {".txt"}):
        yield "mnist", "images", file, partial(_mnist, file)
    for file in _files(root / "text", {".txt", ".tsv"}):
        yield file.stem.removesuffix("_labelled"), "text", file, partial(_labelled_lines, file)
    for folder in _folders(root / "text"):
        yield folder.name, "text", folder, partial(_sentence_pairs, folder)
    for file in _files(root / "labels", {".txt", ".names"}):
        yield file.stem, "labels", file, partial(_lines, file)
    yield from _models(root / "models")
    for folder in [root / "images", *_folders(root / "images")]:
        for file in _pictures(folder):
            yield file.stem, "images", file, partial(read_image, file)


def _models(folder: Path) -> Iterator[Found]:
    if (folder / "saved_model.pb").is_file():
        yield folder.name, "model", folder, None
        return
    for file in _files(folder, MODELS):
        yield file.stem, "model", file, None
    for file in _files(folder, {".txt"}):
        yield file.stem, "labels", file, partial(_lines, file)
    for inner in _folders(folder):
        yield from _models(inner)


def _describe(
    name: str,
    kind: Kind,
    path: Path,
    read: Callable[[], Any] | None,
    root: Path,
    manifest: dict[str, dict[str, str]],
) -> Sample:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    rows = [manifest.get(file.relative_to(root).as_posix(), {}) for file in files]
    known = KNOWN.get(name)
    return Sample(
        name=name,
        kind=kind,
        description=known.description if known else _all_of(rows, "what") or kind,
        licence=_all_of(rows, "licence") or "unknown",
        source=_all_of(rows, "repo") or "unknown",
        nbytes=sum(file.stat().st_size for file in files),
        path=path,
        read=read,
    )


def _all_of(rows: list[dict[str, str]], column: str) -> str:
    """What the rows agree on; where they differ, that they do."""
    values = {row.get(column) or "" for row in rows} - {""}
    return values.pop() if len(values) == 1 else "several, see MANIFEST.tsv" if values else ""


def _read_manifest(file: Path) -> dict[str, dict[str, str]]:
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {
            row["file"]: row for row in csv.DictReader(lines, delimiter="\t") if row.get("file")
        }


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _files(folder: Path, suffixes: set[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in suffixes)


def _pictures(folder: Path) -> list[Path]:
    return _files(folder, PICTURES)


# ------------------------------------------------------------------------------------ readers


def _class_folders(folder: Path) -> pd.DataFrame:
    """A row a photograph: `path`, and in `label` the name of its folder."""
    import pandas as pd

    rows = [(str(file), inner.name) for inner in _folders(folder) for file in _pictures(inner)]
    return pd.DataFrame(rows, columns=["path", "label"])


def _tagged_pictures(folder: Path) -> pd.DataFrame:
    """A row a photograph: `path` and `label`, which is missing where `tags.tsv` has no word."""
    import pandas as pd

    tags: dict[str, str] = {}
    if (folder / "tags.tsv").is_file():
        lines = (folder / "tags.tsv").read_text(encoding="utf-8").splitlines()
        tags = dict(line.split("\t", 1) for line in lines if "\t" in line)
    rows = [(str(file), tags.get(file.name)) for file in _pictures(folder)]
    return pd.DataFrame(rows, columns=["path", "label"])


def _mnist(file: Path) -> LabelledImages:
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


def _labelled_lines(file: Path) -> pd.DataFrame:
    """A row a line: `text`, and the whole number after its last TAB as `label`."""
    import pandas as pd

    return pd.read_csv(file, names=["text", "label"], **TABS)


def _sentence_pairs(folder: Path) -> pd.DataFrame:
    """A row a pair: `sentence_a`, `sentence_b`, `score`, and in `part` the file it came from."""
    import pandas as pd

    parts = []
    for file in _files(folder, {".txt", ".tsv"}):
        if file.stem.lower() == "readme":
            continue
        with file.open(encoding="utf-8") as lines:
            titled = "sentence_A" in lines.readline()
        if titled:
            frame = pd.read_csv(file, **TABS).rename(
                columns={
                    "sentence_A": "sentence_a",
                    "sentence_B": "sentence_b",
                    "relatedness_score": "score",
                }
            )
        else:
            frame = pd.read_csv(file, names=["score", "sentence_a", "sentence_b"], **TABS)
        parts.append(frame.assign(part=file.stem))
    return pd.concat(parts, ignore_index=True)


def _lines(file: Path) -> list[str]:
    """Every line that is not empty, as it stands."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
