"""`EmbeddingMap`: places, colours, what is chosen, what is kept in a saved notebook."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlnb.errors import DataError, MissingExtra, UnknownName
from mlnb.widgets.embedding_map import EmbeddingMap
from mlnb.widgets.selection import Selection

HOSTILE = "<img src=x onerror=alert(1)>\u202e"


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "text": [f"sentence {at} {HOSTILE}" for at in range(60)],
            "label": ["good", "bad", HOSTILE] * 20,
            "probability": rng.random(60),
            "predicted": ["good", "bad", "bad"] * 20,
        },
        index=range(500, 560),
    )


@pytest.fixture
def features() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 8)).astype(np.float32) + np.tile(np.eye(3, 8) * 9, (20, 1))


def placed(widget: EmbeddingMap) -> np.ndarray:
    return np.frombuffer(widget.points, np.uint16).reshape(-1, 2)


def codes(widget: EmbeddingMap) -> list[int]:
    return np.frombuffer(widget.codes, np.uint8).tolist()


def test_rows_that_are_alike_lie_together(features: np.ndarray, frame: pd.DataFrame):
    points = placed(EmbeddingMap(features, frame)).astype(float)
    middles = [points[at::3].mean(axis=0) for at in range(3)]
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in [(0, 1), (0, 2), (1, 2)])
    assert apart > 4 * max(points[at::3].std(axis=0).max() for at in range(3))
    assert points.max() == 65534


def test_the_shape_is_kept_and_the_longer_side_fills_the_map():
    wide = placed(EmbeddingMap(np.array([[0.0, 0.0], [10.0, 5.0], [0.0, 5.0]])))
    assert np.ptp(wide[:, 0]) == 65534
    assert np.ptp(wide[:, 1]) == pytest.approx(32767, abs=1)


def test_rows_without_features_have_no_place(features: np.ndarray, frame: pd.DataFrame):
    features[[2, 5], 0] = np.nan
    widget = EmbeddingMap(features, frame)
    assert placed(widget)[[2, 5]].tolist() == [[65535, 65535]] * 2
    assert repr(widget) == "EmbeddingMap(58 points, PCA of 8 features, 2 without features)"


def test_groups_have_a_colour_each_and_are_counted(features: np.ndarray, frame: pd.DataFrame):
    widget = EmbeddingMap(features, frame)
    assert widget.color == "label"
    assert [(g["code"], g["count"]) for g in widget.legend["groups"]] == [(0, 20), (1, 20), (2, 20)]
    assert codes(widget)[:6] == [2, 1, 0, 2, 1, 0]


def test_the_colours_follow_the_column(features: np.ndarray, frame: pd.DataFrame):
    widget = EmbeddingMap(features, frame)
    assert widget.columns == ["label", "probability", "predicted", "correctness"]
    widget.color = "probability"
    assert widget.legend["kind"] == "numbers"
    assert codes(widget)[int(frame.probability.to_numpy().argmax())] == 199
    widget.color = "correctness"
    assert {g["name"]: g["count"] for g in widget.legend["groups"]} == {"right": 40, "wrong": 20}
    widget.color = ""
    assert widget.legend["kind"] == "none"
    with pytest.raises(UnknownName, match="did you mean 'probability'"):
        EmbeddingMap(features, frame, color="probabilty")


def test_more_groups_than_colours_share_one():
    label = [*np.repeat([f"often {at:02d}" for at in range(16)], 3), "a", "b", None]
    frame = pd.DataFrame({"label": label})
    widget = EmbeddingMap(np.random.default_rng(0).normal(size=(51, 4)), frame)
    assert [(g["name"], g["code"], g["count"]) for g in widget.legend["groups"][-2:]] == [
        ("2 more", 16, 2),
        ("no label", 17, 1),
    ]


def test_choosing_goes_through_the_selection_both_ways(features: np.ndarray, frame: pd.DataFrame):
    selection = Selection(frame)
    widget = EmbeddingMap(features, frame, selection)
    widget._receive_choose({"rows": [0, 59]})
    assert selection.ids == (500, 559)
    selection.ids = [503]
    assert np.frombuffer(widget.chosen, np.int32).tolist() == [3]


def test_the_pointer_is_told_the_row_in_harmless_lines(features: np.ndarray, frame: pd.DataFrame):
    widget, sent = EmbeddingMap(features, frame), []
    widget.send = lambda content, buffers=None: sent.append(content)
    widget._handle_custom_msg({"kind": "about", "row": 2}, [])
    assert sent[-1]["text"] == "sentence 2 <img src=x onerror=alert(1)>\\u202e"
    assert sent[-1]["lines"][0] == "label: <img src=x onerror=alert(1)>\\u202e"
    widget._handle_custom_msg({"kind": "about", "row": 60}, [])
    assert sent[-1]["message"] == "rows are 0 to 59; received 60"


def test_the_saved_notebook_keeps_a_picture_and_the_legend(
    features: np.ndarray, frame: pd.DataFrame
):
    kept = EmbeddingMap(features, frame).static_html()
    assert "<script" not in kept
    assert "<img src=x" not in kept
    data = kept.partition("base64,")[2].partition('"')[0]
    picture = Image.open(BytesIO(b64decode(data))).convert("RGBA")
    assert picture.size == (640, 400)
    assert 0.001 < (np.asarray(picture)[:, :, 3] > 128).mean() < 0.2
    assert len(kept) < 200_000


def test_without_a_frame_the_rows_are_numbers(features: np.ndarray):
    widget = EmbeddingMap(features)
    widget._receive_choose({"rows": [4]})
    assert widget.selection.ids == (4,)
    assert widget.columns == []
    assert widget._about(4)["name"] == "row 4"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros(5), r"features are \[n, d\]; received \[5\]"),
        (np.zeros((5, 0)), r"received \[5, 0\]"),
        ([["a", "b"]], "features are numbers"),
        (np.zeros((5, 3)), "features of 5 rows and a frame of 60 rows"),
    ],
)
def test_what_is_no_map_is_refused(given: Any, message: str, frame: pd.DataFrame):
    with pytest.raises(DataError, match=message):
        EmbeddingMap(given, frame)


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_a_few_rows_are_a_map_too(rows: int):
    widget = EmbeddingMap(np.ones((rows, 5)))
    assert len(widget.points) == 4 * rows
    assert widget.static_html()


def test_umap_that_is_not_installed_says_what_installs_it(features: np.ndarray, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(MissingExtra, match="pip install umap-learn, or use method='pca'"):
        EmbeddingMap(features, method="umap")


def test_umap_is_used_where_it_is(features: np.ndarray, monkeypatch):
    class UMAP:
        def __init__(self, **options: Any) -> None:
            assert options == {"n_neighbors": 15, "random_state": 0, "n_jobs": 1}

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, :2]

    module = type(__import__("sys"))("umap")
    module.UMAP = UMAP
    monkeypatch.setitem(__import__("sys").modules, "umap", module)
    assert repr(EmbeddingMap(features, method="umap")).endswith("UMAP of 8 features)")


def test_an_unknown_method_column_or_argument_is_told_the_closest(features: np.ndarray, frame):
    with pytest.raises(UnknownName, match="did you mean 'umap'"):
        EmbeddingMap(features, method="uma")
    with pytest.raises(UnknownName, match="did you mean 'text'"):
        EmbeddingMap(features, frame, text="txt")
    with pytest.raises(TypeError, match="did you mean 'selection'"):
        EmbeddingMap(features, frame, selecton=None)


def test_a_tensor_is_as_good_as_an_array(features: np.ndarray):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(features).requires_grad_()
    assert EmbeddingMap(tensor).points == EmbeddingMap(features).points


def test_a_row_that_is_relabelled_elsewhere_changes_its_colour(features: np.ndarray, frame):
    selection = Selection(frame)
    widget = EmbeddingMap(features, frame, selection)
    before = codes(widget)
    selection.take(frame.assign(label=["bad", *frame.label[1:]]))
    assert codes(widget)[0] == before[1]
    assert codes(widget)[1:] == before[1:]
    assert widget._about(0)["lines"][0] == "label: bad"


def test_a_closed_map_follows_nothing(features: np.ndarray, frame: pd.DataFrame):
    selection = Selection(frame)
    widget = EmbeddingMap(features, frame, selection)
    widget.close()
    selection.ids = [500]
    assert widget.chosen == b""
    widget.close()
