"""Out of memory: the model as it was, and the largest batch that fits."""

import pytest
import torch
from torch import nn

from mlnb.errors import CallbackError, TrainError
from mlnb.train.memory import is_out_of_memory
from mlnb.train.trainer import Trainer

WORDS = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"


class Hungry(nn.Module):
    """Fits into memory with at most `most` rows while it trains."""

    def __init__(self, most, after=0):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        self.most, self.after, self.calls = most, after, 0

    def forward(self, x):
        outputs = self.layer(x)
        self.calls += self.training
        if self.calls > self.after and self.training and len(x) > self.most:
            raise RuntimeError(WORDS)
        return outputs


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (RuntimeError(WORDS), True),
        (RuntimeError("not enough memory: you tried to allocate 8 bytes"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_the_words_of_an_allocator_are_known(error, answer):
    assert is_out_of_memory(error) is answer


def test_the_largest_batch_that_fits_is_told(rows):
    with pytest.raises(TrainError, match=r"batches of 64 rows; batch_size=16 fits; accumulate=4"):
        Trainer(Hungry(most=30)).fit(rows, folder=False)


def test_where_numpy_runs_out_it_is_the_same_error(rows):
    class Numpys(Hungry):
        def forward(self, x):
            if self.training and len(x) > self.most:
                raise MemoryError("Unable to allocate 9 GiB for an array")
            return self.layer(x)

    with pytest.raises(TrainError, match=r"batches of 64 rows; batch_size=16 fits") as caught:
        Trainer(Numpys(most=30)).fit(rows, folder=False)
    assert isinstance(caught.value.__cause__, MemoryError)


def test_where_no_row_fits_that_is_said(rows):
    with pytest.raises(TrainError, match="not even 2 rows fit"):
        Trainer(Hungry(most=0)).fit(rows, folder=False)


def test_the_model_is_as_it_was_after_the_last_step(rows):
    model, kept = Hungry(most=30, after=2), {}

    class Keeps:
        def on_step_end(self, run):
            kept.update({n: v.clone() for n, v in model.state_dict().items()})

    trainer = Trainer(model, callbacks=[Keeps()])
    with pytest.raises(TrainError, match="after step 2") as caught:
        trainer.fit(rows, folder=False)
    assert isinstance(caught.value.__cause__, RuntimeError)
    state = model.state_dict()
    weights = [name for name in state if "num_batches" not in name and "running" not in name]
    assert all(torch.equal(state[name], kept[name]) for name in weights)
    assert all(parameter.grad is None for parameter in model.parameters())
    model.most = 64
    assert trainer.fit(rows, epochs=1, folder=False).stop_reason == "finished"


def test_the_statistics_of_batch_norm_are_those_of_the_last_step(rows):
    model, kept = Hungry(most=30, after=2), {}

    class Keeps:
        def on_step_end(self, run):
            kept.update({n: v.clone() for n, v in model.named_buffers()})

    with pytest.raises(TrainError):
        Trainer(model, callbacks=[Keeps()]).fit(rows, folder=False)
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, kept[name]), name


def test_the_activations_of_the_failed_step_are_let_go_of(rows):
    import gc
    import weakref

    held = []

    class Watched(Hungry):
        def forward(self, x):
            outputs = self.layer(x)
            if self.training:
                held.append(weakref.ref(outputs))
                raise RuntimeError(WORDS)
            return outputs

    with pytest.raises(TrainError) as caught:
        Trainer(Watched(most=0)).fit(rows, folder=False)
    gc.collect()
    assert held
    assert all(reference() is None for reference in held)
    assert caught.value.__cause__ is not None


def test_a_model_that_two_rows_are_too_much_for_says_so(rows):
    class Huge(nn.Linear):
        def forward(self, x):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(TrainError, match="out of memory with a batch of two rows: use a smaller"):
        Trainer(Huge(8, 2)).fit(rows, folder=False)


@pytest.mark.parametrize("error", [RuntimeError(WORDS), MemoryError("no more")])
def test_what_a_callback_lacks_is_its_own_error(rows, error):
    class Hoards:
        def on_epoch_end(self, run):
            raise error

    with pytest.raises(CallbackError, match="Hoards failed in on_epoch_end"):
        Trainer(Hungry(most=64), callbacks=[Hoards()]).fit(rows, folder=False)


def test_other_errors_of_a_model_go_through(rows):
    class Wrong(nn.Linear):
        def forward(self, x):
            if self.training:
                raise RuntimeError("a bug of its own")
            return super().forward(x)

    with pytest.raises(RuntimeError, match="a bug of its own") as caught:
        Trainer(Wrong(8, 2)).fit(rows, folder=False)
    assert not isinstance(caught.value, TrainError)


def test_the_words_are_those_that_the_allocator_really_says():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**45)
    assert is_out_of_memory(caught.value)
