"""`compare_backbones`: those whose weights are here are compared, the others say why not."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
models = pytest.importorskip("torchvision.models")
from PIL import Image, ImageDraw  # noqa: E402

from mlnb.data.image_frame import image_frame  # noqa: E402
from mlnb.errors import DataError, UnknownName  # noqa: E402
from mlnb.networks import weights as weights_of  # noqa: E402
from mlnb.tasks.comparison import compare_backbones  # noqa: E402

HERE = "shufflenet_v2_x0_5"


@pytest.fixture(autouse=True)
def a_bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One thread, empty caches, and a network that nobody may ask."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("MLNB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MLNB_OFFLINE", "0")
    monkeypatch.setattr(weights_of, "download", lambda *_, **__: pytest.fail("a download"))
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(models.get_model(HERE, weights=None).state_dict(), folder / f"{HERE}.pth")
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def frame(tmp_path: Path):
    """24 discs on dark ground and 24 squares on light ground."""
    rng = np.random.default_rng(0)
    for kind, ground in (("disc", 40), ("square", 200)):
        (tmp_path / "shapes" / kind).mkdir(parents=True)
        for number in range(24):
            picture = Image.fromarray(
                rng.integers(ground, ground + 40, (48, 48, 3), dtype=np.uint8)
            )
            draw = ImageDraw.Draw(picture)
            box = [*rng.integers(4, 14, 2).tolist(), *rng.integers(30, 44, 2).tolist()]
            (draw.ellipse if kind == "disc" else draw.rectangle)(box, fill=(200, 60, 60))
            picture.save(tmp_path / "shapes" / kind / f"{number}.png")
    return image_frame(tmp_path / "shapes")


def test_what_is_here_is_compared_and_the_rest_has_a_reason(frame):
    compared = compare_backbones(frame, ["vgg16", HERE, "inception_v3"], limit=40)
    table = compared.to_frame().set_index("backbone")
    assert list(table.index) == [HERE, "vgg16", "inception_v3"], "those with an accuracy first"
    mine = table.loc[HERE]
    assert mine["accuracy"] >= 0.9
    assert mine["low"] <= mine["accuracy"] <= mine["high"]
    assert mine["features"] == 1024
    assert mine["MB"] == pytest.approx(1.4, abs=0.2)
    assert mine["pictures/s"] > 0
    assert mine["reason"] == ""
    for name in ("vgg16", "inception_v3"):
        assert math.isnan(table.loc[name, "accuracy"])
        assert f"The weights of {name}" in table.loc[name, "reason"]
        assert "are not on this machine" in table.loc[name, "reason"]
    assert compared.best == HERE
    assert compared.pictures == len(compared[HERE].evaluation) == 40


def test_a_second_time_comes_from_the_cache_and_is_the_same(frame):
    first = compare_backbones(frame, [HERE])[HERE]
    again = compare_backbones(frame, [HERE])[HERE]
    assert again.accuracy == first.accuracy
    assert np.array_equal(again.evaluation.probabilities, first.evaluation.probabilities)
    assert again.per_second > 0, "measured on a few"


def test_the_limit_takes_as_many_of_each_class(frame):
    few = frame.drop(frame.index[frame["label"] == "square"][:18])
    evaluation = compare_backbones(few, [HERE], limit=16)[HERE].evaluation
    counts = evaluation.per_class["support"].to_dict()
    assert counts == {"disc": 10, "square": 6}


def test_what_one_sees(frame):
    compared = compare_backbones(frame, [HERE, "vgg16"], limit=20)
    text, page = repr(compared), compared._repr_html_()
    for shown in (text, page):
        assert HERE in shown
        assert "1 backbone on 20 photographs" in shown
        assert "vgg16: The weights of vgg16" in shown
    assert "<script" not in page
    figure = compared.figure()
    assert [trace.name for trace in figure.data] == [HERE]
    assert figure.data[0].y[0] == compared[HERE].accuracy


def test_a_damaged_file_is_a_reason_too(frame, tmp_path: Path):
    (tmp_path / "bad.pth").write_bytes(b"not a file of weights")
    row = compare_backbones(frame, ["resnet18"], weights={"resnet18": tmp_path / "bad.pth"})
    assert "bad.pth" in row["resnet18"].reason
    with pytest.raises(DataError, match="None of the backbones could be compared"):
        _ = row.best


def test_a_broken_picture_is_passed_over(frame, tmp_path: Path):
    Path(frame["path"][3]).write_bytes(b"\x89PNG")
    assert len(compare_backbones(frame, [HERE])[HERE].evaluation) == 47


def test_what_cannot_be_compared_is_said_before_the_work(frame):
    with pytest.raises(UnknownName, match="did you mean 'mobilenet_v2'"):
        compare_backbones(frame, [HERE, "mobilenetv2"])
    with pytest.raises(DataError, match="no labels"):
        compare_backbones(frame.drop(columns="label"), [HERE])
    with pytest.raises(DataError, match="at least two classes"):
        compare_backbones(frame[frame["label"] == "disc"], [HERE])
    with pytest.raises(DataError, match="fewer than two"):
        compare_backbones(frame.iloc[:25], [HERE])
    with pytest.raises(DataError, match="Random weights"):
        compare_backbones(frame, [HERE], weights={HERE: None})


@pytest.mark.slow
def test_on_cats_and_dogs_mobilenet_is_the_best_that_is_here(mlnb_data, monkeypatch):
    monkeypatch.setenv("MLNB_DATA", os.fspath(mlnb_data))
    compared = compare_backbones(
        image_frame(mlnb_data / "cats_vs_dogs"), ["squeezenet1_1", "mobilenet_v2", "vgg16"], 100
    )
    assert compared.best == "mobilenet_v2"
    assert compared["mobilenet_v2"].accuracy >= 0.95
    assert compared["squeezenet1_1"].accuracy >= 0.85
    assert compared["vgg16"].reason
