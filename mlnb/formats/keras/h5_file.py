"""`KerasH5File`: a Keras model in an HDF5 file, and `Hdf5WeightsFile`, HDF5 without a model in it.

The file is parsed in a child, at once: its config is an attribute of the root. From there on it is
read as a `.keras` archive is.

The format: `keras.src.legacy.saving.legacy_h5_format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.keras.config import read_config
from mlnb.formats.keras.hdf5 import Hdf5
from mlnb.formats.keras.model import KerasModelFile
from mlnb.formats.weights_file import WeightsFile
from mlnb.formatting import display_text
from mlnb.graph.graph import Graph, Value
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.keras.weights import Weights
    from mlnb.formats.model_file import ModelFile
    from mlnb.formats.source import Source

BEGINNING = b"\x89HDF\r\n\x1a\n"


def looks(head: bytes, source: Source) -> bool:
    """Whether a file is HDF5, by its first eight bytes."""
    return head.startswith(BEGINNING)


def open_hdf5(source: Source, limits: Limits = LIMITS) -> ModelFile:
    """The model in an HDF5 file, or its weights where there is no model in it.

    >>> open_hdf5(Source.of("mini_XCEPTION.hdf5")).outputs
    TensorSpecs(predictions: float32 [?, 7])

    Raises:
        ModelFormatError: it cannot be read as HDF5.
        ModelCrashed: the parser died of it.
    """
    hdf5 = Hdf5(source, limits)
    if hdf5.attribute("model_config") is not None:
        return KerasH5File(hdf5)
    return Hdf5WeightsFile(hdf5)


class KerasH5File(KerasModelFile):
    """A Keras model in the old format, `.h5` or `.hdf5`.

    Args:
        hdf5: what the child found in it.

    Raises:
        ModelFormatError: its config is none.
    """

    def __init__(self, hdf5: Hdf5) -> None:
        self._kept = hdf5
        name = f"{display_text(hdf5.source.name, 60)} cannot be read as Keras: model_config"
        text = str(hdf5.attribute("model_config"))
        super().__init__(hdf5.source, hdf5.limits, read_config(text, name, hdf5.limits), name)
        if hdf5.described["outside"]:
            first = display_text(hdf5.described["outside"][0])
            raise ModelFormatError(
                f"{display_text(hdf5.source.name, 60)} points into other files, at {first!r}; "
                "what lies outside a model file is not opened"
            )

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The Keras that wrote it, and on which backend."""
        version = self._kept.attribute("keras_version")
        told = {
            "producer": f"Keras {version}" if version else "Keras",
            "backend": str(self._kept.attribute("backend") or ""),
            "class": str(self._config.get("class_name")),
        }
        return {key: value for key, value in told.items() if value}

    def _hdf5(self) -> Hdf5:
        return self._kept

    def _weights(self, hdf5: Hdf5) -> Weights:
        return hdf5.named()


class Hdf5WeightsFile(WeightsFile):
    """A table of tensors: an HDF5 file without a config, as `save_weights` writes it.

    Args:
        hdf5: what the child found in it.
    """

    format = "HDF5"
    advice = (
        "it holds weights without a model: build the model in Keras, call "
        "keras_model.load_weights(path), save it whole as .keras, and load that"
    )

    def __init__(self, hdf5: Hdf5) -> None:
        super().__init__(hdf5.source, hdf5.limits)
        self._hdf5 = hdf5
        self._stored = {one.path: one for one in hdf5.tensors}

    @cached_property
    def tensors(self) -> tuple[Value, ...]:
        """Every data set, by its path in the file."""
        return tuple(
            Value(one.path, one.dtype, one.shape, True, one.nbytes) for one in self._stored.values()
        )

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The Keras that wrote it, where it says so."""
        version = self._hdf5.attribute("keras_version")
        return {"producer": f"Keras {version}"} if version else {}

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored tensor, read by the child now; see `ModelFile.tensor`."""
        if name not in self._stored:
            raise unknown("stored tensor", name, self._stored)
        return self._hdf5.array(self._stored[name], display_text(name))
