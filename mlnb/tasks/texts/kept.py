"""`Kept`: what was trained on texts, into a folder and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.tasks.keeping import made, read, rebuilding, write

if TYPE_CHECKING:
    import os
    from typing import Self

WEIGHTS_FILE = "weights.safetensors"


class Kept:
    """`save` and `load`; a subclass names the module that knows what goes into its folder.

    That has `FORMAT`, `VERSION`, `JSON_FILE` and `NOUN`; `parts`, the facts, the tensors and the
    names of the files that it wrote by itself; and `rebuilt`, what comes of them.
    """

    _saving: Any
    _require_fitted: Callable[[], None]

    def save(self, folder: str | os.PathLike[str], *, whole: bool = False) -> Path:
        """Write it into a folder: safetensors and JSON, no pickle.

        >>> classifier.save("reviews")

        Args:
            folder: is made; an older one in it is replaced.
            whole: whether the encoder goes in too. Without, it is named with the sha256 of its
                weights; a fine-tuned one, or one of one's own, always goes in.
        """
        self._require_fitted()
        room, target = self._saving, made(folder)
        facts, tensors, files = room.parts(self, target, whole)
        facts = {"format": room.FORMAT, "version": room.VERSION, **facts}
        write(target, room.JSON_FILE, WEIGHTS_FILE, facts, tensors, files)
        return target

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, encoder: Any = None) -> Self:
        """One that `save` wrote, ready to answer; no network is asked.

        >>> classifier = TextClassifier.load("reviews")

        Args:
            folder: what `save` was given.
            encoder: where it is not in the folder and not where it was: an `Encoder`, or the folder
                of one.

        Raises:
            CheckpointError: something is missing, damaged, or another one's.
        """
        room, source = cls._saving, Path(folder).expanduser()
        facts, tensors = read(source, room.JSON_FILE, WEIGHTS_FILE, room.FORMAT, room.VERSION)
        with rebuilding(source, room.NOUN):
            again: Self = room.rebuilt(cls, source, facts, tensors, encoder)
        return again
