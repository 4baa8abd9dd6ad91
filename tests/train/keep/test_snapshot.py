"""A snapshot holds everything that training changes, and puts it back to the bit."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import CheckpointError
from mlnb.train.feed.batches import InMemory
from mlnb.train.history import History
from mlnb.train.keep.random_state import random_state, set_random_state
from mlnb.train.keep.snapshot import put_back, take
from mlnb.train.state import TrainState


class Best:
    """A callback with a state of its own."""

    def __init__(self):
        self.weights, self.seen = torch.zeros(2), [(1, None)]

    def state_dict(self):
        return {"weights": self.weights, "seen": self.seen}

    def load_state_dict(self, state):
        self.weights, self.seen = state["weights"], state["seen"]


def made(seed=0, make=lambda p: torch.optim.AdamW(p, amsgrad=True), **more):
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 3)
    )
    batches = InMemory(torch.randn(40, 1, 8, 8), torch.randint(0, 3, (40,)), 8)
    return TrainState(
        {"model": net}, {"optimizer": make(net.parameters())}, batches, History(), **more
    )


def steps(state, number):
    """A few steps as a loop does them; the losses."""
    losses = []
    optimizer, model = state.optimizers["optimizer"], state.models["model"]
    for inputs, targets in list(state.batches.epoch(state.epoch, state.batch))[:number]:
        noise = random.random() + np.random.rand()

        def closure(inputs=inputs, targets=targets, noise=noise):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), targets) * noise
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        optimizer.zero_grad()
        state.step += 1
        state.batch += 1
        state.sums["loss"] = state.sums.get("loss", torch.zeros(())) + loss.detach()
        state.history.extend([state.step], loss=[loss.item()])
        losses.append(loss.item())
    return losses


def weights(state):
    return {name: value.clone() for name, value in state.models["model"].state_dict().items()}


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


OPTIMIZERS = {
    "adamw": lambda p: torch.optim.AdamW(p, amsgrad=True),
    "fused": lambda p: torch.optim.AdamW(p, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, centered=True, momentum=0.1),
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rprop": torch.optim.Rprop,
    "asgd": torch.optim.ASGD,
    "adafactor": torch.optim.Adafactor,
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_bit_for_bit_with_every_optimizer(name):
    state = made(make=OPTIMIZERS[name])
    steps(state, 2)
    snapshot = take(state)
    losses, after = steps(state, 3), weights(state)
    other = made(seed=9, make=OPTIMIZERS[name])
    other.batches = state.batches
    for target in (state, other):
        assert put_back(target, snapshot) == []
        assert (target.step, target.epoch, target.batch) == (2, 0, 2)
        assert len(target.history) == 2
        assert steps(target, 3) == losses
        assert equal(weights(target), after)


def test_a_snapshot_does_not_change_while_training_goes_on():
    state = made(callbacks=[Best()])
    steps(state, 1)
    snapshot = take(state)
    before = {name: tensor.clone() for name, tensor in snapshot.tensors.items()}
    steps(state, 3)
    state.callbacks[0].weights += 1
    put_back(state, snapshot)
    state.callbacks[0].weights += 1
    steps(state, 3)
    assert equal(before, snapshot.tensors)


def test_the_generators_of_python_numpy_and_torch_are_part_of_it():
    kept = random_state()
    drawn = random.random(), random.gauss(0, 1), np.random.randn(3).tolist(), torch.rand(3).tolist()
    set_random_state(kept)
    again = random.random(), random.gauss(0, 1), np.random.randn(3).tolist(), torch.rand(3).tolist()
    assert again == drawn


def test_tensors_are_written_into_where_they_are():
    state = made()
    steps(state, 2)
    snapshot = take(state)
    parameter = next(state.parameters())
    moments = state.optimizers["optimizer"].state[parameter]
    places = [parameter.data_ptr(), *(value.data_ptr() for value in moments.values())]
    total = state.sums["loss"]
    steps(state, 1)
    state.sums["loss"] = total
    put_back(state, snapshot)
    moments = state.optimizers["optimizer"].state[parameter]
    assert places == [parameter.data_ptr(), *(value.data_ptr() for value in moments.values())]
    assert state.sums["loss"] is total


def test_moments_take_the_layout_of_their_parameter():
    state = made()
    steps(state, 1)
    snapshot = take(state)
    snapshot.tensors.update({k: v.contiguous() for k, v in snapshot.tensors.items()})
    other = made()
    other.models["model"].to(memory_format=torch.channels_last)
    put_back(other, snapshot)
    kernel = other.models["model"][0].weight
    moment = other.optimizers["optimizer"].state[kernel]["exp_avg"]
    assert moment.stride() == kernel.stride()
    assert torch.equal(
        moment, state.optimizers["optimizer"].state[state.models["model"][0].weight]["exp_avg"]
    )


def test_moments_keep_a_precision_that_their_parameter_lacks():
    state = made()
    steps(state, 1)
    snapshot = take(state)
    half = made()
    half.models["model"].bfloat16()
    for name, tensor in snapshot.tensors.items():
        if name.startswith("model/") and tensor.is_floating_point():
            snapshot.tensors[name] = tensor.bfloat16()
    put_back(half, snapshot)
    kept = half.optimizers["optimizer"].state[next(half.parameters())]["exp_avg"]
    assert kept.dtype == torch.float32


def test_gradients_that_are_being_accumulated_are_part_of_it():
    state = made()
    steps(state, 1)
    inputs, targets = next(state.batches.epoch(0))
    nn.functional.cross_entropy(state.models["model"](inputs), targets).backward()
    grads = [parameter.grad.clone() for parameter in state.parameters()]
    snapshot = take(state)
    state.optimizers["optimizer"].zero_grad()
    put_back(state, snapshot)
    assert all(map(torch.equal, grads, (parameter.grad for parameter in state.parameters())))
    clean = made()
    put_back(state, take(clean))
    assert all(parameter.grad is None for parameter in state.parameters())


def test_buffers_that_no_state_dict_names_and_tied_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.b.weight = self.a.weight
            self.register_buffer("seen", torch.zeros(()), persistent=False)
            self.count = 3

        def get_extra_state(self):
            return {"count": self.count, "pair": (1, 2)}

        def set_extra_state(self, state):
            self.count = state["count"]

    state = made()
    state.models = {"model": Tied()}
    state.optimizers = {}
    state.models["model"].seen += 5
    snapshot = take(state)
    assert snapshot.nbytes < 2 * 4 * 4 * 4 + 20_000
    with torch.no_grad():
        state.models["model"].a.weight.zero_()
    state.models["model"].seen.zero_()
    state.models["model"].count = 0
    put_back(state, snapshot)
    model = state.models["model"]
    assert (float(model.seen), model.count) == (5, 3)
    assert model.a.weight.abs().sum() > 0
    assert model.b.weight is model.a.weight


def test_two_models_and_two_optimizers_keep_theirs():
    def pair(seed):
        torch.manual_seed(seed)
        models = {"generator": nn.Linear(3, 2), "critic": nn.Linear(2, 1)}
        optimizers = {
            name: torch.optim.Adam(model.parameters(), lr=i + 1)
            for i, (name, model) in enumerate(models.items())
        }
        state = made()
        state.models, state.optimizers = models, optimizers
        return state

    one, other = pair(1), pair(2)
    other.optimizers["critic"].param_groups[0]["lr"] = 7
    put_back(other, take(one))
    assert torch.equal(other.models["critic"].weight, one.models["critic"].weight)
    assert other.optimizers["critic"].param_groups[0]["lr"] == 2


def test_callbacks_find_their_state_by_class_and_order():
    class Other(Best):
        pass

    state = made(callbacks=[Best(), Other(), Best()])
    for number, callback in enumerate(state.callbacks):
        callback.weights = torch.full((2,), float(number))
    snapshot = take(state)
    state.callbacks = [Other(), Best(), object()]
    notes = put_back(state, snapshot)
    assert [float(one.weights[0]) for one in state.callbacks[:2]] == [1, 0]
    assert state.callbacks[0].seen == [(1, None)]
    assert notes == ["1 callback of the checkpoint not given again: Best"]
    state.callbacks = []
    assert "3 callbacks" in put_back(state, snapshot)[0]
    state.callbacks = [Best()]
    assert put_back(state, take(made())) == ["callback Best is new and begins afresh"]


def test_another_model_is_refused_before_anything_changes():
    state = made()
    steps(state, 1)
    snapshot = take(state)
    other = made(seed=3)
    other.models["model"][4] = nn.Linear(144, 5)
    before = weights(other)
    with pytest.raises(CheckpointError) as caught:
        put_back(other, snapshot)
    assert "'4.weight' is float32 [5, 144], in the checkpoint float32 [3, 144]" in str(caught.value)
    assert equal(before, weights(other))
    other = made()
    other.optimizers["optimizer"].add_param_group({"params": [nn.Parameter(torch.ones(1))]})
    with pytest.raises(CheckpointError, match="groups of"):
        put_back(other, snapshot)


def test_data_that_cannot_continue_begins_its_epoch_again_and_says_so():
    state = made()
    steps(state, 3)
    snapshot = take(state)
    state.batches.exact = False
    notes = put_back(state, snapshot)
    assert (state.batch, state.sums) == (0, {})
    assert "epoch 1 begins again" in notes[0]


def test_a_rate_held_as_a_tensor_stays_that_tensor():
    state = made(
        make=lambda p: torch.optim.Adam(p, lr=torch.tensor(0.1), capturable=False, foreach=False)
    )
    snapshot = take(state)
    rate = state.optimizers["optimizer"].param_groups[0]["lr"]
    rate.fill_(5)
    put_back(state, snapshot)
    assert state.optimizers["optimizer"].param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(0.1)
