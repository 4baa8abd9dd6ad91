"""Who runs a model, who refuses to, and what is said then."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from models import made
from models.fake_file import FakeFile
from models_made.tensorflow_models import const, graph_def, node, saved_model

from mlnb.errors import ModelFileChanged, ModelRunError
from mlnb.formats import Danger, open_model_file
from mlnb.formats.model_file import Part
from mlnb.models import runner
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.specs import TensorSpec

X, Y = TensorSpec("x", "float32", (2,)), TensorSpec("y", "float32", (2,))
READS = Danger("ReadFile", "load/ReadFile", "reads files")
RUNS = Danger("PyFunc", "map/PyFunc", "runs Python")


class Recorder:
    """Stands in for a child: remembers who was called for what."""

    def __init__(self):
        self.calls = []

    def __call__(self, label):
        self.label = label
        return self

    def call(self, function, address=None, feeds=None, outputs=None, **how):
        self.calls.append((self.label, function, json.loads(address) if address else None))
        return [[np.zeros(2, np.float32)], "CPU", []] if address else "CPU"


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(runner, "child", recorder)
    return recorder


@pytest.mark.parametrize(
    ("runtime", "label"),
    [("onnxruntime",) * 2, ("tensorflow",) * 2, ("litert",) * 2, ("keras", "tensorflow")],
)
def test_each_runtime_has_its_module_and_its_child(recorder, runtime, label):
    model = Model(FakeFile([X], [Y], runtime=runtime))
    assert model.device == "CPU"
    model.predict(np.zeros(2, np.float32))
    modules = [(who, function) for who, function, _ in recorder.calls]
    place = f"mlnb.models.runtimes.{runtime}"
    assert modules == [(label, f"{place}:device"), (label, f"{place}:predict")]


def test_the_address_names_the_format_and_what_the_runtime_has_to_know(recorder):
    class Signed(FakeFile):
        run_facts = property(lambda self: {"signature": "serving"})

    Model(Signed([X], [Y], runtime="tensorflow")).predict(np.zeros(2, np.float32))
    address = recorder.calls[0][2]
    assert address["format"] == "fake"
    assert address["signature"] == "serving"


def test_trust_keeps_only_onnx_in_this_process(recorder):
    model = Model(FakeFile([X], [Y], runtime="tensorflow"), trust=True)
    model.predict(np.zeros(2, np.float32))
    assert [who for who, *_ in recorder.calls] == ["tensorflow"]
    assert model.notes == ("trust=True changes nothing: fake always runs in a child",)
    trusted = load_model(made.doubler(), trust=True)
    trusted.predict(np.ones((1, 3), np.float32))
    assert len(recorder.calls) == 1
    assert trusted.notes == ()


def test_trust_is_no_matter_for_what_needs_no_child():
    assert Model(FakeFile([X], [Y], runtime="tensorflow")).notes == ()
    assert Model(FakeFile([X], [Y], lambda x: {"y": x}), trust=True).notes == ()
    assert Model(FakeFile(advice="use it"), trust=True).notes == ()


def test_a_live_model_runs_where_it_is(monkeypatch):
    monkeypatch.setattr(runner, "child", None)
    model = Model(FakeFile([X], [Y], lambda x: {"y": x + 1}))
    answer = model.predict(np.ones(2, np.float32))
    assert answer["y"].tolist() == [2, 2]
    assert answer.notes == ("it ran here",)
    assert model.device == "CPU"


def test_weights_without_a_graph_say_how_they_are_used():
    model = Model(FakeFile(name="net.pth", advice="use net.load_state_dict(...)"))
    with pytest.raises(ModelRunError) as error:
        model.predict()
    assert str(error.value) == "net.pth (fake) cannot run by itself; use net.load_state_dict(...)"
    assert model.device == "CPU"


def test_a_model_with_dangers_is_looked_at_and_runs_only_where_it_may(recorder):
    file = FakeFile([X], [Y], runtime="tensorflow", dangers=(READS, RUNS, READS))
    model = Model(file)
    assert model.inputs.names == ["x"]
    assert len(model.dangers) == 3
    for act in (lambda: model.predict(np.zeros(2)), lambda: model.to_onnx("never.onnx")):
        with pytest.raises(ModelRunError) as error:
            act()
        message = str(error.value)
        assert "ReadFile (reads files), PyFunc (runs Python)" in message
        assert "load_model(path, allow_io=True)" in message
    assert recorder.calls == []
    assert not os.path.exists("never.onnx")
    Model(file, allow_io=True).predict(np.zeros(2))
    assert len(recorder.calls) == 1


def test_a_refusal_names_the_folder_of_a_saved_model(tmp_path):
    folder = tmp_path / "my_net"
    folder.mkdir()
    path = const("path", np.array(b"/etc/hostname", object))
    graph = graph_def([path, node("y", "ReadFile", "path")])
    content = saved_model(graph, {"serving_default": ({}, {"y": ("y:0", "string", ())})})
    (folder / "saved_model.pb").write_bytes(content)
    with pytest.raises(ModelRunError, match=r"^my_net would act with your rights: ReadFile"):
        load_model(folder).predict({})


def test_what_must_never_run_does_not_run_where_it_is_allowed(recorder):
    class Code(FakeFile):
        allows_io = False

    file = Code([X], [Y], runtime="keras", dangers=(Danger("Lambda", "lambda_1", "holds code"),))
    with pytest.raises(ModelRunError) as error:
        Model(file, allow_io=True).predict(np.zeros(2))
    assert "lambda_1" in str(error.value)
    assert "allow_io" not in str(error.value)
    assert recorder.calls == []


def test_a_name_that_is_markup_or_endless_stays_harmless_in_a_refusal():
    danger = Danger("<b>\n" + "x" * 5_000, "n", "w")
    with pytest.raises(ModelRunError) as error:
        Model(FakeFile([X], [Y], runtime="tensorflow", dangers=(danger,))).predict(np.zeros(2))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_weights_file_beside_the_model_that_changed_is_noticed(tmp_path):
    file = tmp_path / "net.onnx"
    file.write_bytes(made.with_external_weights("weights.bin", 3))
    weights = tmp_path / "weights.bin"
    weights.write_bytes(np.ones(3, np.float32).tobytes())
    model = load_model(file)
    assert open_model_file(file).parts == (Part("weights.bin", 12, True),)
    name = model.inputs[0].name
    feeds = {name: np.ones([d if isinstance(d, int) else 1 for d in model.inputs[0].shape], "f")}
    model.predict(feeds)
    weights.write_bytes(np.full(4, 2, np.float32).tobytes())
    with pytest.raises(ModelFileChanged, match=r"weights\.bin has changed"):
        model.predict(feeds)
    weights.unlink()
    with pytest.raises(ModelFileChanged, match=r"weights\.bin is gone"):
        model.predict(feeds)
