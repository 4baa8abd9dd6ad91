"""`to_onnx`: a model of another format as an ONNX file, written only after it was found to agree.

Converting runs in a child, like all that executes a stranger's file, and so does the check: the
result and the source answer the same random inputs, each by its own runtime.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.child.client import child
from mlnb.errors import ExportError, MlnbError
from mlnb.formats import open_model_file
from mlnb.formatting import display_text
from mlnb.models.convert.agreement import compared, random_feeds, require_close
from mlnb.models.convert.conversion import Conversion
from mlnb.models.convert.target import export_target, write_export
from mlnb.progress import progress

if TYPE_CHECKING:
    from mlnb.formats.model_file import ModelFile
    from mlnb.models.model import Model

OPSET = 18
"""What tf2onnx and torch write best; onnxruntime reads up to 26."""
TIMEOUT = 600.0
WRONG = 0.01
"""The share of the largest output by which no right conversion of floats differs."""
_ROUNDED = (
    "the source is quantised and rounds at every step: rows of equal scores may change places"
)

_CONVERTERS = "mlnb.models.convert.converters"
_CHILDREN = {
    "tensorflow": ("tensorflow", "from_tensorflow"),
    "keras": ("tensorflow", "from_tensorflow"),
    "litert": ("tensorflow", "from_tensorflow"),
    "torch": ("torch", "from_torch"),
}


def to_onnx(
    model: Model,
    path: str | os.PathLike[str],
    *,
    opset: int = OPSET,
    sample: Mapping[str, Any] | None = None,
    tolerance: float = WRONG,
    timeout: float = TIMEOUT,
) -> Conversion:
    """Convert a model to ONNX, check the result against it, and write the file.

    >>> to_onnx(load_model("mobilenet_v1.tflite"), "mobilenet_v1.onnx")
    Conversion('mobilenet_v1.onnx', 1.89 MB, input [1, 224, 224, 3] -> …, differs by 3.6e-07 …)

    What stands at the path is replaced by the whole new file, or not at all.

    Args:
        model: of TensorFlow, TFLite, Keras or PyTorch.
        path: of the file to write.
        opset: the version of the operators, at most 26.
        sample: what to check with, by input name; random values by default, sizes that the file
            leaves open 2.
        tolerance: the share of the largest output by which the two may differ. Of a quantised
            model, which rounds at every step, the difference is told and not judged.
        timeout: seconds until the conversion is stopped.

    Raises:
        ExportError: the model cannot be converted, operations are left over that ONNX does not
            know, or the result answers otherwise; an older file stays as it was.
        ModelRunError: nothing runs such a file, or it has `dangers`.
        MissingExtra: what converts is not installed.
    """
    begun = time.monotonic()
    target = export_target(path)
    model._runner.require_runnable()
    file = model._file
    if not 9 <= opset <= 26:
        raise ExportError(f"opset {opset}: onnxruntime takes 9 to 26, and {OPSET} is a good choice")
    with progress(f"convert {display_text(model.title, 40)}", 3) as done:
        answer = _converted(model, file, opset, timeout)
        done(1)
        _require_known(answer["foreign"])
        content: bytes = answer["content"]
        result = _opened(content)
        feeds = random_feeds(model.inputs) if sample is None else dict(sample)
        difference, largest = compared(model, result, feeds, timeout)
        done(2)
        quantised = _is_quantised(model, file)
        require_close(difference, largest, tolerance, judged=not quantised)
        write_export(target, content)
        done(3)
    return Conversion(
        path=target,
        source=model.title,
        inputs=result.inputs,
        outputs=result.outputs,
        nbytes=len(content),
        difference=difference,
        largest=largest,
        opset=opset,
        seconds=time.monotonic() - begun,
        notes=(_ROUNDED,) * quantised,
    )


def _converted(model: Model, file: ModelFile, opset: int, timeout: float) -> Mapping[str, Any]:
    if file.format == "ONNX":
        raise ExportError(f"{display_text(model.title)} is ONNX already: copy the file")
    if file.session() is not None:
        from mlnb.models.convert.live_module import module_to_onnx
        from mlnb.models.torch.module import ModuleFile

        assert isinstance(file, ModuleFile)
        return module_to_onnx(file, opset)
    if file.runtime not in _CHILDREN:
        raise ExportError(
            f"{display_text(model.title)} ({file.format}) has no graph to convert"
            + (f"; {file.advice}" if file.advice else "")
        )
    label, function = _CHILDREN[file.runtime]
    arguments = [[[s.name, s.dtype, None] for s in specs] for specs in (file.inputs, file.outputs)]
    answer = child(label).call(
        f"{_CONVERTERS}:{function}",
        model._runner.address,
        *arguments,
        opset=opset,
        content=file.source.content,
        run_bytes=model._runner.run_bytes,
        timeout=timeout,
    )
    match answer:
        case {"content": bytes(), "foreign": list()}:
            return dict(answer)
    raise ExportError(f"{label} answered with something else than a model; try again")


def _require_known(foreign: Sequence[str]) -> None:
    if foreign:
        shown = ", ".join(display_text(str(op), 60) for op in foreign[:8])
        more = f" and {len(foreign) - 8} more" if len(foreign) > 8 else ""
        raise ExportError(
            f"ONNX has no operations for {shown}{more}; nothing was written. The model runs as it "
            "is, by model.predict"
        )


def _opened(content: bytes) -> Model:
    from mlnb.models.model import Model

    try:
        return Model(open_model_file(content), name="converted")
    except MlnbError as error:
        raise ExportError(f"the converted model cannot be read: {error}") from error


def _is_quantised(model: Model, file: ModelFile) -> bool:
    if any(spec.quantization for spec in (*file.inputs, *file.outputs)):
        return True
    return file.format == "TFLite" and any(
        value.dtype in ("int8", "uint8") and value.initializer for value in model.graph.weights
    )
