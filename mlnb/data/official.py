"""The samples that can be downloaded by name: where each one's publisher has it, and what it is.

An address stands here only where it is the publisher's own, and a sha256 only where somebody
published it; of the others the first download is pinned (`mlnb.downloads`). The models' sha256s are
those of `ONNX_HUB_MANIFEST.json` in onnx/models, Yelp's is the one in circulation for UCI's zip.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mlnb.cache import SAMPLES, cache_folder, locked, put, writing
from mlnb.data.archives import unpack
from mlnb.data.sample import Kind, Sample
from mlnb.data.sample_readers import (
    read_labelled_lines,
    read_optdigits,
    read_pet_images,
    read_sentence_pairs,
    read_tagged_pictures,
)
from mlnb.downloads import download, forget
from mlnb.errors import DownloadRefused

UCI = "https://archive.ics.uci.edu/static/public/"
ZOO = (
    "https://media.githubusercontent.com/media/onnx/models/"
    "b1eeaa1ac722dcc1cd1a8284bde34393dab61c3d/validated/vision/"
)
ML_NET = (
    "https://raw.githubusercontent.com/dotnet/machinelearning-samples/"
    "427ccb68ab1da8f0600bf7653b5158ec1f04c3cb/samples/csharp/getting-started/"
    "DeepLearning_ObjectDetection_Onnx/ObjectDetectionConsoleApp/assets/images/"
)


@dataclass(frozen=True)
class Remote:
    """One file at its publisher's; `sha256` only where somebody published it."""

    url: str
    sha256: str | None = None


@dataclass(frozen=True)
class Official:
    """A sample that can be downloaded.

    Args:
        name: what `load_sample` takes.
        kind: as a `Sample` has it.
        description: one line for people.
        licence: as its publisher states it.
        source: who publishes it.
        nbytes: the size of the download in bytes; 0 where its publisher does not say.
        files: what is downloaded.
        packed: whether the one file is an archive.
        finds: the name of what the sample's path leads to, below the folder; "" for the folder.
        read: its reader; `None` for a model.
    """

    name: str
    kind: Kind
    description: str
    licence: str
    source: str
    nbytes: int
    files: tuple[Remote, ...]
    packed: bool
    finds: str
    read: Callable[[Path], Any] | None = None

    @property
    def folder(self) -> Path:
        """Where it lies in the cache."""
        return cache_folder() / SAMPLES / self.name

    def sample(self, folder: Path | None = None) -> Sample:
        """The sample whose files lie in `folder`; one that is not here without it."""
        path = self.path(folder) if folder else None
        return Sample(
            name=self.name,
            kind=self.kind,
            description=self.description,
            licence=self.licence,
            source=self.source,
            nbytes=self.nbytes or (_size(path) if path else 0),
            here=path is not None,
            path=path,
            read=partial(self.read, path) if self.read and path else None,
        )

    def stand_in(self, folder: Path, says: str) -> Sample:
        """The made-up sample whose files lie in `folder`, which says of itself that it is one."""
        path = self.path(folder)
        return replace(
            self.sample(folder),
            description=says,
            licence="MIT",
            source="made by mlnb",
            nbytes=_size(path),
            stand_in=True,
        )

    def path(self, folder: Path) -> Path:
        """What the sample's path leads to.

        Raises:
            DownloadRefused: it is not among the files.
        """
        if not self.finds:
            return folder
        found = sorted(folder.rglob(self.finds))
        if not found:
            raise DownloadRefused(
                f"what came for {self.name} holds no {self.finds}; its publisher has changed it"
            )
        return found[0]


def fetch(official: Official, tell: Callable[[str], object]) -> Sample:
    """Download and unpack a sample into the cache, or find it there.

    Raises:
        DownloadError: it cannot be had now.
        DownloadRefused: what came is not what it should be.
    """
    folder = official.folder
    lock = folder.with_name(f"{official.name}.lock")
    waiting = f"another process is fetching {official.name}; waiting for it"
    with writing(folder.parent), locked(lock, lambda: tell(waiting)):
        here = cached(official)
        if here is None:
            shutil.rmtree(folder, ignore_errors=True)
            _bring(official, folder, tell)
        return here or official.sample(folder)


def cached(official: Official) -> Sample | None:
    """The sample in the cache, where all of it is there."""
    try:
        return official.sample(official.folder) if official.folder.is_dir() else None
    except DownloadRefused:  # somebody took its files away
        return None


def _bring(official: Official, folder: Path, tell: Callable[[str], object]) -> None:
    new = folder.with_name(f".{official.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    files = [download(one.url, sha256=one.sha256, tell=tell) for one in official.files]
    if official.packed:
        unpack(files[0], new)
    else:
        new.mkdir()
        for file in files:
            shutil.copyfile(file, new / file.name)
    official.path(new)
    put(new, folder)
    for one in official.files:
        forget(one.url)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _zoo(
    name: str, description: str, licence: str, nbytes: int, file: str, sha256: str
) -> Official:
    remote = Remote(ZOO + file, sha256)
    packed = not file.endswith(".onnx")
    source = "onnx/models"
    return Official(
        name, "model", description, licence, source, nbytes, (remote,), packed, "*.onnx"
    )


OFFICIAL = {
    official.name: official
    for official in (
        Official(
            "digits",
            "images",
            "1,797 handwritten digits, 8 × 8, values 0 to 16, ten classes",
            "CC BY 4.0",
            "UCI, data set 80",
            0,
            (Remote(UCI + "80/optical+recognition+of+handwritten+digits.zip"),),
            True,
            "optdigits.tes",
            read_optdigits,
        ),
        Official(
            "yelp",
            "text",
            "1,000 sentences of restaurant reviews; label 1 liked, 0 not",
            "CC BY 4.0",
            "UCI, data set 331",
            84_188,
            (
                Remote(
                    UCI + "331/sentiment+labelled+sentences.zip",
                    "afc26626d710899948693e1a61405dce197f57ffa719fa1130d346b4cc095343",
                ),
            ),
            True,
            "yelp_labelled.txt",
            read_labelled_lines,
        ),
        Official(
            "cats_vs_dogs",
            "images",
            "25,000 photographs of cats and dogs (Asirra); some of them are damaged",
            "as Microsoft's page states it",
            "Microsoft",
            0,
            (
                Remote(
                    "https://download.microsoft.com/download/3/E/1/"
                    "3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip"
                ),
            ),
            True,
            "PetImages",
            read_pet_images,
        ),
        Official(
            "sick",
            "text",
            "about 10,000 sentence pairs with their relatedness, 1 to 5",
            "CC BY-NC-SA 3.0",
            "Zenodo, record 2787612",
            0,
            (Remote("https://zenodo.org/record/2787612/files/SICK.zip"),),
            True,
            "SICK.txt",
            read_sentence_pairs,
        ),
        Official(
            "detection",
            "images",
            "four street and pet scenes for detectors",
            "of each picture, in its wikimedia.md",
            "dotnet/machinelearning-samples",
            927_236,
            tuple(
                Remote(ML_NET + file)
                for file in (*(f"image{number}.jpg" for number in (1, 2, 3, 4)), "wikimedia.md")
            ),
            False,
            "",
            read_tagged_pictures,
        ),
        _zoo(
            "tinyyolov2-7",
            "Tiny YOLOv2, an object detector, 20 classes of Pascal VOC",
            "MIT",
            60_865_248,
            "object_detection_segmentation/tiny-yolov2/model/tinyyolov2-7.tar.gz",
            "b20099da6c3d78ee60f1a68073eb2b522dd572c32b1787f588b822afd2d2e34c",
        ),
        _zoo(
            "mnist-8",
            "a small digits network; 28 × 28, values 0 to 255",
            "MIT",
            26_454,
            "classification/mnist/model/mnist-8.onnx",
            "2f06e72de813a8635c9bc0397ac447a601bdbfa7df4bebc278723b958831c9bf",
        ),
        _zoo(
            "squeezenet1.1-7",
            "SqueezeNet 1.1 of ImageNet, float32; RGB, mean and deviation of ImageNet",
            "Apache-2.0",
            4_956_208,
            "classification/squeezenet/model/squeezenet1.1-7.onnx",
            "1eeff551a67ae8d565ca33b572fc4b66e3ef357b0eb2863bb9ff47a918cc4088",
        ),
        _zoo(
            "mobilenetv2-7",
            "MobileNet 2 of ImageNet, float32; RGB, mean and deviation of ImageNet",
            "Apache-2.0",
            14_246_826,
            "classification/mobilenet/model/mobilenetv2-7.onnx",
            "c1c513582d56afceff8516c73804e484c81c6a830712ab6d682253f4a3cd042f",
        ),
    )
}
