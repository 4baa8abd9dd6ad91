"""The gradients are those of `loss.backward()`, with less around them."""

from __future__ import annotations

import sys

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.train.steps.backward import backward  # noqa: E402
from mlnb.train.steps.precision import Precision  # noqa: E402
from mlnb.train.steps.step import build_step  # noqa: E402


def gradients(net: nn.Module, go, dtype=torch.float32) -> list[torch.Tensor]:
    net = net.to(dtype)
    net.zero_grad(set_to_none=True)
    x = torch.linspace(-1, 1, 32, dtype=dtype).reshape(8, 4)
    go(nn.functional.cross_entropy(net(x), torch.arange(8) % 3))
    return [parameter.grad.clone() for parameter in net.parameters()]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_gradients_are_bit_for_bit_those_of_torch(dtype):
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    ours, theirs = gradients(net, backward, dtype), gradients(net, lambda x: x.backward(), dtype)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_gradients_add_up_and_never_share_the_one_they_began_with():
    weight = nn.Parameter(torch.tensor(2.0))
    backward(weight)
    backward(weight)
    assert weight.grad.item() == 2
    weight.grad.fill_(7)
    other = nn.Parameter(torch.tensor(3.0))
    backward(other)
    assert other.grad.item() == 1


def test_what_torch_refuses_is_refused_in_its_words():
    weight = nn.Parameter(torch.ones(3))
    for loss in (weight * 2, torch.tensor(1.0)):
        with pytest.raises(RuntimeError) as theirs:
            loss.backward()
        with pytest.raises(RuntimeError) as ours:
            backward(loss)
        assert str(ours.value) == str(theirs.value)


def test_a_loss_with_a_backward_of_its_own_keeps_it():
    class Own(torch.Tensor):
        called = 0

        def backward(self, *args, **how):
            Own.called += 1

    backward(torch.ones(()).as_subclass(Own))
    assert Own.called == 1


def test_a_step_goes_to_the_engine_without_a_detour():
    net = nn.Linear(4, 3)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    cpu = torch.device("cpu")
    loss = nn.functional.cross_entropy
    step = build_step(net, loss, optimizer, device=cpu, precision=Precision("fp32"))
    batch = torch.randn(8, 4), torch.arange(8) % 3
    for _ in range(3):
        step(*batch)
    called = []

    def note(frame, event, argument):
        if event == "call":
            called.append(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        step(*batch)
    finally:
        sys.setprofile(None)
    assert not [name for name in called if "autograd/__init__" in name or "graph.py" in name]
