"""`load_model`: a file, a folder, bytes or a torch module as a `Model`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlnb.downloads import is_address
from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits
from mlnb.models.live import live_module
from mlnb.models.model import Model

if TYPE_CHECKING:
    from torch.nn import Module

    from mlnb.formats.model_file import ModelFile


def load_model(
    model: str | os.PathLike[str] | bytes | Module,
    *,
    sample: object = None,
    signature: str | None = None,
    allow_io: bool = False,
    name: str | None = None,
    trust: bool = False,
    limits: Limits = LIMITS,
) -> Model:
    """Open a model; the format of a file is told by its content.

    >>> model = load_model("squeezenet1.1_fp16.onnx")
    >>> model.inputs
    TensorSpecs(data_0: float16 [1, 3, 224, 224])
    >>> load_model("frozen.pb").predict({"input": image})["softmax2"]

    Args:
        model: a file, the folder of a SavedModel or of sharded safetensors, the bytes of a file, or
            a torch module.
        sample: for a module: what goes in, or its shape, such as `(1, 3, 224, 224)`.
        signature: which entry point to take, where a file has several (`model.signatures`).
        allow_io: run the model although it would read files, reach the network or run Python.
        name: what to call it in code; by default made from the file's name.
        trust: run it in this process, without deadline for opening and without a memory cap; a
            model that crashes then takes the session along. ONNX only: the other runtimes do not
            get on with each other in one process and stay in their children.
        limits: caps on what the file may ask of this machine.

    Raises:
        ModelFormatError: it is no model that mlnb reads, or no file.
        LimitExceeded: it is larger than `limits` allow.
        UnknownName: it has no signature of that name.
    """
    file = _opened(model, sample, limits)
    if signature is not None:
        file = file.with_signature(signature)
    return Model(file, name=name, trust=trust, allow_io=allow_io)


def _opened(
    model: str | os.PathLike[str] | bytes | Module, sample: object, limits: Limits
) -> ModelFile:
    if live_module(model) is not None:
        from mlnb.models.torch.module import ModuleFile

        return ModuleFile(model, sample, limits)
    if sample is not None:
        raise TypeError("sample= belongs to a torch module; a file says itself what goes in")
    if isinstance(model, str) and is_address(model):
        address = display_text(model, 200)
        raise ModelFormatError(
            f"{address} is an address, and mlnb asks the network for nothing unless it is told to: "
            f"load_model(mlnb.download({address!r})), or %mlload --download {address}"
        )
    return open_model_file(model, limits)
