"""The magics on every format: folders, entry points, dangers, quantised values, modules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models_made.format_files import write_formats

import mlnb

NOTE = "reads files · runs only with allow_io=True"


@pytest.fixture
def files(folder: Path) -> Path:
    """The working folder with a file of each kind."""
    write_formats(folder)
    return folder


def shown(ran) -> str:
    return ran.outputs[0]["data"]["text/html"]


def said(ran) -> str:
    return ran.outputs[0]["data"]["text/plain"]


def test_a_folder_that_is_a_model_is_loaded_by_its_name(notebook, files: Path):
    assert notebook.run("%mlload reader").viewers == 1
    assert notebook.run("%mlload reader/ --name again;").error is None
    assert notebook.names["again"].title == "reader"
    assert "models is a folder; name a file in it" in notebook.run("%mlload models").err


def test_what_reads_a_file_is_red_named_and_does_not_run_unasked(notebook, files: Path):
    ran = notebook.run("%mlload reader")
    assert NOTE in shown(ran)
    notebook.names["x"] = np.ones((1, 3), np.float32)
    refusal = notebook.run("%mlpredict reader x")
    assert "ReadFile (reads files)" in refusal.err
    assert "allow_io=True" in refusal.err
    assert notebook.run("%mlload reader --allow_io;").error is None
    assert notebook.names["reader"].allow_io


def test_the_entry_point_is_chosen_and_the_others_are_named(notebook, files: Path):
    words = said(notebook.run("%mlload several.tflite"))
    assert "2 signatures: double, triple" in words
    words = said(notebook.run("%mlload several.tflite --signature triple"))
    assert "signature triple, one of 2: also double" in words
    assert notebook.names["several"].signature == "triple"
    assert "did you mean 'triple'" in notebook.run("%mlload several.tflite --signature trible").err
    assert "has no signatures" in notebook.run("%mlload net.onnx --signature x").err


def test_quantised_tensors_show_how_they_are_read_and_class_names_are_there(notebook, files: Path):
    notebook.run("%mlload small.tflite;")
    ran = notebook.run("%mlio small")
    assert "scale 0.5, zero point 128" in said(ran)
    assert "scale 0.5, zero point 128" in shown(ran)
    assert notebook.names["small"].feed_code == 'small.predict({"x": np.zeros((1, 4), np.float32)})'
    notebook.run("%mlload named.tflite;")
    assert "2 labels: cat, dog" in said(notebook.run("%mlio named"))


def test_raw_takes_and_gives_what_is_stored(notebook, files: Path, monkeypatch):
    seen = []

    def predict(self, feeds, **options):
        seen.append((feeds["x"], options))
        raise mlnb.InputError("enough")

    notebook.run("%mlload small.tflite;")
    notebook.names["x"] = 3
    monkeypatch.setattr(mlnb.Model, "predict", predict)
    notebook.run("%mlpredict small x --raw")
    notebook.run("%mlpredict small x")
    assert seen == [(3, {"raw": True}), (3, {})]


def test_a_file_of_weights_is_a_table_and_says_how_it_is_used(notebook, files: Path):
    ran = notebook.run("%mlload weights.safetensors")
    assert (ran.error, ran.viewers) == (None, 0)
    assert "<details" in shown(ran)
    assert "<script" not in shown(ran)
    assert "728 parameters" in said(ran)
    assert "load_state_dict" in said(ran)
    assert len(notebook.run("weights").outputs) == 1
    table = notebook.run("t = %mlio weights")
    assert len(table.outputs) == 1
    assert notebook.names["t"]["layers.0.norm.weight"].shape == (8,)
    assert "%mlio weights lists them" in notebook.run("%mlgraph weights").err


def test_a_terminal_prints_a_table_once(terminal, files: Path):
    terminal.run("%mlload weights.safetensors;")
    assert terminal.run("%mlio weights").out.count("embed.weight") == 1


def test_completion_knows_entry_points_and_folders_that_are_models(notebook, files: Path):
    assert notebook.complete("%mlload re") == ["%mlload reader"]
    assert "%mlload models/" in notebook.complete("%mlload mo")
    lines = notebook.complete("%mlload several.tflite --signature t")
    assert lines == ["%mlload several.tflite --signature triple"]
    for name in ("nothing.tflite", "notes.txt", "net.onnx"):
        offered = notebook.complete(f"%mlload {name} --signature t")
        assert not any(line.endswith("triple") for line in offered)


class TestModules:
    """Live torch modules and networks of mlnb."""

    @pytest.fixture
    def live(self, notebook, folder: Path):
        torch = pytest.importorskip("torch")
        from mlnb.networks.sequential import Sequential

        notebook.names |= {
            "module": torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU()),
            "batch": torch.zeros(2, 4),
            "lenet": Sequential((1, 8, 8)).conv2d(4, 3).flatten().dense(10),
        }
        return notebook

    @pytest.mark.parametrize("sample", ["batch", "2x4", "2×4"])
    def test_a_module_is_looked_at_by_its_name(self, live, sample: str):
        ran = live.run(f"v = %mlgraph module --sample {sample}")
        assert (ran.error, ran.viewers) == (None, 1)
        rows = live.run(f"t = %mlio module --sample {sample}") and live.names["t"].rows
        assert [(row["role"], row["shape"]) for row in rows] == [
            ("in", "[N, 4]"),
            ("out", "[N, 8]"),
        ]

    def test_a_network_says_itself_what_goes_in(self, live):
        assert live.run("%mlgraph lenet").viewers == 1
        assert live.run("%mlio lenet").viewers == 1

    def test_without_a_sample_it_is_said_how_to_give_one(self, live):
        ran = live.run("%mlgraph module")
        assert "module does not say what goes in: --sample VARIABLE" in ran.err
        assert ran.err.count("\n") == 1

    def test_a_module_becomes_a_model(self, live):
        assert live.run("%mlload module --sample batch --name loaded").viewers == 1
        assert isinstance(live.names["loaded"], mlnb.Model)
        assert "module is" in live.run("%mlload module --sample batch --name module").err

    def test_the_closest_network_is_named_and_completed(self, live):
        assert "did you mean 'lenet'" in live.run("%mlgraph lennet").err
        assert live.complete("%mlgraph len") == ["%mlgraph lenet"]


def test_a_loaded_model_is_exported_by_its_own_conversion(notebook, files: Path, monkeypatch):
    class Conversion:
        """As `to_onnx` gives it."""

        def __repr__(self) -> str:
            return "Conversion('small.onnx', differs by 1e-7 at most)"

        def _repr_html_(self) -> str:
            return "<p>differs by 1e-7 at most</p>"

    asked = []
    monkeypatch.setattr(
        mlnb.Model, "to_onnx", lambda self, path: asked.append(path) or Conversion()
    )
    notebook.run("%mlload small.tflite;")
    ran = notebook.run("c = %mlexport small small.onnx")
    assert "1e-7" in said(ran)
    assert asked == [Path("small.onnx")]
    refusal = notebook.run("%mlexport small small.safetensors").err
    assert "a loaded model is written as it is: FILE.onnx" in refusal
    assert (
        "--quantize is for networks"
        in notebook.run("%mlexport small small.onnx --quantize dynamic").err
    )
    assert notebook.complete("%mlexport sm") == ["%mlexport small"]
