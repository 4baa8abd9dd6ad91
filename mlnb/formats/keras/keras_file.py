"""`KerasFile`: a `.keras` archive, its config read here and its weights never opened here.

The archive holds `config.json` (the layers), `metadata.json` (who wrote it) and `model.weights.h5`,
which a child parses when the graph is looked at. No layer is made, so that nothing in the config
runs: a Lambda's code stays base64.

The format: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.archive import Archive
from mlnb.formats.keras.config import read_config
from mlnb.formats.keras.hdf5 import Hdf5
from mlnb.formats.keras.model import KerasModelFile
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Source

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def looks_inside(names: Collection[str]) -> bool:
    """Whether the members of a zip archive are those of a Keras model."""
    return _CONFIG in names and (_METADATA in names or _WEIGHTS in names)


class KerasFile(KerasModelFile):
    """A Keras 3 model in a `.keras` file or in bytes.

    >>> KerasFile(Source.of("mnist.keras")).outputs
    TensorSpecs(dense_1: float32 [?, 10])

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is no Keras archive; the message says what is wrong in it.
        LimitExceeded: it asks for more than `limits` allows.
    """

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self._archive = Archive(source, limits)
        name = f"{display_text(source.name, 60)} cannot be read as Keras: {_CONFIG}"
        if _CONFIG not in self._archive:
            raise ModelFormatError(f"{name} is missing")
        most = min(limits.structure_bytes, 2**26)
        config = read_config(self._archive.read(_CONFIG, most), name, limits)
        super().__init__(source, limits, config, name)

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The Keras that wrote it, the date, and what the model is compiled with."""
        said: Mapping[str, object] = {}
        if _METADATA in self._archive:
            name = f"{display_text(self.source.name, 60)}: {_METADATA}"
            said = read_config(self._archive.read(_METADATA, 2**20), name, self.limits)
        told = {
            "producer": f"Keras {said['keras_version']}" if "keras_version" in said else "Keras",
            "date": str(said.get("date_saved", "")),
            "class": str(self._config.get("class_name")),
        }
        return {key: value for key, value in told.items() if value}

    def _hdf5(self) -> Hdf5 | None:
        if _WEIGHTS not in self._archive:
            return None
        if self._archive.is_stored(_WEIGHTS):
            place = self._archive.offset(_WEIGHTS)
            return Hdf5(self.source, self.limits, place, self._archive.size(_WEIGHTS))
        return Hdf5(
            self.source, self.limits, content=self._archive.read(_WEIGHTS, self.limits.tensor_bytes)
        )
