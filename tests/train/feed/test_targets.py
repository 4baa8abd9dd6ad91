"""Targets: what they become is said, and what cannot be is told by row and label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from mlnb.errors import DataError  # noqa: E402
from mlnb.train.feed.targets import decide  # noqa: E402
from mlnb.train.words.loss_functions import loss_kind  # noqa: E402


def decided(values, outputs=None, loss=None, **options):
    rule, notes = decide(values, outputs, loss, **options)
    return rule.task, rule.tensor(values).tolist(), notes


def refused(values, outputs=None, loss=None, **options) -> str:
    with pytest.raises(DataError) as caught:
        decide(values, outputs, loss, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Classes


def test_text_becomes_places_in_sorted_order():
    assert decided(["b", "a", "c"], (2, 3)) == (
        "classification",
        [1, 0, 2],
        ["labels: 'a' is 0, 'b' is 1, 'c' is 2"],
    )


@pytest.mark.parametrize(
    "values",
    [
        np.array(["b", "a"]),
        np.array(["b", "a"], object),
        [["b"], ["a"]],
        pd.Series(["b", "a"]),
        pd.Series(["b", "a"], dtype="category"),
        pd.Series(["b", "a"], dtype="string"),
        np.array([b"b", b"a"]),
    ],
    ids=str,
)
def test_text_of_any_make_is_text(values):
    assert decided(values, (2, 2))[:2] == ("classification", [1, 0])


def test_two_classes_and_one_output_are_floats_in_the_shape_of_the_output():
    assert decided(["no", "yes"], (2, 1))[:2] == ("binary", [[0.0], [1.0]])
    assert decided([0, 1], (2,))[:2] == ("binary", [0.0, 1.0])
    assert decided([0.0, 1.0], (2, 1))[:2] == ("binary", [[0.0], [1.0]])
    assert decided([True, False], (2, 1)) == (
        "binary",
        [[1.0], [0.0]],
        ["labels: False is 0, True is 1"],
    )


def test_integers_that_are_places_stay_as_they_are():
    assert decided([2, 0, 1], (2, 3)) == ("classification", [2, 0, 1], [])
    assert decided([2, 0, 1]) == ("classification", [2, 0, 1], [])
    assert decided([0, 1])[0] == "binary"


def test_places_that_no_row_has_are_said_and_not_moved():
    task, values, notes = decided([0, 1, 3], (2, 5))
    assert (task, values, notes) == ("classification", [0, 1, 3], ["labels: no row has 2, 4"])


def test_other_integers_get_places_where_there_are_as_many_outputs():
    said = ["labels: 10 is 0, 20 is 1, 30 is 2"]
    assert decided([10, 30, 20], (2, 3)) == ("classification", [0, 2, 1], said)
    assert decided([10, 30, 20]) == ("classification", [0, 2, 1], said)
    assert decided([1, 2, 3], (2, 3))[1] == [0, 1, 2]
    assert decided([-1, 1], (2, 1))[1:] == ([[0.0], [1.0]], ["labels: -1 is 0, 1 is 1"])


def test_labels_beyond_the_outputs_are_told():
    assert refused([0, 1, 2, 3, 12, 0], (2, 10)) == (
        "targets hold the label 12 (row 4), and the model has 10 outputs, for the labels 0 to 9: "
        "give its last layer 13 outputs, or 5, one for each label that occurs, or mend the labels"
    )
    assert refused(["a", "b", "c"], (2, 2)) == (
        "the targets are 3 classes ('a', 'b', 'c'), and the model has 2 outputs: give its last "
        "layer 3 outputs"
    )
    assert refused(["a", "b", "c"], (2, 1)).endswith("1 output: give its last layer 3 outputs")


@pytest.mark.parametrize("outputs", [None, (2, 3), (2, 10)])
def test_minus_one_beside_labels_from_0_is_no_class(outputs):
    message = refused([-1, 0, 1, 2, 0, -1], outputs)
    assert message.startswith("targets hold the label -1 (rows 0, 5), and ")
    assert message.endswith(
        "leave those rows out where -1 means that there is no label, or count the labels from 0"
    )


def test_one_class_alone_is_refused():
    message = (
        "every target is 3: with one class there is nothing to tell apart. A classifier needs "
        "rows of at least two"
    )
    assert refused([3] * 6, (2, 10)) == message
    assert refused(["a", "a"]).startswith("every target is 'a': with one class")
    assert refused(np.eye(3)[[1, 1]], (2, 3)).startswith("every target is class 1: with one class")


def test_gaps_are_told_with_their_rows():
    assert refused([0, 1, float("nan"), 1], (2, 2)) == (
        "targets hold NaN in row 2: leave these rows out, or fill in what is missing"
    )
    assert refused([0.5, float("inf")]).startswith("targets hold Inf in row 1:")
    for values in (
        ["a", None, "b"],
        pd.Series(["a", None, "b"]),
        pd.Series([1, None, 2], dtype="Int64"),
        np.array(["a", float("nan"), "b"], object),
    ):
        assert refused(values).startswith("targets hold a gap in row 1:")


def test_labels_of_two_kinds_are_refused():
    assert refused(["a", 1, "b"]) == (
        "targets hold numbers and text at once; give all labels as text, or all as numbers"
    )
    assert refused(np.array([{}, "a"], object)) == (
        "targets hold a dict; expected numbers, bools or text"
    )


def test_rows_without_a_label_are_torchs_word():
    assert decided([0, 1, -100], (2, 2)) == (
        "classification",
        [0, 1, -100],
        ["targets: 1 row with -100 teach nothing"],
    )
    assert refused([-100, -100], (2, 2)).startswith("every target is -100")
    assert refused([10, 20, -100], (2, 2)).startswith("targets hold -100, which says that a row")


def test_one_hot_rows_become_labels():
    assert decided(np.eye(3)[[0, 2]], (2, 3)) == (
        "classification",
        [0, 2],
        ["targets: one-hot rows of 3 became labels 0 to 2"],
    )
    rule, _ = decide(np.eye(3)[[0, 2]], (2, 3))
    with pytest.raises(DataError, match="targets are one-hot but for row 1: expected a single 1"):
        rule.tensor(np.array([[1, 0, 0], [1, 1, 0]]))


def test_several_ones_a_row_are_several_labels():
    assert decided(np.array([[1, 1, 0], [0, 0, 1]]), (2, 3))[:2] == (
        "multilabel",
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    )


def test_whole_floats_are_labels_where_the_model_has_as_many_outputs():
    assert decided([0.0, 1.0, 2.0], (2, 3)) == (
        "classification",
        [0, 1, 2],
        ["targets: whole floats are taken as labels"],
    )
    assert decided([0.0, 1.0, 2.0], (2, 1))[0] == "regression"
    assert decided([0.0, 1.0, 2.0])[0] == "regression"


def test_a_column_of_labels_is_one_label_a_row():
    assert decided([[0], [1], [2]], (2, 3)) == (
        "classification",
        [0, 1, 2],
        ["targets: [n, 1] became [n], one label a row"],
    )


def test_a_label_for_each_pixel_or_word_is_checked_against_the_outputs():
    pixels = np.zeros((6, 4, 4), int)
    assert decided(pixels, (2, 3, 4, 4))[0] == "classification"
    assert refused(pixels + 7, (2, 3, 4, 4)).startswith("targets hold the label 7 (rows 0, 1, 2,")


def test_the_loss_that_was_named_decides():
    assert decided([1, 2, 3], (2, 1), "regression")[0] == "regression"
    assert decided([0, 1, 2], (2, 3), "classification")[0] == "classification"
    assert refused(["a", "b"], (2, 1), "regression").startswith("targets are the labels 'a', 'b'")
    assert refused([0, 1], (2, 1), "classification") == (
        "the targets are 2 classes (0, 1), and the model has 1 output: give its last layer 2 "
        'outputs or take loss="bce"'
    )
    assert 'take loss="cross_entropy"' in refused([0, 1, 2], (2, 3), "binary")


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        ("auto", None),
        ("cross_entropy(label_smoothing=0.1)", "classification"),
        ("mae", "regression"),
        (torch.nn.CrossEntropyLoss(), "classification"),
        (torch.nn.BCEWithLogitsLoss, "binary"),
        (torch.nn.functional.binary_cross_entropy, "binary"),
        (torch.nn.functional.mse_loss, "regression"),
        (lambda outputs, targets: outputs.sum(), None),
    ],
    ids=str,
)
def test_a_loss_tells_what_kind_of_targets_it_takes(loss, kind):
    assert loss_kind(loss) == kind


# Numbers


def test_integers_and_one_output_are_numbers_to_predict():
    assert decided([1, 2, 3], (2, 1)) == (
        "regression",
        [[1.0], [2.0], [3.0]],
        [
            "targets: integers are numbers to predict, as float32",
            "targets: [n] became [n, 1], as the model's outputs are",
        ],
    )


def test_a_1_at_the_end_comes_or_goes_and_is_said():
    assert decided([0.5, 1.5], (2, 1))[1:] == (
        [[0.5], [1.5]],
        ["targets: [n] became [n, 1], as the model's outputs are"],
    )
    assert decided([[0.5], [1.5]], (2,))[1:] == (
        [0.5, 1.5],
        ["targets: [n, 1] became [n], as the model's outputs are"],
    )


def test_nothing_else_is_ever_broadcast():
    assert refused(np.random.rand(6, 2), (2, 1)) == (
        "the targets are [n, 2] and the model gives [n, 1]: give its last layer 2 outputs, or "
        "pass 1 number a row"
    )
    assert refused(np.random.rand(6), (2, 10)).startswith(
        "the targets are [n] and the model gives [n, 10]: give its last layer 1 output"
    )
    assert "of the shape that the model gives" in refused(np.random.rand(6, 8, 8), (2, 64))


def test_more_rows_get_the_shape_that_training_had():
    rule, _ = decide([0.5, 1.5], (2, 1))
    assert rule.tensor([[2.5]]).shape == (1, 1)
    plain, _ = decide([0.5, 1.5])
    assert plain.tensor([[2.5]]).shape == (1,)
    with pytest.raises(DataError, match=r"targets are \[n, 2\], expected \[n, 1\] as in training"):
        rule.tensor([[1.5, 2.5]])


def test_targets_that_are_all_the_same_are_said():
    assert decided([0.5, 0.5], (2, 1))[2][-1] == (
        "targets: every row has the same, so that there is nothing to learn"
    )


# One batch of many


def test_one_batch_may_hold_one_class():
    assert decided([3, 3], (2, 10), part=True)[:2] == ("classification", [3, 3])
    assert decided([0, 0], (2, 1), part=True)[:2] == ("binary", [[0.0], [0.0]])
    assert refused([3, 10], (2, 10), part=True).startswith("targets hold the label 10 (row 1)")


def test_text_in_a_loader_cannot_get_places():
    assert refused(["a", "b"], (2, 2), part=True).startswith(
        "targets are text ('a', 'b'), and a loader shows only one batch at a time"
    )
