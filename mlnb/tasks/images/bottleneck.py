"""The bottleneck phase: every picture through the frozen backbone once, and the answers kept.

What is computed is kept a batch at a time, so that an interrupt loses one batch at most, and the
next fit goes on there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.features import FeatureCache
from mlnb.errors import ImageError
from mlnb.formatting import display_text, plural, seconds_text
from mlnb.progress import progress

if TYPE_CHECKING:
    from mlnb.tasks.images.features import Features
    from mlnb.tasks.images.pictures import Pictures

Array = np.ndarray[Any, np.dtype[Any]]

BATCH = 32


@dataclass(frozen=True)
class Bottleneck:
    """Features of pictures, and what they cost.

    Args:
        features: `float32 [n, width]`; NaN in the rows of pictures that could not be read.
        reasons: why they could not, by row number.
        computed: how many went through the backbone; the others were kept from before.
        seconds: how long that took, decoding included.
    """

    features: Array
    reasons: dict[int, str] = field(default_factory=dict)
    computed: int = 0
    seconds: float = 0.0

    @property
    def is_read(self) -> Array:
        """Whether each picture could be read, `bool [n]`."""
        read = np.ones(len(self.features), bool)
        read[list(self.reasons)] = False
        return read

    def left_out(self, ids: Sequence[Any]) -> dict[Any, str]:
        """Why pictures have no features, by their ids."""
        return {ids[number]: why for number, why in sorted(self.reasons.items())}

    @property
    def text(self) -> str:
        """In a line."""
        if not self.computed:
            return f"{plural(len(self.features), 'picture')}, all from the cache"
        rate = self.computed / max(self.seconds, 1e-9)
        kept = len(self.features) - self.computed - len(self.reasons)
        shown = f"{plural(self.computed, 'picture')} in {seconds_text(self.seconds)}"
        shown += f", {rate:,.0f} pictures/s"
        return shown + (f"; {kept:,} more from the cache" if kept > 0 else "")


def bottleneck(
    pictures: Pictures, features: Features, cache: FeatureCache | None, batch: int = BATCH
) -> Bottleneck:
    """The features of pictures, from the cache as far as they are there.

    Args:
        pictures: in files, which are cached by their content, or in memory, which are not.
        features: the backbone.
        cache: `None` keeps nothing.
        batch: pictures at a time.

    Raises:
        ImageError: not one picture can be read.
    """
    begun = time.monotonic()
    keys = pictures.keys() if cache is not None and pictures.in_files else [None] * len(pictures)
    known = cache.get_many([k for k in keys if k]) if cache is not None else {}
    rows: dict[int, Array] = {i: known[k] for i, k in enumerate(keys) if k in known}
    wanted = [i for i in range(len(pictures)) if i not in rows]
    reasons: dict[int, str] = {}
    label = f"bottleneck {display_text(features.name, 40)}"
    with progress(label, len(wanted), "pictures") as done:
        for part, pixels, bad in pictures.rows(wanted).pixels(features.preprocessing.fit, batch):
            numbers = wanted[part]
            reasons |= {wanted[i]: pictures.bad.get(wanted[i], why) for i, why in bad.items()}
            good = [i for i in range(len(numbers)) if numbers[i] not in reasons]
            made = features(pixels if len(good) == len(numbers) else pixels[good]) if good else ()
            new = dict(zip((numbers[i] for i in good), made, strict=True))
            if cache is not None:
                cache.put_many({key: row for i, row in new.items() if (key := keys[i])})
            rows |= new
            done(part.stop)
    if pictures and not rows:
        why, count = next(iter(reasons.values())), len(pictures)
        several = f"Not one of {count:,} pictures can be read: " if count > 1 else ""
        raise ImageError(f"{several}{why}")
    computed = len(wanted) - len(reasons)
    return Bottleneck(_together(rows, len(pictures)), reasons, computed, time.monotonic() - begun)


def cache_of(
    where: bool | str | os.PathLike[str] | None, features: Features
) -> FeatureCache | None:
    """Where the features of pictures are kept.

    Args:
        where: `True` is mlnb's own cache, a path another folder, `False` and `None` nowhere.
        features: what makes them.
    """
    if where is False or where is None:
        return None
    return FeatureCache(features.key, None if where is True else where)


def _together(rows: dict[int, Array], count: int) -> Array:
    width = len(next(iter(rows.values()))) if rows else 0
    together = np.full((count, width), np.nan, np.float32)
    for number, row in rows.items():
        together[number] = row
    return together
