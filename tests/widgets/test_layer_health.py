"""The health view: a graph with a box for each layer, painted while a run trains."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.errors import MlnbError, UnknownName  # noqa: E402
from mlnb.networks.sequential import Sequential  # noqa: E402
from mlnb.train import active  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402
from mlnb.widgets.layer_health import HealthViewer, health_view  # noqa: E402


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    """One thread, a measurement at each step, and nobody who prints runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("mlnb.train.steps.watched.SOONEST", 0.0)
    undo = active.on_start(lambda run: None)
    yield
    undo()
    torch.set_num_threads(threads)


def rows():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(64, 6, generator=generator)
    return x, (x[:, 0] > 0).long()


def trained(model, **words):
    return Trainer(model, lr=1e-3).fit(rows(), epochs=1, folder=False, health=0.0, **words)


class Untraceable(nn.Module):
    """Its flow depends on the data, which torch.fx cannot follow."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.second = nn.Linear(8, 2)

    def forward(self, x):
        x = self.first(x)
        return self.second(x.relu() if x.sum() > 0 else x.tanh())


def test_every_layer_of_a_network_of_ours_is_painted():
    net = Sequential(6).dense(8, "relu").batch_norm().dense(2)
    run = trained(net.module)
    view = health_view(run)
    assert set(view.painted) == {view._boxes.find(name) for name in run.health["gradient"]}
    assert view.painting["label"] == "gradient norm"
    assert view.painting["scale"] == "log"
    assert view.facts == f"layer health · step {run.health.step}"
    assert view.status == "all layers learn"
    assert "all layers learn" in view.static_html()
    assert "8" in view.static_html()


def test_a_module_that_cannot_be_followed_is_a_chain_in_the_order_of_its_calls():
    view = health_view(trained(Untraceable()))
    assert [node.name for node in view._graph.nodes] == ["first", "second"]
    assert view.painted == ["first", "second"]


def test_several_models_have_their_names_before_their_layers():
    models = {"up": nn.Linear(6, 8), "down": nn.Sequential(nn.Linear(8, 6))}

    def step(batch, models, optimizers):
        loss = (models["down"](models["up"](batch)) - batch).square().mean()
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers.values():
            optimizer.step()
        return loss

    run = Trainer(models, step=step).fit(rows()[0], epochs=1, folder=False, health=True)
    assert health_view(run).painted == ["up", "down/0"]


def test_one_chooses_what_is_painted_here_or_in_the_page():
    view = health_view(trained(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))))
    view.show("idle")
    assert view.painting["label"] == "dead or saturated units"
    assert (view.painting["low"], view.painting["high"]) == (0.0, 1.0)
    view._receive_choose({"kind": "choose", "choice": "update to weight"})
    assert view.painting["label"] == "update to weight"
    with pytest.raises(UnknownName, match="did you mean 'gradient'"):
        view.show("gradiant")


def test_it_follows_a_run_from_before_its_first_step_to_its_end():
    views: list[HealthViewer] = []
    states: list[str] = []

    def opened(run):
        views.append(health_view(run))
        states.append(views[0].status)
        run.on_tick(lambda _: states.append(views[0].facts))

    undo = active.on_start(opened)
    try:
        run = trained(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)))
    finally:
        undo()
    assert states[0] == "no step was measured yet"
    assert views[0].facts == f"layer health · step {run.step}"
    assert views[0].facts == states[-1]


def test_the_first_layer_that_goes_wrong_stands_above_the_graph():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        model[0].bias.fill_(-1000.0)
    assert "100% of relu's units are dead" in health_view(trained(model)).status


def test_a_run_without_health_says_how_to_get_it():
    run = Trainer(nn.Linear(6, 2)).fit(rows(), epochs=1, folder=False)
    with pytest.raises(MlnbError, match="health=True"):
        health_view(run)
