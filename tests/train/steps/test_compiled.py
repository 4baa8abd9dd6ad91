"""backend="compile": the same numbers, no compiling anew, and eager where it does not go."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from no_compiler import without_a_compiler
from torch import Tensor, nn
from torch.optim import SGD, AdamW, RMSprop

from mlnb.train.steps.compiled import CompiledStep, reason, signature
from mlnb.train.steps.step import build_step

CPU = torch.device("cpu")
NAN = float("nan")


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def batch(seed: int, rows: int = 16) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 6, generator=generator)
    return x, torch.randint(0, 3, (rows,), generator=generator)


def pair(kind: Any, words: dict[str, Any], **more: Any) -> tuple[Any, Any]:
    steps = []
    for backend in ("compile", "eager"):
        model = net()
        optimizer = kind(model.parameters(), **words)
        steps.append(
            build_step(model, F.cross_entropy, optimizer, device=CPU, backend=backend, **more)
        )
    return steps[0], steps[1]


def graphs() -> int:
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    """What one test has compiled is no help, and no limit, to the next."""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()


@pytest.mark.compile
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (AdamW, {"fused": True}),
        (SGD, {"lr": 0.1, "momentum": 0.9, "fused": True}),
        (RMSprop, {"lr": 1e-3}),
    ],
)
def test_compiled_steps_learn_what_eager_ones_do_and_withhold_a_nan(kind: Any, words: Any) -> None:
    compiled, eager = pair(kind, words, clip_norm=1.0)
    for seed in range(4):
        loss, outputs = compiled(*batch(seed))
        expected, expected_outputs = eager(*batch(seed))
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(outputs, expected_outputs)
    assert compiled.notes == []
    assert compiled.compiles
    x, y = batch(4)
    for _ in range(3):
        compiled(x * NAN, y)
    assert compiled.guard.bad()
    assert compiled.guard.lost() == 3
    compiled.guard.restore()
    for name, value in compiled.eager.model.state_dict().items():
        other = eager.model.state_dict()[name]
        torch.testing.assert_close(value, other, rtol=1e-3, atol=1e-4, msg=name)
    counts = [state.get("step") for state in compiled.eager.optimizer.state.values()]
    assert all(count is None or count == 4 for count in counts)


@pytest.mark.compile
def test_neither_a_schedule_nor_a_short_last_batch_compiles_anew() -> None:
    compiled, eager = pair(AdamW, {"fused": True})
    for seed in range(3):
        compiled(*batch(seed))
        eager(*batch(seed))
    before = graphs()
    assert before > 0
    for seed in range(3, 9):
        for step in (compiled, eager):
            optimizer = getattr(step, "eager", step).optimizer
            optimizer.param_groups[0]["lr"] = 1e-3 / seed
            step.lr_changed()
        rows = 5 if seed == 6 else 16
        loss, _ = compiled(*batch(seed, rows))
        torch.testing.assert_close(loss, eager(*batch(seed, rows))[0])
    assert graphs() == before


@pytest.mark.compile
def test_accumulated_batches_compile_too() -> None:
    compiled, eager = pair(SGD, {"lr": 0.1}, accumulate=2)
    for seed in range(6):
        loss, _ = compiled(*batch(seed))
        torch.testing.assert_close(loss, eager(*batch(seed))[0])
        assert compiled.stepped == eager.stepped == (seed % 2 == 1)
    assert compiled.notes == []


@pytest.mark.compile
def test_without_a_compiler_it_trains_eagerly_and_says_so() -> None:
    with without_a_compiler():
        compiled, eager = pair(AdamW, {"fused": True})
        for seed in range(4):
            loss, _ = compiled(*batch(seed))
            assert torch.equal(loss, eager(*batch(seed))[0])
    assert len(compiled.notes) == 1
    assert "no working C++ compiler" in compiled.notes[0]
    assert not compiled.compiles


def test_a_compiler_that_fails_costs_nothing_but_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(function: Any, **words: Any) -> Any:
        def fail(*batch: Any) -> Any:
            function(*batch)  # batch norm has counted by then
            raise RuntimeError("cannot compile this")

        return fail

    monkeypatch.setattr(torch, "compile", refuse)
    compiled, eager = pair(AdamW, {"fused": True})
    for seed in range(4):
        loss, _ = compiled(*batch(seed))
        assert torch.equal(loss, eager(*batch(seed))[0])
    for name, value in compiled.eager.model.state_dict().items():
        assert torch.equal(value, eager.model.state_dict()[name]), name
    assert compiled.notes == [
        'backend="compile" did not work for this model, so that it trains eagerly: '
        "RuntimeError, cannot compile this."
    ]
    assert not compiled.guard.deferred


def test_a_fault_of_the_model_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **words: function)
    compiled, _ = pair(SGD, {"lr": 0.1})
    compiled(*batch(0))
    with pytest.raises(RuntimeError, match="shapes"):
        compiled(torch.ones(4, 7), torch.zeros(4, dtype=torch.int64))
    assert compiled.notes == []


def test_a_reason_is_one_line() -> None:
    assert "g++ or clang++" in reason(RuntimeError("No working C++ compiler found in x"))
    assert "\n" not in reason(ValueError("first\nsecond"))
    assert "no reason given" in reason(ValueError())


def test_a_signature_tells_shapes_and_dtypes_apart() -> None:
    x = torch.ones(2, 3)
    assert signature(x, None) == signature(x + 1, None)
    assert signature(x, None) != signature(x[:1], None)
    assert signature({"a": x}, (x,)) != signature({"a": x.double()}, (x,))


def test_build_step_makes_a_compiled_one_only_when_asked() -> None:
    assert isinstance(pair(SGD, {"lr": 0.1})[0], CompiledStep)
