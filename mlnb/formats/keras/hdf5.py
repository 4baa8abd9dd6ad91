"""What an HDF5 file holds, asked of the child that parses it: `Hdf5`.

The parser is a C library of thirty years that reads what a stranger wrote; it never runs in this
process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlnb.child.client import child
from mlnb.errors import LimitExceeded, ModelCrashed, ModelFormatError
from mlnb.formats.keras.weights import NamedWeights, Stored
from mlnb.formatting import display_text

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.limits import Limits

_CHILD = "mlnb.formats.keras.hdf5_child"
_SECONDS = 60.0
_ENDLESS = "it is damaged so that the parser goes round in circles"


@dataclass
class Hdf5:
    """An HDF5 file: a whole file, a member stored in an archive, or bytes.

    >>> Hdf5(Source.of("weights.h5"), LIMITS).described["tensors"][0]
    ['dense/kernel:0', 'float32', [784, 128], 401408]

    Args:
        source: the file it lies in.
        limits: caps on what it may ask for.
        offset: where it begins in the file.
        size: its bytes; `None` for the whole file.
        content: its bytes, where they do not lie in the file as they are.
    """

    source: Source
    limits: Limits
    offset: int = 0
    size: int | None = None
    content: bytes | None = None
    described: dict[str, Any] = field(init=False)
    _endless: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.described = self._ask(
            "describe",
            most=min(self.limits.structure_bytes, 2**26),
            values=min(self.limits.values, 1_000_000),
        )

    @property
    def tensors(self) -> list[Stored]:
        """Every data set, in the order of the file."""
        return [
            Stored(path, dtype, tuple(shape), nbytes)
            for path, dtype, shape, nbytes in self.described["tensors"]
        ]

    def attribute(self, name: str, group: str = "") -> Any:
        """A string, or a list of them; `None` where there is none."""
        return self.described["attributes"].get(group, {}).get(name)

    def array(self, stored: Stored, shown: str) -> np.ndarray:
        """The elements of a data set, read now.

        Raises:
            LimitExceeded: it is larger than `limits.tensor_bytes`.
            ModelFormatError: it cannot be read.
        """
        self.limits.check("tensor_bytes", stored.nbytes, f"the tensor {shown!r}")
        value: np.ndarray = self._ask("read", stored.path, most=self.limits.tensor_bytes)
        return value

    def named(self) -> NamedWeights:
        """The weights as an old `.h5` file names them."""
        tensors = {one.path: one for one in self.tensors}
        root = "model_weights" if "model_weights" in self.described["attributes"] else ""
        groups = {}
        for layer in self.attribute("layer_names", root) or []:
            group = f"{root}/{layer}" if root else layer
            paths = [
                (name, f"{group}/{name}") for name in self.attribute("weight_names", group) or []
            ]
            groups[layer] = [(name, tensors[path]) for name, path in paths if path in tensors]
        return NamedWeights(groups)

    def _ask(self, function: str, *args: Any, **more: Any) -> Any:
        """What a function of the child answers; a file that it once hung in is not asked again."""
        if self._endless:
            raise self._broken(_ENDLESS)
        try:
            answer = child("h5py").call(
                f"{_CHILD}:{function}",
                self._place(),
                *args,
                run_bytes=self.limits.run_bytes,
                timeout=_SECONDS,
                **more,
            )
        except (ModelFormatError, LimitExceeded) as error:
            raise self._broken(str(error), type(error)) from error
        except ModelCrashed as error:
            if "SIGPROF" not in str(error):
                raise
            self._endless = True
            raise self._broken(_ENDLESS) from error
        self.source.read(0, 0)
        return answer

    def _broken(
        self, reason: str, kind: type[ModelFormatError] = ModelFormatError
    ) -> ModelFormatError:
        return kind(f"{display_text(self.source.name, 60)} cannot be read as HDF5: {reason}")

    def _place(self) -> list[Any]:
        if self.content is not None:
            return [self.content]
        size = self.source.size if self.size is None else self.size
        if self.source.content is not None:
            return [self.source.content[self.offset : self.offset + size]]
        return [os.path.abspath(str(self.source.path)), self.offset, size]
