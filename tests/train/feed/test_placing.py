"""Where data lies: on the device where it takes a quarter of what is free, else one batch ahead."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mlnb.train.feed import placing  # noqa: E402
from mlnb.train.feed.batches import InMemory  # noqa: E402
from mlnb.train.feed.data import prepare  # noqa: E402
from mlnb.train.feed.placing import fits, on_device, place  # noqa: E402

CPU = torch.device("cpu")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_on_a_cpu_data_stays_where_it_is():
    inputs, targets = torch.zeros(3, 2), torch.zeros(3)
    assert place(inputs, targets, CPU) == (inputs, targets, "")
    batches = iter([(inputs, targets)])
    assert on_device(batches, CPU) is batches


def test_a_limit_holds_and_a_quarter_of_what_is_free(monkeypatch):
    assert fits(100, CPU, at_most=100)
    assert not fits(101, CPU, at_most=100)
    monkeypatch.setattr(placing, "free_memory", lambda device: 200)
    assert fits(50, CPU, at_most=100)
    assert not fits(51, CPU, at_most=100)


def test_a_set_moves_where_a_quarter_is_free_and_says_so(monkeypatch):
    device = torch.device("meta")
    inputs = {"a": torch.zeros(250)}
    monkeypatch.setattr(placing, "free_memory", lambda device: 8000)
    moved, targets, said = place(inputs, torch.zeros(250), device)
    assert moved["a"].device == targets.device == device
    assert said == "data: all of it lives on meta (2 kB)"
    monkeypatch.setattr(placing, "free_memory", lambda device: 7996)
    held, _, said = place(inputs, torch.zeros(250), device)
    assert held["a"].device == CPU
    assert said == (
        "data: 2 kB is more than a quarter of the 8 kB that are free on meta; batches are brought "
        "there one ahead"
    )


def test_batches_of_what_stays_behind_come_out_on_the_device():
    batches = InMemory(torch.zeros(5, 2), torch.zeros(5), 2, device="meta")
    assert {part.device.type for pair in batches.epoch(0) for part in pair} == {"meta"}


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("gathered", [True, False])
def test_on_a_gpu_the_same_rows_come_as_on_a_cpu(monkeypatch, room, gathered):
    from mlnb.train.feed import batches

    if not room:
        monkeypatch.setattr(
            placing, "free_memory", lambda device: 0 if device.type == "cuda" else None
        )
    for kind in ("cpu", "cuda"):
        monkeypatch.setitem(batches.GATHERED_AT_ONCE, kind, 2**20 if gathered else 0)
    data = (torch.randn(1000, 3), torch.arange(1000) % 10)
    there = prepare(data, batch_size=64, device="cuda", seed=3)
    here = prepare(data, batch_size=64, seed=3)
    assert any(("lives on" if room else "one ahead") in note for note in there.notes)
    for epoch in range(2):
        for ours, theirs in zip(
            there.train.epoch(epoch, 2), here.train.epoch(epoch, 2), strict=True
        ):
            assert ours[0].device.type == "cuda"
            assert torch.equal(ours[0].cpu(), theirs[0])
            assert torch.equal(ours[1].cpu(), theirs[1])
