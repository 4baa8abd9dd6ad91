"""What runs in the child, called here directly: sessions, pieces, the evaluator."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
from models import made

from mlnb.errors import ModelRunError
from mlnb.models.runtimes import onnxruntime as runtime
from mlnb.models.runtimes import sessions


@pytest.fixture(autouse=True)
def no_sessions():
    sessions.opened.clear()
    runtime._has_cuda.cache_clear()
    yield
    sessions.opened.clear()
    runtime._has_cuda.cache_clear()


def address(key):
    return json.dumps({"sha256": key, "parts": []})


def run(content, feeds, outputs=("y",), key="a", **options):
    """The outputs by name, and the notes."""
    values, device, notes = runtime.predict(
        address(key), feeds, list(outputs), content=content, **options
    )
    assert device == "CPU"
    return dict(zip(outputs, values, strict=True)), notes


def test_a_model_known_only_by_its_hash_is_asked_for():
    assert runtime.predict(address("a"), {}, ["y"]) is None
    run(made.doubler(), {"x": np.ones((1, 3), np.float32)})
    assert runtime.predict(address("a"), {"x": np.ones((1, 3), np.float32)}, ["y"]) is not None


def test_only_the_latest_models_stay_open(monkeypatch):
    monkeypatch.setattr(sessions, "KEPT_SESSIONS", 2)
    for key in "abac":
        run(made.doubler(), {"x": np.ones((1, 3), np.float32)}, key=key)
    assert list(sessions.opened) == [address("a"), address("c")]


def test_a_file_is_opened_once_and_again_when_it_changed(tmp_path):
    file = tmp_path / "net.onnx"
    for number, content in enumerate((made.doubler(), made.fixed()), 1):
        file.write_bytes(content)
        seen = file.stat()
        found = {
            "path": str(file), "size": seen.st_size, "mtime_ns": seen.st_mtime_ns, "parts": []
        }  # fmt: skip
        for _ in range(2):
            runtime.predict(json.dumps(found), {"x": np.ones((1, 3), np.float32)}, ["y"])
        assert len(sessions.opened) == number


def test_pieces_are_put_together_in_order_and_cut_to_length():
    rows = np.arange(21, dtype=np.float32).reshape(7, 3)
    answer, _ = run(made.fixed(batch=3), {"x": rows}, piece=3)
    assert answer["y"].tolist() == rows.sum(1, keepdims=True).tolist()


def test_an_output_without_a_row_for_each_input_cannot_run_in_pieces():
    whole = made.model(
        [made.node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [made.tensor("x", shape=(2, 3))],
        [made.tensor("y")],
    )
    with pytest.raises(ModelRunError, match="does not have one row for each of the 2 rows fed"):
        run(whole, {"x": np.ones((4, 3), np.float32)}, piece=2)


def test_the_evaluator_runs_what_onnxruntime_cannot_open():
    import ml_dtypes

    answer, notes = run(made.needs_the_evaluator(), {"x": np.ones(2, ml_dtypes.bfloat16)})
    assert "reference evaluator" in notes[0]
    assert answer["y"].dtype == ml_dtypes.bfloat16


def test_the_evaluator_runs_what_onnxruntime_cannot_feed():
    import ml_dtypes

    dtype = made.TensorProto.BFLOAT16
    feeds = {"x": np.array([1, 2], ml_dtypes.bfloat16)}
    for _ in range(2):
        answer, notes = run(made.identity(dtype, ("N",)), feeds)
        assert answer["y"].astype(int).tolist() == [1, 2]
        assert len(notes) == 1


def test_the_evaluator_may_write_into_what_it_is_fed():
    import ml_dtypes

    fed = np.ones(2, ml_dtypes.bfloat16)
    fed.flags.writeable = False
    run(made.needs_the_evaluator(), {"x": fed})


def test_where_both_fail_onnxruntimes_word_counts():
    broken = made.model(
        [made.node("NoSuchOp", ["x"], ["y"])],
        [made.tensor("x", shape=(1,))],
        [made.tensor("y", shape=(1,))],
    )
    with pytest.raises(ModelRunError, match="NoSuchOp"):
        run(broken, {"x": np.ones(1, np.float32)})


def test_a_failure_inside_the_model_is_not_run_again_elsewhere():
    outside = made.model(
        [made.node("Gather", ["x", "place"], ["y"])],
        [made.tensor("x", shape=(2,)), made.tensor("place", made.INT64, (1,))],
        [made.tensor("y", shape=(1,))],
    )
    with pytest.raises(ModelRunError, match=r"Gather.*out of (data )?bounds"):
        run(outside, {"x": np.ones(2, np.float32), "place": np.array([9])})


def test_a_newer_opset_than_onnxruntime_knows_is_run_by_the_evaluator():
    from onnx import ModelProto

    proto = ModelProto.FromString(made.doubler())
    proto.ir_version, proto.opset_import[0].version = 14, 28
    answer, _ = run(proto.SerializeToString(), {"x": np.ones((1, 3), np.float32)})
    assert answer["y"].tolist() == [[2, 2, 2]]


def test_cuda_is_taken_where_the_installed_onnxruntime_has_it(monkeypatch):
    assert runtime._providers() == ["CPUExecutionProvider"]
    assert runtime.device() == "CPU"
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    runtime._has_cuda.cache_clear()
    assert runtime._providers() == both
    assert runtime.device() == "CUDA"
