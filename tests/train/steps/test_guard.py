"""NaN and Inf never reach the weights, the moments, the step counts or the buffers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

from mlnb.train.steps.guard import Guard, find_not_finite, withholds
from mlnb.train.steps.step import EagerStep, build_step

CPU = torch.device("cpu")
NAN, INF = float("nan"), float("inf")
OPTIMIZERS: dict[str, Callable[[Any], Optimizer]] = {
    "sgd": lambda p: SGD(p, 0.1),
    "sgd fused": lambda p: SGD(p, 0.1, fused=True),
    "momentum": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True),
    "momentum fused": lambda p: SGD(p, 0.1, momentum=0.9, fused=True),
    "adam": lambda p: Adam(p, 0.01),
    "adam fused": lambda p: Adam(p, 0.01, fused=True),
    "adamw": lambda p: AdamW(p, 0.01),
    "adamw fused": lambda p: AdamW(p, 0.01, fused=True, amsgrad=True),
    "rmsprop": lambda p: RMSprop(p, 0.01),
    "adagrad": lambda p: Adagrad(p, 0.01),
    "adagrad fused": lambda p: Adagrad(p, 0.01, fused=True),
}
FUSED = [name for name in OPTIMIZERS if name.endswith("fused")]


class Tied(nn.Module):
    """Batch norm, dropout-free, with one weight used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.second(F.relu(self.norm(self.first(x))))))


def make(optimizer: str, **words: Any) -> EagerStep:
    torch.manual_seed(0)
    model = Tied()
    return build_step(  # type: ignore[return-value]
        model, F.cross_entropy, OPTIMIZERS[optimizer](model.parameters()), device=CPU, **words
    )


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(8, 4, generator=generator), torch.randint(0, 3, (8,), generator=generator))
        for _ in range(count)
    ]


def poisoned(x: Tensor, value: float) -> Tensor:
    x = x.clone()
    x[3, 2] = value
    return x


def everything(step: EagerStep) -> dict[str, Any]:
    return copy.deepcopy(
        {"model": step.model.state_dict(), "optimizer": step.optimizer.state_dict()["state"]}
    )


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_on_a_cpu_the_bad_step_leaves_all_as_after_the_last_good_one(
    optimizer: str, value: float
) -> None:
    step = make(optimizer)
    good = batches(4)
    for x, y in good[:3]:
        step(x, y)
    before = everything(step)
    step(poisoned(good[3][0], value), good[3][1])
    assert step.guard is not None
    assert step.guard.bad()
    assert step.guard.lost() == 1
    assert_same(before, everything(step))


@pytest.mark.parametrize("late", [1, 2, 7])
@pytest.mark.parametrize("optimizer", FUSED)
def test_deferred_every_later_update_is_withheld_until_somebody_asks(
    optimizer: str, late: int
) -> None:
    step, there = make(optimizer), make(optimizer)
    assert step.guard is not None
    step.guard.decide(deferred=True)
    good = batches(4 + late)
    for x, y in good[:3]:
        step(x, y)
        there(x, y)
    step(poisoned(good[3][0], NAN), good[3][1])
    for x, y in good[4 : 3 + late]:
        step(x, y)
    assert step.guard.bad()
    assert step.guard.lost() == late
    assert step.guard.why() == "the loss"
    step.guard.restore()
    assert_same(everything(there), everything(step))
    assert not step.guard.bad()
    step(*good[-1])
    there(*good[-1])
    assert_same(everything(there), everything(step))


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("optimizer", FUSED)
def test_a_bad_first_step_leaves_no_moments(optimizer: str, deferred: bool) -> None:
    step, there = make(optimizer), make(optimizer)
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    x, y = batches(1)[0]
    step(poisoned(x, NAN), y)
    assert step.guard.bad()
    step.guard.restore()
    assert_same(everything(there), everything(step))
    step(x, y)
    there(x, y)
    assert_same(everything(there), everything(step))


def root_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs.square().sum().sqrt()


@pytest.mark.parametrize("deferred", [False, True])
def test_a_gradient_may_be_nan_where_the_loss_is_finite(deferred: bool) -> None:
    model = nn.Linear(2, 1, bias=False)
    step = build_step(model, root_loss, AdamW(model.parameters(), fused=True), device=CPU)
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    step(torch.ones(2, 2), torch.ones(2))
    before = model.weight.detach().clone()
    loss, _ = step(torch.zeros(2, 2), torch.ones(2))  # the slope of the root at 0 is infinite
    assert loss.item() == 0.0
    assert step.guard.bad()
    assert step.guard.why() == ("a gradient" if deferred else "the gradient of weight")
    assert torch.equal(before, model.weight)


@pytest.mark.parametrize("deferred", [False, True])
def test_a_loss_may_be_nan_where_every_gradient_is_zero(deferred: bool) -> None:
    fault = torch.zeros(())
    model = nn.Linear(2, 1)
    step = build_step(
        model,
        lambda outputs, _: outputs.sum() * 0.0 + fault,
        AdamW(model.parameters(), fused=True),
        device=CPU,
    )
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    step(torch.ones(1, 2), None)
    before = model.weight.detach().clone()
    fault.fill_(NAN)
    step(torch.ones(1, 2), None)
    assert step.guard.bad()
    assert step.guard.why() == "the loss"
    assert torch.equal(before, model.weight)


@pytest.mark.parametrize("deferred", [False, True])
def test_an_infinite_input_that_harms_nothing_goes_on(deferred: bool) -> None:
    model = nn.Sequential(nn.Hardtanh(), nn.Linear(2, 1))
    step = build_step(model, F.mse_loss, AdamW(model.parameters(), fused=True), device=CPU)
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    for _ in range(3):
        step(torch.full((4, 2), INF), torch.zeros(4, 1))
    assert not step.guard.bad()


def test_gradients_that_are_large_but_finite_go_on() -> None:
    model = nn.Linear(2, 3, bias=False)
    nn.init.zeros_(model.weight)
    step = build_step(model, lambda out, _: out.sum(), SGD(model.parameters(), 1e-38), device=CPU)
    step(torch.full((1, 2), 3e38), None)  # their sum overflows float32
    assert step.guard is not None
    assert not step.guard.bad()


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_with_accumulation_one_bad_batch_withholds_the_whole_step(deferred: bool, bad: int) -> None:
    step = make("adamw fused", accumulate=3)
    assert step.guard is not None
    good = batches(6)
    for x, y in good[:3]:
        step(x, y)
    step.guard.decide(deferred=deferred)
    before = everything(step)
    for index, (x, y) in enumerate(good[3:]):
        step(poisoned(x, NAN) if index == bad else x, y)
        assert step.stepped == (index == 2)
    assert step.guard.bad()
    step.guard.restore()
    assert_same(before, everything(step))


@pytest.mark.parametrize("deferred", [False, True])
def test_with_clip_norm_a_nan_is_still_found(deferred: bool) -> None:
    step = make("adamw fused", clip_norm=0.1)
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    good = batches(3)
    step(*good[0])
    before = everything(step)
    step(poisoned(good[1][0], INF), good[1][1])
    assert step.guard.bad()
    step.guard.restore()
    assert_same(before, everything(step))


@pytest.mark.parametrize("deferred", [False, True])
def test_in_fp16_an_overflow_by_scale_is_skipped_and_no_fault(deferred: bool) -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = AdamW(model.parameters(), fused=True)
    step = build_step(model, F.mse_loss, optimizer, device=CPU, precision="fp16")
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    step.scaler._init_scale = 2.0**40
    for _ in range(40):
        step(torch.randn(8, 4), torch.randn(8, 2))
    assert not step.guard.bad()
    assert step.scaler.get_scale() < 2.0**40
    assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("deferred", [False, True])
def test_in_fp16_a_gradient_that_no_scale_can_help_is_a_fault(deferred: bool) -> None:
    model = nn.Linear(2, 1, bias=False)
    optimizer = AdamW(model.parameters(), fused=True)
    step = build_step(model, root_loss, optimizer, device=CPU, precision="fp16")
    assert step.guard is not None
    step(torch.ones(1, 2), None)
    step.guard.decide(deferred=deferred)
    before = model.weight.detach().clone()
    for _ in range(40):
        step(torch.zeros(2, 2), None)
    assert step.guard.bad()
    assert torch.equal(before, model.weight)


def test_in_fp16_a_nan_loss_is_a_fault_at_once_and_the_scale_stays() -> None:
    step = make("adamw fused", precision="fp16")
    assert step.guard is not None
    step.guard.decide(deferred=True)
    good = batches(2)
    step(*good[0])
    scale = step.scaler.get_scale()
    before = everything(step)
    for _ in range(3):
        step(poisoned(good[1][0], NAN), good[1][1])
    assert step.guard.bad()
    step.guard.restore()
    assert step.scaler.get_scale() == scale
    assert_same(before, everything(step))


class Counting(nn.Module):
    """Buffers of one's own: one changed in place, one exchanged, one that stays."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("table", torch.arange(4.0))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.layer(x)


@pytest.mark.parametrize("deferred", [False, True])
def test_buffers_of_ones_own_go_back_too(deferred: bool) -> None:
    model = Counting()
    step = build_step(model, F.mse_loss, AdamW(model.parameters(), fused=True), device=CPU)
    assert step.guard is not None
    step.guard.decide(deferred=deferred)
    x, y = torch.ones(4, 2), torch.ones(4, 1)
    for _ in range(3):
        step(x, y)
    mean = model.mean.clone()
    for _ in range(3):
        step(x * NAN, y)
    step.guard.restore()
    assert model.calls == 3
    assert torch.equal(model.mean, mean)
    assert torch.equal(model.table, torch.arange(4.0))


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("optimizer", ["adamw fused", "rmsprop", "momentum"])
def test_a_step_of_the_users_own_is_guarded_by_hooks(optimizer: str, deferred: bool) -> None:
    torch.manual_seed(0)
    models = {"one": nn.Linear(2, 1), "two": nn.Linear(2, 1)}
    optimizers = {name: OPTIMIZERS[optimizer](m.parameters()) for name, m in models.items()}
    guard = Guard(models, optimizers, CPU)
    guard.decide(deferred=deferred and all(map(withholds, optimizers.values())))
    guard.attach()

    def own_step(x: Tensor) -> dict[str, Tensor]:
        losses = {}
        for name, model in models.items():
            losses[name] = model(x).square().mean()
            losses[name].backward()
            optimizers[name].step()
            optimizers[name].zero_grad()
        guard.look_at_losses(losses.values())
        guard.after_step()
        return losses

    own_step(torch.ones(4, 2))
    before = copy.deepcopy({name: model.state_dict() for name, model in models.items()})
    own_step(torch.full((4, 2), NAN))
    own_step(torch.ones(4, 2))
    assert guard.bad()
    assert_same(before, {name: model.state_dict() for name, model in models.items()})
    guard.restore()
    own_step(torch.ones(4, 2))
    assert not guard.bad()
    assert not torch.equal(before["one"]["weight"], models["one"].weight)
    guard.close()
    assert all("found_inf" not in vars(optimizer) for optimizer in optimizers.values())
    assert not any(optimizer._optimizer_step_pre_hooks for optimizer in optimizers.values())


def test_sparse_gradients_are_looked_at() -> None:
    model = nn.Embedding(5, 2, sparse=True)
    step = build_step(
        model, lambda out, scale: (out * scale).sum(), SGD(model.parameters(), 0.1), device=CPU
    )
    assert step.guard is not None
    step(torch.tensor([1, 2]), torch.ones(()))
    assert not step.guard.bad()
    before = model.weight.detach().clone()
    step(torch.tensor([1, 2]), torch.tensor(NAN))
    assert step.guard.bad()
    assert torch.equal(before, model.weight)


def test_what_is_found_is_never_forgotten() -> None:
    found, one = torch.zeros(()), torch.ones(())
    find_not_finite([torch.tensor([1.0, NAN]), torch.ones(2, dtype=torch.bfloat16)], found, one)
    find_not_finite([torch.ones(2)], found, one)
    assert found == 1


def test_only_fused_optimizers_withhold() -> None:
    weights = [nn.Parameter(torch.ones(2))]
    assert {name for name, make in OPTIMIZERS.items() if withholds(make(weights))} == set(FUSED)
