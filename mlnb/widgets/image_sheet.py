"""`ImageSheet`: arrays as pictures side by side as one picture, which may change while a cell runs.

It is a display with an id whose one `<img>` is replaced, not a widget: what it showed last stays in
the saved notebook by itself, and no message of the front end is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from IPython.display import display, update_display

from mlnb.errors import DataError, need
from mlnb.formatting import Markup, display_text, html, image_uri, plural
from mlnb.widgets import base

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = 1.0
"""Between two changes of what is shown; those in between are left out, but never the last."""
MOST = 256
_SMALL, _LARGE = 40, 128  # pixels on a picture's longer side as it is shown
_GAP, _LETTERS = 4, 14
_INK = {"RGBA": (128, 138, 150, 255), "LA": (138, 255)}  # read on light and dark pages


class ImageSheet:
    """Small pictures in rows, from arrays; `update` shows others in their place.

    Files of a frame are shown by `ImageGrid`.

    >>> sheet = ImageSheet(images, labels=[0, 1, 2], columns=10)
    >>> sheet                           # the last line of a cell shows it
    >>> sheet.update(other_images)       # and changes it there, at most once a second
    >>> sheet.close()                    # the last ones, however soon they came

    Args:
        images: `[N, height, width]`, or with one or three channels in front or behind; arrays or
            tensors. Integers are 0 to 255; floats 0 to 1, or -1 to 1 where one is negative. At most
            256 are shown.
        labels: what stands below each.
        columns: pictures in a row.
        span: which values are black and white, where they are not those above.

    Raises:
        DataError: the shape is none of pictures, or the labels are not as many.
        MissingExtra: Pillow is not installed.
    """

    def __init__(
        self,
        images: Any,
        labels: Sequence[Any] | None = None,
        columns: int = 8,
        *,
        span: tuple[float, float] | None = None,
    ) -> None:
        if columns < 1:
            raise DataError(f"columns is a number of pictures, at least 1; received {columns!r}")
        self._columns, self._span = columns, span
        self._id = uuid4().hex
        self._shown = False
        self._waits = False
        self._due = 0.0
        self._set(images, labels)

    def update(self, images: Any, labels: Sequence[Any] | None = None) -> None:
        """Show other pictures, now or, less than a second after the last ones, with the next.

        Args:
            images: as before; as many or more or less.
            labels: those before by default, where they are as many.
        """
        self._set(images, self._labels if labels is None else labels)
        self._waits = self._shown
        if self._waits and time.monotonic() >= self._due:
            self._show()

    def close(self) -> None:
        """Show the last pictures, if they still wait."""
        if self._waits:
            self._show()

    @property
    def png(self) -> bytes:
        """The pictures as one PNG."""
        return _png(self._images, self._labels, self._columns, self._span)

    def __repr__(self) -> str:
        height, width = self._images.shape[1:3]
        return f"ImageSheet({plural(len(self._images), 'picture')} of {height} × {width})"

    def _repr_html_(self) -> Markup:
        names = ", ".join(display_text(str(label), 20) for label in (self._labels or ())[:20])
        return html(
            '<img src="{uri}" alt="{alt}" style="max-width:100%">',
            uri=image_uri(self.png),
            alt=f"{self!r}: {names}" if names else repr(self),
        )

    def _ipython_display_(self) -> None:
        if not base.has_front_end():
            raise NotImplementedError  # a terminal prints the repr
        display(self._bundle(), raw=True, display_id=self._id)
        self._shown, self._waits = True, False
        self._due = time.monotonic() + SECONDS

    def _show(self) -> None:
        self._waits = False
        update_display(self._bundle(), raw=True, display_id=self._id)
        self._due = time.monotonic() + SECONDS

    def _bundle(self) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def _set(self, images: Any, labels: Sequence[Any] | None) -> None:
        """A copy of them: what is shown later must not change with what trains meanwhile."""
        checked = _checked(images)[:MOST].copy()
        given = None if labels is None else list(labels)
        if given is not None and len(given) < len(checked):
            raise DataError(
                f"{plural(len(checked), 'picture')} and {plural(len(given), 'label')}; give as many"
            )
        self._images = checked
        self._labels = None if given is None else given[: len(checked)]


def _checked(images: Any) -> NDArray[Any]:
    """Pictures as `[N, height, width]` or `[N, height, width, 3]`."""
    if hasattr(images, "detach"):
        images = images.detach().cpu().numpy()
    array = np.asarray(images)
    if array.dtype.kind not in "biuf":
        raise DataError(f"pictures are numbers; received {display_text(str(array.dtype))}")
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        array = np.moveaxis(array, 1, 3)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3) or not array.size:
        raise DataError(
            f"pictures are [N, height, width], or with one or three channels; received "
            f"{list(array.shape)}" + ("; one alone is images[None]" if array.ndim == 2 else "")
        )
    return array


def _png(
    images: NDArray[Any],
    labels: Sequence[Any] | None,
    columns: int,
    span: tuple[float, float] | None,
) -> bytes:
    """All of them on a transparent ground, small ones enlarged without being smoothed."""
    pillow, draw, font = (
        need(f"PIL.{name}", "train") for name in ("Image", "ImageDraw", "ImageFont")
    )
    pixels = _bytes(images, span)
    height, width = _size(*pixels.shape[1:3])
    step_x, step_y = width + _GAP, height + _GAP + (_LETTERS if labels else 0)
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    mode = "RGBA" if pixels.ndim == 4 else "LA"
    sheet = pillow.new(mode, (columns * step_x - _GAP, rows * step_y - _GAP), 0)
    pen, letters = draw.Draw(sheet), font.load_default()
    enlarged = height >= pixels.shape[1]
    for at, one in enumerate(pixels):
        x, y = at % columns * step_x, at // columns * step_y
        how = pillow.Resampling.NEAREST if enlarged else pillow.Resampling.BOX
        sheet.paste(pillow.fromarray(one).resize((width, height), how).convert(mode), (x, y))
        if labels:
            text = display_text(str(labels[at]), max(1, width // 6))
            pen.text((x + width / 2, y + height + 2), text, _INK[mode], letters, anchor="ma")
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _size(height: int, width: int) -> tuple[int, int]:
    """As it is shown: a whole multiple of small ones, a part of large ones."""
    longer = max(height, width)
    if longer > _LARGE:
        return max(1, height * _LARGE // longer), max(1, width * _LARGE // longer)
    times = max(1, _SMALL // longer)
    return height * times, width * times


def _bytes(images: NDArray[Any], span: tuple[float, float] | None) -> NDArray[np.uint8]:
    """0 to 255; grey for what is no number."""
    values = images.astype(np.float64)
    low, high = span or _usual(images)
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    return np.where(np.isfinite(values), scaled * 255, 128.0).round().astype(np.uint8)


def _usual(images: NDArray[Any]) -> tuple[float, float]:
    if images.dtype.kind == "b":
        return 0.0, 1.0
    if images.dtype.kind != "f":
        return 0.0, 255.0
    return (-1.0, 1.0) if np.nanmin(images) < 0 else (0.0, 1.0)
