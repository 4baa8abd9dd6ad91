"""What the export of any classifier shares: notes inside the ONNX file, the check, the report."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import ExportError
from mlnb.formats.onnx.file import CLASSES
from mlnb.formatting import first_line
from mlnb.networks.export import ExportReport, named_shapes

if TYPE_CHECKING:
    from mlnb.tasks.estimator import Classifier

Array = np.ndarray[Any, np.dtype[Any]]

OUTPUT = "probabilities"


def describe(model: Any, classifier: Classifier, facts: Mapping[str, str]) -> None:
    """Write what one wants to know of the file into it, the classes first.

    Args:
        model: an `onnx.ModelProto`.
        classifier: fitted.
        facts: the rest, by name.
    """
    classes = json.dumps(classifier.classes_.tolist(), ensure_ascii=False)
    model.producer_name = "mlnb"
    del model.metadata_props[:]
    for key, value in {CLASSES: classes, **facts}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value


def difference(runs: Any, fed: Mapping[str, Array], wanted: Array) -> float:
    """The most by which the file's probabilities differ from those wanted; of NaN infinite.

    Raises:
        ExportError: onnxruntime fails.
    """
    try:
        [came] = runs.run(None, dict(fed))
    except Exception as error:
        said = first_line(error)
        raise ExportError(f"onnxruntime fails on the exported file: {said}") from error
    largest = float(np.abs(np.asarray(came, np.float32) - wanted).max())
    return math.inf if math.isnan(largest) else largest


def require_close(largest: float, most: float) -> float:
    """The largest difference, where it is none that matters.

    Raises:
        ExportError: it is more than `most`.
    """
    if largest > most:
        raise ExportError(
            f"The exported file answers otherwise than the classifier, by up to {largest:.2g} of a "
            "probability; it was not written."
        )
    return largest


def report(
    target: Path, model: Any, nbytes: int, largest: float, *, opset: int, begun: float
) -> ExportReport:
    """What was written.

    Args:
        target: where.
        model: the `onnx.ModelProto`.
        nbytes: the size of the file.
        largest: difference of a probability.
        opset: the version of the operators.
        begun: when, by `time.monotonic`.
    """
    return ExportReport(
        path=target,
        inputs=named_shapes(model.graph.input),
        outputs=named_shapes(model.graph.output),
        nbytes=nbytes,
        difference=largest,
        largest=1.0,
        quantized=None,
        quantized_difference=None,
        float_nbytes=nbytes,
        seconds=time.monotonic() - begun,
        opset=opset,
        ir=model.ir_version,
    )
