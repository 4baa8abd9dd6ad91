"""Datasets, DataLoaders and generators: drawn from as they are, and named where they break."""

from __future__ import annotations

import os
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader, Dataset, IterableDataset  # noqa: E402

from mlnb.errors import DataError, TrainError  # noqa: E402
from mlnb.train.feed.data import prepare  # noqa: E402
from mlnb.train.feed.datasets import FromDataset  # noqa: E402
from mlnb.train.feed.loaders import FromLoader  # noqa: E402
from mlnb.train.feed.more_data import prepare_inputs, prepare_more  # noqa: E402


class Rows(Dataset):
    """Item k is three times k, and whether k is odd."""

    def __init__(self, count=10, *, broken=None, error=None, item=None):
        self.count, self.broken, self.error, self.item = count, broken, error, item
        self.fetched: list[int] = []

    def __len__(self):
        return self.count

    def __getitem__(self, k):
        if k == self.broken:
            raise self.error or ValueError("no such picture")
        self.fetched.append(k)
        if self.item is not None:
            return self.item(k)
        return torch.full((3,), float(k)), k % 2


class Stream(IterableDataset):
    def __iter__(self):
        return ((torch.full((3,), float(k)), k % 2) for k in range(10))


class Stateful:
    """Batches in an order of its own, and where in them it stands: what torchdata's loader has."""

    def __init__(self, seed=0):
        self.generator = np.random.default_rng(seed)
        self.order, self.at = None, 0

    def __len__(self):
        return 5

    def __iter__(self):
        if self.order is None:
            self.order, self.at = self.generator.permutation(20), 0
        while self.at < 20:
            rows = torch.from_numpy(self.order[self.at : self.at + 4])
            self.at += 4
            yield rows[:, None].float(), rows % 2
        self.order = None

    def state_dict(self):
        order = None if self.order is None else self.order.tolist()
        return {"order": order, "at": self.at, "rng": self.generator.bit_generator.state}

    def load_state_dict(self, state):
        self.order = None if state["order"] is None else np.array(state["order"])
        self.at = state["at"]
        self.generator.bit_generator.state = state["rng"]


def gives(*shape):
    return lambda inputs: torch.zeros(len(inputs), *shape)


def targets_of(batches, epoch=0, start=0):
    return [targets.tolist() for _, targets in batches.epoch(epoch, start)]


def rows_of(batches, epoch=0, start=0):
    return [inputs[:, 0].int().tolist() for inputs, _ in batches.epoch(epoch, start)]


def flat(batches):
    return list(chain.from_iterable(batches))


def refused(data, **options) -> str:
    with pytest.raises(DataError) as caught:
        list(prepare(data, probe=gives(2), **options).train.epoch(0))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Datasets


def test_a_dataset_is_drawn_from_in_an_order_of_our_own():
    prepared = prepare(Rows(), batch_size=4, probe=gives(2))
    assert isinstance(prepared.train, FromDataset)
    assert (prepared.train.samples, prepared.train.steps, prepared.train.exact) == (10, 3, True)
    assert (prepared.task, prepared.sample[1].tolist()) == ("classification", [0, 1])
    rows = rows_of(prepared.train)
    assert sorted(flat(rows)) == list(range(10))
    assert rows != rows_of(prepared.train, epoch=1)
    assert rows_of(prepare(Rows(), batch_size=10, shuffle=False).train) == [list(range(10))]


@given(count=st.integers(1, 20), batch_size=st.integers(1, 20), data=st.data())
def test_a_start_fetches_only_what_comes_after(count, batch_size, data):
    rows = Rows(count)
    batches = FromDataset(rows, batch_size, shuffle=True, seed=2)
    start = data.draw(st.integers(0, batches.steps))
    every = rows_of(batches, 3)
    rows.fetched.clear()
    assert rows_of(batches, 3, start) == every[start:]
    assert len(rows.fetched) == sum(len(batch) for batch in every[start:])


def test_a_dataset_that_raises_is_told_by_its_item():
    message = "item 7 of the Rows raised ValueError: no such picture"
    assert refused(Rows(broken=7), batch_size=4) == message
    with pytest.raises(DataError) as caught:
        prepare(Rows(broken=0))
    assert str(caught.value) == "item 0 of the Rows raised ValueError: no such picture"
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_interrupt_is_no_broken_item():
    with pytest.raises(KeyboardInterrupt):
        prepare(Rows(broken=0, error=KeyboardInterrupt()))


def test_items_of_unequal_shape_are_told_by_their_numbers():
    rows = Rows(item=lambda k: (torch.zeros(3 if k != 2 else 4), 0))
    message = refused(rows, batch_size=4, shuffle=False)
    assert message.startswith("item 2 of the Rows has the shapes [4] and item 0 [3]: a batch needs")


def test_items_may_be_dicts_and_the_target_a_key():
    rows = Rows(item=lambda k: {"a": torch.zeros(2), "b": torch.ones(1), "label": k % 2})
    prepared = prepare(rows, target="label", batch_size=4)
    assert set(prepared.sample[0]) == {"a", "b"}
    assert prepared.sample[1].tolist() == [0, 1]
    more, _ = prepare_more(rows, prepared.reading)
    assert targets_of(more)[0] == [0, 1] * 5
    assert refused(rows, target="lable").startswith("batch 0 has no 'lable'; it has: a, b, label")
    pair = prepare(Rows(item=lambda k: {"x": torch.zeros(2), "y": k % 2}))
    assert pair.sample[0].shape == (2, 2)


def test_a_sequence_with_a_length_is_a_dataset_too():
    class Sequence:
        def __len__(self):
            return 4

        def __getitem__(self, k):
            return np.full(2, k, np.float32), k % 2

    assert prepare(Sequence(), batch_size=4).train.samples == 4


def test_a_share_of_a_dataset_is_held_back():
    prepared = prepare(Rows(), validation=0.2, batch_size=4)
    held = flat(rows_of(prepared.validation))
    assert len(held) == 2
    assert sorted([*held, *flat(rows_of(prepared.train))]) == list(range(10))
    assert prepared.notes == ["validation: 2 rows held back of 10"]


def test_an_empty_dataset_is_refused():
    assert refused(Rows(0)) == "the Rows has no items; training needs at least one"


def test_a_dataset_keeps_its_order_in_a_checkpoint():
    old, new = FromDataset(Rows(), 4, shuffle=True, seed=9), FromDataset(Rows(), 4, shuffle=True)
    new.load_state_dict(old.state_dict())
    assert rows_of(new, 1) == rows_of(old, 1)
    with pytest.raises(DataError, match="the run has samples 10, the data given now 11"):
        FromDataset(Rows(11), 4).load_state_dict(old.state_dict())


# Loaders


def test_a_loader_is_kept_as_it_is():
    loader = DataLoader(Rows(), batch_size=4, drop_last=True)
    prepared = prepare(loader, batch_size=64, probe=gives(2))
    assert isinstance(prepared.train, FromLoader)
    assert (prepared.train.samples, prepared.train.steps, prepared.train.exact) == (8, 2, False)
    assert rows_of(prepared.train) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_looking_at_the_first_batch_draws_no_random_number():
    def rows():
        torch.manual_seed(5)
        return DataLoader(Rows(), batch_size=4, shuffle=True)

    prepared = prepare(rows(), probe=gives(2))
    ours = rows_of(prepared.train)
    theirs = [inputs[:, 0].int().tolist() for inputs, _ in rows()]
    assert ours == theirs


def test_workers_give_the_same_batches():
    loader = DataLoader(Rows(), batch_size=4, num_workers=1)
    assert rows_of(prepare(loader).train) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize(
    ("collate", "shape"),
    [
        (lambda items: {"x": torch.zeros(len(items), 2), "y": torch.zeros(len(items))}, [2, 2]),
        (lambda items: [torch.zeros(len(items), 2), torch.zeros(len(items))], [2, 2]),
        (lambda items: (np.zeros((len(items), 2)), np.zeros(len(items))), [2, 2]),
        (lambda items: ({"a": torch.zeros(len(items), 5)}, torch.zeros(len(items))), [2, 5]),
        (lambda items: torch.zeros(len(items), 3), [2, 3]),
        (lambda items: [torch.zeros(len(items), 4)], [2, 4]),
    ],
    ids=["dict", "list", "arrays", "dict and target", "inputs", "list of one"],
)
def test_batches_of_every_form_are_understood(collate, shape):
    inputs, _ = prepare(DataLoader(Rows(), batch_size=4, collate_fn=collate)).sample
    leaf = inputs["a"] if isinstance(inputs, dict) else inputs
    assert list(leaf.shape) == shape
    assert leaf.dtype == torch.float32


def test_three_parts_are_two_inputs_and_a_target():
    loader = DataLoader(Rows(item=lambda k: (torch.zeros(1), torch.zeros(2), k)), batch_size=4)
    inputs, targets = prepare(loader).sample
    assert [list(part.shape) for part in inputs] == [[2, 1], [2, 2]]
    assert targets.tolist() == [0, 1]


def test_what_holds_no_tensor_or_several_targets_is_told():
    assert refused(lambda: iter(["a"])).startswith("batch 0 is a str without a tensor")
    assert refused(lambda: iter([(torch.zeros(2, 1), [torch.zeros(2)] * 2)])).startswith(
        "batch 0 has 2 targets"
    )
    assert refused(lambda: iter([(torch.zeros(3, 1), torch.zeros(2))])) == (
        "batch 0 has 3 inputs and 2 targets: every row needs one target"
    )


def test_uint8_of_a_loader_is_divided_by_255():
    rows = Rows(item=lambda k: (torch.full((1, 2, 2), 51, dtype=torch.uint8), k % 2))
    prepared = prepare(DataLoader(rows, batch_size=4), validation=DataLoader(rows, batch_size=4))
    assert prepared.notes == ["inputs: uint8 became float32 between 0 and 1, divided by 255"]
    for batches in (prepared.train, prepared.validation):
        inputs, _ = next(iter(batches.epoch(0)))
        assert inputs.max().item() == pytest.approx(0.2)
    dark = np.full((2, 1, 2, 2), 10, np.uint8)
    more, _ = prepare_more((dark, [0, 1]), prepared.reading)
    assert next(iter(more.epoch(0)))[0].max().item() == pytest.approx(10 / 255)


def test_a_label_without_an_output_is_told_by_its_batch():
    rows = Rows(item=lambda k: (torch.zeros(3), 2 if k == 9 else k % 2))
    assert refused(DataLoader(rows, batch_size=4)) == (
        "the targets of batch 2 hold the label 2 (row 1), and the model has 2 outputs, for the "
        "labels 0 to 1: give its last layer 3 outputs, or mend the labels"
    )


def test_targets_get_the_shape_of_the_outputs():
    rows = Rows(item=lambda k: (torch.zeros(3), k / 7))
    prepared = prepare(DataLoader(rows, batch_size=4), probe=gives(1))
    assert prepared.task == "regression"
    assert [tuple(targets.shape) for _, targets in prepared.train.epoch(0)] == [
        (4, 1),
        (4, 1),
        (2, 1),
    ]
    assert {targets.dtype for _, targets in prepared.train.epoch(0)} == {torch.float32}


def test_labels_of_the_training_are_found_in_a_loader():
    prepared = prepare((np.zeros((4, 3)), ["a", "b"] * 2), probe=gives(2))
    rows = Rows(item=lambda k: (torch.zeros(3), "ab"[k % 2]))
    more, _ = prepare_more(DataLoader(rows, batch_size=4), prepared.reading)
    assert targets_of(more)[0] == [0, 1, 0, 1]


def test_inputs_of_a_loader_are_predicted_from():
    batches = prepare_inputs(DataLoader(Rows(), batch_size=4))
    assert sum(len(inputs) for inputs, _ in batches.epoch(0)) == 10


def test_a_loader_that_raises_is_told_by_its_batch():
    loader = DataLoader(Rows(broken=6), batch_size=4)
    assert refused(loader) == "batch 1 of the DataLoader raised ValueError: no such picture"


def test_the_error_of_a_worker_is_told_without_its_traceback():
    loader = DataLoader(Rows(broken=6), batch_size=4, num_workers=1)
    assert refused(loader) == "batch 1 of the DataLoader raised ValueError: no such picture"


def test_a_worker_that_dies_is_told():
    def die(k):
        if k == 6:
            os._exit(9)
        return torch.zeros(3), 0

    prepared = prepare(DataLoader(Rows(item=die), batch_size=4, num_workers=1, prefetch_factor=1))
    with pytest.raises(TrainError, match="a worker of the DataLoader died at batch "):
        list(prepared.train.epoch(0))


def test_a_share_and_balanced_weights_of_a_loader_are_refused():
    assert refused(DataLoader(Rows()), validation=0.2) == (
        "validation=0.2 is a share, and a DataLoader cannot be shared out: pass data of its own, "
        "validation=another_loader"
    )
    assert refused(DataLoader(Rows()), class_weight="balanced").startswith(
        "class_weight='balanced' needs all targets, and a DataLoader shows one batch at a time"
    )
    weighted = prepare(DataLoader(Rows()), probe=gives(2), class_weight=[1, 3])
    assert weighted.class_weight.tolist() == [1.0, 3.0]


# Streams and functions


def test_an_iterable_dataset_is_batched():
    prepared = prepare(Stream(), batch_size=4)
    assert (prepared.train.samples, prepared.train.steps) == (None, None)
    assert rows_of(prepared.train) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert rows_of(prepared.train, 1) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_function_makes_a_fresh_generator_every_epoch():
    made = []

    def batches():
        made.append(True)
        for k in range(3):
            yield torch.full((2, 1), float(k)), torch.tensor([0, 1])

    prepared = prepare(batches, probe=gives(2))
    assert rows_of(prepared.train) == rows_of(prepared.train, 1) == [[0, 0], [1, 1], [2, 2]]
    assert len(made) == 3


def test_what_gives_nothing_in_a_later_epoch_is_told():
    once = iter([(torch.zeros(2, 1), torch.zeros(2))] * 2)
    batches = FromLoader(lambda: once)
    assert len(list(batches.epoch(0))) == 2
    with pytest.raises(DataError) as caught:
        list(batches.epoch(1))
    assert str(caught.value).startswith("the function <lambda> gave no batch in epoch 2; it needs")
    assert refused(lambda: iter([])).endswith("gave no batch; training needs at least one")


# Going on


def test_an_epoch_that_was_left_goes_on_where_it_was():
    torch.manual_seed(0)
    batches = FromLoader(DataLoader(Rows(), batch_size=2, shuffle=True))
    begun = batches.epoch(0)
    seen = [next(begun)[0][:, 0].int().tolist() for _ in range(2)]
    begun.close()
    seen += rows_of(batches, 0, 2)
    assert sorted(flat(seen)) == list(range(10))


def test_another_epoch_is_not_the_one_that_was_left():
    batches = FromLoader(DataLoader(Rows(), batch_size=2))
    begun = batches.epoch(0)
    next(begun)
    assert rows_of(batches, 1) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert rows_of(batches, 0, 3) == [[6, 7], [8, 9]]


@pytest.mark.parametrize("left", [0, 1, 4, 5, 7])
def test_a_loader_with_a_state_goes_on_in_the_middle_of_an_epoch(left):
    def begun():
        batches = FromLoader(Stateful())
        rows = []
        for count in range(left):
            if count % 5 == 0:
                stream = batches.epoch(count // 5)
            rows.append(next(stream)[0][:, 0].int().tolist())
            if count % 5 == 4:
                assert next(stream, None) is None
        return batches, rows

    batches, before = begun()
    assert batches.exact
    state = batches.state_dict()
    fresh = FromLoader(Stateful(seed=99))
    fresh.load_state_dict(state)
    epoch, start = divmod(left, 5)
    after = rows_of(fresh, epoch, start)
    every = FromLoader(Stateful())
    whole = [rows_of(every, number) for number in range(epoch + 1)]
    assert before + after == flat(whole)


def test_a_plain_loader_has_no_state():
    batches = FromLoader(DataLoader(Rows()))
    assert batches.state_dict() == {}
    batches.load_state_dict({})
    assert len(list(batches.epoch(0))) == 10


def test_torchdatas_loader_goes_on_in_the_middle_of_an_epoch():
    module = pytest.importorskip("torchdata.stateful_dataloader")

    def made():
        generator = torch.Generator().manual_seed(1)
        return module.StatefulDataLoader(Rows(), batch_size=2, shuffle=True, generator=generator)

    whole = rows_of(FromLoader(made()))
    batches = FromLoader(made())
    begun = batches.epoch(0)
    before = [next(begun)[0][:, 0].int().tolist() for _ in range(2)]
    fresh = FromLoader(made())
    fresh.load_state_dict(batches.state_dict())
    assert before + rows_of(fresh, 0, 2) == whole
