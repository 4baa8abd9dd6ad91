"""Completion inside the magics: options, paths, models, inputs, variables, samples."""

from __future__ import annotations

from pathlib import Path

import IPython
import pytest

ALONE = IPython.version_info >= (8, 6)  # before, IPython adds suggestions of its own


def assert_offered(notebook, line: str, wanted: list[str]) -> None:
    offered = notebook.complete(line)
    assert offered == wanted if ALONE else set(wanted) <= set(offered)


def test_the_verbs_are_completed(notebook):
    assert {"%mlload", "%mlgraph", "%mlio", "%mlpredict", "%mlsample"} <= set(
        notebook.complete("%ml")
    )


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "%mlload --",
            [
                f"%mlload --{option}"
                for option in ("allow_io", "download", "name", "sample", "signature")
            ],
        ),
        ("%mlload --download --na", ["%mlload --download --name"]),
        ("%mlload net.onnx --na", ["%mlload net.onnx --name"]),
        ("m = %mlload --na", ["m = %mlload --name"]),
        ("%mlgraph --h", ["%mlgraph --height"]),
        ("%mlpredict net x=x1 --t", ["%mlpredict net x=x1 --timeout"]),
        ("%mlsample --n", ["%mlsample --name", "%mlsample --notebook"]),
        ("%mlsample --c", ["%mlsample --clear"]),
    ],
)
def test_options_are_completed_and_nothing_else(notebook, line: str, wanted: list[str]):
    assert_offered(notebook, line, wanted)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("%mlload ne", ["%mlload net.onnx"]),
        ("%mlload two", ["%mlload two\\ inputs.onnx"]),
        ("%mlload two\\ i", ["%mlload two\\ inputs.onnx"]),
        ('%mlload "two i', ['%mlload "two inputs.onnx']),
        ("%mlload mod", ["%mlload models/"]),
        ("%mlload models/", ["%mlload models/deep.onnx"]),
        ("m = %mlload models/d", ["m = %mlload models/deep.onnx"]),
        ("%mlload --name n ne", ["%mlload --name n net.onnx"]),
        ("%mlload ~/ne", ["%mlload ~/net.onnx"]),
    ],
)
def test_paths_are_completed(notebook, folder: Path, monkeypatch, line: str, wanted: list[str]):
    monkeypatch.setenv("HOME", str(folder))
    assert_offered(notebook, line, wanted)


def test_all_files_and_folders_are_offered_hidden_ones_not(notebook, folder: Path):
    (folder / ".secret").touch()
    names = ["models/", "net.onnx", "notes.txt", "two\\ inputs.onnx"]
    assert_offered(notebook, "%mlload ", [f"%mlload {name}" for name in names])
    assert "%mlload .secret" not in notebook.complete("%mlload ")
    assert_offered(notebook, "%mlload .s", ["%mlload .secret"])


def test_models_inputs_and_variables_are_completed(notebook, folder: Path):
    notebook.run("%mlload 'two inputs.onnx' --name two;")
    notebook.names["image"] = 1
    assert_offered(notebook, "%mlgraph tw", ["%mlgraph two"])
    assert_offered(notebook, "%mlpredict two a", ["%mlpredict two a="])
    assert_offered(notebook, "%mlpredict two a=im", ["%mlpredict two a=image"])
    assert "%mlpredict two a=image a=" not in notebook.complete("%mlpredict two a=image ")
    assert "%mlpredict two a=image b=" in notebook.complete("%mlpredict two a=image ")


def test_samples_are_completed(notebook):
    assert "%mlsample resnet50" in notebook.complete("%mlsample res")


def test_other_lines_are_left_alone(notebook):
    notebook.names["netting"] = 1
    assert notebook.complete("netti") == ["netting"]
    assert "%matplotlib --list" not in notebook.complete("%matplotlib --na")


def test_after_unloading_nothing_of_ours_is_offered(notebook, folder: Path):
    import mlnb

    mlnb.unload_ipython_extension(notebook.shell)
    assert "%mlload --name" not in notebook.complete("%mlload --na")
