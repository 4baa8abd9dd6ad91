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
from typing import Any, NamedTuple

from mlnb.data.images import read_image
from mlnb.data.sample import Kind, Sample
from mlnb.data.sample_readers import (
    files_in,
    folders_in,
    pictures_in,
    read_class_folders,
    read_labelled_lines,
    read_lines,
    read_mnist,
    read_sentence_pairs,
    read_tagged_pictures,
)
from mlnb.errors import SampleMissing
from mlnb.formatting import display_text

MODELS = {".onnx", ".pb", ".tflite", ".keras", ".h5", ".hdf5"}
MODELS |= {".pt", ".pth", ".th", ".safetensors", ".gguf"}


class Known(NamedTuple):
    """What we can say of a sample that is not in every folder, and where in one it belongs."""

    kind: Kind
    description: str
    place: str


KNOWN = {
    "images": Known("images", "photographs of six ImageNet classes, truth in tags.tsv", "images/"),
    "detection": Known("images", "street and pet scenes for detectors", "images/detection/"),
    "cats_vs_dogs": Known(
        "images", "photographs of cats and dogs in two class folders", "cats_vs_dogs/"
    ),
    "mnist": Known("images", "real MNIST digits, 28 × 28, values 0 to 255, ten classes", "mnist/"),
    "yelp": Known(
        "text", "1,000 sentences of restaurant reviews; label 1 liked, 0 not", "text/yelp.txt"
    ),
    "sick": Known("text", "sentence pairs with their relatedness, 1 to 5", "text/sick/"),
    "sts": Known("text", "sentence pairs with their similarity, 0 to 5", "text/sts/"),
    "squeezenet1.1_fp16": Known(
        "model", "SqueezeNet 1.1 of ImageNet; BGR minus (104, 117, 123)", "models/"
    ),
    "mnist-8": Known("model", "a small digits network; 28 × 28, values 0 to 255", "models/"),
    "FastestDet": Known("model", "an object detector, 80 classes of COCO", "models/"),
    "super_resolution_bsd": Known("model", "enlarges a grey picture three times", "models/"),
    "candy_style": Known("model", "paints a photograph in the style of a mosaic", "models/"),
    "silero_vad": Known("model", "tells speech from silence; an If with two subgraphs", "models/"),
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
    for folder in folders_in(root):
        if folder.name not in ("models", "images", "labels", "text", "mnist", "malformed"):
            classes = folders_in(folder)
            if classes and all(pictures_in(inner) for inner in classes):
                yield folder.name, "images", folder, partial(read_class_folders, folder)
    for folder in [root / "images", *folders_in(root / "images")]:
        if pictures_in(folder):
            yield folder.name, "images", folder, partial(read_tagged_pictures, folder)
    for file in files_in(root / "mnist", {".txt"}):
        yield "mnist", "images", file, partial(read_mnist, file)
    for file in files_in(root / "text", {".txt", ".tsv"}):
        yield file.stem.removesuffix("_labelled"), "text", file, partial(read_labelled_lines, file)
    for folder in folders_in(root / "text"):
        yield folder.name, "text", folder, partial(read_sentence_pairs, folder)
    for file in files_in(root / "labels", {".txt", ".names"}):
        yield file.stem, "labels", file, partial(read_lines, file)
    yield from _models(root / "models")
    for folder in [root / "images", *folders_in(root / "images")]:
        for file in pictures_in(folder):
            yield file.stem, "images", file, partial(read_image, file)


def _models(folder: Path) -> Iterator[Found]:
    if (folder / "saved_model.pb").is_file():
        yield folder.name, "model", folder, None
        return
    for file in files_in(folder, MODELS):
        yield file.stem, "model", file, None
    for file in files_in(folder, {".txt"}):
        yield file.stem, "labels", file, partial(read_lines, file)
    for inner in folders_in(folder):
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
