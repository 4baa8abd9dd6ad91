"""Schedules agree with torch's, go on from any step, and bear a rate that is set by hand."""

from __future__ import annotations

import copy
import json
import time

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.optim import SGD, lr_scheduler  # noqa: E402

from mlnb.errors import DataError, TrainError, UnknownName  # noqa: E402
from mlnb.train.words.rates import set_rate  # noqa: E402
from mlnb.train.words.schedules import WORDS, resolve_schedule  # noqa: E402

TOTAL, EPOCH = 60, 10


def optimizer(*rates: float):
    return SGD([{"params": [nn.Parameter(torch.ones(1))], "lr": lr} for lr in rates or (0.1,)])


def resolve(schedule, opt=None, total=TOTAL, epoch=EPOCH):
    return resolve_schedule(schedule, opt or optimizer(), total_steps=total, steps_per_epoch=epoch)


def rates(schedule, steps: int = TOTAL) -> list[float]:
    """The rate of every step, epochs ended where they end."""
    found = []
    for step in range(steps):
        found.append(schedule.lr)
        schedule.step()
        if (step + 1) % EPOCH == 0:
            schedule.epoch_end({"loss": 1.0})
    return found


def torchs(make, steps: int = TOTAL, per_epoch: bool = False) -> list[float]:
    opt = optimizer()
    scheduler, found = make(opt), []
    for step in range(steps):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        if not per_epoch or (step + 1) % EPOCH == 0:
            scheduler.step()
    return found


@pytest.mark.parametrize(
    ("word", "make", "per_epoch"),
    [
        ("one_cycle", lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=TOTAL), False),
        ("one_cycle(share=0.5)",
         lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=TOTAL, pct_start=0.5), False),
        ("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL), False),
        ("cosine(end=0.1)",
         lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.01), False),
        ("linear", lambda o: lr_scheduler.LinearLR(o, 1, 0, TOTAL), False),
        ("step", lambda o: lr_scheduler.StepLR(o, 2), True),
        ("step(every=3, gamma=0.5)", lambda o: lr_scheduler.StepLR(o, 3, 0.5), True),
        ("step(at=(1, 4))", lambda o: lr_scheduler.MultiStepLR(o, [1, 4]), True),
        ("exponential(gamma=0.9)", lambda o: lr_scheduler.ExponentialLR(o, 0.9), True),
        ("constant", lambda o: lr_scheduler.ConstantLR(o, 1), False),
    ],
)  # fmt: skip
def test_words_give_the_rates_of_torch(word, make, per_epoch):
    assert rates(resolve(word)) == pytest.approx(torchs(make, per_epoch=per_epoch), rel=1e-6)


@pytest.mark.parametrize("after", ["", "_cosine", "_linear"])
def test_warmup_rises_evenly_and_then_does_what_its_name_says(after):
    found = rates(resolve(f"warmup{after}(steps=9)"))
    assert found[:10] == pytest.approx([0.1 * (k + 1) / 10 for k in range(10)])
    assert max(found) == pytest.approx(0.1)
    assert (found[-1] == pytest.approx(0.1)) == (after == "")
    assert found[9:] == sorted(found[9:], reverse=True)


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_goes_on_from_any_step(word):
    whole, first = resolve(word), resolve(word)
    expected = rates(whole)[33:]
    for step in range(33):
        first.step()
        if (step + 1) % EPOCH == 0:
            first.epoch_end({"loss": 1.0})
    state = json.loads(json.dumps(first.state_dict()))
    second = resolve(word)
    second.load_state_dict(state)
    found = []
    for step in range(33, TOTAL):
        found.append(second.lr)
        second.step()
        if (step + 1) % EPOCH == 0:
            second.epoch_end({"loss": 1.0})
    assert found == expected


@pytest.mark.parametrize("word", ["one_cycle", "cosine", "warmup_linear"])
def test_nothing_breaks_after_the_planned_end(word):
    schedule = resolve(word)
    rates(schedule)
    last = schedule.lr
    assert [schedule.step() for _ in range(3)].count(True) <= 1
    assert 0 <= schedule.lr <= max(last, 1e-3)


@pytest.mark.parametrize("word", ["cosine", "one_cycle", "step", "exponential", "warmup"])
def test_a_rate_set_by_hand_scales_what_follows(word):
    plain = rates(resolve(word))
    schedule = resolve(word)
    found = []
    for step in range(TOTAL):
        if step == 25:
            assert schedule.set_lr(plain[25] / 4) == pytest.approx(plain[25])
        found.append(schedule.lr)
        schedule.step()
        if (step + 1) % EPOCH == 0:
            schedule.epoch_end({"loss": 1.0})
    assert found[:25] == plain[:25]
    assert found[25:] == pytest.approx([rate / 4 for rate in plain[25:]])


def test_where_nothing_can_be_scaled_the_rate_is_held():
    schedule = resolve("cosine")
    for _ in range(TOTAL):
        schedule.step()
    schedule.set_lr(0.5)
    schedule.step()
    assert schedule.lr == 0.5
    assert json.loads(json.dumps(schedule.state_dict()))["held"] == [0.5]


def test_groups_keep_their_ratios():
    opt = optimizer(0.1, 0.01)
    schedule = resolve("cosine", opt)
    for _ in range(TOTAL // 2):
        schedule.step()
    assert [group["lr"] for group in opt.param_groups] == pytest.approx([0.05, 0.005])
    schedule.set_lr(0.2)
    assert [group["lr"] for group in opt.param_groups] == pytest.approx([0.2, 0.02])


def test_without_a_schedule_groups_keep_their_ratios_too():
    opt = optimizer(0.1, 0.01)
    assert set_rate(opt, 0.2) == 0.1
    assert [group["lr"] for group in opt.param_groups] == pytest.approx([0.2, 0.02])
    for wrong in (-1, float("nan"), "high", True):
        with pytest.raises(DataError, match="from 0 up"):
            set_rate(opt, wrong)


def test_a_rate_that_is_a_tensor_stays_that_tensor():
    opt = optimizer()
    held = opt.param_groups[0]["lr"] = torch.tensor(0.1)
    schedule = resolve("cosine", opt)
    for _ in range(TOTAL // 2):
        assert schedule.step()
    assert opt.param_groups[0]["lr"] is held
    assert held.item() == pytest.approx(0.05)


def test_a_constant_rate_is_not_written_again():
    schedule = resolve("constant")
    assert [schedule.step() for _ in range(5)] == [False] * 5


def test_the_groups_of_a_restored_optimizer_are_found():
    opt = optimizer()
    schedule = resolve("cosine", opt)
    opt.load_state_dict(copy.deepcopy(opt.state_dict()))
    for _ in range(TOTAL // 2):
        schedule.step()
    assert opt.param_groups[0]["lr"] == pytest.approx(0.05)


@pytest.mark.parametrize("word", [*sorted(WORDS), "torch"])
def test_a_copy_together_with_its_optimizer_goes_its_own_way(word):
    opt = optimizer()
    made = (lambda o: lr_scheduler.ExponentialLR(o, 0.5), "step") if word == "torch" else word
    schedule = resolve(made, opt)
    other_opt, other = copy.deepcopy((opt, schedule))
    assert other.optimizer is other_opt
    other.set_lr(7.0)
    assert other_opt.param_groups[0]["lr"] == 7.0
    assert opt.param_groups[0]["lr"] != 7.0


def test_plateau_lowers_the_rate_when_nothing_gets_better():
    schedule = resolve("plateau(patience=1, factor=0.5)")
    found = []
    for loss in [3, 2, 2, 2, 1, 1, 1, 1]:
        schedule.epoch_end({"loss": 0.0, "val_loss": loss})
        found.append(schedule.lr)
    assert found == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]
    schedule.set_lr(1.0)
    for _ in range(2):
        schedule.epoch_end({"val_loss": 1.0})
    assert schedule.lr == 0.5


def test_plateau_goes_up_for_what_is_best_high():
    schedule = resolve("plateau(monitor='val_accuracy', patience=0)")
    for value in (0.5, 0.6, 0.7):
        schedule.epoch_end({"val_accuracy": value})
    assert schedule.lr == 0.1
    schedule.epoch_end({"val_accuracy": 0.6})
    assert schedule.lr == pytest.approx(0.01)
    with pytest.raises(UnknownName, match="did you mean 'val_acc'"):
        schedule.epoch_end({"val_acc": 0.6})


@pytest.mark.parametrize(
    ("make", "every"),
    [
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=100), "step"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 60), "step"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 6), "epoch"),
        (lambda o: lr_scheduler.StepLR(o, 2), "epoch"),
        ((lambda o: lr_scheduler.LambdaLR(o, lambda n: 1 / (n + 1)), "step"), "step"),
        (lr_scheduler.ConstantLR, "epoch"),
    ],
)
def test_schedulers_of_torch_step_as_they_are_meant_to(make, every):
    schedule = resolve(make)
    assert schedule.every == every
    factory = make[0] if isinstance(make, tuple) else make
    assert rates(schedule) == pytest.approx(torchs(factory, per_epoch=every == "epoch"))


def test_schedulers_of_torch_go_on_and_bear_a_rate_set_by_hand():
    def make(opt):
        return lr_scheduler.ExponentialLR(opt, 0.9)

    plain = rates(resolve((make, "step")))
    first = resolve((make, "step"))
    for _ in range(20):
        first.step()
    first.set_lr(plain[20] * 3)
    second = resolve((make, "step"))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert rates(second, 40) == pytest.approx([rate * 3 for rate in plain[20:]])


def test_a_scheduler_of_another_optimizer_is_refused():
    with pytest.raises(TrainError, match="belongs to another optimizer"):
        resolve(lr_scheduler.StepLR(optimizer(), 2), optimizer())
    with pytest.raises(TrainError, match="received int"):
        resolve(5)


def test_unknown_words_options_and_lengths_are_told():
    with pytest.raises(UnknownName, match="did you mean 'cosine'"):
        resolve("cosin")
    with pytest.raises(UnknownName, match="did you mean 'gamma'"):
        resolve("step(gama=0.1)")
    with pytest.raises(TrainError, match="must know how many steps"):
        resolve("one_cycle", total=None, epoch=None)
    with pytest.raises(TrainError, match="share from 0 to 1"):
        resolve("warmup(share=3)")
    for word in ("step(every='a')", "step(at='a')", "cosine(end='a')", "plateau(factor=2)"):
        with pytest.raises(TrainError, match=f"the schedule {word[:4]}.* cannot be made: "):
            resolve(word)
    assert resolve("step(at=5)").said == resolve("step(at=(5,))").said
    assert resolve("step", total=None, epoch=None) is not None
    assert resolve(None) is None


def test_a_state_of_another_schedule_is_refused():
    with pytest.raises(TrainError, match="of the schedule cosine, this one is step"):
        resolve("step").load_state_dict(resolve("cosine").state_dict())


def test_a_step_of_one_is_no_division_by_zero():
    for word in WORDS:
        rates(resolve(word, total=1, epoch=1), 3)


def test_a_step_costs_little():
    def cost(word: str) -> float:
        schedule = resolve(word, total=100_000)
        best = 1.0
        for _ in range(5):
            began = time.process_time()
            for _ in range(2000):
                schedule.step()
            best = min(best, (time.process_time() - began) / 2000)
        return best

    assert cost("one_cycle") < 5e-6
    assert cost("constant") < 2e-6
