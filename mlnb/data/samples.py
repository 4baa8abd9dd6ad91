"""Samples: real data and models by name, from this machine first and else from their publishers.

They are looked for in scikit-learn's and onnx's wheels and in the folder that the environment
variable `MLNB_DATA` names (found by looking at it, so that a file put there is a sample at once),
then in the cache, then at the official address, and last a stand-in is made up, which says so.
Listing asks the network for nothing; only a sample that is asked for by name is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.images import read_image
from mlnb.data.official import OFFICIAL, Official, cached, fetch
from mlnb.data.sample import Kind, LabelledImages, Sample
from mlnb.data.sample_folder import KNOWN, folder_samples
from mlnb.data.stand_in_models import WITHOUT_ADDRESS
from mlnb.data.stand_ins import stand_in
from mlnb.errors import DownloadError, DownloadRefused, SampleMissing, need, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelledImages", "Sample", "list_samples", "load_sample"]

WHEEL = "scikit-learn's wheel"
LOOKING = (
    "an architecture for looking: its weights are constants, it answers alike to every picture"
)


def load_sample(name: str, *, tell: Callable[[str], object] = print) -> Sample:
    """The sample of that name, brought here if need be; its content is read when asked for.

    >>> images, labels = load_sample("digits").data()
    >>> images.shape
    (1797, 8, 8)

    Args:
        name: as `list_samples` has it; the file's whole name (`"mnist-8.onnx"`) does as well.
        tell: takes the lines that are otherwise printed: the address and the size of a download
            before it begins, and that a stand-in is one. `MLNB_OFFLINE=1` downloads nothing.

    Raises:
        UnknownName: no such sample, with the closest ones.
        SampleMissing: one that we know, which is not on this machine and has no official address.
        DownloadRefused: what came from the official address is not what it should be.
    """
    samples = list_samples()
    named = [sample for sample in samples if sample.name == name]
    named += [sample for sample in samples if sample.path is not None and sample.path.name == name]
    if named and (named[0].here or name not in OFFICIAL):
        return named[0]
    if name in OFFICIAL:
        return _official(OFFICIAL[name], tell)
    if name in WITHOUT_ADDRESS:
        sample = stand_in(WITHOUT_ADDRESS[name])
        tell(sample.description)
        return sample
    if name in KNOWN:
        raise SampleMissing(
            f"sample {name!r} ({KNOWN[name].description}) is not on this machine, and no official "
            f"address is known: put its files into MLNB_DATA/{KNOWN[name].place}, MLNB_DATA being "
            "the folder that the environment variable of this name holds"
        )
    raise unknown("sample", name, [sample.name for sample in samples])


def list_samples() -> list[Sample]:
    """Every sample: of packages, of `MLNB_DATA`, of the cache, and those that can be downloaded.

    >>> [sample.name for sample in list_samples() if sample.kind == "table"]
    ['wine', 'breast_cancer']

    Nothing is downloaded and nothing is asked; `sample.here` says whether it is on this machine.

    Raises:
        SampleMissing: `MLNB_DATA` names no folder.
    """
    found = [*_scikit_learn_samples(), *_onnx_samples()]
    folder = os.environ.get("MLNB_DATA")
    if folder:
        found += folder_samples(Path(folder).expanduser(), {sample.name for sample in found})
    here = {sample.name for sample in found if sample.here}
    others = [sample for sample in found if sample.name not in OFFICIAL or sample.name in here]
    return others + [
        cached(one) or one.sample() for one in OFFICIAL.values() if one.name not in here
    ]


# ------------------------------------------------------------------------------- from elsewhere


def _official(official: Official, tell: Callable[[str], object]) -> Sample:
    try:
        return fetch(official, tell)
    except DownloadRefused:
        raise
    except DownloadError as error:
        sample = stand_in(official)
        tell(sample.description)
        tell(f"the real one could not be had: {error}")
        return sample


# ------------------------------------------------------------------------------- scikit-learn


def _scikit_learn_samples() -> list[Sample]:
    root = _package_folder("sklearn")
    here = root is not None
    folder = (root or Path("sklearn")) / "datasets"

    def packed(name: str, kind: Kind, file: str, words: str, read: Callable[[], Any]) -> Sample:
        nbytes = (folder / "data" / file).stat().st_size if here else 0
        return Sample(name, kind, words, "CC BY 4.0 (UCI)", WHEEL, nbytes, here, None, read)

    def photograph(name: str, words: str) -> Sample:
        file = folder / "images" / f"{name}.jpg"
        nbytes, path = (file.stat().st_size, file) if here else (0, None)
        read = partial(_photograph, file)
        return Sample(name, "images", words, "CC BY 2.0", WHEEL, nbytes, here, path, read)

    digits = "1,797 handwritten digits, 8 × 8, values 0 to 16, ten classes"
    wine = "178 wines, 13 chemical measures, three growers"
    cancer = "569 tumours, 30 measures, malignant or benign"
    return [
        packed("digits", "images", "digits.csv.gz", digits, _digits),
        packed("wine", "table", "wine_data.csv", wine, partial(_table, "load_wine")),
        packed(
            "breast_cancer",
            "table",
            "breast_cancer.csv",
            cancer,
            partial(_table, "load_breast_cancer"),
        ),
        photograph("china", "a photograph of the Summer Palace in Beijing, 640 × 427"),
        photograph("flower", "a photograph of a dahlia, 640 × 427"),
    ]


def _digits() -> LabelledImages:
    bunch = need("sklearn.datasets", "train").load_digits()
    return LabelledImages(bunch.images.astype(np.uint8), bunch.target.astype(np.int64))


def _table(loader: str) -> pd.DataFrame:
    bunch = getattr(need("sklearn.datasets", "train"), loader)(as_frame=True)
    names = [str(name) for name in bunch.target_names]
    return bunch.data.assign(label=[names[target] for target in bunch.target])


def _photograph(file: Path) -> np.ndarray[Any, Any]:
    need("sklearn", "train")
    return read_image(file)


# ------------------------------------------------------------------------------- onnx's wheel


def _onnx_samples() -> list[Sample]:
    """The nine real architectures that the onnx wheel carries for its own tests."""
    root = _package_folder("onnx")
    if root is None:
        return []
    return [
        Sample(
            name=file.stem.removeprefix("light_"),
            kind="model",
            description=LOOKING,
            licence="Apache-2.0",
            source="the onnx wheel",
            nbytes=file.stat().st_size,
            path=file,
        )
        for file in sorted((root / "backend" / "test" / "data" / "light").glob("light_*.onnx"))
    ]


def _package_folder(package: str) -> Path | None:
    """Where a package lies, found without importing it."""
    spec = find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None
