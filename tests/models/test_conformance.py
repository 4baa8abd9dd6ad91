"""The conformance cases of the onnx wheel: a seeded sample in every run, all of them when asked.

What does not agree is listed with its reason; a case that begins to agree has to leave the list.
"""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
from onnx import SequenceProto, TensorProto, numpy_helper

from mlnb.errors import MlnbError
from mlnb.models.loading import load_model

SAMPLE = 150
AT_LEAST = 1990

REASONS = {
    "test_bernoulli": "draws random numbers",
    "test_training_dropout": "draws random numbers",
    "test_attention_4d": "onnxruntime differs from onnx, or refuses this form",
    "test_maxunpool_export_with_output_shape": "onnxruntime differs from onnx",
    "test_resize_downsample_scales": "onnxruntime differs from onnx",
    "test_range_": "the evaluator differs from onnx in the expanded form",
    "test_gradient_of": "a training operator that neither runtime has",
    "test_reduce_max_empty_set_bool": "onnxruntime has no maximum of no bools",
}


def node_cases() -> list[Any]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            (case.name, case.model, case.data_sets, case.rtol) for case in collect_testcases(None)
        ]


def agrees(model: Any, data_sets: Any, rtol: float) -> bool:
    """Whether what mlnb predicts is what the case expects."""
    loaded = load_model(model.SerializeToString())
    for inputs, expected in data_sets:
        feeds = dict(
            zip((value.name for value in model.graph.input), map(plain, inputs), strict=False)
        )
        try:
            answer = loaded.predict(feeds)
        except MlnbError:
            return False
        names = [value.name for value in model.graph.output]
        if not all(
            close(answer[n], plain(value), rtol) for n, value in zip(names, expected, strict=False)
        ):
            return False
    return True


def plain(value: Any) -> Any:
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return numpy_helper.to_list(value) if isinstance(value, SequenceProto) else value


def close(answer: Any, expected: Any, rtol: float) -> bool:
    if expected is None:
        return answer is None
    if isinstance(expected, list | tuple):
        return len(answer) == len(expected) and all(
            close(a, e, rtol) for a, e in zip(answer, expected, strict=True)
        )
    answer, expected = np.asarray(answer), np.asarray(expected)
    if answer.shape != expected.shape:
        return False
    if expected.dtype.kind in "OUST":
        return answer.astype(str).tolist() == expected.astype(str).tolist()
    if answer.dtype != expected.dtype:
        return False
    # A sum of large numbers that should be zero is as wrong as the large numbers are rounded.
    floor = 10 * rounding(expected)
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    answer, expected = answer.astype(wide), expected.astype(wide)
    return np.allclose(answer, expected, max(rtol, 1e-3), floor, equal_nan=True)


def rounding(array: Any) -> float:
    """How far the largest value of an array may be rounded."""
    if array.dtype.isbuiltin != 1 or array.dtype.kind not in "fc" or not array.size:
        return 0.0
    finite = np.abs(array[np.isfinite(array)])
    return float(np.finfo(array.dtype).eps * finite.max()) if finite.size else 0.0


def known(name: str) -> bool:
    return any(name.startswith(prefix) for prefix in REASONS)


def test_a_sample_of_the_conformance_cases_agrees():
    cases = node_cases()
    sample = random.Random(20).sample(cases, SAMPLE)
    wrong = [name for name, model, sets, rtol in sample if not agrees(model, sets, rtol)]
    assert [name for name in wrong if not known(name)] == []
    assert len(wrong) <= 0.03 * SAMPLE


@pytest.mark.slow
def test_nearly_all_conformance_cases_agree():
    from onnx.backend.test.loader import load_model_tests

    cases = node_cases()
    for kind in ("pytorch-converted", "pytorch-operator", "simple"):
        cases += [(c.name, *stored(c.model_dir), c.rtol) for c in load_model_tests(kind=kind)]
    wrong = [name for name, model, sets, rtol in cases if not agrees(model, sets, rtol)]
    assert [name for name in wrong if not known(name)] == []
    print(f"{len(cases) - len(wrong)} of {len(cases)} conformance cases agree")
    assert len(cases) - len(wrong) >= AT_LEAST


def stored(folder: str) -> tuple[Any, Any]:
    """The model and the data sets of a case that lies in files."""
    from pathlib import Path

    import onnx

    model = onnx.load(Path(folder) / "model.onnx")
    sets = []
    for data in sorted(Path(folder).glob("test_data_set_*")):
        sets.append(
            tuple(
                [
                    read(file, value)
                    for value, file in zip(
                        values,
                        sorted(data.glob(f"{side}_*.pb"), key=lambda f: int(f.stem.split("_")[1])),
                        strict=False,
                    )
                ]
                for side, values in (("input", model.graph.input), ("output", model.graph.output))
            )
        )
    return model, sets


def read(file: Any, value: Any) -> Any:
    proto = SequenceProto if value.type.WhichOneof("value") == "sequence_type" else TensorProto
    return proto.FromString(file.read_bytes())
