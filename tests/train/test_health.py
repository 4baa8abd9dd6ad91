"""Layer health: what is measured on one step, that it changes nothing, and what is said."""

import math
import sys

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from mlnb.errors import TrainError, UnknownName  # noqa: E402
from mlnb.train.health import LayerHealth, LayerState, Measurement, trouble_of  # noqa: E402
from mlnb.train.steps.watched import WatchedStep  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402

EVERY_STEP = 0.0


@pytest.fixture
def every_step(monkeypatch):
    """`health=0` measures each step, from the first one on."""
    monkeypatch.setattr("mlnb.train.steps.watched.SOONEST", 0.0)


class Functional(nn.Module):
    """Activations that are no modules, as most people write them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 6 * 6, 2)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x)))
        return torch.tanh(self.fc(x.flatten(1)))


def hooks(model):
    """Every hook that is on a model."""
    found = [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]
    return found + [p for p in model.parameters() if p._post_accumulate_grad_hooks]


def test_weights_and_losses_are_bit_for_bit_those_of_a_run_without(classifier, rows, every_step):
    plain, watched = classifier(dropout=0.3, norm=True), classifier(dropout=0.3, norm=True)
    first = Trainer(plain, lr=1e-2).fit(rows, epochs=3, batch_size=32, folder=False)
    second = Trainer(watched, lr=1e-2).fit(
        rows, epochs=3, batch_size=32, folder=False, health=EVERY_STEP
    )
    assert len(second.health.measurements) == second.step == first.step
    assert (first.history["loss"] == second.history["loss"]).all()
    for a, b in zip(plain.state_dict().values(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert first.health is None


def test_no_hook_stays_on_the_model_also_when_the_step_fails(rows):
    class Breaks(nn.Linear):
        def forward(self, x):
            if self.training and x.shape[0] > 2:
                assert hooks(self)
                raise ValueError("broken on purpose")
            return super().forward(x)

    model = nn.Sequential(Breaks(8, 2))
    with pytest.raises(Exception, match="broken on purpose"):
        Trainer(model).fit(rows, epochs=1, folder=False, health=True)
    assert not hooks(model)


def test_the_numbers_are_those_of_torch(classifier, rows, every_step):
    x, y = rows
    model, twin = classifier(), classifier()
    run = Trainer(model, optimizer="sgd", lr=0.1).fit(
        (x, y), epochs=1, batch_size=200, shuffle=False, folder=False, health=EVERY_STEP
    )
    outputs = twin(x)
    functional.cross_entropy(outputs, y).backward()
    layer = twin[0]
    gradients = [p.grad for p in layer.parameters()]
    norm = torch.cat([g.reshape(-1) for g in gradients]).norm().item()
    weight = torch.cat([p.detach().reshape(-1) for p in layer.parameters()]).norm().item()
    units = twin[:3](x)
    dead = (units <= 0).all(0).float().mean().item()
    name = run.health.layers[0].name
    assert run.health["gradient"][name] == pytest.approx(norm, rel=1e-4)
    assert run.health["update"][name] == pytest.approx(0.1 * norm / weight, rel=1e-3)
    assert run.health["idle"][name] == pytest.approx(dead)
    assert run.health.layers[0].activation == "relu"


def test_activations_that_are_functions_are_seen_and_belong_to_the_layer_before():
    torch.manual_seed(1)
    x, y = torch.randn(32, 1, 8, 8), torch.randn(32, 2)
    model = Functional()
    with torch.no_grad():
        model.norm.bias[:3] = -100.0
    run = Trainer(model, loss="mse").fit((x, y), epochs=1, folder=False, health=True)
    assert [layer.name for layer in run.health.layers] == ["conv", "norm", "fc"]
    assert run.health["idle"]["conv"] == 0.75
    assert run.health["idle"]["norm"] is None
    assert run.health.layers[-1].activation == "tanh"
    assert [name for name, _ in run.health.called] == ["conv", "norm", "fc"]


def test_dead_units_are_named_in_words_and_said_once(rows, every_step):
    x, y = rows
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    with torch.no_grad():
        model[0].bias.fill_(-1000.0)
    run = Trainer(model, lr=1e-6).fit((x, y), epochs=2, folder=False, health=EVERY_STEP)
    expected = "layer 0: its gradient is zero: 100% of relu's units are dead. Lower the learning"
    assert run.health.trouble.startswith(expected)
    assert sum("units are dead" in notice for notice in run.notices) == 1
    assert expected in repr(run.health)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([("a", 0.1, 0.01), ("b", 0.2, 0.01)], ""),
        ([("a", 1e-12, 1e-3), ("b", 0.2, 0.01)], "layer a: its gradient has vanished: it hardly"),
        ([("a", 0.1, 0.01), ("b", 5e6, 0.01)], "layer b: its gradient explodes: its norm is 5e+06"),
        ([("a", 0.1, 0.9), ("b", 1.0, 0.01)], "layer a: one step moves its weights by 90%"),
        ([("a", math.nan, 0.1), ("b", math.nan, 0.1), ("c", 1.0, 0.1)], "layer b: its gradient is"),
        ([("a", None, None), ("b", 0.2, 0.01)], ""),
        ([], ""),
    ],
)
def test_the_first_layer_that_goes_wrong_is_named(layers, words):
    states = [LayerState(name, "Linear", gradient, update) for name, gradient, update in layers]
    said = trouble_of(states)
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_what_is_dead_is_named_and_not_the_layers_before_it_that_it_silences():
    dead = LayerState("fc1", "Linear", 0.0, 0.0, 0.94, "relu")
    layers = [LayerState("conv", "Conv2d", 0.0, 0.0), dead, LayerState("fc2", "Linear", 1.0, 0.1)]
    assert trouble_of(layers).startswith("layer fc1: its gradient is zero: 94% of relu's units")
    norm = LayerState("norm", "BatchNorm1d", 0.0, 0.0)
    assert trouble_of([layers[0], dead, norm, layers[2]]).startswith("layer fc1:")
    assert trouble_of([norm, layers[2]]).startswith("layer norm: its gradient is zero: it hardly")


def test_saturation_is_said_but_not_of_the_last_layer():
    first = LayerState("a", "Linear", 0.1, 0.01, 0.97, "sigmoid")
    last = LayerState("z", "Linear", 0.2, 0.01, 0.97, "sigmoid")
    assert "97% of sigmoid's outputs are saturated" in trouble_of([first, last])
    assert trouble_of([LayerState("a", "Linear", 0.1, 0.01), last]) == ""


def test_a_layer_that_gives_nan_is_named_before_those_behind_it():
    x, y = torch.randn(64, 8), torch.randint(0, 2, (64,))
    model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2))

    class Spoils(nn.Linear):
        calls = 0

        def forward(self, x):
            Spoils.calls += 1
            return super().forward(x) * (math.inf if Spoils.calls > 2 else 1.0)

    model[0] = Spoils(8, 4)
    run = Trainer(model).fit((x, y), epochs=1, batch_size=32, folder=False, health=EVERY_STEP)
    assert run.stop_reason == "nan"
    assert run.health.trouble.startswith("layer 0: it gives NaN or infinity. Lower the learning")


def test_gradients_gathered_over_several_batches_are_measured_whole(classifier, rows, every_step):
    run = Trainer(classifier(), accumulate=2).fit(
        rows, epochs=1, batch_size=25, folder=False, health=EVERY_STEP
    )
    assert [one.step for one in run.health.measurements] == [1, 2, 3, 4]
    assert all(value > 0 for value in run.health["gradient"].values())


def test_several_models_in_a_step_of_the_users_own():
    x = torch.randn(64, 4)
    models = {"up": nn.Linear(4, 8), "down": nn.Sequential(nn.Linear(8, 4))}

    def step(batch, models, optimizers):
        loss = (models["down"](models["up"](batch).relu()) - batch).square().mean()
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers.values():
            optimizer.step()
        return loss

    run = Trainer(models, step=step).fit(x, epochs=1, folder=False, health=True)
    assert list(run.health["update"]) == ["up", "down.0"]
    assert all(value > 0 for value in run.health["update"].values())
    assert run.health["idle"]["up"] is not None


def test_most_steps_are_not_measured_and_pay_for_one_clock(classifier, rows):
    run = Trainer(classifier()).fit(rows, epochs=20, batch_size=8, folder=False, health=True)
    assert 1 <= len(run.health.measurements) < run.step / 4


def test_a_fork_has_a_health_of_its_own(classifier, rows, every_step):
    run = Trainer(classifier()).fit(rows, epochs=1, folder=False, health=EVERY_STEP)
    branch = run.fork(0, epochs=1, name="other")
    assert branch.health is not run.health
    assert len(branch.health.measurements) == branch.step


def test_text_html_and_frame_hold_a_row_a_layer(classifier, rows, every_step, monkeypatch):
    run = Trainer(classifier()).fit(rows, epochs=1, folder=False, health=EVERY_STEP)
    text, page = repr(run.health), run.health._repr_html_()
    for layer in run.health.layers:
        assert layer.name in text
        assert f">{layer.name}<" in page
    frame = run.health.to_frame()
    assert len(frame) == len(run.health.measurements) * len(run.health.layers)
    assert list(frame.columns) == ["step", "name", "kind", "gradient", "update", "idle"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pandas"):
        run.health.to_frame()
    assert repr(LayerHealth()) == "no step was measured yet"


def test_wrong_words_are_refused(classifier, rows):
    with pytest.raises(TrainError, match="health is True, or the seconds between"):
        Trainer(classifier()).fit(rows, health="yes", folder=False)
    health = LayerHealth()
    health.add(Measurement(1, (LayerState("<b>", "Linear", 1.0, 0.1),)))
    assert "<b>" not in health._repr_html_().replace("&lt;b&gt;", "")
    with pytest.raises(UnknownName, match="did you mean 'gradient'"):
        health["gradients"]


@pytest.mark.compile
def test_a_compiled_step_is_measured_eagerly_and_goes_on_compiled(classifier, rows, every_step):
    run = Trainer(classifier(), backend="compile").fit(
        rows, epochs=2, batch_size=50, folder=False, health=True
    )
    assert run.health.measurements
    assert isinstance(run._step, WatchedStep)
    assert run._step.inner.compiles
