"""`Preprocessing`: from a picture of any size to the numbers that a network takes, as data.

Data rather than a function, because it is kept: in the key of cached features, in a saved
classifier's JSON, and as operations in an exported file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import Fit, Interpolation, Mode
from mlnb.errors import CheckpointError, DataError
from mlnb.tasks.pipeline.images import Extract
from mlnb.tasks.pipeline.taken import DTYPES

if TYPE_CHECKING:
    from mlnb.tasks.pipeline.images import Layout, Order

Array = np.ndarray[Any, np.dtype[Any]]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become a network's input: `(pixel - mean) * scale`, of pixels from 0 to 255.

    >>> Preprocessing((224, 224), resize=256, mean=(124, 116, 104)).text
    '256 then 224 × 224, RGB less (124, 116, 104)'

    Args:
        size: height and width.
        mode: "crop", "pad" or "stretch", as `decode` has them.
        resize: to how many pixels the shorter side is scaled before a crop.
        antialias: whether what gets smaller is averaged.
        interpolation: "bilinear" or "bicubic".
        order: "RGB" or "BGR".
        mean: of each channel, in that order.
        scale: of each channel, in that order.
        layout: "NCHW" or "NHWC".
        dtype: what the network takes.
    """

    size: tuple[int, int] = (224, 224)
    mode: Mode = "crop"
    resize: int | None = None
    antialias: bool = True
    interpolation: Interpolation = "bilinear"
    order: Order = "RGB"
    mean: Three = (0.0, 0.0, 0.0)
    scale: Three = (1.0, 1.0, 1.0)
    layout: Layout = "NCHW"
    dtype: str = "float32"

    @property
    def fit(self) -> Fit:
        """The part that changes the size."""
        return Fit(self.size, self.mode, self.resize, self.antialias, self.interpolation)

    @property
    def text(self) -> str:
        """In a line."""
        height, width = self.size
        first = f"{self.resize} then " if self.resize not in (None, min(self.size)) else ""
        shown = f"{first}{height} × {width}{'' if self.mode == 'crop' else f' ({self.mode})'}"
        if self.interpolation != "bilinear":
            shown += f" {self.interpolation}"
        shown += f", {self.order}"
        if any(self.mean):
            shown += f" less ({', '.join(f'{m:g}' for m in self.mean)})"
        if any(s != 1 for s in self.scale):
            same = len(set(self.scale)) == 1
            by = self.scale[:1] if same else self.scale
            times = ", ".join(f"{1 / s:.4g}" if s else "0" for s in by)
            shown += f" by {times}" if same else f" by ({times})"
        return shown + (", NHWC" if self.layout == "NHWC" else "")

    def __call__(self, pixels: Array) -> Array:
        """What the network takes, of `uint8 [n, height, width, 3]` of the right size."""
        return Extract(self.mean, self.scale, self.order, self.layout, self.dtype)(pixels)

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Preprocessing:
        """What `to_json` gave.

        Raises:
            CheckpointError: it is something else.
        """
        try:
            size = tuple(int(side) for side in stored["size"])
            mean, scale = (tuple(float(v) for v in stored[k]) for k in ("mean", "scale"))
            made = cls(**{**stored, "size": size, "mean": mean, "scale": scale})
            fits = len(size) == 2 and len(mean) == len(scale) == 3 and max(size) <= 4096
            fits = fits and made.order in ("RGB", "BGR") and made.layout in ("NCHW", "NHWC")
            if not fits or made.dtype not in DTYPES:
                raise ValueError(made)
            made.fit  # noqa: B018
        except (KeyError, TypeError, ValueError, LookupError) as error:
            raise CheckpointError("The stored preprocessing is none that mlnb knows.") from error
        return made


def preprocessing_of(given: Any, otherwise: Preprocessing | None = None) -> Preprocessing:
    """What the user, or the publisher of the weights, says, as data.

    Args:
        given: a `Preprocessing`; the steps `ResizeImages` and `ExtractPixels`, alone, in a list or
            in a pipeline; torchvision's preset of some weights; `BGRPixels`.
        otherwise: what counts where a step is missing.

    Raises:
        DataError: something else.
    """
    if isinstance(given, Preprocessing):
        return given
    if hasattr(given, "crop_size") and hasattr(given, "mean"):
        return _of_preset(given)
    if type(given).__name__ == "BGRPixels":
        side = int(given.size)
        return Preprocessing(
            (side, side), resize=side * 8 // 7, order="BGR", mean=(104.0, 117.0, 123.0)
        )
    steps = [step for _, step in given.steps] if hasattr(given, "steps") else given
    words = _words_of(steps if isinstance(steps, list | tuple) else [steps], given)
    return replace(otherwise or Preprocessing(), **words)


def _of_preset(preset: Any) -> Preprocessing:
    """torchvision scales to 0 … 1 first."""
    (height, *width), (resize, *_) = preset.crop_size, preset.resize_size
    mean, std = ([float(value) for value in values] for values in (preset.mean, preset.std))
    return Preprocessing(
        size=(int(height), int(width[0] if width else height)),
        resize=int(resize),
        interpolation=getattr(preset.interpolation, "value", "bilinear"),
        mean=_three(255 * value for value in mean),
        scale=_three(1 / (255 * value) for value in std),
    )


def _words_of(steps: Iterable[Any], given: Any) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for step in steps:
        kind = type(step).__name__
        if kind == "ResizeImages":
            width = step.height if step.width is None else step.width
            words |= {"size": (step.height, width), "mode": step.mode, "resize": step.resize}
            words |= {"antialias": step.antialias, "interpolation": step.interpolation}
        elif kind == "ExtractPixels":
            words |= {"order": step.order, "layout": step.layout, "dtype": str(step.dtype)}
            words |= {"mean": _three(step.mean), "scale": _three(step.scale)}
        elif kind != "LoadImages":
            raise DataError(
                "preprocessing is ResizeImages and ExtractPixels, or a Preprocessing; "
                f"received {type(given).__name__}"
                + (f" with {kind}." if step is not given else ".")
            )
    return words


def _three(values: Any) -> Three:
    given = [float(v) for v in values] if isinstance(values, Iterable) else [float(values)] * 3
    if len(given) != 3:
        raise DataError(f"mean and scale are a number or three; received {len(given)}.")
    return given[0], given[1], given[2]
