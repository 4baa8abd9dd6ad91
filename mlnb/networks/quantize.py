"""An exported model with weights of eight bits: onnxruntime's own quantization.

Dynamic quantizes the matrix products and measures each activation as it comes; convolutions stay
as they are, since onnxruntime computes whole-number ones for few types only. Static quantizes both,
with ranges that it learns from calibration data.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.errors import ExportError, need, unknown
from mlnb.formatting import first_line
from mlnb.models.silence import quietly

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("dynamic", "static")
BATCH = 32
_DYNAMIC = ["MatMul", "Gemm", "LSTM", "Attention", "EmbedLayerNormalization"]


def check_kind(kind: str | None, calibration: Any) -> None:
    """Refuse a word that is none, and a static quantization without data.

    Raises:
        UnknownName: with the closest word.
        ExportError: calibration data is missing.
    """
    if kind is not None and kind not in KINDS:
        raise unknown("quantization", str(kind), KINDS)
    if kind == "static" and calibration is None:
        raise ExportError(
            'quantize="static" learns the ranges of all activations from data; give some: '
            "calibration=x, a hundred samples of the training data will do."
        )


def quantized(content: bytes, kind: str, calibration: Mapping[str, Tensor] | None) -> bytes:
    """The model with weights of eight bits.

    Args:
        content: an exported model.
        kind: "dynamic" or "static".
        calibration: samples for each input by name; static needs them.

    Raises:
        ExportError: onnxruntime cannot quantize it, or there was nothing to quantize.
    """
    ort = need("onnxruntime.quantization", "train")
    shape_inference: Any = need("onnxruntime.quantization.shape_inference", "train")
    with tempfile.TemporaryDirectory(prefix="mlnb-") as folder, quietly():
        plain, ready, out = (Path(folder) / name for name in ("plain", "ready", "out"))
        plain.write_bytes(_without_inner_shapes(content))
        try:
            shape_inference.quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
            if kind == "dynamic":
                ort.quantize_dynamic(
                    str(ready),
                    str(out),
                    op_types_to_quantize=_DYNAMIC,
                    weight_type=ort.QuantType.QInt8,
                )
            else:
                ort.quantize_static(
                    str(ready),
                    str(out),
                    _reader(ort, calibration or {}),
                    per_channel=True,
                    weight_type=ort.QuantType.QInt8,
                )
            made = out.read_bytes()
        except Exception as error:
            said = first_line(error)
            raise ExportError(f"onnxruntime cannot quantize this model: {said}") from error
    if not _is_quantized(made):
        better = "static" if kind == "dynamic" else "dynamic"
        raise ExportError(
            f'There is nothing in this network that quantize="{kind}" can quantize; try "{better}".'
        )
    return made


def _without_inner_shapes(content: bytes) -> bytes:
    """The quantizer transposes weights and would trip over shapes that stand; it infers them."""
    import onnx

    model = onnx.load_from_string(content)
    del model.graph.value_info[:]
    bare: bytes = model.SerializeToString()
    return bare


def _is_quantized(content: bytes) -> bool:
    import onnx

    ops = {node.op_type for node in onnx.load_from_string(content).graph.node}
    return any(op.startswith(("Quantize", "DynamicQuantize")) for op in ops)


def _reader(ort: Any, calibration: Mapping[str, Tensor]) -> Any:
    """The samples in batches, as onnxruntime asks for them."""
    count = min(len(x) for x in calibration.values())

    def batches() -> Iterator[dict[str, Any]]:
        for at in range(0, count, BATCH):
            yield {name: x[at : min(at + BATCH, count)].numpy() for name, x in calibration.items()}

    class Reader(ort.CalibrationDataReader):
        def __init__(self) -> None:
            self.left = batches()

        def get_next(self) -> dict[str, Any] | None:
            return next(self.left, None)

    return Reader()
