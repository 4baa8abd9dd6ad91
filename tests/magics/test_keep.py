"""`%mlexport`: a network into a file, by the file's ending; mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from mlnb.networks.sequential import Sequential  # noqa: E402


@pytest.fixture
def ready(notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A notebook with networks and samples."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    notebook.names |= {
        "net": Sequential(6, "net").dense(16, "relu").dense(3),
        "module": nn.Linear(4, 2),
        "batch": torch.randn(5, 4),
        "rows": torch.randn(40, 6),
        "number": 3,
        "target": tmp_path / "held.onnx",
    }
    return notebook


def test_onnx_is_written_reported_and_returned(ready, tmp_path: Path):
    ran = ready.run("report = %mlexport net net.onnx")
    assert ran.error is None
    assert (tmp_path / "net.onnx").is_file()
    (shown,) = ran.outputs
    assert "differs from torch by" in shown["data"]["text/plain"]
    assert "<table>" in shown["data"]["text/html"]
    assert ready.names["report"].difference < 1e-4
    assert ready.run("report").outputs
    assert ready.run("%mlexport net net.onnx;").outputs == []


def test_the_options_are_those_of_export_onnx(ready, tmp_path: Path):
    ran = ready.run("r = %mlexport net q.onnx --quantize static --calibration rows")
    assert ran.error is None
    assert ready.names["r"].quantized == "static"
    ran = ready.run("r = %mlexport module target --sample batch")
    assert ran.error is None
    assert ready.names["r"].path == tmp_path / "held.onnx"


def test_safetensors_is_saved_and_loads_again(ready, tmp_path: Path):
    ran = ready.run("path = %mlexport net net.safetensors")
    assert ran.error is None
    again = Sequential.load(ready.names["path"])
    assert torch.equal(again.module[0].weight, ready.names["net"].module[0].weight)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlexport net", "missing: file"),
        ("%mlexport nett net.onnx", "no network 'nett'; did you mean 'net'"),
        ("%mlexport number net.onnx", "number is of type int; %mlexport takes a network"),
        ("%mlexport net net", "net.onnx, or net.safetensors"),
        ("%mlexport net net.onx", "no format '.onx'; did you mean '.onnx'"),
        ("%mlexport module net.onnx", "sample=x"),
        ("%mlexport module net.onnx --sample bach", "no variable 'bach'; did you mean 'batch'"),
        ("%mlexport net net.onnx --quantize statc", "did you mean 'static'"),
        ("%mlexport net net.onnx --quantize static", "calibration=x"),
        ("%mlexport net net.safetensors --quantize dynamic", "--quantize is for .onnx files"),
        ("%mlexport module net.safetensors", "safetensors.torch.save_model(module"),
        ("%mlexport net none/net.onnx", "there is no folder"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(ready, tmp_path: Path, cell: str, said: str):
    ran = ready.run(cell)
    assert said in str(ran.error)
    assert "\n" not in str(ran.error)
    assert list(tmp_path.iterdir()) == []


def test_names_options_and_words_are_completed(ready):
    assert "%mlexport net" in ready.complete("%mlexport n")
    assert ready.complete("%mlexport net net.onnx --quantize s")[:1] == [
        "%mlexport net net.onnx --quantize static"
    ]
    assert "%mlexport net net.onnx --sample batch" in ready.complete(
        "%mlexport net net.onnx --sample b"
    )
