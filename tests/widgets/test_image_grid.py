"""`ImageGrid`: what Python tells the page, what comes back, and the frame that follows."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlnb.errors import DataError, UnknownName
from mlnb.widgets.image_grid import ImageGrid
from mlnb.widgets.selection import Selection

HOSTILE = [
    "<img src=x onerror=alert(1)>.png",
    "a\u202egnp.exe.png",
    "new\nline.png",
    "x" * 200 + ".png",
]


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    """Eight rows; one file broken, one gone, one without a label."""
    for at in range(8):
        Image.new("RGB", (40 + at, 30), (at * 30, 0, 0)).save(tmp_path / f"{at}.png")
    (tmp_path / "7.png").unlink()
    return pd.DataFrame(
        {
            "path": [str(tmp_path / f"{at}.png") for at in range(8)],
            "label": ["cat", "dog", "cat", "dog", None, "cat", "dog", "cat"],
            "split": ["train", "test"] * 4,
            "status": ["ok"] * 6 + ["6.png is damaged: <b>truncated</b>", "ok"],
            "predicted": ["cat", "dog", "dog", "dog", "cat", "cat", "dog", "cat"],
            "probability": [0.99, 0.95, 0.8, 0.6, 0.55, 0.999, 0.5, np.nan],
        },
        index=range(100, 108),
    )


@pytest.fixture
def grid(frame: pd.DataFrame) -> ImageGrid:
    made = ImageGrid(frame)
    made.sent = []
    made.send = lambda content, buffers=None: made.sent.append(content)
    return made


def shown(grid: ImageGrid) -> list[int]:
    return np.frombuffer(grid.view, np.int32).tolist()


def look(grid: ImageGrid, **change: Any) -> list[int]:
    grid._handle_custom_msg({"kind": "look", **change}, [])
    return shown(grid)


def told(grid: ImageGrid, *rows: int) -> list[dict[str, Any]]:
    grid._handle_custom_msg({"kind": "rows", "rows": list(rows)}, [])
    return grid.sent[-1]["rows"]


def facet(grid: ImageGrid, name: str) -> dict[str, int]:
    found = next(one for one in grid.facets if one["name"] == name)
    return dict(zip(found["values"], found["counts"], strict=True))


# --------------------------------------------------------------------------------- what is shown


def test_broken_files_have_their_own_tab_and_their_reasons(grid: ImageGrid):
    assert repr(grid) == "ImageGrid(7 pictures, 1 broken)"
    assert shown(grid) == [0, 1, 2, 3, 4, 5, 7]
    assert look(grid, tab="broken") == [6]
    assert told(grid, 6)[0]["reason"] == "6.png is damaged: <b>truncated</b>"


def test_the_filters_are_the_columns_that_are_there(grid: ImageGrid, frame: pd.DataFrame):
    assert facet(grid, "label") == {"cat": 4, "dog": 2, "no label": 1}
    assert facet(grid, "split") == {"test": 4, "train": 3}
    assert facet(grid, "status") == {"taken in": 7, "left out": 0}
    assert facet(grid, "correctness") == {"right": 5, "wrong": 1}
    assert facet(grid, "confidence")["from 0.99"] == 2
    assert [one["name"] for one in ImageGrid(frame[["path"]]).facets] == ["status"]


def test_filters_hold_together_and_search_looks_at_the_file_name(grid: ImageGrid):
    assert look(grid, filters={"label": 0}) == [0, 2, 5, 7]
    assert look(grid, filters={"label": 0, "correctness": 1}) == [2]
    assert look(grid, filters={}, search="5.PN") == [5]
    assert look(grid, search="nothing") == []
    assert look(grid, search="") == [0, 1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("least sure first", [4, 3, 2, 1, 0, 5, 7]),
        ("surest first", [5, 0, 1, 2, 3, 4, 7]),
        ("most wrong first", [2, 4, 3, 1, 0, 5, 7]),
        ("without a label first", [4, 0, 1, 2, 3, 5, 7]),
        ("by name", [0, 1, 2, 3, 4, 5, 7]),
    ],
)
def test_orders(frame: pd.DataFrame, order: str, rows: list[int]):
    assert shown(ImageGrid(frame, order=order)) == rows


def test_an_unknown_order_or_filter_is_told_the_closest(grid: ImageGrid, frame: pd.DataFrame):
    with pytest.raises(UnknownName, match="did you mean 'least sure first'"):
        ImageGrid(frame, order="least sure")
    look(grid, filters={"labl": 0})
    assert grid.sent[-1]["kind"] == "error"
    assert "did you mean 'label'" in grid.sent[-1]["message"]
    assert grid.look["filters"] == {}


def test_a_tile_says_what_is_known(grid: ImageGrid):
    one, gone = told(grid, 2, 7)
    assert one == {
        "row": 2,
        "name": "2.png",
        "edited": False,
        "left_out": False,
        "facts": ["train"],
        "label": "cat",
        "predicted": "dog",
        "wrong": True,
        "probability": 0.8,
    }
    assert "probability" not in gone
    assert told(grid, 99, -1) == []


# ------------------------------------------------------------------------------------ choosing


def test_choosing_goes_through_the_selection_both_ways(grid: ImageGrid):
    grid._handle_custom_msg({"kind": "choose", "rows": [2, 5]}, [])
    assert grid.selection.ids == (102, 105)
    assert grid.selection.frame.label.tolist() == ["cat", "cat"]
    assert grid.sent[-1] == {"kind": "chosen"}
    grid.selection.ids = [107]
    assert np.frombuffer(grid.chosen, np.int32).tolist() == [7]


def test_two_grids_of_one_selection_choose_together(frame: pd.DataFrame):
    selection = Selection()
    whole, part = ImageGrid(frame, selection), ImageGrid(frame.iloc[4:], selection)
    part._receive_choose({"rows": [0, 1]})
    assert np.frombuffer(whole.chosen, np.int32).tolist() == [4, 5]
    selection.ids = [100, 107]
    assert np.frombuffer(part.chosen, np.int32).tolist() == [3]


def test_what_is_edited_in_one_grid_is_edited_in_all_of_its_selection(frame) -> None:
    selection = Selection(frame)
    one, other = ImageGrid(frame, selection), ImageGrid(frame, selection)
    part = ImageGrid(frame.iloc[2:], selection)
    ids = frame.index[:3].tolist()
    one.label(ids[:1], "first")
    other.label(ids[1:2], "second")
    part.leave_out(ids[2:])
    selection.ids = ids
    for seen in (selection.frame, one.frame.loc[ids], other.frame.loc[ids]):
        assert seen["label"].tolist()[:2] == ["first", "second"]
        assert seen["left_out"].eq(True).tolist() == [False, False, True]
    assert (one.edits, other.edits, part.edits) == (1, 1, 1)
    part.undo()
    one.undo()
    assert "left_out" not in selection.frame
    assert other.frame["label"].tolist()[:2] == [frame["label"].iloc[0], "second"]
    assert "left_out" not in other.frame


def test_rows_that_do_not_exist_are_refused_and_the_page_is_told(grid: ImageGrid):
    grid._handle_custom_msg({"kind": "choose", "rows": [3, 800]}, [])
    assert grid.sent[-2:][0] == {"kind": "chosen"}
    assert grid.sent[-1]["kind"] == "error"
    assert grid.selection.ids == ()


# ------------------------------------------------------------------------------------ editing


def test_a_label_by_its_key_changes_the_frame_and_not_the_one_that_came(
    grid: ImageGrid, frame: pd.DataFrame
):
    before = frame.copy()
    grid._handle_custom_msg({"kind": "label", "rows": [2, 3], "at": 1}, [])
    assert grid.frame.label.tolist()[:4] == ["cat", "dog", "dog", "dog"]
    assert frame.equals(before)
    assert facet(grid, "correctness") == {"right": 6, "wrong": 0}
    assert told(grid, 2)[0]["edited"]
    assert grid.edits == 1


def test_what_is_edited_stays_in_its_place_until_one_filters_anew(grid: ImageGrid):
    assert look(grid, filters={"label": 0}) == [0, 2, 5, 7]
    grid._receive_label({"rows": [0], "at": 1})
    assert shown(grid) == [0, 2, 5, 7]
    assert look(grid, filters={"label": 0}) == [2, 5, 7]


def test_a_typed_label_is_a_known_one_or_a_new_one(grid: ImageGrid):
    grid._receive_label({"rows": [0], "text": " dog "})
    grid._receive_label({"rows": [1], "text": "<b>fox</b>"})
    assert grid.frame.label.tolist()[:2] == ["dog", "<b>fox</b>"]
    assert grid.labels == ["cat", "dog", "<b>fox</b>"]
    grid._handle_custom_msg({"kind": "label", "rows": [1], "text": "  "}, [])
    assert grid.sent[-1]["message"] == "a label is at least one character"


def test_a_number_typed_among_numbers_is_a_number(frame: pd.DataFrame):
    grid = ImageGrid(frame.assign(label=range(8)))
    grid._receive_label({"rows": [0], "text": "12"})
    assert grid.frame.label.dtype == np.int64
    assert grid.frame.label.iloc[0] == 12


def test_leaving_out_is_a_column_that_can_be_taken_back(grid: ImageGrid, frame: pd.DataFrame):
    grid.leave_out([101, 102])
    assert grid.frame.left_out.tolist() == [False, True, True, False, False, False, False, False]
    assert repr(grid) == "ImageGrid(7 pictures, 1 broken, 2 left out)"
    assert look(grid, filters={"status": 1}) == [1, 2]
    grid.take_in([101])
    grid.undo()
    assert grid.frame.left_out.sum() == 2
    grid.undo()
    grid.undo()
    assert grid.frame.equals(frame)
    assert grid.edits == 0


def test_edits_reach_the_selection(grid: ImageGrid):
    grid.selection.ids = [100]
    grid.label([100], "dog")
    assert grid.selection.frame.label.tolist() == ["dog"]


def test_a_frame_without_labels_gets_the_column(frame: pd.DataFrame):
    grid = ImageGrid(frame[["path"]], labels=["left", "right"])
    assert grid.labels == ["left", "right"]
    grid._receive_label({"rows": [0], "at": 0})
    assert grid.frame.label.iloc[0] == "left"
    assert grid.frame.label.isna().sum() == 7
    grid.undo()
    assert list(grid.frame) == ["path"]


def test_labelling_begins_with_what_needs_it_most(grid: ImageGrid, frame: pd.DataFrame):
    assert look(grid, labelling=True)[0] == 4
    assert grid.look["order"] == "least sure first"
    plain = ImageGrid(frame[["path", "label"]])
    assert look(plain, labelling=True)[0] == 4
    assert plain.look["order"] == "without a label first"


def test_an_id_or_row_that_does_not_exist_changes_nothing(grid: ImageGrid):
    with pytest.raises(DataError, match="no row has the id 7"):
        grid.label([7], "cat")
    grid._handle_custom_msg({"kind": "label", "rows": [8], "at": 0}, [])
    assert grid.sent[-1]["message"] == "rows are 0 to 7; received [8]"
    assert grid.edits == 0


# ------------------------------------------------------------ what it takes and what it keeps


def test_arrays_are_sent_to_the_other_widget():
    with pytest.raises(DataError, match=r"Arrays are shown by ImageSheet\(images\)"):
        ImageGrid(np.zeros((4, 8, 8)))


def test_a_frame_without_paths_lists_its_columns():
    with pytest.raises(DataError, match="expects a column 'path'; the frame has: file, y"):
        ImageGrid(pd.DataFrame({"file": ["a"], "y": [1]}))


def test_two_rows_of_one_id_are_refused(frame: pd.DataFrame):
    with pytest.raises(DataError, match="reset_index"):
        ImageGrid(pd.concat([frame, frame]))


def test_an_unknown_argument_is_told_the_closest(frame: pd.DataFrame):
    with pytest.raises(TypeError, match="did you mean 'columns'"):
        ImageGrid(frame, colums=3)


def test_no_rows_at_all_is_an_empty_grid(frame: pd.DataFrame):
    grid = ImageGrid(frame.iloc[:0])
    assert repr(grid) == "ImageGrid(0 pictures)"
    assert "<img" not in grid.static_html()


def test_the_saved_notebook_keeps_the_first_pictures_and_their_words(grid: ImageGrid):
    kept = grid.static_html()
    assert kept.count("<img") == 6
    assert "dog .80 · is cat" in kept
    assert "no picture at" in kept  # 7.png is gone
    assert len(kept) < 200_000
    assert grid.static_text() == "ImageGrid(7 pictures, 1 broken)"


@pytest.mark.skipif(os.name == "nt", reason="names that Windows has not")
def test_hostile_names_and_labels_are_text_everywhere(tmp_path: Path):
    for name in HOSTILE:
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    paths = [str(tmp_path / name) for name in HOSTILE]
    frame = pd.DataFrame(
        {"path": paths, "label": ["<img src=x onerror=alert(1)>", "\u202e", "\n", "ok"]}
    )
    frame["predicted"], frame["probability"] = "</div><script>", 0.5
    grid = ImageGrid(frame)
    grid.sent = []
    grid.send = lambda content, buffers=None: grid.sent.append(content)
    kept = grid.static_html()
    assert "<script" not in kept
    assert "<img src=x" not in kept
    names = [one["name"] for one in told(grid, 0, 1, 2, 3)]
    assert names[1:3] == ["a\\u202egnp.exe.png", "new\\nline.png"]
    assert "\\u202e" in grid.labels
    assert all(c.isprintable() for text in grid.labels + names for c in text)


def test_25000_rows_are_ready_at_once_and_cost_the_page_little():
    count = 25_000
    frame = pd.DataFrame({"path": [f"/p/{at}.jpg" for at in range(count)]})
    frame["label"], frame["probability"] = np.where(np.arange(count) % 2, "cat", "dog"), 0.5
    began = time.perf_counter()
    grid = ImageGrid(frame)
    look(grid, search="99", order="least sure first", filters={"label": 1})
    grid._receive_label({"rows": [7], "at": 0})
    assert time.perf_counter() - began < 5
    crossing = {k: v for k, v in grid.get_state().items() if not k.startswith("_")}
    assert sum(len(v) for v in crossing.values() if isinstance(v, bytes | str)) <= 4 * count + 2_000


def test_a_closed_grid_follows_nothing(grid: ImageGrid):
    grid.close()
    grid.selection.ids = [100]
    assert grid.chosen == b""
    grid.close()


def test_what_was_left_out_takes_no_part_in_a_split(frame: pd.DataFrame):
    from mlnb.data.splits import split

    rows = pd.concat([frame] * 6, ignore_index=True).assign(status="ok", label="cat")
    grid = ImageGrid(rows.drop(columns="split"))
    grid.leave_out([3, 5])
    divided = split(grid.frame, tell=lambda text: None)
    assert divided.split[[3, 5]].tolist() == ["", ""]
    assert (divided.split != "").sum() == len(rows) - 2
