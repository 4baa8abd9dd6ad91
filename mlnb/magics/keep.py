"""Keep: `%mlexport` writes a network or a loaded model into a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from mlnb.errors import unknown
from mlnb.magics.shell import Argument, Call, MagicError, magic
from mlnb.magics.train import trainable
from mlnb.models.model import Model

if TYPE_CHECKING:
    from mlnb.models.convert.conversion import Conversion
    from mlnb.networks.export import ExportReport

ENDINGS = (".onnx", ".safetensors")


@magics_class
class KeepMagics(Magics):
    """The magics that take a network away."""

    @magic(
        Argument("name", completes="kept"),
        Argument("file", completes="path"),
        Argument("--quantize", completes="quantize"),
        Argument("--calibration", completes="variable", shown="VARIABLE"),
        Argument("--sample", completes="variable", shown="VARIABLE"),
    )
    def mlexport(self, call: Call) -> ExportReport | Conversion | Path:
        """Write a model into a file: ONNX to run elsewhere, safetensors to load it again here.

        %mlexport NAME FILE [--quantize dynamic|static] [--calibration VARIABLE] [--sample VARIABLE]

        NAME           the variable that holds it: a network, a `torch.nn.Module`, a `Trainer`, a
                       `Run`, or a loaded TensorFlow, TFLite, Keras or PyTorch model.
        FILE           its ending says the format. .onnx: checked against what it comes from, the
                       largest difference is shown. .safetensors: of networks, what
                       `Sequential.load` and `Network.load` read. A file that stands there is
                       replaced by a whole new one or not at all.
        --quantize     dynamic: the weights of matrix products in eight bits. static: those of
                       convolutions and all activations as well.
        --calibration  samples for static: a hundred of the training data will do.
        --sample       a batch, for a module whose inputs are not known.

        While a run trains the network, a copy taken between two steps is written as ONNX.

        Examples
        --------
        %mlexport lenet lenet.onnx
        report = %mlexport lenet small.onnx --quantize static --calibration images
        %mlexport module module.onnx --sample batch
        %mlexport lenet lenet.safetensors
        %mlload mobilenet.tflite
        %mlexport mobilenet mobilenet.onnx

        The same in Python: `mlnb.export_onnx(lenet, "lenet.onnx")`, `lenet.save(
        "lenet.safetensors")`; of a loaded model `mobilenet.to_onnx("mobilenet.onnx")`.
        """
        options = call.options
        net = _held(call, options.name)
        path = _target(call, options.file)
        if isinstance(net, Model):
            return _converted(call, net, path)
        if path.suffix == ".safetensors":
            return _saved(options, net, path)
        from mlnb.networks.export import export_onnx

        words: dict[str, Any] = {"quantize": options.quantize}
        for word in ("calibration", "sample"):
            if getattr(options, word) is not None:
                words[word] = call.variable(getattr(options, word))
        report = export_onnx(net, path, **words)
        call.show(report)
        return report


def _held(call: Call, name: str) -> Any:
    """What the variable holds that can be written.

    Raises:
        UnknownName: no such variable, with the closest that can be.
        MagicError: it holds something else.
    """
    value = call.variable(name, "network", _exportable)
    if not _exportable(value):
        kind = type(value).__name__
        raise MagicError(
            f"{name} is of type {kind}; %mlexport takes a network, a torch.nn.Module or a Model"
        )
    return value


def _exportable(value: object) -> bool:
    return (
        isinstance(value, Model) or trainable(value) or type(value).__module__ == "mlnb.train.run"
    )


def _target(call: Call, text: str) -> Path:
    """The path that was typed, or that the variable of that name holds."""
    held = call.local.get(text, call.shell.user_ns.get(text))
    path = Path(held if isinstance(held, str | os.PathLike) else text).expanduser()
    if path.suffix.lower() in ENDINGS:
        return path
    if not path.suffix:
        raise MagicError(
            f"the ending of the file says the format: {path.name}.onnx, or {path.name}.safetensors"
        )
    raise unknown("format", path.suffix, ENDINGS)


def _converted(call: Call, model: Model, path: Path) -> Conversion:
    """A loaded model as ONNX."""
    given = _given(call.options)
    if given or path.suffix != ".onnx":
        what = f"{given[0]} is for networks" if given else f"{path.suffix} is for networks"
        raise MagicError(f"{what}; a loaded model is written as it is: FILE.onnx")
    conversion = model.to_onnx(path)
    call.show(conversion)
    return conversion


def _given(options: Any) -> list[str]:
    words = ("quantize", "calibration", "sample")
    return [f"--{word}" for word in words if getattr(options, word)]


def _saved(options: Any, net: Any, path: Path) -> Path:
    given = _given(options)
    if given:
        raise MagicError(f"{given[0]} is for .onnx files; a .safetensors file holds all as it is")
    if not hasattr(net, "save"):
        raise MagicError(
            f"{options.name} is a {type(net).__name__}; a .safetensors file with its definition is "
            "written of a Sequential or a Network. Write an .onnx file, or keep the weights: "
            f"safetensors.torch.save_model({options.name}, {os.fspath(path)!r})"
        )
    saved: Path = net.save(path)
    return saved
