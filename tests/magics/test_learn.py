"""`%mlsample`: the list of samples, one of them, and their tutorials."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Page, Server

from mlnb import Sample, list_samples, tutorials
from mlnb.data.official import OFFICIAL, Remote


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLNB_DATA", raising=False)


def test_without_a_name_the_samples_are_listed(notebook):
    ran = notebook.run("%mlsample")
    (table,) = (o["data"] for o in ran.outputs)
    for sample in list_samples()[:15]:
        assert sample.name in table["text/plain"]
        assert sample.name in table["text/html"]
    assert "licence" in table["text/plain"]
    assert "<script" not in table["text/html"]
    assert ran.result is None
    assert notebook.run("%mlsample;").outputs == []


def test_a_sample_is_bound_shown_and_returned(notebook):
    ran = notebook.run("%mlsample resnet50")
    assert isinstance(notebook.names["resnet50"], Sample)
    (card,) = (o["data"] for o in ran.outputs)
    assert "%mlload resnet50" in card["text/plain"]
    assert "resnet50" in card["text/html"]
    assert notebook.run("s = %mlsample resnet50 --name other;").outputs == []
    assert notebook.names["s"] is notebook.names["other"]


def test_a_samples_model_is_loaded_through_its_variable(notebook):
    notebook.run("%mlsample resnet50 --name sample;")
    assert notebook.run("%mlload sample --name r;").error is None
    assert notebook.names["r"].path == notebook.names["sample"].path


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlsample resnet51", "no sample 'resnet51'; did you mean 'resnet50'"),
        ("%mlsample resnet50 --names x", "did you mean '--name'"),
        ("%mlsample a b", "'b' is too much"),
        ("%mlsample --clear=yes", "ignored explicit argument 'yes'"),
        ("%mlsample resnet51 --notebook here", "no sample 'resnet51'; did you mean 'resnet50'"),
        ("%mlsample zfnet512 --notebook here", "no tutorial uses zfnet512; there are 01_look"),
        ("%mlsample FastestDet", "put its files into MLNB_DATA/models/"),
    ],
)
def test_a_mistake_is_told_in_one_line(notebook, cell: str, said: str):
    ran = notebook.run(cell)
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_variable_that_holds_something_else_is_not_overwritten(notebook):
    notebook.run("resnet50 = 1")
    assert "resnet50 is an int already" in notebook.run("%mlsample resnet50").err


def test_a_terminal_is_shown_text(terminal):
    assert "licence" in terminal.run("%mlsample").outputs[0]["data"]["text/plain"]


# ----------------------------------------------------------------------------------- the listing


def test_texts_stand_left_and_sizes_right(notebook):
    table = notebook.run("%mlsample").outputs[0]["data"]
    head, first, *rows = re.findall(r"<tr>.*?</tr>", table["text/html"])
    sides = ["left", "left", "left", "right", "left", "left", "left"]
    for row in (head, first, *rows):
        assert re.findall(r"text-align: (\w+)", row) == sides
    lines = table["text/plain"].splitlines()[:-1]
    end = lines[0].index("size") + len("size")
    sizes = {line[:end].split()[-1] for line in lines[1:]}
    assert {"kB", "MB"} <= sizes
    assert all(line[end : end + 2] == "  " for line in lines)


def test_what_is_not_here_is_listed_with_its_size_and_licence(notebook):
    lines = notebook.run("%mlsample").outputs[0]["data"]["text/plain"].splitlines()
    (yelp,) = [line for line in lines if line.startswith("yelp ")]
    assert re.search(r"84\.2 kB +no +CC BY 4\.0 +UCI", yelp)
    (digits,) = [line for line in lines if line.startswith("digits ")]
    assert re.search(r"kB +yes +CC BY", digits)
    assert re.fullmatch(r"\d+ samples, \d+ of them here; take one: %mlsample NAME", lines[-1])


def test_single_pictures_of_a_folder_are_counted_and_not_listed(notebook, tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    for name in ("one.png", "two.png"):
        (tmp_path / "images" / name).write_bytes(b"1")
    monkeypatch.setenv("MLNB_DATA", str(tmp_path))
    lines = notebook.run("%mlsample").outputs[0]["data"]["text/plain"].splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("images ", "one ", "two "))] == [
        "images"
    ]
    assert "2 single pictures of the folders not listed" in lines[-1]


def test_a_hostile_name_in_the_users_folder_is_no_markup(notebook, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "<img src=x onerror=alert(1)>.onnx").write_bytes(b"1")
    monkeypatch.setenv("MLNB_DATA", str(tmp_path))
    assert "<img" not in notebook.run("%mlsample").outputs[0]["data"]["text/html"]


# ---------------------------------------------------------------------------------- from elsewhere


def test_a_stand_in_says_so_before_anything_else(notebook):
    ran = notebook.run("%mlsample yelp")
    says = "STAND-IN made up by mlnb, not the real yelp: its figures mean nothing"
    assert ran.out.splitlines()[0] == says
    assert "MLNB_OFFLINE" in ran.out
    card = ran.outputs[0]["data"]
    assert card["text/plain"].splitlines()[0] == f"yelp: {says}"
    assert says in card["text/html"]
    assert notebook.names["yelp"].stand_in


def test_a_download_shows_address_and_size_and_what_came_is_real(notebook, monkeypatch):
    monkeypatch.delenv("MLNB_OFFLINE")
    with Server() as server:
        server.pages["/mnist-8.onnx"] = Page(b"model")
        here = (Remote(server.url("/mnist-8.onnx")),)
        monkeypatch.setitem(OFFICIAL, "mnist-8", replace(OFFICIAL["mnist-8"], files=here))
        ran = notebook.run("%mlsample mnist-8 --name net")
        assert ran.out.splitlines()[0] == f"downloading {server.url('/mnist-8.onnx')} (5 B)"
        assert notebook.names["net"].data() == b"model"
        assert "downloading" not in notebook.run("%mlsample mnist-8").out
        assert len(server.requests) == 1


def test_a_sample_that_is_not_here_is_named_with_the_line_that_brings_it(notebook):
    assert "this line downloads it: %mlsample mnist-8\n" in notebook.run("%mlload mnist-8").err


def test_clearing_empties_the_cache_and_says_how_much_it_was(notebook, tmp_path: Path):
    notebook.run("%mlsample yelp;")
    assert any((tmp_path / "cache").rglob("yelp_labelled.txt"))
    ran = notebook.run("%mlsample --clear")
    assert re.fullmatch(rf"\d.* kB deleted from {tmp_path / 'cache'}\n", ran.out)
    assert ran.outputs == []
    assert not any((tmp_path / "cache").rglob("*"))
    assert notebook.run("%mlsample --clear;").out == ""


# -------------------------------------------------------------------------------------- tutorials


def test_the_tutorial_of_a_sample_is_copied_and_never_over_what_is_there(notebook, tmp_path: Path):
    ran = notebook.run(f"%mlsample squeezenet --notebook {tmp_path}/mine")
    copy = tmp_path / "mine" / "01_look_into_a_model.ipynb"
    assert ran.out == f"copied {copy}\n"
    assert json.loads(copy.read_text())["nbformat"] == 4
    assert "squeezenet" not in notebook.names
    copy.write_text("my notes")
    assert "left as it is" in notebook.run(f"%mlsample squeezenet --notebook {tmp_path}/mine").out
    assert copy.read_text() == "my notes"


def test_every_tutorial_of_a_sample_is_copied(notebook, tmp_path: Path):
    notebook.run(f"%mlsample digits --notebook {tmp_path}/two;")
    copied = {path.stem for path in (tmp_path / "two").iterdir()}
    assert copied >= {"01_look_into_a_model", "05_train_and_steer"}


def test_without_a_sample_all_tutorials_are_copied(notebook, tmp_path: Path):
    notebook.run(f"%mlsample --notebook {tmp_path}/all;")
    copied = {path.stem for path in (tmp_path / "all").iterdir()}
    assert copied == set(tutorials.tutorials())
