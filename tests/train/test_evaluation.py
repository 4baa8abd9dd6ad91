"""An evaluation agrees with scikit-learn, and says what is wrong with what it is given."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

metrics = pytest.importorskip("sklearn.metrics")

from mlnb.errors import DataError, UnknownName  # noqa: E402
from mlnb.train.evaluation import Evaluation, evaluate  # noqa: E402
from mlnb.train.measures import calibration, percent, wilson  # noqa: E402
from mlnb.train.show.evaluation_page import confused_pairs  # noqa: E402

CLASSES = ["cat", "dog", "owl"]
ANSWERS = [[0.98, 0.01, 0.01], [0.1, 0.9, 0.0], [0.7, 0.2, 0.1], [0.3, 0.36, 0.34]]
LABELS = ["cat", "cat", "cat", "owl"]


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def few() -> Evaluation:
    return evaluate(LABELS, ANSWERS, CLASSES)


@pytest.fixture(params=[2, 3, 12], ids=lambda count: f"{count} classes")
def made(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Labels and softmax of random scores that lean towards the label."""
    random, count = np.random.default_rng(7), request.param
    names = [f"class {at:02}" for at in range(count)]
    truth = random.integers(0, count, 500)
    scores = random.normal(size=(500, count))
    scores[np.arange(500), truth] += 1.0
    return np.array(names)[truth], softmax(scores), names


# --------------------------------------------------------------------------- it agrees with sklearn


def test_its_measures_are_those_of_scikit_learn(made):
    labels, answers, names = made
    evaluation = evaluate(labels, answers, names)
    said = np.array(names)[answers.argmax(axis=1)]
    assert evaluation.accuracy == metrics.accuracy_score(labels, said)
    assert evaluation.log_loss == pytest.approx(metrics.log_loss(labels, answers, labels=names))
    assert np.array_equal(evaluation.confusion, metrics.confusion_matrix(labels, said))
    report = metrics.classification_report(labels, said, output_dict=True)
    for name in names:
        row = evaluation.per_class.loc[name]
        told = report[name]
        assert row.tolist() == pytest.approx(
            [told["precision"], told["recall"], told["f1-score"], told["support"]]
        )
    assert evaluation.macro_f1 == pytest.approx(report["macro avg"]["f1-score"])


def test_its_curves_are_those_of_scikit_learn(made):
    labels, answers, names = made
    evaluation = evaluate(labels, answers, names)
    for at, name in enumerate(names):
        yes = labels == name
        roc = evaluation.roc(name)
        assert roc.area == pytest.approx(metrics.roc_auc_score(yes, answers[:, at]))
        assert metrics.auc(roc.x, roc.y) == pytest.approx(roc.area)
        recall = evaluation.precision_recall(name)
        assert recall.area == pytest.approx(metrics.average_precision_score(yes, answers[:, at]))
        assert len(recall.x) == len(recall.y) == len(recall.threshold)
        assert (recall.x[0], recall.x[-1]) == (1.0, 0.0)


def test_of_many_labels_too(made):
    _, _, names = made
    random = np.random.default_rng(3)
    truth = random.random((400, len(names))) < 0.3
    answers = np.clip(random.random(truth.shape) * 0.7 + truth * 0.3, 0, 1)
    evaluation = evaluate(truth.astype(int), answers, names)
    said = answers >= 0.5
    assert evaluation.multi_label
    assert evaluation.accuracy == metrics.accuracy_score(truth, said)
    assert evaluation.macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert np.array_equal(evaluation.confusion, metrics.multilabel_confusion_matrix(truth, said))
    one_by_one = [metrics.log_loss(truth[:, at], answers[:, at]) for at in range(len(names))]
    assert evaluation.log_loss == pytest.approx(np.mean(one_by_one))
    assert evaluation.roc(names[0]).area == pytest.approx(
        metrics.roc_auc_score(truth[:, 0], answers[:, 0])
    )
    as_lists = [[names[at] for at in np.flatnonzero(row)] for row in truth]
    if all(as_lists):  # one list is empty where a row bears no label
        assert evaluate(as_lists, answers, names).log_loss == evaluation.log_loss


# ---------------------------------------------------------------------------- what nobody else has


def test_labels_may_be_gone_through_once_only():
    chances = [[0.9, 0.1], [0.6, 0.4]]
    assert evaluate((name for name in ["cat", "dog"]), chances, ["cat", "dog"]).accuracy == 0.5


def test_the_interval_is_wilsons():
    # Wilson (1927), as Newcombe (1998) works it: 81 of 263 is 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_calibration_is_by_hand():
    table = calibration(np.array([0.0, 0.5, 0.5, 0.51, 1.0]), np.array([0, 1, 0, 1, 1], bool), 2)
    assert table["count"].tolist() == [3, 2]
    assert table["confidence"].tolist() == pytest.approx([1 / 3, 0.755])
    assert table["accuracy"].tolist() == pytest.approx([1 / 3, 1.0])


def test_who_is_right_as_often_as_sure_is_calibrated():
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1.0, 200_000)
    right = random.random(200_000) < sure
    answers = np.stack([sure, 1 - sure], axis=1)
    labels = np.where(right, "yes", "no")
    assert evaluate(labels, answers, ["yes", "no"]).ece < 0.01
    boaster = np.stack([sure**0.1, 1 - sure**0.1], axis=1)
    assert evaluate(labels, boaster, ["yes", "no"]).ece > 0.15


def test_an_empty_bin_counts_for_nothing():
    evaluation = evaluate(["a", "a"], [[1.0, 0.0], [1.0, 0.0]], ["a", "b"])
    assert evaluation.ece == 0
    assert evaluation.calibration()["accuracy"].isna().sum() == 14


def test_a_probability_of_zero_for_the_label_is_dear_but_finite():
    sure = [[1.0, 0.0]]
    assert evaluate(["b"], sure, ["a", "b"]).log_loss == pytest.approx(36.04, abs=0.01)
    single = evaluate(["b"], np.array(sure, np.float32), ["a", "b"])
    assert single.log_loss == pytest.approx(metrics.log_loss(["b"], np.array(sure, np.float32),
                                                             labels=["a", "b"]))  # fmt: skip
    assert evaluate(["a"], np.array(sure, np.float16), ["a", "b"]).log_loss < 1e-6


# -------------------------------------------------------------------------------------------- rows


def test_the_most_confident_mistake_comes_first(few: Evaluation):
    worst = few.most_wrong()
    assert worst["id"].tolist() == [1, 3]
    assert worst["label"].tolist() == ["cat", "owl"]
    assert worst["predicted"].tolist() == ["dog", "dog"]
    assert worst["probability"].tolist() == [0.9, 0.36]
    assert few.most_wrong(1)["id"].tolist() == [1]


def test_the_closest_race_comes_first_even_where_its_winner_is_surer():
    evaluation = evaluate(["cat"] * 3, [[0.5, 0.49, 0.01], [0.4, 0.3, 0.3], [0.9, 0.1, 0]], CLASSES)
    assert evaluation.least_sure(2)["id"].tolist() == [0, 1]
    assert evaluation.to_frame()["margin"].tolist() == pytest.approx([0.01, 0.1, 0.8])


def test_a_cell_gives_its_rows(few: Evaluation):
    assert few.rows("cat", "dog") == [1]
    assert few.rows("cat") == [1, 2, 0]
    assert few.rows(predicted="dog") == [1, 3]
    assert few.rows("dog") == []
    with pytest.raises(UnknownName, match="no class 'cta'; did you mean 'cat'"):
        few.rows("cta")
    with pytest.raises(UnknownName, match="no class 'bird'"):
        few.roc("bird")


def test_a_frame_gives_ids_and_what_a_person_looks_at():
    frame = pd.DataFrame({"path": list("wxyz"), "label": LABELS, "size": 3}, index=[10, 20, 30, 40])
    evaluation = evaluate(frame["label"], ANSWERS, CLASSES, frame=frame)
    assert evaluation.most_wrong()["id"].tolist() == [20, 40]
    assert evaluation.most_wrong()["path"].tolist() == ["x", "z"]
    assert "4 photographs" in repr(evaluation)
    table = evaluation.to_frame()
    assert table.index.tolist() == [10, 20, 30, 40]
    assert table.loc[20, ["size", "predicted", "correct"]].tolist() == [3, "dog", False]
    assert table["probability"].tolist() == [0.98, 0.9, 0.7, 0.36]
    assert "predicted" not in frame


def test_of_a_larger_frame_the_rows_are_found_by_their_ids():
    frame = pd.DataFrame({"Text": list("vwxyz")}, index=[5, 4, 3, 2, 1])
    evaluation = evaluate(LABELS, ANSWERS, CLASSES, ids=[4, 1, 2, 3], frame=frame, content="Text")
    assert evaluation.most_wrong()["Text"].tolist() == ["z", "x"]
    assert "4 sentences" in repr(evaluation)
    assert evaluate(pd.Series(LABELS, index=[9, 8, 7, 6]), ANSWERS, CLASSES).ids.tolist() == [
        *(9, 8, 7, 6)
    ]


def test_the_rows_may_come_later(few: Evaluation):
    frame = pd.DataFrame({"text": list("vwxyz")})
    later = few.with_frame(frame)
    assert (later.content, later.noun) == ("text", "sentence")
    assert later.most_wrong()["text"].tolist() == ["w", "y"]
    assert few.frame is None
    with pytest.raises(DataError, match="ids that the frame"):
        few.with_frame(frame.iloc[1:])


def test_of_many_labels_a_row_is_wrong_by_any_of_them():
    evaluation = evaluate(
        [["cat"], [], {"cat", "owl"}],
        [[0.9, 0.2, 0.1], [0.4, 0.1, 0.1], [0.8, 0.3, 0.2]],
        CLASSES,
    )
    assert evaluation.correct.tolist() == [True, True, False]
    assert evaluation.predicted.tolist() == [("cat",), (), ("cat",)]
    assert evaluation.labels.tolist()[2] == ("cat", "owl")
    assert evaluation.most_wrong()["id"].tolist() == [2]
    assert evaluation.least_sure(1)["id"].tolist() == [1]
    assert evaluation.rows("owl") == [2]


# ------------------------------------------------------------------------------------ unlucky cases


def quiet(evaluation: Evaluation) -> Evaluation:
    """Everything that it has, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("interval", "log_loss", "ece", "per_class", "confusion", "macro_f1"):
            getattr(evaluation, name)
        for name in evaluation.classes:
            evaluation.roc(name)
            evaluation.precision_recall(name)
        evaluation.most_wrong()
        evaluation.to_frame()
        repr(evaluation)
        evaluation._repr_html_()
    return evaluation


def test_one_class_in_the_test_set_has_no_curve():
    evaluation = quiet(evaluate(["cat", "cat"], ANSWERS[:2], CLASSES))
    assert np.isnan(evaluation.roc("cat").area)
    assert len(evaluation.roc("dog").x) == 0
    assert evaluation.majority == 1.0
    assert evaluation.per_class["support"].tolist() == [2, 0, 0]
    assert np.isnan(evaluation.per_class.loc["owl"]).tolist() == [True, True, True, False]


def test_a_class_that_neither_occurs_nor_is_said_does_not_count_in_macro_f1():
    evaluation = evaluate(["cat", "dog"], [[0.9, 0.1, 0], [0.1, 0.9, 0]], CLASSES)
    assert evaluation.macro_f1 == 1.0


def test_a_class_never_predicted_has_no_precision_but_an_f1_of_0(few: Evaluation):
    owl = quiet(few).per_class.loc["owl"]
    assert np.isnan(owl["precision"])
    assert (owl["recall"], owl["f1"]) == (0.0, 0.0)


def test_a_single_class_and_a_single_row():
    evaluation = quiet(evaluate(["cat"], [[1.0]], ["cat"]))
    assert (evaluation.accuracy, evaluation.log_loss) == (1.0, pytest.approx(0.0, abs=1e-9))
    assert evaluation.interval[0] == pytest.approx(0.2065, abs=1e-3)
    assert len(evaluation.most_wrong()) == 0


def test_classes_may_be_numbers_and_truths():
    digits = evaluate(np.array([3, 7]), [[0.9, 0.1], [0.2, 0.8]], np.array([3, 7]))
    assert digits.predicted.tolist() == [3, 7]
    flags = evaluate([True, False], [[0.9, 0.1], [0.2, 0.8]], np.array([False, True]))
    assert flags.accuracy == 0.0
    column = evaluate(np.array([[3], [7]]), [[0.9, 0.1], [0.2, 0.8]], [3, 7])
    assert (column.multi_label, column.accuracy) == (False, 1.0)


@pytest.mark.parametrize(
    ("labels", "probabilities", "said"),
    [
        (LABELS, [[np.nan, 0.5, 0.5], *ANSWERS[1:]], r"1 row \(row 0 is the first\) with NaN"),
        (LABELS, [*ANSWERS[:3], [2.0, 3.1, -1.0]], r"row 3 .*softmax\(scores, axis=1\)"),
        (LABELS, [*ANSWERS[:3], [1.5, -0.5, 0.0]], "add up to 1"),
        (LABELS, [row[:2] for row in ANSWERS], r"\[rows, 3\], a column a class; received \[4, 2\]"),
        (LABELS, [0.1, 0.2, 0.3, 0.4], r"received \[4\]"),
        (LABELS, [["a", "b", "c"]] * 4, "no numbers"),
        (LABELS[:3], ANSWERS, "3 labels for 4 rows"),
        ([*LABELS[:3], None], ANSWERS, r"row 3 is the first\) with no label"),
        ([*LABELS[:3], float("nan")], ANSWERS, "with no label"),
        ([*LABELS[:3], pd.NA], ANSWERS, "with no label"),
        ([0, 0, 0, 2], ANSWERS, "4 labels not among the classes, such as 0, 2; the classes are"),
        ([*LABELS[:3], "\u202ecat"], ANSWERS, r"such as '\\u202ecat'"),
        ([], np.empty((0, 3)), "no row to evaluate on"),
        ([["cat"], ["dgo"]], ANSWERS[:2], "1 label not among the classes, such as 'dgo'"),
        ([["cat"], []], [[2.0, 0, 0], [0, 0, 0]], r"outside 0 to 1.*expit"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_remedy(labels, probabilities, said: str):
    with pytest.raises(DataError, match=said):
        evaluate(labels, probabilities, CLASSES)


def test_classes_and_ids_that_mean_two_things_are_refused():
    with pytest.raises(DataError, match="'cat' stands twice"):
        evaluate(LABELS, ANSWERS, ["cat", "dog", "cat"])
    with pytest.raises(DataError, match="got none"):
        evaluate([], np.empty((0, 0)), [])
    twice = pd.DataFrame({"path": list("wxyz")}, index=[1, 1, 2, 3])
    with pytest.raises(DataError, match="names a row twice"):
        evaluate(LABELS, ANSWERS, CLASSES, frame=twice)
    frame = pd.DataFrame({"path": list("wxyz")})
    with pytest.raises(DataError, match=r"1 row \(row 3 is the first\) with ids that the frame"):
        evaluate(LABELS, ANSWERS, CLASSES, frame=frame, ids=[0, 1, 2, 9])
    with pytest.raises(DataError, match="2 row ids for 4 rows"):
        evaluate(LABELS, ANSWERS, CLASSES, ids=[0, 1])
    with pytest.raises(UnknownName, match="no column 'pth'; did you mean 'path'"):
        evaluate(LABELS, ANSWERS, CLASSES, frame=frame, content="pth")


# ------------------------------------------------------------------------------------ what one sees


def test_the_line_says_it_as_the_mockup_does():
    truth = np.repeat(["cat", "dog"], 150)
    answers = np.where((truth == "cat")[:, None], [[0.99, 0.01]], [[0.01, 0.99]])
    answers[[0, 1, 150, 151]] = answers[[150, 151, 0, 1]]
    frame = pd.DataFrame({"path": "x.jpg"}, index=range(300))
    evaluation = evaluate(truth, answers, ["cat", "dog"], frame=frame)
    line = "98.7% · 96.6 to 99.5 · 300 photographs · log-loss 0.071 · ECE 0.003"
    assert repr(evaluation) == f"Evaluation({line})"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1, "100%"), (0.99996, "99.9%"), (1e-9, "0.1%"), (0.5, "50.0%")],
)
def test_nothing_is_rounded_to_all_or_nothing(share: float, text: str):
    assert percent(share) == text


def test_the_picture_has_matrix_classes_baselines_and_notes():
    evaluation = evaluate(
        LABELS, ANSWERS, CLASSES, baselines={"TF-IDF": 0.842}, notes=["pixels: BGR minus mean"]
    )
    shown = evaluation._repr_html_()
    assert '<b style="font-size:15px">50.0%</b>' in shown
    assert "always the same answer 75.0% · TF-IDF 84.2%" in shown
    assert "pixels: BGR minus mean" in shown
    assert shown.count("rgba(200,85,61") == 2  # the two wrong cells
    assert ">–</td>" in shown  # the precision of a class that was never said
    assert "<script" not in shown


def test_strangers_names_stay_text():
    names = ["<img src=x onerror=alert(1)>", "a\u202eb", "{braces} & %"]
    evaluation = evaluate([names[0], names[1]], [[0.1, 0.8, 0.1], [0.1, 0.8, 0.1]], names)
    shown = evaluation._repr_html_()
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert "&lt;img src=x" in shown
    figure = pytest.importorskip("plotly") and evaluation.figure()
    assert "<img" not in str([trace.name for trace in figure.data])


def test_a_thousand_classes_are_a_list_of_pairs_and_a_small_picture():
    names = [f"class {at}" for at in range(1000)]
    random = np.random.default_rng(0)
    answers = softmax(5 * random.normal(size=(4000, 1000)))
    labels = np.array(names)[random.integers(0, 1000, 4000)]
    shown = evaluate(labels, answers, names)._repr_html_()
    assert "taken for" in shown
    assert "970 more" in shown
    assert confused_pairs(evaluate(["cat"] * 3, ANSWERS[:3], CLASSES)) == [(0, 1, 1)]
    assert len(shown) < 30_000


def test_the_figure_has_four_panels(made):
    pytest.importorskip("plotly")
    labels, answers, names = made
    figure = evaluate(labels, answers, names).figure()
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert titles == ["confusion: label by answer", "ROC", "precision and recall", "calibration"]
    curves = [trace for trace in figure.data[1:] if trace.legendgroup]
    assert len(curves) == 2 * min(8, len(names))
    assert max(len(trace.x) for trace in curves) <= 500


def test_many_labels_have_a_figure_and_a_picture():
    pytest.importorskip("plotly")
    evaluation = quiet(evaluate([["cat"], ["dog", "owl"]], [[0.9, 0.1, 0.6], [0.1] * 3], CLASSES))
    figure = evaluation.figure()
    assert np.asarray(figure.data[0].text).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
