"""`export_onnx`: a network as a file that runs without torch, checked before it is written.

The check runs the file in this process, unlike models of strangers: torch made it a moment ago
from the user's own module, so that it can do nothing that the module could not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.errors import ExportError, need
from mlnb.formatting import bytes_text, display_text, facts_table, first_line
from mlnb.models.convert.target import export_target, write_export
from mlnb.networks import quantize as quantizing
from mlnb.networks.taken import Taken, batch_of, take
from mlnb.networks.to_onnx import OPSET, to_onnx
from mlnb.progress import progress

ROWS = (1, 2, 5)
"""The sizes of the batches that an export is checked with."""
_WRONG = 0.01
"""The share of the largest output by which no right export differs."""


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how well it agrees with the module.

    Args:
        path: of the file.
        inputs: their names and shapes; the batch is called so.
        outputs: likewise.
        nbytes: the size of the file.
        difference: the largest between onnxruntime and torch, over all outputs, on random inputs.
        largest: the largest number among the outputs, to compare `difference` with.
        quantized: "dynamic", "static" or `None`.
        quantized_difference: that of the quantized file, on the calibration data where there is
            some; `difference` is then that of the file before quantizing.
        float_nbytes: the size before quantizing.
        seconds: how long it took.
        opset: the version of the operators.
        ir: the version of the file format.
    """

    path: Path
    inputs: dict[str, tuple[int | str, ...]]
    outputs: dict[str, tuple[int | str, ...]]
    nbytes: int
    difference: float
    largest: float
    quantized: str | None
    quantized_difference: float | None
    float_nbytes: int
    seconds: float
    opset: int
    ir: int

    def __repr__(self) -> str:
        shown = f"ExportReport({display_text(self.path.name)!r}"
        return f"{shown}, {', '.join(text for _, text in self._told())})"

    def _repr_html_(self) -> str:
        return facts_table([("file", display_text(str(self.path), 200)), *self._told()])

    def _told(self) -> Iterator[tuple[str, str]]:
        yield "size", bytes_text(self.nbytes)
        yield "shapes", f"{_shapes(self.inputs)} -> {_shapes(self.outputs)}"
        yield "format", f"opset {self.opset}, IR {self.ir}"
        words = f"differs from torch by {self.difference:.1e} at most"
        if self.quantized is None:
            yield "check", words
            return
        yield "check", f"before quantizing {words}"
        text = f"{self.quantized}, from {bytes_text(self.float_nbytes)}"
        share = (self.quantized_difference or 0.0) / (self.largest or 1.0)
        yield (
            "quantized",
            f"{text}, differs by {self.quantized_difference:.1e} at most, "
            f"{share:.1%} of the largest output",
        )


def export_onnx(
    net: Any,
    path: str | Path,
    *,
    sample: Any = None,
    quantize: str | None = None,
    calibration: Any = None,
) -> ExportReport:
    """Write a network as an ONNX file, after it was found to answer as the network does.

    >>> export_onnx(net, "lenet.onnx")
    ExportReport('lenet.onnx', 248 kB, input [batch, 1, 28, 28] -> dense [batch, 10], …)
    >>> export_onnx(net, "small.onnx", quantize="static", calibration=images[:100])

    The size of the batch is free. While a run trains the network, a copy taken between two steps is
    exported. What stands at the path is replaced by the whole new file or not at all.

    Args:
        net: a `Sequential` or `Network`, a `torch.nn.Module`, a `Trainer` or a `Run`.
        path: of the file.
        sample: a batch, [samples, …], for a module whose inputs are not known; for several inputs a
            tuple, or a dict by name. A network and a trainer that has trained know theirs.
        quantize: "dynamic" makes the weights of matrix products whole numbers of eight bits,
            "static" those of convolutions and the activations as well.
        calibration: samples as they come in use, for "static".

    Raises:
        ExportError: torch cannot follow the module, the file answers otherwise than the module, or
            it cannot be written; an older file stays.
        InputError: nothing is known of the inputs, or the sample does not fit.
    """
    begun = time.monotonic()
    quantizing.check_kind(quantize, calibration)
    target = export_target(path)
    with progress(f"export {target.name}", 3 if quantize is None else 4) as done:
        taken = take(net, sample)
        samples = None if calibration is None else batch_of(calibration, tuple(taken.sample))
        done(1)
        content = to_onnx(taken)
        done(2)
        difference, largest = checked(taken, content)
        done(3)
        made, lost = content, None
        if quantize is not None:
            made = quantizing.quantized(content, quantize, samples)
            lost = compared(taken, made, [samples] if samples else _random(taken))[0]
            done(4)
    write_export(target, made)
    inputs, outputs, ir = _described(made)
    return ExportReport(
        path=target,
        inputs=inputs,
        outputs=outputs,
        nbytes=len(made),
        difference=difference,
        largest=largest,
        quantized=quantize,
        quantized_difference=lost,
        float_nbytes=len(content),
        seconds=time.monotonic() - begun,
        opset=OPSET,
        ir=ir,
    )


def checked(taken: Taken, content: bytes) -> tuple[float, float]:
    """The largest difference on random inputs, and the largest output.

    Raises:
        ExportError: it is too large for rounding.
    """
    difference, largest = compared(taken, content, _random(taken))
    if not difference <= _WRONG * max(1.0, largest):
        raise ExportError(
            f"The exported file answers otherwise than {display_text(taken.name)}, by up to "
            f"{difference:.2g}; it was not written. Does the module draw random numbers in eval "
            "mode, or choose its way by the numbers in the batch?"
        )
    return difference, largest


def compared(taken: Taken, content: bytes, batches: list[dict[str, Tensor]]) -> tuple[float, float]:
    """The largest difference between a file and its module on batches, and the largest output."""
    runs = session(content)
    difference = largest = 0.0
    for batch in batches:
        wanted = taken.run(batch)
        try:
            came = runs.run(None, {name: x.numpy() for name, x in batch.items()})
        except Exception as error:
            said = first_line(error)
            raise ExportError(f"onnxruntime fails on the exported file: {said}") from error
        for one, other in zip(wanted, came, strict=True):
            difference = max(difference, _distance(one, torch.as_tensor(other)))
            finite = one.double()[one.isfinite()]
            largest = max(largest, float(finite.abs().max()) if finite.numel() else 0.0)
    return difference, largest


def session(content: bytes) -> Any:
    """An onnxruntime session on the CPU, with as many threads as torch has.

    Raises:
        ExportError: onnxruntime does not take the model.
    """
    ort = need("onnxruntime", "train")
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        said = first_line(error)
        raise ExportError(f"onnxruntime does not take the exported model: {said}") from error


def named_shapes(values: Any) -> dict[str, tuple[int | str, ...]]:
    """The shapes of an ONNX graph's inputs or outputs by name; a free size is called by its own."""
    return {
        one.name: tuple(d.dim_param or int(d.dim_value) for d in one.type.tensor_type.shape.dim)
        for one in values
    }


def _distance(wanted: Tensor, came: Tensor) -> float:
    if wanted.shape != came.shape:
        return float("inf")
    if wanted.numel() == 0:
        return 0.0
    one, other = wanted.double(), came.double()
    apart = (one - other).abs()
    same = (one == other) | (one.isnan() & other.isnan())
    apart = torch.where(same, 0.0, apart.nan_to_num(nan=float("inf")))
    return float(apart.max())


def _random(taken: Taken) -> list[dict[str, Tensor]]:
    """Random batches of the sample's kind, always the same ones."""
    generator = torch.Generator().manual_seed(0)
    words = _vocabulary(taken.module)
    return [
        {name: _random_like(x, rows, words, generator) for name, x in taken.sample.items()}
        for rows in ROWS
    ]


def _random_like(x: Tensor, rows: int, words: int, generator: torch.Generator) -> Tensor:
    shape = (rows, *x.shape[1:])
    if x.is_floating_point():
        spread = float(x.double().std()) if x.numel() > 1 else 0.0
        scale, centre = (spread, float(x.double().mean())) if spread > 0 else (1.0, 0.0)
        return (torch.randn(shape, generator=generator) * scale + centre).to(x.dtype)
    if x.dtype == torch.bool:
        return torch.rand(shape, generator=generator) < 0.5
    low, high = int(x.min()), int(x.max())
    if low == high == 0:
        high = max(1, words - 1)
    return torch.randint(low, high + 1, shape, generator=generator).to(x.dtype)


def _vocabulary(module: nn.Module) -> int:
    """How many words the smallest embedding knows; whole numbers below that are safe."""
    kinds = (nn.Embedding, nn.EmbeddingBag)
    return min((m.num_embeddings for m in module.modules() if isinstance(m, kinds)), default=2)


def _described(content: bytes) -> tuple[Any, Any, int]:
    import onnx

    model = onnx.load_from_string(content)
    weights = {one.name for one in model.graph.initializer}
    fed = [one for one in model.graph.input if one.name not in weights]
    return named_shapes(fed), named_shapes(model.graph.output), int(model.ir_version)


def _shapes(named: Mapping[str, tuple[int | str, ...]]) -> str:
    return ", ".join(f"{display_text(n)} [{', '.join(map(str, s))}]" for n, s in named.items())
