"""Whatever fit takes becomes batches, or an error that says what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

torch = pytest.importorskip("torch")

from fed import gives, refused  # noqa: E402
from torch.utils.data import TensorDataset  # noqa: E402

from mlnb.data.sample import LabelledImages  # noqa: E402
from mlnb.data.samples import load_sample  # noqa: E402
from mlnb.errors import UnknownName  # noqa: E402
from mlnb.train.feed import reading as reading_module  # noqa: E402
from mlnb.train.feed.data import prepare  # noqa: E402
from mlnb.train.feed.more_data import prepare_inputs, prepare_more  # noqa: E402

X = np.arange(18, dtype=np.float32).reshape(6, 3) / 18
Y = [0, 1, 0, 1, 0, 1]


def all_of(batches):
    pairs = list(batches.epoch(0))
    return torch.cat([x for x, _ in pairs]), torch.cat([y for _, y in pairs])


# What is taken


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (X, np.array(Y)),
        (torch.from_numpy(X), torch.tensor(Y)),
        (X.tolist(), Y),
        (list(X), Y),
        ([torch.from_numpy(row) for row in X], Y),
        {"x": X, "y": Y},
        list(zip(X, Y, strict=True)),
        TensorDataset(torch.from_numpy(X), torch.tensor(Y)),
        (pd.DataFrame(X, columns=list("abc")), pd.Series(Y)),
        pd.DataFrame(X, columns=list("abc")).assign(y=Y),
        LabelledImages(X, np.array(Y)),
        (X.astype(">f4"), Y),
        (X[::-1][::-1], Y),
        (np.asfortranarray(X), Y),
    ],
    ids=lambda data: type(data).__name__,
)
def test_the_same_rows_in_every_form_are_the_same_batches(data):
    target = "y" if isinstance(data, pd.DataFrame) else None
    prepared = prepare(data, target=target, probe=gives(2), shuffle=False, batch_size=4)
    inputs, targets = all_of(prepared.train)
    assert inputs.dtype == torch.float32
    assert inputs.numpy() == pytest.approx(X)
    assert targets.tolist() == Y
    assert prepared.task == "classification"
    assert (prepared.train.samples, prepared.train.steps) == (6, 2)


def test_two_rows_are_shown_as_the_loss_will_see_them():
    prepared = prepare((X, ["b", "a"] * 3), probe=gives(2))
    inputs, targets = prepared.sample
    assert inputs.tolist() == X[:2].tolist()
    assert targets.tolist() == [1, 0]
    assert prepared.outputs.shape == (2, 2)
    assert prepared.labels.decode(targets).tolist() == ["b", "a"]


def test_a_float32_array_is_not_copied():
    prepared = prepare((X, Y), shuffle=False, batch_size=6)
    inputs, _ = next(iter(prepared.train.epoch(0)))
    assert inputs.data_ptr() == X.__array_interface__["data"][0]


def test_an_array_that_may_not_be_written_is_taken_without_a_warning(recwarn):
    fixed = X.copy()
    fixed.flags.writeable = False
    prepare((fixed, Y))
    assert not recwarn.list


def test_several_inputs_are_a_dict_or_a_tuple_of_their_own():
    named = prepare(({"a": X, "b": X[:, :1]}, Y), probe=gives(2))
    assert named.sample[0]["b"].shape == (2, 1)
    pair = prepare(((X, X[:, :1]), Y), probe=gives(2))
    assert pair.sample[0][1].shape == (2, 1)
    keyed = prepare({"a": X, "b": X, "label": Y}, target="label", probe=gives(2))
    assert set(keyed.sample[0]) == {"a", "b"}
    with pytest.raises(UnknownName, match="no key 'lable'; did you mean 'label'"):
        prepare({"a": X, "label": Y}, target="lable")


def test_inputs_alone_have_no_targets():
    prepared = prepare(X, batch_size=4)
    assert (prepared.task, prepared.sample[1]) == ("unknown", None)
    assert all(targets is None for _, targets in prepared.train.epoch(0))


def test_an_autoencoders_targets_are_its_inputs_as_scaled():
    pictures = np.arange(48, dtype=np.uint8).reshape(3, 4, 4) * 5
    prepared = prepare((pictures, pictures), probe=gives(4, 4))
    assert prepared.task == "regression"
    assert torch.equal(*prepared.sample)
    assert prepared.sample[0].max() <= 1


def test_the_digits_are_pictures_between_0_and_1():
    prepared = prepare(load_sample("digits"), probe=gives(10), validation=0.2)
    assert prepared.sample[0].shape == (2, 8, 8)
    assert all_of(prepared.train)[0].max() == 1
    assert prepared.notes == [
        "inputs: uint8 became float32 between 0 and 1, divided by 16",
        "validation: 359 rows held back of 1,797, the same share of every class",
    ]


def test_the_label_column_of_a_sample_is_its_target():
    prepared = prepare(load_sample("wine"), probe=gives(3), validation=0.2)
    assert prepared.task == "classification"
    assert len(prepared.reading.columns) == 13
    again, _ = prepare_more(load_sample("wine"), prepared.reading)
    assert again.samples == 178


# Dtypes


def test_uint8_is_divided_by_255_and_what_is_read_later_too():
    pictures = np.array([[[0, 51]], [[102, 255]]], np.uint8)
    prepared = prepare((pictures, [0, 1]), probe=gives(2))
    assert prepared.notes == ["inputs: uint8 became float32 between 0 and 1, divided by 255"]
    assert prepared.sample[0].tolist() == [[[0, pytest.approx(0.2)]], [[pytest.approx(0.4), 1]]]
    dark = prepare_inputs(np.array([[[0, 10]]], np.uint8), prepared.reading)
    assert next(iter(dark.epoch(0)))[0].max().item() == pytest.approx(10 / 255)


def test_many_pictures_become_floats_by_the_batch(monkeypatch):
    monkeypatch.setattr(reading_module, "AS_FLOATS_AT_ONCE", 10)
    pictures = np.full((4, 2, 2), 51, np.uint8)
    prepared = prepare((pictures, [0, 1, 0, 1]), probe=gives(2), validation=0.5, batch_size=1)
    assert prepared.train.inputs.dtype == torch.uint8
    for inputs, _ in [*prepared.train.epoch(0), *prepared.validation.epoch(0)]:
        assert inputs.dtype == torch.float32
        assert inputs.max().item() == pytest.approx(0.2)
    assert prepared.sample[0].dtype == torch.float32
    assert prepared.notes[1].startswith("inputs: as floats they would take 64 B")


def test_a_gap_beside_many_pictures_is_told_before_the_first_step(monkeypatch):
    monkeypatch.setattr(reading_module, "AS_FLOATS_AT_ONCE", 10)
    beside = np.array([[0.0], [1.0], [np.nan], [3.0]], np.float32)
    data = ((np.zeros((4, 2, 2), np.uint8), beside), [0, 1, 0, 1])
    assert refused(data).startswith("inputs[1] hold NaN in row 2, feature 0")


def test_other_floats_become_float32_and_it_is_said_once():
    prepared = prepare((X.astype(np.float64), Y), validation=0.5)
    assert prepared.notes[0] == "inputs: float64 became float32"
    assert sum("float64" in note for note in prepared.notes) == 1
    assert prepare((X.astype(np.float16), Y)).notes == ["inputs: float16 became float32"]
    double = prepare((X, np.random.rand(6)), probe=gives(1), floats=torch.float64)
    assert [part.dtype for part in double.sample] == [torch.float64, torch.float64]


def test_a_number_too_large_for_float32_is_refused():
    assert "hold Inf in row 0, feature 1" in refused((np.array([[1, 1e300]] * 2), [0, 1]))


def test_integers_stay_integers_for_a_model_that_takes_them():
    tokens = np.arange(12, dtype=np.int16).reshape(4, 3)
    prepared = prepare((tokens, [0, 1, 0, 1]), probe=gives(2))
    assert prepared.sample[0].dtype == torch.int64
    assert prepared.notes == []


def test_integers_become_floats_for_a_model_that_takes_none():
    linear = torch.nn.Linear(3, 2)
    prepared = prepare((np.arange(12).reshape(4, 3), [0, 1, 0, 1]), probe=linear)
    assert prepared.sample[0].dtype == torch.float32
    assert prepared.notes == ["inputs: integers became float32, which the model computes with"]
    more = prepare_inputs(np.arange(3).reshape(1, 3), prepared.reading)
    assert next(iter(more.epoch(0)))[0].dtype == torch.float32


def test_the_first_error_of_a_model_is_the_one_that_is_raised():
    def probe(inputs):
        raise ValueError(f"no {inputs.dtype}")

    with pytest.raises(ValueError, match=r"no torch\.int64"):
        prepare((np.arange(12).reshape(4, 3), [0, 1, 0, 1]), probe=probe)


def test_bools_become_floats():
    assert prepare((X > 0.5, Y)).sample[0].dtype == torch.float32


# What is refused


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "data is None; expected arrays, (x, y), a frame, a Dataset or a DataLoader"),
        ("digits", "data is a str; expected arrays"),
        ((X, X, Y), "data is a tuple of 3; a tuple is (inputs, targets), and several inputs"),
        ((X, [0, 1]), "there are 6 inputs and 2 targets: every row needs one target"),
        ((np.zeros((0, 3)), []), "data has no rows; at least one is needed"),
        ((3.0, [1]), "inputs are one number; expected rows, [n, …]"),
        ((np.array([["a"]] * 6), Y), "inputs are text, expected numbers"),
        (([[1, "a"], [2, 3]], [0, 1]), "inputs are text, expected numbers"),
        ((np.array([[1, None]], object), [0]), "inputs hold a gap in row 0, expected numbers"),
        ((np.ma.masked_array(X, X > 0.5), Y), "inputs are a masked array; fill its gaps first"),
        ((torch.eye(6).to_sparse(), Y), "inputs are sparse; pass inputs.to_dense()"),
        (({"a": X, "b": X[:3]}, Y), "inputs['a'] has 6 rows and inputs['b'] 3: every input"),
        ((sparse.csr_matrix(X), Y), "inputs are a sparse csr_matrix; pass inputs.toarray()"),
        (sparse.csr_matrix(X), "inputs are a sparse csr_matrix; pass inputs.toarray()"),
        (torch.nn.Linear(1, 1), "data is a Linear; expected arrays"),
        ({}, "data is an empty dict; it takes a name and an array for each input"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "data",
)
def test_what_cannot_be_trained_on_is_told(data, message):
    assert refused(data).startswith(message)


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2], [3, 4], [1, 2, 3]],
        [torch.zeros(2), torch.zeros(2), torch.zeros(3)],
        [np.zeros(2), np.zeros(2), np.zeros(3)],
        np.array([[1, 2], [3, 4], [1, 2, 3]], object),
    ],
    ids=["lists", "tensors", "arrays", "objects"],
)
def test_sequences_of_unequal_length_are_told_by_row(rows):
    assert refused((rows, [0, 1, 0])) == (
        "inputs have rows of unequal length: row 2 has 3 values and row 0 has 2; bring them to "
        "one, such as by torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), or cut them"
    )


def test_a_generator_is_refused_before_it_is_consumed():
    rows = iter([1, 2])
    for once in ((row for row in rows), map(int, rows), rows):
        message = refused(once)
        assert "which can be gone through once only" in message
        assert message.endswith(
            "pass the function that makes it, without calling it, or list(data)"
        )
    assert next(rows) == 1


def test_a_gap_in_memory_is_told_before_the_first_step():
    inputs = X.copy()
    inputs[4, 2] = np.nan
    assert refused((inputs, Y)).startswith("inputs hold NaN in row 4, feature 2:")


def test_target_without_columns_is_refused():
    assert refused((X, Y), target="y").startswith("target='y' names a column of a frame or a key")
