"""Model files: bytes to inputs, outputs and a `Graph`, one package a family of formats.

The format is told by content, never by the extension: each reader is asked in turn, and what a file
looks like is found out only when none of them can read it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlnb.formats.folder import inside, is_model_folder
from mlnb.formats.model_file import Danger, ModelFile, Part
from mlnb.formats.weights_file import WeightsFile
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Source

__all__ = ["Danger", "ModelFile", "Part", "WeightsFile", "is_model_folder", "open_model_file"]

_HEAD = 4096

_READERS = (
    ("onnx.file", "OnnxFile"),
    ("tflite.file", "TfliteFile"),
    ("weights.safetensors", "SafetensorsFile"),
    ("weights.shards", "ShardedSafetensorsFile"),
    ("weights.gguf", "GgufFile"),
    ("keras.h5_file", "open_hdf5"),
    ("torch.checkpoint", "CheckpointFile"),
    ("tensorflow.saved_model", "SavedModelFile"),
    ("tensorflow.graphdef", "GraphDefFile"),
    ("tensorflow.pbtxt", "GraphDefTextFile"),
)
"""Module and what opens a file of it, in the order in which `looks(head, source)` is asked."""

_ZIP_READERS = (
    ("keras.keras_file", "KerasFile"),
    ("torch.exported.file", "ExportedProgramFile"),
    ("torch.torchscript", "TorchScriptFile"),
    ("torch.checkpoint", "CheckpointFile"),
)
"""The same for zip files, where `looks_inside(names)` is asked."""


def open_model_file(
    model: str | os.PathLike[str] | bytes | bytearray | memoryview, limits: Limits = LIMITS
) -> ModelFile:
    """The model in a file, in a folder or in bytes; only its inputs and outputs are read now.

    >>> open_model_file("squeezenet1.1_fp16.onnx").inputs["data_0"]
    TensorSpec('data_0', float16 [1, 3, 224, 224])

    Args:
        model: a path, or the content of a file. A folder is a SavedModel, or sharded safetensors.
        limits: caps on what the file may ask for.

    Raises:
        ModelFormatError: it is no model that this version reads; the message says what it looks
            like, and at which byte it broke off.
        LimitExceeded: it asks for more than `limits` allows.
    """
    from mlnb.formats.onnx.file import OnnxFile
    from mlnb.formats.source import Source

    source = Source.of(inside(model))
    opener = _opener(source, limits) or OnnxFile
    return opener(source, limits)


Opener = Callable[["Source", Limits], ModelFile]


def _opener(source: Source, limits: Limits) -> Opener | None:
    """What opens the file, told by its beginning, or by what lies inside of a zip file."""
    from mlnb.formats import archive

    head = source.read(0, min(_HEAD, source.size))
    if head.startswith(archive.BEGINNING):
        names = archive.Archive(source, limits).names
        return _first(_ZIP_READERS, lambda reader: reader.looks_inside(names))
    return _first(_READERS, lambda reader: reader.looks(head, source))


def _first(readers: tuple[tuple[str, str], ...], says: Callable[[Any], bool]) -> Opener | None:
    for module, opener in readers:
        reader = import_module(f"mlnb.formats.{module}")
        if says(reader):
            found: Opener = getattr(reader, opener)
            return found
    return None
