"""Labels: what was encoded is decoded, and what is unknown is told by row and label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from mlnb.errors import DataError  # noqa: E402
from mlnb.train.feed.labels import Labels, row_text, told  # noqa: E402


@given(st.lists(st.one_of(st.text(max_size=4)), min_size=1, max_size=20))
def test_what_was_encoded_is_decoded(values):
    labels = Labels.of(np.array(values, object))
    assert labels.decode(labels.encode(np.array(values, object))).tolist() == values
    assert list(labels.classes) == sorted(set(values))


def test_numbers_and_tensors_are_decoded_too():
    assert Labels((10, 20)).decode(torch.tensor([1, 0])).tolist() == [20, 10]
    assert Labels((False, True)).decode([1]).tolist() == [True]


def test_labels_that_training_did_not_have_are_named_with_their_rows():
    with pytest.raises(DataError) as caught:
        Labels(("cat", "dog")).encode(np.array(["cat", "cow", "dog", "ape"], object))
    assert str(caught.value) == (
        "targets hold 'ape', 'cow', which training did not; it knows 'cat', 'dog' (rows 1, 3)"
    )


def test_a_label_is_shown_harmless():
    assert told(["a\u202eb\n"]) == r"'a\u202eb\n'"


def test_many_labels_and_rows_are_told_shortly():
    assert told(range(8)) == "0, 1, 2, 3, 4 and 3 more"
    assert row_text([7]) == "row 7"
    assert row_text(range(1000, 1008)) == "rows 1,000, 1,001, 1,002, 1,003, 1,004 and 3 more"
    ten = Labels(tuple("abcdefghij"))
    assert ten.said == "labels: 'a', 'b', 'c', 'd', 'e' and 5 more became 0 to 9, in this order"
