"""What the report tells its page: numbers, rows by page, what is chosen; and what stays."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import traitlets as t

pytest.importorskip("sklearn")
Image = pytest.importorskip("PIL.Image")

from mlnb.errors import DataError  # noqa: E402
from mlnb.tasks.texts.classification import TextClassifier  # noqa: E402
from mlnb.train.evaluation import Evaluation, evaluate  # noqa: E402
from mlnb.widgets import evaluation_report  # noqa: E402
from mlnb.widgets.evaluation_report import EvaluationReport  # noqa: E402
from mlnb.widgets.selection import Selection  # noqa: E402

CLASSES = ["cat", "dog", "owl"]
LABELS = ["cat", "cat", "dog", "owl", "dog"]
ANSWERS = [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.3, 0.36, 0.34], [0.7, 0.2, 0.1]]
TEXTS = ["one\ntwo", "<b>bold</b>", "a\u202eb", "x" * 200_000, "\ud800"]


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = {"text": TEXTS, "label": LABELS}
    return pd.DataFrame(rows, index=[f"id{at}" for at in range(5)], dtype=object)


@pytest.fixture
def evaluation(frame: pd.DataFrame) -> Evaluation:
    return evaluate(frame["label"], ANSWERS, CLASSES, frame=frame)


class Page:
    """The front end's side: messages up, and what came down for them."""

    def __init__(self, report: EvaluationReport) -> None:
        self.report, self.came = report, []
        report.send = lambda content, buffers=(): self.came.append((content, list(buffers)))

    def ask(self, kind: str, **more: Any) -> dict[str, Any]:
        self.report._handle_custom_msg({"kind": kind, "request": 7, **more}, [])
        content = self.came[-1][0] if self.came else {}
        assert json.loads(json.dumps(content)) == content
        return content

    def rows(self, chosen: dict[str, int] | None = None, **more: Any) -> list[dict[str, Any]]:
        asked = {"first": 0, "count": 24, "order": "wrong", "chosen": chosen or {}} | more
        return self.ask("rows", **asked)["rows"]


@pytest.fixture
def page(evaluation: Evaluation) -> Page:
    return Page(EvaluationReport(evaluation))


def test_its_numbers_are_those_of_the_evaluation(evaluation: Evaluation):
    report = EvaluationReport(evaluation)
    assert report.facts == list(evaluation.facts)
    assert report.matrix == evaluation.confusion.tolist()
    assert [row["f1"] for row in report.table] == pytest.approx(evaluation.per_class["f1"].tolist())
    assert report.table[2]["precision"] is None  # never said
    assert (report.content, report.noun, report.many) == ("text", "sentence", False)
    assert report.figure is not None
    assert repr(report).startswith("EvaluationReport(40.0% ·")
    state = {k: v for k, v in report.get_state().items() if not k.startswith("_")}
    assert "NaN" not in json.dumps(state)


def test_rows_come_a_page_at_a_time_the_most_wrong_first(page: Page):
    every = page.rows()
    assert [row["row"] for row in every] == [1, 4, 3, 2, 0]
    assert [row["wrong"] for row in every] == [True, True, True, False, False]
    assert [row["row"] for row in page.rows(order="unsure")] == [3, 2, 4, 1, 0]
    assert [row["row"] for row in page.rows(first=3, count=1)] == [2]
    assert page.came[-1][0]["total"] == 5
    assert page.rows(first=9) == []
    assert page.ask("rows", first=-1, count=2, order="wrong", chosen={})["kind"] == "error"


def test_a_row_says_what_was_said_and_shows_its_text_in_one_harmless_line(page: Page):
    rows = {row["row"]: row for row in page.rows()}
    assert (rows[4]["labels"], rows[4]["answers"]) == ([1], [0])
    assert (rows[4]["probability"], rows[4]["of_label"]) == (0.7, 0.2)
    assert [rows[at]["text"] for at in (0, 1, 2, 4)] == [
        *("one two", "<b>bold</b>", "a\\u202eb", "\\ud800")
    ]
    assert len(rows[3]["text"]) == 1000


def test_a_cell_chooses_its_rows_for_everyone(page: Page, frame: pd.DataFrame):
    selection = page.report.selection
    page.report.set_state({"chosen": {"label": 1, "answer": -1}})
    assert selection.ids == ("id4", "id2")
    assert selection.frame["predicted"].tolist() == ["cat", "dog"]
    assert [row["row"] for row in page.rows({"label": 1, "answer": -1})] == [4, 2]
    page.report.chosen = {}
    assert selection.ids == ()


def test_what_is_chosen_elsewhere_is_shown(evaluation: Evaluation):
    selection = Selection()
    page = Page(EvaluationReport(evaluation, selection=selection))
    other = EvaluationReport(evaluation, selection=selection)
    selection.ids = ["id0", "id3"]
    assert page.report.chosen["rows"] == other.chosen["rows"] == 2
    assert [row["row"] for row in page.rows(page.report.chosen)] == [3, 0]
    before = dict(page.report.chosen)
    selection.ids = ["id0", "id4"]  # as many, but others: the page must hear of it
    assert page.report.chosen != before
    other.chosen = {"label": 2, "answer": -1}
    assert selection.ids == ("id3",)
    assert page.report.chosen["rows"] == 1
    assert other.chosen == {"label": 2, "answer": -1}
    selection.clear()
    assert page.report.chosen == {}


def test_a_closed_report_follows_nothing(page: Page):
    page.report.close()
    page.report.close()
    page.report.selection.ids = ["id0"]
    assert page.report.chosen == {}


def test_a_picture_that_is_clicked_is_chosen_alone(page: Page):
    page.report.chosen = {"label": 0, "answer": 1}
    page.ask("pick", rows=[3])
    assert page.report.selection.ids == ("id3",)
    assert page.report.chosen == {"label": 0, "answer": 1}  # the list stays
    page.ask("pick", rows=[])
    assert page.report.selection.ids == ()
    assert page.ask("pick", rows=[99]) == {
        "kind": "error", "request": 7, "message": "there is no such row",
    }  # fmt: skip


@pytest.mark.parametrize("cell", [{"label": 9, "answer": 0}, {"label": "cat"}, {"where": 1}])
def test_a_cell_that_does_not_exist_is_refused(page: Page, cell: dict[str, Any]):
    with pytest.raises(t.TraitError, match="a cell is a label and an answer"):
        page.report.chosen = cell
    page.report.set_state({"chosen": cell})
    assert page.report.chosen == {}


def test_curves_come_when_they_are_looked_at(evaluation: Evaluation, page: Page):
    came = page.ask("curves", column=1)
    assert came["roc"]["area"] == evaluation.roc("dog").area
    assert came["recall"]["x"][0] == 1.0
    one = Page(EvaluationReport(evaluate(["cat"], [[0.9, 0.1]], ["cat", "dog"])))
    assert one.ask("curves", column=0)["roc"] is None
    assert page.ask("curves", column=3)["message"] == "there is no class 3"


def test_a_curve_of_many_rows_is_thinned():
    random = np.random.default_rng(0)
    p = random.random(20_000)
    labels = np.where(random.random(20_000) < p, "b", "a")
    page = Page(EvaluationReport(evaluate(labels, np.stack([1 - p, p], axis=1), ["a", "b"])))
    came = page.ask("curves", column=1)
    assert len(came["roc"]["x"]) == 200
    assert (came["roc"]["x"][0], came["roc"]["y"][-1]) == (0.0, 1.0)


def test_pictures_come_as_thumbnails_and_a_broken_one_as_a_reason(tmp_path: Path):
    for at, side in enumerate((40, 400)):
        Image.new("RGB", (side, side), (200, 90, 20)).save(tmp_path / f"{at}.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    frame = pd.DataFrame({"path": [str(tmp_path / f"{at}.png") for at in range(3)]})
    evaluation = evaluate(["a", "b", "b"], [[0.9, 0.1]] * 3, ["a", "b"], frame=frame)
    page = Page(EvaluationReport(evaluation))
    assert page.report.content == "picture"
    assert [row["name"] for row in page.rows()] == ["1.png", "2.png", "0.png"]
    page.came.clear()
    page.report._handle_custom_msg({"kind": "thumbnails", "rows": [0, 1, 2], "side": 64}, [])
    for _ in range(500):
        if sum(len(content["rows"]) for content, _ in page.came) == 3:
            break
        time.sleep(0.01)
    came = {
        row: (buffer, reason)
        for content, buffers in page.came
        for row, buffer, reason in zip(content["rows"], buffers, content["reasons"], strict=True)
    }
    assert came[0][0].startswith(b"\x89PNG")
    assert came[1][0].startswith(b"\xff\xd8")
    assert came[2][0] == b""
    assert came[2][1]
    kept = page.report.static_html()
    assert kept.count("<img") == 1
    assert "is no picture that mlnb reads" in kept
    assert len(kept) < 20_000


def test_the_static_form_has_numbers_and_sentences_and_no_stranger_in_it(page: Page):
    kept = page.report.static_html()
    assert '<b style="font-size:15px">40.0%</b>' in kept
    assert "&lt;b&gt;bold&lt;/b&gt;" in kept
    assert "dog .80 · is cat" in kept
    assert "\u202e" not in kept
    assert "<script" not in kept
    assert len(kept) < 20_000
    text = page.report.static_text()
    assert text.startswith("40.0% · ")
    assert "always the same answer 40.0%" in text


def test_many_classes_cross_as_pairs():
    names = [f"c{at}" for at in range(40)]
    answers = np.eye(40)[[3, 3, 5]]
    report = EvaluationReport(evaluate(["c1", "c1", "c2"], answers, names))
    assert report.matrix == []
    assert report.pairs == [[1, 3, 2], [2, 5, 1]]


def test_of_many_labels_cells_are_found_missed_and_wrongly_given():
    evaluation = evaluate(
        [["wet"], ["dark"], [], ["wet", "dark"]],
        [[0.9, 0.2], [0.6, 0.7], [0.1, 0.2], [0.3, 0.9]],
        ["wet", "dark"],
    )
    page = Page(EvaluationReport(evaluation))
    assert page.report.matrix == [[1, 1, 1], [2, 0, 0]]
    assert len(page.rows()) == 4
    for answer, row in ((0, 0), (1, 3), (2, 1)):
        assert [one["row"] for one in page.rows({"label": 0, "answer": answer})] == [row]
    assert sorted(one["row"] for one in page.rows({"label": 0, "answer": -1})) == [0, 3]
    assert page.rows()[-1]["labels"] in ([], [0])


def test_the_code_for_the_figure_bears_the_users_own_name(page: Page, monkeypatch):
    names = {"_5": page.report.evaluation, "_": page.report.evaluation}
    monkeypatch.setattr(evaluation_report, "get_ipython", lambda: SimpleNamespace(user_ns=names))
    assert page.ask("figure")["code"] == "_5.figure()"
    names["pets"] = page.report.evaluation
    assert page.ask("figure")["code"] == "pets.figure()"
    names.clear()
    assert page.ask("figure")["code"] == "evaluation.figure()"


def test_a_model_is_evaluated_and_a_frame_may_come_later(frame: pd.DataFrame):
    model = SimpleNamespace(predict_proba=lambda x: np.array(ANSWERS), classes_=CLASSES)
    assert EvaluationReport(model, frame).facts[0] == "40.0%"
    bare = evaluate(LABELS, ANSWERS, CLASSES, ids=frame.index)
    assert EvaluationReport(bare).content == ""
    assert EvaluationReport(bare, frame=frame).content == "text"
    with pytest.raises(TypeError, match="on which rows"):
        EvaluationReport(model)
    with pytest.raises(TypeError, match="no argument 'slection'; did you mean 'selection'"):
        EvaluationReport(bare, slection=None)
    with pytest.raises(DataError, match="names 1 row twice"):
        EvaluationReport(evaluate(["cat", "cat"], ANSWERS[:2], CLASSES, ids=[1, 1]))


class Reader:
    """Says what stands in the frame, and blames the second word of a text."""

    classes_ = np.array(CLASSES)
    takes_text = True

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        return np.array([ANSWERS[TEXTS.index(text)] for text in texts])

    def explain(self, text: str, target: str) -> list[SimpleNamespace]:
        if text.startswith("x"):
            raise DataError("no word of it is known")
        self.target = target
        return [SimpleNamespace(start=0, end=3, share=0.5)]


def test_a_sentence_is_explained_by_the_model_that_judged_it(
    evaluation: Evaluation, frame: pd.DataFrame
):
    reader = Reader()
    report = EvaluationReport(reader, evaluation)
    assert (report.explains, report.evaluation) == (True, evaluation)
    page = Page(report)
    assert why(page, 2) == {
        "kind": "why",
        "row": 2,
        "label": "dog",
        "words": [("a\u202eb", 0.5)],
        "words_note": "",
    }
    assert reader.target == "dog"
    assert "no word of it is known" in why(page, 3)["problem"]
    for row in (-1, 5):
        assert page.ask("why", row=row)["kind"] == "error"
    assert not EvaluationReport(evaluation).explains
    assert not EvaluationReport(reader, evaluation.with_frame(frame[["label"]])).explains


def test_of_a_pair_the_words_of_the_first_are_explained_and_the_second_stands_behind():
    a = ["good soup", "bad soup", "good tea", "bad | tea"] * 4
    b = ["good bread", "good bread", "<b>good</b>", "bad room\u202e"] * 4
    pairs, alike = list(zip(a, b, strict=True)), ["yes", "no", "yes", "yes"] * 4
    classifier = TextClassifier("tfidf").fit(pairs, alike, tell=lambda _: None)
    report = EvaluationReport(classifier, classifier.evaluate(pairs[:4], alike[:4]))
    assert report.explains
    page = Page(report)
    shown = {row["row"]: row["text"] for row in page.rows()}
    assert shown[3] == "bad | tea | bad room\\u202e"
    for row in range(4):
        found = why(page, row)
        assert "".join(piece for piece, _ in found["words"]) == f"{a[row]} | {b[row]}"
        shares = {piece: share for piece, share in found["words"] if share is not None}
        assert list(shares) == re.findall(r"\w+", a[row])
        assert max(map(abs, shares.values())) == 1
    assert "<b>good" not in report.static_html()


def why(page: Page, row: int) -> dict[str, Any]:
    before = len(page.came)
    page.report._handle_custom_msg({"kind": "why", "request": 7, "row": row}, [])
    deadline = time.monotonic() + 10
    while len(page.came) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    return page.came[-1][0]


def test_a_report_of_fifty_thousand_rows_opens_at_once():
    random = np.random.default_rng(0)
    answers = random.dirichlet(np.ones(10), 50_000)
    evaluation = evaluate(random.integers(0, 10, 50_000), answers, range(10))
    began = time.perf_counter()
    page = Page(EvaluationReport(evaluation))
    page.rows()
    page.report.chosen = {"label": 3, "answer": 4}
    assert time.perf_counter() - began < 5
    state = {k: v for k, v in page.report.get_state().items() if not k.startswith("_")}
    assert len(json.dumps(state)) < 20_000
