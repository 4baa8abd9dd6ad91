"""One step: what it learns is what a loop written by hand learns."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

from mlnb.train.steps.step import build_step, call, mapped, widened

CPU = torch.device("cpu")


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def data(count: int = 6, rows: int = 12) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(5)
    return [
        (
            torch.randn(rows, 6, generator=generator),
            torch.randint(0, 3, (rows,), generator=generator),
        )
        for _ in range(count)
    ]


def by_hand(
    model: nn.Module, optimizer: Optimizer, batches: Any, clip: float | None = None
) -> None:
    for x, y in batches:
        F.cross_entropy(model(x), y).backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()


def assert_equal(one: nn.Module, other: nn.Module) -> None:
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (AdamW, {"fused": True}),
        (AdamW, {"fused": True, "amsgrad": True, "maximize": True}),
        (Adam, {"fused": True, "weight_decay": 0.1}),
        (Adam, {"fused": True, "lr": torch.tensor(1e-3)}),
        (SGD, {"fused": True, "lr": 0.1}),
        (SGD, {"fused": True, "lr": 0.1, "momentum": 0.9, "nesterov": True}),
        (SGD, {"lr": 0.1}),
        (AdamW, {"foreach": True}),
        (RMSprop, {}),
        (Adagrad, {"fused": True}),
    ],
)
def test_weights_moments_and_step_counts_are_those_of_the_ordinary_loop(
    kind: Any, words: dict[str, Any]
) -> None:
    mine, theirs = net(), net()
    optimizer, other = kind(mine.parameters(), **words), kind(theirs.parameters(), **words)
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for x, y in data():
        step(x, y)
    by_hand(theirs, other, data())
    assert_equal(mine, theirs)
    saved, expected = optimizer.state_dict()["state"], other.state_dict()["state"]
    assert saved.keys() == expected.keys()
    for key, state in expected.items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(saved[key][name]), torch.as_tensor(value)), name


def test_a_state_put_in_from_outside_is_used_from_the_next_step_on() -> None:
    mine, theirs = net(), net()
    optimizer, other = (AdamW(m.parameters(), fused=True) for m in (mine, theirs))
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for x, y in data()[:3]:
        step(x, y)
    saved = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(mine.state_dict())
    for x, y in data()[3:]:
        step(x, y)
    optimizer.load_state_dict(saved[0])
    mine.load_state_dict(saved[1])
    for x, y in data()[3:]:
        step(x, y)
    by_hand(theirs, other, data())
    assert_equal(mine, theirs)


def test_a_state_taken_away_begins_anew() -> None:
    mine, theirs = net(), net()
    optimizer, other = (AdamW(m.parameters(), fused=True) for m in (mine, theirs))
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for x, y in data()[:3]:
        step(x, y)
    optimizer.state.clear()
    mine.load_state_dict(theirs.state_dict())
    for x, y in data():
        step(x, y)
    by_hand(theirs, other, data())
    assert_equal(mine, theirs)


def test_learning_rate_and_weight_decay_are_read_at_every_step() -> None:
    mine, theirs = net(), net()
    optimizer, other = (AdamW(m.parameters(), fused=True) for m in (mine, theirs))
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for index, batch in enumerate(data()):
        for group in (*optimizer.param_groups, *other.param_groups):
            group["lr"], group["weight_decay"] = 0.01 / (index + 1), 0.1 * index
        step(*batch)
        by_hand(theirs, other, [batch])
    assert_equal(mine, theirs)


def test_hooks_of_the_user_are_called_also_when_they_come_late() -> None:
    model = net()
    optimizer = AdamW(model.parameters(), fused=True)
    step = build_step(model, F.cross_entropy, optimizer, device=CPU)
    calls: list[str] = []
    for x, y in data()[:2]:
        step(x, y)
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    for x, y in data()[:2]:
        step(x, y)
    assert calls == ["before", "after"] * 2


def test_a_patched_step_is_called() -> None:
    model = net()
    optimizer = AdamW(model.parameters(), fused=True)
    step = build_step(model, F.cross_entropy, optimizer, device=CPU)
    calls: list[int] = []
    own = optimizer.step
    for x, y in data()[:2]:
        step(x, y)
    optimizer.step = lambda *args: calls.append(1) or own(*args)  # type: ignore
    step(*data()[0])
    assert calls == [1]


@pytest.mark.filterwarnings("error")
def test_a_scheduler_of_torch_sees_that_steps_were_taken() -> None:
    model = net()
    optimizer = AdamW(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    step = build_step(model, F.cross_entropy, optimizer, device=CPU)
    for x, y in data()[:3]:
        step(x, y)
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 / 8)


def test_parameters_frozen_and_thawed_between_steps_are_followed() -> None:
    mine, theirs = net(), net()
    optimizer, other = (AdamW(m.parameters(), fused=True) for m in (mine, theirs))
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for index, batch in enumerate(data()):
        for model in (mine, theirs):
            model[0].weight.requires_grad_(index not in (0, 3))  # type: ignore[index]
        step(*batch)
        by_hand(theirs, other, [batch])
    assert_equal(mine, theirs)


def test_a_parameter_group_added_later_is_trained() -> None:
    mine = net()
    optimizer = AdamW(mine[3].parameters(), fused=True)  # type: ignore[index]
    step = build_step(mine, F.cross_entropy, optimizer, device=CPU)
    for x, y in data()[:2]:
        step(x, y)
    before = mine[0].weight.detach().clone()  # type: ignore[index]
    mine.zero_grad()
    optimizer.add_param_group({"params": list(mine[0].parameters())})  # type: ignore[index]
    step(*data()[2])
    assert not torch.equal(before, mine[0].weight)  # type: ignore[index]


def test_accumulated_batches_are_one_step_of_their_mean() -> None:
    mine, theirs = nn.Linear(6, 3), nn.Linear(6, 3)
    theirs.load_state_dict(mine.state_dict())
    step = build_step(mine, F.cross_entropy, SGD(mine.parameters(), 0.5), device=CPU, accumulate=3)
    batches = data(3)
    taken = []
    for x, y in batches:
        step(x, y)
        taken.append(step.stepped)
    assert taken == [False, False, True]
    whole = torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])
    by_hand(theirs, SGD(theirs.parameters(), 0.5), [whole])
    torch.testing.assert_close(mine.weight, theirs.weight)


@pytest.mark.parametrize("left", [1, 2])
def test_flush_takes_the_mean_of_what_an_epoch_left_over(left: int) -> None:
    mine, theirs = nn.Linear(6, 3), nn.Linear(6, 3)
    theirs.load_state_dict(mine.state_dict())
    step = build_step(mine, F.cross_entropy, SGD(mine.parameters(), 0.5), device=CPU, accumulate=4)
    assert not step.flush()
    batches = data(left)
    for x, y in batches:
        step(x, y)
    assert step.flush()
    assert not step.flush()
    whole = torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])
    by_hand(theirs, SGD(theirs.parameters(), 0.5), [whole])
    torch.testing.assert_close(mine.weight, theirs.weight)


def test_clip_norm_is_that_of_torch() -> None:
    mine, theirs = net(), net()
    step = build_step(
        mine, F.cross_entropy, SGD(mine.parameters(), 0.5), device=CPU, clip_norm=0.05
    )
    for x, y in data():
        step(x, y)
    by_hand(theirs, SGD(theirs.parameters(), 0.5), data(), clip=0.05)
    for name, value in mine.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[name])


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_convolutional_net_learns_in_every_precision(precision: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2)
    )
    optimizer = AdamW(model.parameters(), 1e-2, fused=True)
    step = build_step(model, F.cross_entropy, optimizer, device=CPU, precision=precision)
    x = torch.randn(32, 1, 8, 8)
    y = (x.mean((1, 2, 3)) > 0).long()
    losses = []
    for _ in range(30):
        loss, outputs = step(x, y)
        losses.append(loss.item())
        assert outputs.dtype == loss.dtype == torch.float32
    assert losses[-1] < losses[0] / 2
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    moments = optimizer.state[model[0].weight]["exp_avg"]
    assert moments.stride() == model[0].weight.stride()
    assert all(value.dtype == torch.float32 for value in model.parameters())


def test_what_a_step_returns_holds_no_graph_and_leaves_no_gradient() -> None:
    model = net()
    step = build_step(model, F.cross_entropy, Adam(model.parameters()), device=CPU)
    loss, outputs = step(*data()[0])
    assert loss.dim() == 0
    assert not loss.requires_grad
    assert not outputs.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        return {"sum": self.layer(torch.cat([left, right], 1)), "left": left}


def test_several_inputs_come_as_a_tuple_or_by_name() -> None:
    model = Two()
    left, right = torch.ones(3, 2), torch.zeros(3, 2)
    step = build_step(
        model,
        lambda outputs, y: F.mse_loss(outputs["sum"], y),
        SGD(model.parameters(), 0.1),
        device=CPU,
    )
    first, outputs = step((left, right), torch.ones(3, 1))
    second, _ = step({"right": right, "left": left}, torch.ones(3, 1))
    assert second < first
    assert not outputs["sum"].requires_grad
    assert torch.equal(call(model, [left, right])["left"], left)


def test_outputs_of_several_parts_are_widened_and_detached() -> None:
    half = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    count = torch.ones(2, dtype=torch.int64)
    wide = widened({"a": half, "b": [count, None], "c": (half,)})
    assert wide["a"].dtype == wide["c"][0].dtype == torch.float32
    assert wide["b"][0] is count
    assert not mapped(wide, torch.Tensor.detach)["a"].requires_grad


def test_closing_leaves_the_optimizer_as_it_was() -> None:
    model = net()
    optimizer = AdamW(model.parameters(), fused=True)
    before = set(vars(optimizer))
    step = build_step(model, F.cross_entropy, optimizer, device=CPU)
    step(*data()[0])
    step.close()
    assert not optimizer._optimizer_load_state_dict_post_hooks
    assert set(vars(optimizer)) <= before | {"_opt_called"}


def test_a_model_in_double_precision_trains() -> None:
    model = nn.Linear(3, 1).double()
    step = build_step(model, F.mse_loss, AdamW(model.parameters(), fused=True), device=CPU)
    for _ in range(3):
        loss, _ = step(torch.ones(4, 3).double(), torch.ones(4, 1).double())
    assert loss.dtype == torch.float64


def test_weights_of_two_precisions_in_one_group_train() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1).double())
    model[1].register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))
    step = build_step(model, F.mse_loss, AdamW(model.parameters(), fused=True), device=CPU)
    before = copy.deepcopy(model.state_dict())
    for _ in range(3):
        step(torch.ones(4, 3), torch.ones(4, 1).double())
    assert not any(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.gpu
def test_no_step_waits_for_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    device = torch.device("cuda")
    model = net().to(device)
    optimizer = AdamW(model.parameters(), fused=True)
    step = build_step(model, F.cross_entropy, optimizer, device=device, clip_norm=1.0)
    batches = [(x.to(device), y.to(device)) for x, y in data()]
    step(*batches[0])
    torch.cuda.set_sync_debug_mode("error")
    try:
        for x, y in batches[1:]:
            step(x, y)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert step.guard is not None
    assert not step.guard.bad()


@pytest.mark.parametrize("how", [{}, {"clip_norm": 0.01}, {"guard": False}])
def test_the_gradient_norm_of_a_step_is_there_when_it_was_asked_for(how: dict[str, Any]) -> None:
    model = net()
    step = build_step(model, F.cross_entropy, SGD(model.parameters(), lr=0.1), device=CPU, **how)
    (x, y), *rest = data()
    twin = copy.deepcopy(model)
    F.cross_entropy(twin(x), y).backward()
    expected = nn.utils.get_total_norm([p.grad for p in twin.parameters()])
    assert step.take_norm() is None
    step(x, y)
    step(*rest[0])
    norm = step.take_norm()
    assert norm is not None
    assert norm.item() == pytest.approx(expected.item())  # of the step that was asked
    assert step.take_norm() is None  # and none was taken since
