"""`TextTable`: which column is what, what the page is told, and the frame that follows."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlnb.errors import DataError, UnknownName
from mlnb.train.evaluation import evaluate
from mlnb.widgets.image_grid import ImageGrid
from mlnb.widgets.selection import Selection
from mlnb.widgets.text_rows import columns_of, whole_text
from mlnb.widgets.text_table import TextTable

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</td></table><script>alert(2)</script>",
    "\u202egnp.exe",
    "\u200bunseen\ufeff",
    "a\nb\tc\r\x00\x1b[31m",
    "{facts} %s {0}",
    "'\"`;--",
    "x" * 200_000,
    "😀" * 50,
    "\ud800",
    "",
    "   \n ",
]


@pytest.fixture
def frame() -> pd.DataFrame:
    """Eight rows; one without a text, one without a label."""
    return pd.DataFrame(
        {
            "Text": [
                "We loved the bread.",
                "The SOUP was cold.",
                "Never again.",
                None,
                "Cold soup,\n\ncold   tea.",
                "You can't beat that.",
                "It was not a fun experience.",
                "Straße",
            ],
            "Liked": [1, 0, 0, 1, None, 1, 1, 0],
            "split": ["train", "test"] * 4,
            "predicted": [1, 0, 1, 1, 0, 0, 0, 0],
            "probability": [0.99, 0.95, 0.8, 0.6, 0.55, 0.7, 0.9, np.nan],
            "stars": [5, 1, 2, 3, 1, 5, 2, 4],
        },
        index=range(100, 108),
    )


@pytest.fixture
def table(frame: pd.DataFrame) -> TextTable:
    return heard(TextTable(frame, text="Text", label="Liked"))


def heard(table: TextTable) -> TextTable:
    table.sent = []
    table.send = lambda content, buffers=None: table.sent.append(content)
    return table


def look(table: TextTable, **change: Any) -> list[int]:
    table._handle_custom_msg({"kind": "look", **change}, [])
    return np.frombuffer(table.view, np.int32).tolist()


def told(table: TextTable, *rows: int) -> list[dict[str, Any]]:
    table._handle_custom_msg({"kind": "rows", "rows": list(rows)}, [])
    return table.sent[-1]["rows"]


def facet(table: TextTable, name: str) -> dict[str, int]:
    found = next(one for one in table.facets if one["name"] == name)
    return dict(zip(found["values"], found["counts"], strict=True))


# ------------------------------------------------------------------------------- which is what


def test_columns_are_found_by_their_usual_names_or_by_being_the_only_texts(frame: pd.DataFrame):
    found = columns_of(frame)
    assert (found.text, found.label, found.split) == ("Text", "label", "split")
    assert (found.predicted, found.probability, found.others) == (
        "predicted",
        "probability",
        ("Liked", "stars"),
    )
    alone = columns_of(pd.DataFrame({"what was said": ["a b", "c"], "Sentiment": ["x", "y"]}))
    assert (alone.text, alone.label) == ("what was said", "Sentiment")
    said = columns_of(pd.DataFrame({"text": ["a"], "PredictedLabel": [1], "Score": [[0.2, 0.8]]}))
    assert (said.predicted, said.probability) == ("PredictedLabel", "Score")


def test_a_frame_whose_texts_cannot_be_told_is_refused_with_its_columns():
    with pytest.raises(DataError, match="the frame has: a, b"):
        TextTable(pd.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(DataError, match="received list"):
        TextTable(["one", "two"])
    with pytest.raises(UnknownName, match="did you mean 'Text'"):
        TextTable(pd.DataFrame({"Text": ["a"]}), text="text")
    with pytest.raises(TypeError, match="did you mean 'label'"):
        TextTable(pd.DataFrame({"text": ["a"]}), lable="y")
    with pytest.raises(DataError, match="reset_index"):
        TextTable(pd.DataFrame({"text": ["a", "b"]}, index=[1, 1]))


def test_an_evaluation_is_shown_with_what_was_said(frame: pd.DataFrame):
    rows = frame.dropna(subset=["Liked"])
    chances = np.stack([1 - np.linspace(0, 1, len(rows)), np.linspace(0, 1, len(rows))], axis=1)
    made = evaluate(rows["Liked"].astype(int), chances, [0, 1], frame=rows, content="Text")
    table = heard(TextTable(made, order="most wrong first"))
    first = told(table, *np.frombuffer(table.view, np.int32)[:1].tolist())[0]
    assert first["wrong"]
    assert first["text"] == "We loved the bread."
    bare = evaluate([0, 1], [[1, 0], [0, 1]], [0, 1])
    with pytest.raises(DataError, match="with_frame"):
        TextTable(bare)


def test_scores_of_all_classes_are_the_probability_of_the_likeliest():
    scores = [[0.2, 0.8], [0.9, 0.1], None]
    frame = pd.DataFrame({"text": ["a", "b", "c"], "PredictedLabel": [1, 0, 1], "Score": scores})
    table = heard(TextTable(frame, order="least sure first"))
    assert [row.get("probability") for row in told(table, 0, 1, 2)] == [0.8, 0.9, None]
    assert look(table) == [0, 1, 2]


def test_many_labels_a_row_are_filtered_and_compared_as_they_stand():
    labels = [["wet", "dark"], ["wet"], []]
    frame = pd.DataFrame({"text": list("abc"), "label": labels, "predicted": [["wet"]] * 3})
    table = heard(TextTable(frame))
    assert facet(table, "label") == {"nothing": 1, "wet": 1, "wet, dark": 1}
    assert [row["wrong"] for row in told(table, 0, 1, 2)] == [True, False, True]


# ---------------------------------------------------------------------------------- what is shown


def test_search_looks_into_the_texts_in_whatever_case(table: TextTable):
    assert look(table, search="soup") == [1, 4]
    assert look(table, search="STRASSE") == [7]
    assert look(table, search=" cold ") == [1, 4]
    assert look(table, search="nan") == []
    assert look(table, search="") == list(range(8))


def test_filters_and_the_range_of_confidence_hold_together(table: TextTable):
    assert facet(table, "label") == {"0": 3, "1": 4, "no label": 1}
    assert facet(table, "correctness") == {"right": 4, "wrong": 3}
    assert [one["name"] for one in table.facets] == [
        "label",
        "split",
        "status",
        "correctness",
        "mark",
    ]
    assert look(table, filters={"correctness": 1}) == [2, 5, 6]
    assert look(table, sure=[0.8, 0.9]) == [2, 6]
    assert look(table, sure=[0.8, 1]) == [2, 6]
    assert look(table, filters={}, sure=[0, 1]) == list(range(8))


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("most wrong first", [6, 2, 5, 4, 3, 1, 0, 7]),
        ("least sure first", [4, 3, 5, 2, 6, 1, 0, 7]),
        ("without a label first", [4, 0, 1, 2, 3, 5, 6, 7]),
        ("stars ↑", [1, 4, 2, 6, 3, 7, 0, 5]),
        ("stars ↓", [0, 5, 7, 3, 2, 6, 1, 4]),
        ("Text ↑", [4, 6, 2, 7, 1, 0, 5, 3]),
        ("Text ↓", [5, 0, 1, 7, 2, 6, 4, 3]),
        ("Liked ↓", [0, 3, 5, 6, 1, 2, 7, 4]),
        ("probability ↓", [0, 1, 6, 2, 5, 3, 4, 7]),
    ],
)
def test_orders_put_what_is_missing_last(frame: pd.DataFrame, order: str, rows: list[int]):
    table = TextTable(frame, "Text", "Liked", order=order)
    assert np.frombuffer(table.view, np.int32).tolist() == rows


def test_missing_cells_of_a_table_that_was_read_are_missing_and_nothing_else():
    frame = pd.DataFrame(
        {"text": ["a", "b", pd.NA], "label": [1, pd.NA, 0], "stars": [2, pd.NA, 1]}
    )
    frame["predicted"], frame["probability"] = [1, 1, pd.NA], [0.9, pd.NA, 0.8]
    table = heard(TextTable(frame.convert_dtypes(), order="stars ↓"))
    assert look(table) == [0, 2, 1]
    assert [row.get("wrong") for row in told(table, 0, 1, 2)] == [False, None, True]
    assert facet(table, "correctness") == {"right": 1, "wrong": 1}
    assert look(table, search="a", order="probability ↑") == [0]
    assert look(table, search="") == [2, 0, 1]
    assert "(empty)" in table.static_html()


def test_an_order_by_labels_that_are_not_there_yet_is_as_they_stand(frame: pd.DataFrame):
    table = heard(TextTable(frame[["Text"]], order="label ↓"))
    assert look(table, search="soup") == [1, 4]


def test_an_unknown_order_is_told_the_closest_and_changes_nothing(table: TextTable):
    look(table, order="Liked")
    assert "did you mean 'Liked " in table.sent[-1]["message"]
    assert table.look["order"] == "as they stand"


def test_a_row_says_what_is_known_and_the_whole_text_comes_on_request(table: TextTable):
    assert told(table, 4)[0] == {
        "row": 4,
        "edited": False,
        "left_out": False,
        "label": "no label",
        "predicted": "0",
        "probability": 0.55,
        "name": "104",
        "text": "Cold soup, cold tea.",
        "marked": False,
        "split": "train",
        "others": ["1"],
    }
    assert told(table, 3)[0]["text"] == ""
    table._handle_custom_msg({"kind": "text", "row": 4}, [])
    assert table.sent[-1] == {"kind": "text", "row": 4, "text": "Cold soup,\n\ncold   tea."}
    table._handle_custom_msg({"kind": "text", "row": 99}, [])
    assert table.sent[-1]["message"] == "rows are 0 to 7; received 99"
    assert told(table, 99, -1) == []


# ------------------------------------------------------------------------------------ editing


def test_marking_labelling_and_leaving_out_make_a_new_frame_and_can_be_undone(
    table: TextTable, frame: pd.DataFrame
):
    before = frame.copy()
    table._receive_mark({"rows": [6], "value": True})
    table._receive_label({"rows": [6], "at": 0})
    table.leave_out([102])
    assert table.frame.loc[106, ["Liked", "label_looks_wrong"]].tolist() == [0, True]
    assert table.frame["label_looks_wrong"].sum() == 1
    assert repr(table) == "TextTable(8 texts, 1 marked, 1 left out)"
    assert facet(table, "mark") == {"not marked": 7, "label looks wrong": 1}
    assert facet(table, "correctness") == {"right": 5, "wrong": 2}
    assert look(table, filters={"mark": 1}) == [6]
    assert (told(table, 6)[0]["marked"], told(table, 6)[0]["edited"]) == (True, True)
    for _ in range(3):
        table.undo()
    assert table.frame.equals(before)
    assert frame.equals(before)
    assert table.edits == 0


def test_a_frame_without_labels_gets_the_column(frame: pd.DataFrame):
    table = TextTable(frame[["Text"]], labels=["bad", "good"])
    assert table.labels == ["bad", "good"]
    table._receive_label({"rows": [0], "at": 1})
    assert table.frame["label"].tolist()[0] == "good"
    assert table.frame["label"].isna().sum() == 7
    table.mark([101])
    table.mark([101], looks_wrong=False)
    assert not table.frame["label_looks_wrong"].any()


def test_a_table_chooses_with_whatever_shares_its_selection(frame: pd.DataFrame):
    selection = Selection()
    whole = heard(TextTable(frame, selection=selection))
    part = TextTable(frame.iloc[4:], selection=selection)
    grid = ImageGrid(pd.DataFrame({"path": ["a.png"] * 8}, index=frame.index), selection)
    whole._receive_choose({"rows": [5, 6]})
    assert np.frombuffer(part.chosen, np.int32).tolist() == [1, 2]
    assert np.frombuffer(grid.chosen, np.int32).tolist() == [5, 6]
    assert selection.frame["Text"].tolist() == frame["Text"].iloc[[5, 6]].tolist()
    whole.close()
    selection.ids = [100]
    assert np.frombuffer(whole.chosen, np.int32).tolist() == [5, 6]


def test_labelling_begins_with_the_least_sure(table: TextTable):
    assert look(table, labelling=True)[0] == 4
    assert table.look["order"] == "least sure first"


# ------------------------------------------------------------- strangers, size, the saved notebook


def test_hostile_texts_labels_and_columns_are_text_everywhere():
    columns = {"text": HOSTILE, "label": HOSTILE, "<b>\u202e": HOSTILE}
    frame = pd.DataFrame(columns, dtype=object)  # pyarrow's strings hold no half emoji
    table = heard(TextTable(frame))
    kept = table.static_html()
    for markup in ("<script", "<img", "<b>\u202e"):
        assert markup not in kept
    rows = told(table, *range(len(HOSTILE)))
    said = [row[name] for row in rows for name in ("text", "label", "name")]
    said += [cell for row in rows for cell in row["others"]] + table.labels
    assert all(character.isprintable() for text in said for character in text)
    assert max(map(len, said)) < 2_000
    for row in range(len(HOSTILE)):
        table._receive_text({"row": row})
        lines = table.sent[-1]["text"].split("\n")
        assert all(character.isprintable() for line in lines for character in line)
        look(table, search=HOSTILE[row][:50])
    assert len(kept) <= 60_000


def test_a_whole_text_ends_somewhere():
    assert whole_text("a" * 200_000) == "a" * 200_000
    assert whole_text("a" * 200_007).endswith("a\n… and 7 more characters")
    assert whole_text(None) == ""


def test_the_saved_notebook_keeps_the_first_rows(table: TextTable):
    table._receive_mark({"rows": [6], "value": True})
    table._receive_look({"order": "most wrong first"})
    kept = table.static_html()
    assert kept.index("It was not a fun experience.") < kept.index("Never again.")
    assert "1 · looks wrong" in kept
    assert "(empty)" in kept
    many = TextTable(pd.DataFrame({"text": ["&" * 300] * 500}))
    assert "more</p>" in many.static_html()
    assert len(many.static_html().encode()) <= 60_000
    assert many.static_text() == "TextTable(500 texts)"


def test_no_rows_at_all_is_an_empty_table():
    table = TextTable(pd.DataFrame({"text": []}))
    assert repr(table) == "TextTable(0 texts)"
    assert table.view == b""
    assert "<tbody></tbody>" in table.static_html()


def test_100000_rows_are_ready_at_once_and_cost_the_page_little():
    count = 100_000
    frame = pd.DataFrame({"text": [f"the soup number {at} was cold" for at in range(count)]})
    frame["label"], frame["probability"] = np.where(np.arange(count) % 2, "bad", "good"), 0.5
    began = time.perf_counter()
    table = TextTable(frame)
    look(table, search="99", order="text ↓", filters={"label": 1})
    table._receive_label({"rows": [7], "at": 0})
    assert time.perf_counter() - began < 8
    crossing = {k: v for k, v in table.get_state().items() if not k.startswith("_")}
    assert sum(len(v) for v in crossing.values() if isinstance(v, bytes | str)) <= 4 * count + 2_000
