"""A loaded model: what it is called, what it says of itself, and what it answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from child.acts import interrupt_after
from models import made

import mlnb
from mlnb.child.client import child
from mlnb.errors import (
    InputError,
    ModelCrashed,
    ModelFileChanged,
    ModelFormatError,
    ModelRunError,
    ModelTimeout,
    UnknownName,
)
from mlnb.models.loading import load_model

ROOT = Path(__file__).parents[2]
ONES = np.ones((2, 3), np.float32)


@pytest.fixture
def doubler():
    return load_model(made.doubler())


def answers_rightly() -> bool:
    """A good model, run by the same process, answers rightly."""
    return bool((load_model(made.doubler()).predict(ONES)["y"] == 2).all())


# Loading


def test_a_model_is_named_after_its_file(tmp_path):
    for file, name in (
        ("squeezenet1.1_fp16.onnx", "squeezenet1_1_fp16"),
        ("2 nets.onnx", "_2_nets"),
        ("class.onnx", "class_"),
        ("größe", "größe"),
    ):
        (tmp_path / file).write_bytes(made.doubler())
        model = load_model(tmp_path / file)
        assert (model.name, model.title) == (name, file)
        assert model.name.isidentifier()
    assert load_model(os.fspath(tmp_path / "class.onnx"), name="net").name == "net"


def test_bytes_are_a_model_too(doubler):
    assert (doubler.name, doubler.title, doubler.path) == ("model", "bytes", None)
    assert (doubler.predict(ONES)["y"] == 2).all()


def test_its_repr_can_be_read_aloud(tmp_path):
    file = tmp_path / "adds.onnx"
    file.write_bytes(made.adder())
    assert repr(load_model(file)) == "Model('adds.onnx', 2 inputs, 2 outputs, 2 nodes)"


def test_its_facts_are_one_line(tmp_path):
    file = tmp_path / "sums.onnx"
    weighted = made.model(
        [made.node("Mul", ["x", "w"], ["y"])],
        [made.tensor("x", shape=(3,))],
        [made.tensor("y", shape=(3,))],
        [made.weight("w", [1, 2, 3])],
    )
    file.write_bytes(weighted)
    size = file.stat().st_size
    assert load_model(file).facts == f"ONNX opset 20 · 1 node · 3 parameters · {size} B"


def test_its_html_is_the_static_card(tmp_path):
    (tmp_path / "a<b>.onnx").write_bytes(made.doubler())
    html = load_model(tmp_path / "a<b>.onnx")._repr_html_()
    assert "a&lt;b&gt;.onnx" in html
    assert "<script" not in html


def test_an_address_is_not_fetched_but_explained():
    with pytest.raises(ModelFormatError, match=r"is an address, .* %mlload --download "):
        load_model("https://example.org/net.onnx")


def test_it_gives_the_code_that_feeds_it(doubler):
    assert doubler.feed_code == 'model.predict({"x": np.zeros((1, 3), np.float32)})'
    answer = eval(doubler.feed_code, {"model": doubler, "np": np})
    assert answer["y"].tolist() == [[0, 0, 0]]


def test_a_weight_is_read_from_the_file(tmp_path):
    model = load_model(made.fixed())
    assert model.tensor("axes").tolist() == [1]


# Predicting


def test_it_predicts_by_name_by_keyword_and_by_position(doubler):
    for prediction in (
        doubler.predict({"x": ONES}),
        doubler.predict(x=ONES),
        doubler.predict(ONES),
    ):
        assert list(prediction) == ["y"]
        assert prediction["y"].dtype == np.float32
        assert (prediction["y"] == 2).all()


def test_a_prediction_remembers_what_was_fed_and_what_was_changed(doubler):
    prediction = doubler.predict(ONES.astype(np.float64))
    assert prediction.inputs["x"].dtype == np.float32
    assert prediction.notes == ("x: float64 became float32",)
    assert 0 < prediction.seconds < 60
    assert prediction.device == doubler.device == "CPU"


def test_outputs_can_be_chosen():
    model = load_model(made.adder())
    both = model.predict(a=ONES, b=ONES * 3)
    assert list(both) == ["sum", "product"]
    only = model.predict({"a": ONES}, b=ONES * 3, outputs="product")
    assert list(only) == ["product"]
    assert (only["product"] == 3).all()
    assert list(model.predict(a=ONES, b=ONES, outputs=["product", "sum"])) == ["product", "sum"]
    with pytest.raises(UnknownName, match="no output 'prodct'; did you mean 'product'"):
        model.predict(a=ONES, b=ONES, outputs="prodct")


def test_what_does_not_fit_never_reaches_the_child(doubler, monkeypatch):
    monkeypatch.setattr("mlnb.models.runner.child", None)
    with pytest.raises(InputError, match="Input `x` expects float32"):
        doubler.predict(np.ones((2, 4), np.float32))


def test_results_can_be_written_to(doubler):
    big = doubler.predict(np.ones((100_000, 3), np.float32))["y"]
    big += 1
    assert (big == 3).all()


def test_a_longer_batch_runs_piece_by_piece_and_says_so():
    model = load_model(made.fixed(batch=4))
    rows = np.arange(30, dtype=np.float32).reshape(10, 3)
    prediction = model.predict(rows)
    assert prediction["y"].tolist() == rows.sum(1, keepdims=True).tolist()
    assert prediction.notes == (
        "the model's batch is fixed at 4: 10 rows ran in 3 pieces, "
        "the last one filled with 2 copies of its last row",
    )


def test_a_long_batch_reports_how_far_it_is():
    model = load_model(made.fixed(batch=1))
    rows = np.arange(9000, dtype=np.float32).reshape(3000, 3)
    assert np.array_equal(model.predict(rows)["y"], rows.sum(1, keepdims=True))


def test_strings_and_scalars_and_empty_arrays_cross():
    text = load_model(made.identity(made.TensorProto.STRING, (None,)))
    assert text.predict(["a", "größe"])["y"].tolist() == ["a", "größe"]
    assert load_model(made.identity(made.INT64, ())).predict(7)["y"] == np.int64(7)
    empty = load_model(made.identity(made.FLOAT, ("N", 3))).predict(np.zeros((0, 3), np.float32))
    assert empty["y"].shape == (0, 3)
    flags = load_model(made.identity(made.TensorProto.BOOL, ("N",))).predict([True, False])
    assert flags["y"].tolist() == [True, False]


def test_where_onnxruntime_lacks_something_the_evaluator_answers_and_says_so():
    import ml_dtypes

    model = load_model(made.needs_the_evaluator())
    prediction = model.predict(np.ones(2, ml_dtypes.bfloat16))
    assert prediction["y"].dtype == ml_dtypes.bfloat16
    assert np.allclose(prediction["y"].astype(np.float32), 0.8651, atol=0.01)
    (note,) = prediction.notes
    assert "onnx's reference evaluator did" in note
    assert model.predict(np.ones(2, np.float32)).notes[0] == "x: float32 became bfloat16"


def test_bytes_cross_to_the_child_once(monkeypatch):
    model = load_model(made.fixed(columns=5))
    row = np.ones((1, 5), np.float32)
    crossed = []

    class Watched:
        def call(self, *args, **kwargs):
            crossed.append(kwargs.get("content"))
            return child("onnxruntime").call(*args, **kwargs)

    monkeypatch.setattr("mlnb.models.runner.child", lambda _: Watched())
    for _ in range(3):
        assert model.predict(row)["y"] == 5
    assert [content is not None for content in crossed] == [False, True, False, False]


@pytest.mark.parametrize(
    "answer",
    [7, [], [[], "CPU", []], [[1, 2], "CPU", []], [{"y": 1}, "CPU", []], [[1], "TPU", []],
     [[1], "CPU", [5]], [[1], [], []]],
    ids=repr,
)  # fmt: skip
def test_an_answer_that_does_not_fit_the_question_is_a_crash(monkeypatch, answer):
    class Lying:
        def call(self, *_, **__):
            return answer

    monkeypatch.setattr("mlnb.models.runner.child", lambda _: Lying())
    with pytest.raises(ModelCrashed, match="onnxruntime answered with something else"):
        load_model(made.doubler()).predict(ONES)


def test_pieces_that_do_not_fit_together_are_told(monkeypatch):
    class Growing:
        def call(self, *_, **__):
            self.columns = getattr(self, "columns", 0) + 1
            return [[np.ones((8, self.columns))], "CPU", []]

    growing = Growing()
    monkeypatch.setattr("mlnb.models.runner.child", lambda _: growing)
    model = load_model(made.fixed())
    with pytest.raises(ModelRunError, match="the outputs of the pieces do not fit together"):
        model.predict(np.ones((30, 3), np.float32))


def test_a_trusted_model_runs_in_this_process(monkeypatch):
    monkeypatch.setattr("mlnb.models.runner.child", None)
    model = load_model(made.doubler(), trust=True)
    assert (model.predict(ONES)["y"] == 2).all()
    assert model.device == "CPU"
    endless = load_model(made.loops_for_ever(), trust=True)
    with pytest.raises(ModelTimeout, match=r"within 300 ms and was told to stop"):
        endless.predict(x=[1.0], timeout=0.3)
    assert (model.predict(ONES)["y"] == 2).all()


# What may go wrong


@pytest.mark.parametrize("hostile", [made.divides_int_min, made.splits_by_zero])
def test_a_model_that_crashes_onnxruntime_leaves_the_session_unharmed(hostile):
    with pytest.raises(ModelCrashed) as caught:
        load_model(hostile()).predict({})
    expected = "onnxruntime crashed (SIGFPE) on this model; your session is unharmed"
    assert str(caught.value) == expected
    assert answers_rightly()


@pytest.mark.parametrize("hostile", [made.loops_for_ever, made.laughs])
def test_a_model_that_never_ends_meets_its_deadline(hostile):
    begin = time.monotonic()
    with pytest.raises(ModelTimeout, match="onnxruntime did not answer within 700 ms"):
        load_model(hostile()).predict(x=[1.0], timeout=0.7)
    assert time.monotonic() - begin < 3
    assert answers_rightly()


@pytest.mark.parametrize("hostile", [made.loops_for_ever, made.laughs])
def test_an_interrupt_ends_a_model_that_never_ends(hostile):
    model = load_model(hostile())
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupt_after(0.5):
        model.predict(x=[1.0])
    assert time.monotonic() - begin < 2.5
    assert answers_rightly()


def test_a_model_that_asks_for_6_gib_runs_out_of_its_cap():
    with pytest.raises(ModelRunError) as caught:
        load_model(made.asks_for_6_gib()).predict([3 * 2**29])
    assert str(caught.value).startswith("ran out of memory (it asked for 6.44 GB at once)")
    assert answers_rightly()
    small = load_model(made.asks_for_6_gib(), limits=mlnb.Limits(run_bytes=400_000_000))
    assert small.predict([1_000_000])["y"] == 0
    with pytest.raises(ModelRunError, match=r"raise the cap: load_model\(path, limits=Limits"):
        small.predict([1_000_000_000])


def test_an_operation_that_nobody_here_knows_is_told_by_its_name():
    unknown = made.model(
        [made.helper.make_node("MyOp", ["x"], ["y"], domain="com.evil")],
        [made.tensor("x", shape=(1,))],
        [made.tensor("y", shape=(1,))],
        imports=[made.helper.make_opsetid("com.evil", 1)],
    )
    with pytest.raises(ModelRunError) as caught:
        load_model(unknown).predict([1.0])
    assert "uses the operation 'MyOp' of the domain 'com.evil'" in str(caught.value)
    assert "/onnxruntime" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_written_over_is_noticed(tmp_path):
    file = tmp_path / "net.onnx"
    file.write_bytes(made.doubler())
    model = load_model(file)
    assert (model.predict(ONES)["y"] == 2).all()
    file.write_bytes(made.fixed())
    with pytest.raises(ModelFileChanged, match=r"net\.onnx has changed .* run %mlload again"):
        model.predict(ONES)
    file.unlink()
    with pytest.raises(ModelFileChanged, match=r"net\.onnx is gone"):
        model.predict(ONES)
    file.write_bytes(made.fixed())
    assert load_model(file).predict([[1.0, 2.0, 3.0]])["y"] == 6


def test_a_model_is_found_again_after_the_folder_changed(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").write_bytes(made.doubler())
    monkeypatch.chdir(tmp_path)
    model = load_model("net.onnx")
    monkeypatch.chdir("/")
    assert (model.predict(ONES)["y"] == 2).all()


def test_two_threads_get_their_own_answers(doubler):
    got: dict[int, bool] = {}

    def ask(number: int) -> None:
        for _ in range(20):
            answer = doubler.predict(ONES * number)["y"]
            got[number] = got.get(number, True) and bool((answer == 2 * number).all())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {0: True, 1: True, 2: True, 3: True}


def test_a_killed_child_is_replaced(doubler):
    doubler.predict(ONES)
    os.kill(child("onnxruntime").pid, signal.SIGKILL)
    with pytest.raises(ModelCrashed):
        doubler.predict(ONES)
    assert (doubler.predict(ONES)["y"] == 2).all()


WITHOUT = """
import os, socket, sys
sys.modules["fcntl"] = sys.modules["resource"] = None
del os.memfd_create, socket.send_fds, os.sched_getaffinity
"""
ANSWERS = """
import numpy as np
from models import made
from mlnb.child.client import child
from mlnb.errors import ModelCrashed
from mlnb.models.loading import load_model
ones = np.ones((100_000, 3), np.float32)
try:
    load_model(made.divides_int_min()).predict({})
except ModelCrashed:
    print((load_model(made.doubler()).predict(ones)["y"] == 2).all())
"""


def test_it_predicts_where_the_system_has_no_fcntl_resource_memfd_and_passed_files(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


# Shapes


def test_shapes_that_the_file_lacks_are_inferred_in_the_child():
    chain = made.model(
        [made.node("Relu", ["x"], ["middle"]), made.node("Concat", ["middle", "x"], ["y"], axis=1)],
        [made.tensor("x", shape=(2, 3))],
        [made.tensor("y", shape=(2, 6))],
    )
    model = load_model(chain)
    assert model.graph.value("middle").shape is None
    assert model.infer_shapes() is True
    assert model.graph.value("middle").shape == (2, 3)
    assert model.graph.value("middle").dtype == "float32"
    assert model.infer_shapes() is False


def test_inference_that_hangs_or_fails_is_a_note_and_no_error():
    model = load_model(made.laughs())
    assert model.infer_shapes(timeout=0.7) is False
    assert "onnx did not answer within 700 ms" in model.notes[0]
    assert answers_rightly()


# Real models


def test_squeezenet_names_the_photographs(mlnb_data):
    from mlnb.data.images import read_image, resize

    model = load_model(mlnb_data / "models/onnx/squeezenet1.1_fp16.onnx")
    labels = (mlnb_data / "labels/imagenet_synset_1000.txt").read_text().splitlines()
    right = total = 0
    for line in (mlnb_data / "images/tags.tsv").read_text().splitlines():
        file, truth = line.split("\t")
        if not (mlnb_data / "images" / file).exists():
            continue
        picture = resize(read_image(mlnb_data / "images" / file), 256)[16:240, 16:240]
        scaled = picture[:, :, ::-1] - np.array([104, 117, 123], np.float32)
        prediction = model.predict(scaled.transpose(2, 0, 1)[None])
        right += truth in labels[int(prediction["softmaxout_1"].argmax())]
        total += 1
    assert total >= 12
    assert right / total >= 15 / 18


def test_mnist_reads_digits_and_runs_a_batch_piece_by_piece(mlnb_data):
    model = load_model(mlnb_data / "models/onnx/mnist-8.onnx")
    digits, pixels = _digits(mlnb_data / "mnist/MNIST.Test.tiny.txt")
    prediction = model.predict(pixels)
    assert (prediction["Plus214_Output_0"].argmax(1) == digits).mean() > 0.99
    assert f"{len(digits)} rows ran in {len(digits)} pieces" in prediction.notes[0]


def test_every_real_model_answers_the_feed_it_proposes(mlnb_data):
    files = sorted((mlnb_data / "models").glob("*/*.onnx"))
    assert len(files) >= 10
    for file in files:
        model = load_model(file)
        if file.name == "silero_vad.onnx":  # takes 8000 or 16000 for its sampling rate, not 0
            prediction = model.predict(
                input=np.zeros((1, 512), np.float32),
                state=np.zeros((2, 1, 128), np.float32),
                sr=16000,
            )
        else:
            prediction = eval(model.feed_code, {model.name: model, "np": np})
        assert list(prediction) == model.outputs.names


def _digits(file):
    """Labels and pictures of a file of lines `digit, size, place:value …`, values 0 to 255."""
    lines = [line.split() for line in file.read_text().splitlines()]
    pictures = np.zeros((len(lines), 784), np.float32)
    for picture, (_, _, *points) in zip(pictures, lines, strict=True):
        for point in points:
            place, value = point.split(":")
            picture[int(place)] = float(value)
    return np.array([int(line[0]) for line in lines]), pictures.reshape(-1, 1, 28, 28)
