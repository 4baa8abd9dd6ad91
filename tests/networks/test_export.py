"""`export_onnx`: what it writes, what it reports, and what it refuses without losing a file."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from mlnb.errors import ExportError, InputError, UnknownName  # noqa: E402
from mlnb.models.silence import quietly  # noqa: E402
from mlnb.networks import export, to_onnx  # noqa: E402
from mlnb.networks.export import export_onnx  # noqa: E402
from mlnb.networks.network import Input, Network  # noqa: E402
from mlnb.networks.sequential import Sequential  # noqa: E402
from mlnb.networks.taken import take  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def lenet() -> Sequential:
    torch.manual_seed(0)
    net = Sequential((1, 12, 12), "lenet").conv2d(6, 3, "relu").max_pool2d(2).flatten()
    return net.dense(10, "relu").dense(4, name="relu")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("exported") / "lenet.onnx"
    return export_onnx(lenet(), path)


def test_the_report_tells_what_was_written_and_how_well_it_agrees(exported):
    assert exported.difference < 1e-4
    assert exported.nbytes == exported.path.stat().st_size
    text = repr(exported)
    assert text.startswith("ExportReport('lenet.onnx', ")
    assert "input [batch, 1, 12, 12] -> relu [batch, 4], opset 18, IR 10" in text
    assert "differs from torch by" in text
    assert "<table>" in exported._repr_html_()


def test_the_file_is_one_that_onnxruntime_takes_with_names_from_the_layers(exported):
    model = onnx.load(exported.path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 13
    assert [one.version for one in model.opset_import if one.domain == ""] == [18]
    assert {"conv2d.weight", "dense.bias"} <= {one.name for one in model.graph.initializer}
    values = [name for node in model.graph.node for name in node.output]
    assert len(values) == len(set(values)), "a layer's name that torch also used is there once"
    scopes = [p.value for node in model.graph.node for p in node.metadata_props]
    assert any("conv2d" in scope for scope in scopes)


@pytest.mark.parametrize("rows", [1, 3, 17])
def test_any_batch_goes_in(exported, rows: int):
    x = torch.randn(rows, 1, 12, 12)
    runs = export.session(exported.path.read_bytes())
    (came,) = runs.run(None, {"input": x.numpy()})
    assert np.allclose(came, lenet().module.eval()(x).detach(), atol=1e-4)


def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path):
    picture, words = Input((8,), name="picture"), Input((5,), name="words", dtype="int64")
    both = picture.dense(6, "relu").concat(words.embedding(20, 4).flatten())
    net = Network([picture, words], {"words": both.dense(2), "score": both.dense(1)})
    report = export_onnx(net, tmp_path / "two.onnx")
    assert report.inputs == {"picture": ("batch", 8), "words": ("batch", 5)}
    assert report.outputs == {"words_out": ("batch", 2), "score": ("batch", 1)}
    assert report.difference < 1e-4


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_a_quantized_file_is_smaller_and_says_what_it_cost(tmp_path: Path, kind: str):
    calibration = torch.randn(40, 1, 12, 12)
    report = export_onnx(lenet(), tmp_path / "small.onnx", quantize=kind, calibration=calibration)
    assert report.nbytes < report.float_nbytes
    assert report.difference < 1e-4
    assert report.difference < report.quantized_difference < 0.2 * report.largest
    assert f"{kind}, from " in repr(report)
    ops = {node.op_type for node in onnx.load(report.path).graph.node}
    assert ("QuantizeLinear" if kind == "static" else "DynamicQuantizeLinear") in ops


def test_quantizing_asks_for_what_it_needs(tmp_path: Path):
    with pytest.raises(ExportError, match="calibration=x"):
        export_onnx(lenet(), tmp_path / "a.onnx", quantize="static")
    with pytest.raises(UnknownName, match="did you mean 'static'"):
        export_onnx(lenet(), tmp_path / "a.onnx", quantize="statik")
    net = Sequential((1, 6, 6)).conv2d(2, 3, "relu")
    with pytest.raises(ExportError, match='try "static"'):
        export_onnx(net, tmp_path / "a.onnx", quantize="dynamic")
    assert list(tmp_path.iterdir()) == []


class Chooses(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


class FixesItsBatch(nn.Module):
    def forward(self, x):
        return x + torch.arange(2)[:, None]


@pytest.mark.parametrize(
    ("module", "said"),
    [(Chooses(), "use torch.where"), (FixesItsBatch(), "the size of the batch as a constant")],
)
def test_a_module_that_cannot_be_followed_leaves_the_older_file(
    tmp_path: Path, module: nn.Module, said: str, capfd
):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"older")
    with pytest.raises(ExportError, match=said):
        export_onnx(module, path, sample=torch.ones(2, 3))
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
    assert "forward" not in "".join(capfd.readouterr())


def test_a_file_that_answers_otherwise_is_not_written(tmp_path: Path, monkeypatch):
    right = to_onnx.to_onnx(take(nn.Linear(3, 2), torch.ones(2, 3)))
    monkeypatch.setattr(export, "to_onnx", lambda taken: right)
    with pytest.raises(ExportError, match="answers otherwise"):
        export_onnx(nn.Linear(3, 2), tmp_path / "net.onnx", sample=torch.ones(2, 3))
    assert list(tmp_path.iterdir()) == []


def test_it_says_nothing_of_its_own(tmp_path: Path, capfd, recwarn, caplog):
    handlers = list(logging.getLogger().handlers)
    net = Sequential(5, dtype="int64").embedding(9, 4).flatten().dense(2)
    with caplog.at_level("DEBUG"):
        export_onnx(net, tmp_path / "net.onnx", quantize="dynamic")
    out, err = capfd.readouterr()
    assert out == ""
    assert set(err.replace("\r", "\n").split("\n")) <= {
        "",
        *(f"export net.onnx: {at} of 4" for at in range(1, 5)),
    }
    assert list(recwarn) == []
    assert logging.getLogger().handlers == handlers
    assert logging.root.manager.disable == 0


def test_quiet_is_for_this_thread_only(capsys):
    from threading import Thread

    with quietly():
        thread = Thread(target=lambda: sys.stderr.write("from a run\n"))
        thread.start()
        thread.join()
        sys.stderr.write("from the exporter\n")
        warnings.warn("from torch", stacklevel=1)
    assert capsys.readouterr().err == "from a run\n"


def test_the_module_is_as_it_was(tmp_path: Path):
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    sample, random = torch.randn(1, 3), torch.get_rng_state()
    export_onnx(module, tmp_path / "net.onnx", sample=sample)
    assert module.training
    assert all(m.training for m in module.modules())
    assert all(p.requires_grad for p in module.parameters())
    assert all(torch.equal(before[n], v) for n, v in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_what_was_given_names_its_inputs():
    class Two(nn.Module):
        def forward(self, left, right, scale=2.0):
            return left @ right.T * scale, left

    taken = take(Two(), (torch.ones(1, 3), np.ones((4, 3))))
    assert list(taken.sample) == ["left", "right"]
    assert [x.dtype for x in taken.sample.values()] == [torch.float32, torch.float32]
    assert taken.sample["left"].shape == (2, 3), "a batch of one becomes two"
    assert taken.outputs == ("output_1", "output_2")
    by_name = take(Two(), {"left": torch.ones(2, 3), "right": torch.ones(2, 3)})
    assert list(by_name.sample) == ["left", "right"]
    assert list(take(lenet(), torch.ones(1, 12, 12)).sample["input"].shape) == [2, 1, 12, 12]


def test_a_trainer_and_a_run_know_what_they_trained_on():
    trainer = Trainer(nn.Linear(3, 2))
    run = trainer.fit((torch.randn(20, 3), torch.arange(20) % 2), epochs=1, folder=False)
    for given in (trainer, run):
        assert list(take(given).sample["input"].shape) == [2, 3]


def test_while_a_run_trains_its_copy_is_taken():
    module = nn.Linear(3, 2)
    seen = []

    class Export:
        def on_epoch_end(self, run):
            taken = take(module)
            seen.append(taken)
            with torch.no_grad():
                taken.module.weight.zero_()

    data = (torch.randn(20, 3), torch.arange(20) % 2)
    Trainer(module, callbacks=[Export()]).fit(data, epochs=1, folder=False)
    assert seen[0].module is not module
    assert not seen[0].module.training
    assert module.weight.abs().max() > 0


@pytest.mark.parametrize(
    ("given", "sample", "said"),
    [
        (nn.Linear(3, 2), None, "sample=x"),
        (3, None, "received int"),
        (nn.Linear(3, 2), torch.ones(2, 5), r"fails on the sample, input \[2, 5\]"),
        (nn.Linear(3, 2), torch.tensor(1.0), "expects a batch"),
        (nn.Linear(3, 2), object(), "expects numbers; received object"),
        (nn.LSTM(3, 2), {"input": "x"}, "expects numbers; received str"),
    ],
)
def test_what_cannot_be_taken_says_what_is_expected(given, sample, said: str):
    with pytest.raises(InputError, match=said):
        take(given, sample)


def test_of_several_models_one_must_be_named():
    trainer = Trainer({"g": nn.Linear(2, 2), "d": nn.Linear(2, 1)}, step=lambda *_: None)
    with pytest.raises(InputError, match=r"trainer.models\['g'\]"):
        take(trainer)


@pytest.mark.parametrize(
    ("place", "said"), [("", "is a folder"), ("none/net.onnx", "there is no folder")]
)
def test_a_place_where_nothing_can_be_written_is_refused_at_once(tmp_path: Path, place, said):
    with pytest.raises(ExportError, match=said):
        export_onnx(lenet(), tmp_path / place)


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, monkeypatch):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"older")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlnb.cache.os.fsync", full)
    with pytest.raises(ExportError, match="No space left"):
        export.write_export(path, b"newer")
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_weights_beyond_one_file_are_refused_before_torch_is_asked():
    taken = take(nn.Linear(2, 2), torch.ones(2, 2))
    taken.module.weight = nn.Parameter(torch.empty(2**15, 2**14, device="meta"))
    with pytest.raises(ExportError, match="one ONNX file holds 2 GiB"):
        to_onnx.to_onnx(taken)


def test_of_a_module_inside_one_that_trains_the_copy_is_taken_too():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    seen = []

    class Export:
        def on_epoch_end(self, run):
            seen.append(take(model[1], torch.ones(2, 4)))

    data = (torch.randn(20, 3), torch.arange(20) % 2)
    Trainer(model, callbacks=[Export()]).fit(data, epochs=1, folder=False)
    assert seen[0].module is not model[1]
    assert torch.equal(seen[0].module.weight, model[1].weight)
