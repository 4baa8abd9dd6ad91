"""Model files: bytes to inputs, outputs and a `Graph`, one file a format.

The format is told by content, never by the extension: each reader is asked in turn, and what a file
looks like is found out only when none of them can read it.
"""

from __future__ import annotations

import os

from mlnb.formats.model_file import ModelFile, Part
from mlnb.limits import LIMITS, Limits

__all__ = ["ModelFile", "Part", "open_model_file"]


def open_model_file(
    model: str | os.PathLike[str] | bytes | bytearray | memoryview, limits: Limits = LIMITS
) -> ModelFile:
    """The model in a file or in bytes; only its inputs and outputs are read now.

    >>> open_model_file("squeezenet1.1_fp16.onnx").inputs["data_0"]
    TensorSpec('data_0', float16 [1, 3, 224, 224])

    Args:
        model: a path, or the content of a file.
        limits: caps on what the file may ask for.

    Raises:
        ModelFormatError: it is no model that this version reads; the message says what it looks
            like, and at which byte it broke off.
        LimitExceeded: it asks for more than `limits` allows.
    """
    from mlnb.formats.onnx import OnnxFile
    from mlnb.formats.source import Source

    return OnnxFile(Source.of(model), limits)
