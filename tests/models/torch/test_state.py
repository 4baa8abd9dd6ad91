"""A live module that predicts is left as it was, whatever it is in the middle of."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from models_made.torch_modules import picture

from mlnb.models.loading import load_model

torch = pytest.importorskip("torch")
nn = torch.nn


def test_modes_randomness_and_gradients_are_left_alone() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4)).train()
    module[1].eval()
    state = torch.get_rng_state()
    held = {name: value.clone() for name, value in module.state_dict().items()}
    model = load_model(module, sample=(2, 4))
    first, second = (model.predict(picture(3, 4))["output"] for _ in range(2))
    assert np.array_equal(first, second)
    assert [inner.training for inner in module] == [True, False, True]
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, held[name]) for name, value in module.state_dict().items())
    assert all(one.grad is None and one.requires_grad for one in module.parameters())


def test_an_interrupt_leaves_the_module_as_it_was() -> None:
    class Net(nn.Module):
        """Is interrupted at its second call."""

        stops = False

        def forward(self, x: Any) -> Any:
            """Same as its input."""
            if self.stops:
                raise KeyboardInterrupt
            return x + 1

    module = Net()
    model = load_model(module, sample=(2, 4))
    assert model.outputs.names == ["output"]
    module.stops = True
    with pytest.raises(KeyboardInterrupt):
        model.predict(np.ones((2, 4), np.float32))
    assert module.training


def test_while_a_run_trains_it_a_copy_between_two_steps_answers() -> None:
    from mlnb.train.active import on_start
    from mlnb.train.trainer import Trainer

    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    model = load_model(module, sample=(1, 4))
    x, y = picture(256, 4), torch.arange(256) % 2
    trainer = Trainer(module, loss="cross_entropy")
    found: list[np.ndarray] = []
    asking = threading.Thread(target=lambda: found.append(model.predict(x)["output"]))

    def look(run: Any) -> None:
        if not asking.ident:
            asking.start()
        elif found:
            run.stop()

    undo = on_start(lambda run: run.on_tick(look))
    try:
        run = trainer.fit((x, y), epochs=10_000, batch_size=8)
    finally:
        undo()
    assert run.stop_reason == "stopped"
    assert found[0].shape == (256, 2)
    assert module.training
    assert not np.array_equal(found[0], model.predict(x)["output"])
