"""What a sample is: a name, what is known of it, and how to read it.

It is a record and a reader, not the data: listing every sample of a machine reads none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mlnb.errors import SampleMissing
from mlnb.formatting import bytes_text, display_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Kind = Literal["images", "table", "text", "model", "labels"]


class LabelledImages(NamedTuple):
    """Small pictures and what they show: `images, labels = load_sample("digits").data()`.

    Args:
        images: `uint8 [N, height, width]`.
        labels: `int64 [N]`.
    """

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a picture: a column a pixel (`pixel_3_5` is row 3, column 5), then `label`."""
        import pandas as pd

        count, height, width = self.images.shape
        columns = [f"pixel_{row}_{column}" for row in range(height) for column in range(width)]
        frame = pd.DataFrame(self.images.reshape(count, -1), columns=columns)
        return frame.assign(label=self.labels)


@dataclass(frozen=True)
class Sample:
    """One sample: what it is, where it came from, and how to read it.

    A sample with a path stands wherever a path does: `load_model(load_sample("resnet50"))`.

    Args:
        name: what `load_sample` takes.
        kind: `"images"`, `"table"`, `"text"`, `"model"` or `"labels"`.
        description: one line for people.
        licence: as its source states it.
        source: where it comes from.
        nbytes: the size on disk, or of the download, in bytes; 0 where nobody knows.
        here: whether it is on this machine.
        path: the file or folder; `None` for what a package reads by itself.
        stand_in: whether mlnb made it up, because the real one could not be had; what one measures
            on it means nothing.
    """

    name: str
    kind: Kind
    description: str
    licence: str
    source: str
    nbytes: int = 0
    here: bool = True
    path: Path | None = None
    read: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    stand_in: bool = False

    def data(self) -> Any:
        """The sample's content, read now.

        - images: `LabelledImages` of small ones; `uint8 [height, width, 3]` of a photograph; of a
          folder of photographs a frame with `path` and `label`.
        - table, text: a frame; what is to be learned stands in `label` or `score`.
        - labels: a list of strings. model: the bytes of its file.

        Raises:
            SampleMissing: it is not on this machine yet, and `load_sample` brings it; or it is a
                model that is a folder and has no content of its own: use its path.
            MissingExtra: the package that holds or reads it is not installed.
        """
        if self.read is not None:
            return self.read()
        if not self.here:
            raise SampleMissing(self._how_to_get)
        if self.path is None or not self.path.is_file():
            raise SampleMissing(f"{self.name} is a folder; take its path: os.fspath(sample)")
        return self.path.read_bytes()

    def __fspath__(self) -> str:
        if self.path is None and not self.here:
            raise SampleMissing(self._how_to_get)
        if self.path is None:
            raise SampleMissing(f"{self.name} is no file; take its data: sample.data()")
        return str(self.path)

    @property
    def _how_to_get(self) -> str:
        return f"{self.name} is not on this machine; mlnb.load_sample({self.name!r}) downloads it"

    def __repr__(self) -> str:
        size = bytes_text(self.nbytes) if self.here else "not here"
        state = "stand-in" if self.stand_in else size
        return f"Sample({display_text(self.name)!r}, {self.kind}, {state})"
