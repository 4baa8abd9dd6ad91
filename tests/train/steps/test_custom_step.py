"""A step that the user wrote: two optimizers, no targets, losses by name."""

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import TrainError
from mlnb.train.steps.custom_step import named_losses
from mlnb.train.trainer import Trainer


def gan():
    torch.manual_seed(1)
    return {
        "generator": nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)),
        "critic": nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1)),
    }


def gan_step(real, models, optimizers):
    bce = nn.functional.binary_cross_entropy_with_logits
    fake = models["generator"](torch.randn(len(real), 4))
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
    critic_loss = bce(models["critic"](real), ones) + bce(models["critic"](fake.detach()), zeros)
    optimizers["critic"].zero_grad()
    critic_loss.backward()
    optimizers["critic"].step()
    generator_loss = bce(models["critic"](fake), ones)
    optimizers["generator"].zero_grad()
    generator_loss.backward()
    optimizers["generator"].step()
    return {"generator": generator_loss, "critic": critic_loss}


def autoencoder_step(x, models, optimizers):
    loss = (models["model"](x) - x).square().mean()
    optimizers["optimizer"].zero_grad()
    loss.backward()
    optimizers["optimizer"].step()
    return loss


@pytest.fixture
def points():
    return torch.randn(128, 2, generator=torch.Generator().manual_seed(2)) + 3


def test_a_gan_trains_both_its_networks_and_tells_both_losses(points):
    models = gan()
    before = {name: model[0].weight.clone() for name, model in models.items()}
    run = Trainer(models, step=gan_step).fit(points, epochs=3, batch_size=32, folder=False)
    assert run.step == len(run.history) == 12
    assert set(run.history.names) >= {"generator", "critic", "loss", "lr"}
    assert run.notices[0].startswith("generator: adamw fused, lr 0.001; critic: adamw")
    total = run.history["generator"] + run.history["critic"]
    assert np.allclose(run.history["loss"], total)
    assert set(run.history.epochs[0]) >= {"generator", "critic", "loss"}
    assert run.history.epochs[0]["critic"] == pytest.approx(run.history["critic"][:4].mean(), 1e-5)
    for name, model in models.items():
        assert not torch.equal(before[name], model[0].weight)


def test_a_gan_is_repeatable(points):
    losses = [
        Trainer(gan(), step=gan_step).fit(points, epochs=2, folder=False).history["loss"]
        for _ in range(2)
    ]
    assert np.array_equal(*losses)


def test_optimizers_are_given_by_name(points):
    models = gan()
    optimizers = {
        "generator": torch.optim.Adam(models["generator"].parameters(), lr=1e-3),
        "critic": "sgd(lr=0.1)",
    }
    trainer = Trainer(models, step=gan_step, optimizer=optimizers)
    trainer.fit(points, epochs=1, folder=False)
    assert type(trainer.optimizers["generator"]) is torch.optim.Adam
    assert type(trainer.optimizers["critic"]) is torch.optim.SGD
    held = trainer.optimizers["critic"].param_groups[0]["params"]
    assert {id(p) for p in held} == {id(p) for p in models["critic"].parameters()}


def test_an_autoencoder_needs_no_targets(points):
    run = Trainer(nn.Linear(2, 2), step=autoencoder_step, lr=0.05).fit(
        points, epochs=20, folder=False
    )
    assert run.history["loss"][-1] < run.history["loss"][0] / 2


def test_a_step_gets_inputs_and_targets_where_there_are_any(rows, classifier):
    shapes = []

    def step(batch, models, optimizers):
        shapes.append([list(part.shape) for part in batch])
        return 0.5

    Trainer(classifier(), step=step).fit(rows, epochs=1, batch_size=100, folder=False)
    assert shapes == [[[100, 8], [100]]] * 2


def test_a_frozen_network_among_several_is_no_mistake(points):
    models = gan()
    models["critic"].requires_grad_(False)

    def step(real, models, optimizers):
        assert set(optimizers) == {"generator"}
        return models["generator"](torch.zeros(1, 4)).sum().detach()

    assert Trainer(models, step=step).fit(points, epochs=1, folder=False).step == 2


def test_nan_in_one_of_the_losses_stops_with_the_weights_before(points):
    models, kept = gan(), {}

    def step(real, models, optimizers):
        if len(kept) == 3:
            for parameter in models["generator"].parameters():
                parameter.grad = torch.full_like(parameter, float("nan"))
            optimizers["generator"].step()
            return {"generator": torch.tensor(1.0)}
        losses = gan_step(real, models, optimizers)
        kept[len(kept)] = models["generator"][0].weight.detach().clone()
        return losses

    run = Trainer(models, step=step).fit(points, epochs=5, batch_size=32, folder=False)
    assert run.stop_reason == "nan"
    assert run.step == len(run.history) == 3
    assert torch.equal(models["generator"][0].weight, kept[2])


@pytest.mark.parametrize(
    "returned", [None, {}, {"a": torch.zeros(3)}, "loss", {"lr": 1.0}, [torch.tensor(1.0)]]
)
def test_what_is_no_loss_is_refused(returned):
    with pytest.raises(TrainError):
        named_losses(returned)


def test_numbers_serve_as_losses_too():
    assert {k: float(v) for k, v in named_losses({"a": 1, "b": 0.5}).items()} == {
        "a": 1.0,
        "b": 0.5,
        "loss": 1.5,
    }


@pytest.mark.parametrize(
    "words", [{"loss": "mse"}, {"clip_norm": 1.0}, {"accumulate": 2}, {"backend": "compile"}]
)
def test_words_that_the_step_would_have_to_heed_are_refused(words):
    with pytest.raises(TrainError, match="has no effect with step="):
        Trainer(gan(), step=gan_step, **words)


def test_several_models_need_a_step():
    with pytest.raises(TrainError, match="several models need a step of your own"):
        Trainer(gan())


def test_there_is_nothing_to_evaluate_before_any_fit_either(points):
    with pytest.raises(TrainError, match="cannot be told without training on them"):
        Trainer(gan(), step=gan_step).evaluate(points)


def test_validation_is_refused_before_the_first_step(points):
    with pytest.raises(TrainError, match="validation= needs a loss"):
        Trainer(gan(), step=gan_step).fit(points, validation=0.1, folder=False)
