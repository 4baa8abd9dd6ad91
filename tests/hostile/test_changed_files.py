"""A file that is cut, written over, replaced or deleted while somebody looks at it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from models_made import onnx_models

from mlnb.errors import ModelFileChanged
from mlnb.formats import open_model_file
from mlnb.models.loading import load_model
from mlnb.widgets.graph_viewer import GraphViewer

IMAGE = np.zeros((1, 3, 8, 8), np.float32)


def truncated(file: Path) -> None:
    os.truncate(file, 300)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def written_over(file: Path) -> None:
    file.write_bytes(onnx_models.mlp())


def written_over_in_the_same_length(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def replaced(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_bytes(onnx_models.convnet())
    os.replace(other, file)


def deleted(file: Path) -> None:
    file.unlink()


def a_folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


CHANGES = [
    *(truncated, emptied, written_over, written_over_in_the_same_length, replaced, deleted),
    a_folder_instead,
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx_models.convnet())
    os.utime(path, (1, 1))  # long ago, so that no clock is too coarse to tell the two apart
    return path


@pytest.fixture
def sent(monkeypatch):
    """What viewers send to the front end."""
    messages: list[dict] = []
    monkeypatch.setattr(GraphViewer, "send", lambda self, content, *_: messages.append(content))
    return messages


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_click_in_an_open_viewer_says_to_load_the_file_again(change, file, sent):
    viewer = GraphViewer(load_model(file))
    ask = {"kind": "tensor", "request": 7, "graph": 0, "value": _stored(viewer)}
    viewer._handle_custom_msg(ask, [])
    assert [message["kind"] for message in sent] == ["tensor"]
    change(file)
    viewer._handle_custom_msg({**ask, "request": 8}, [])
    assert sent[1]["kind"] == "error"
    assert sent[1]["request"] == 8
    assert sent[1]["message"].startswith("net.onnx ")
    assert sent[1]["message"].endswith(" since it was loaded; run %mlload again")
    # What was read already is still there to be walked through.
    assert viewer.static_html()
    viewer.focus("conv")
    assert viewer.node.op == "Conv"
    viewer.close()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_prediction_runs_no_other_file_than_the_one_that_is_shown(change, warm, file):
    model = load_model(file)
    if warm:
        assert model.predict(IMAGE)["scores"].shape == (1, 5)
    change(file)
    with pytest.raises(ModelFileChanged, match=r"^net\.onnx .*; run %mlload again$"):
        model.predict(IMAGE)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_graph_that_was_not_looked_at_before_the_change_is_not_made_up(change, file):
    model = open_model_file(file)
    change(file)
    for look in (lambda: model.graph, lambda: model.tensor("conv.weight"), model.skeleton):
        with pytest.raises(ModelFileChanged, match=r"^net\.onnx .*; run %mlload again$"):
            look()


def test_after_the_change_the_file_can_be_loaded_again(file):
    model = load_model(file)
    model.predict(IMAGE)
    written_over(file)
    again = load_model(file)
    assert again.predict(np.zeros((2, 4), np.float32))["scores"].shape == (2, 3)
    replaced(file)
    assert load_model(file).predict(IMAGE)["scores"].shape == (1, 5)


def _stored(viewer: GraphViewer) -> str:
    """The name by which the front end asks for the first weight."""
    values = json.loads(gzip.decompress(viewer.payload))["graphs"][0]["values"]
    return next(n for n, size in zip(values["name"], values["bytes"], strict=True) if size > 0)
