"""Loss and metrics over a whole set, validation, and predictions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from mlnb.errors import DataError, TrainError
from mlnb.progress import set_sink
from mlnb.train.trainer import Trainer
from mlnb.train.trees import joined


@pytest.fixture
def trained(rows, classifier):
    trainer = Trainer(classifier(dropout=0.5, norm=True), lr=0.01)
    trainer.fit(rows, epochs=5, folder=False)
    return trainer


def by_hand(trainer, x):
    model = trainer.model
    modes = [module.training for module in model.modules()]
    with torch.no_grad():
        outputs = model.eval()(x)
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    return outputs


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_the_loss_is_that_of_all_rows_whatever_the_batches(batch_size, rows, trained):
    expected = nn.functional.cross_entropy(by_hand(trained, rows[0]), rows[1]).item()
    values = trained.evaluate(rows, batch_size=batch_size)
    assert values["loss"] == pytest.approx(expected, rel=1e-5)
    right = (by_hand(trained, rows[0]).argmax(1) == rows[1]).float().mean().item()
    assert values["accuracy"] == pytest.approx(right)
    assert all(type(value) is float for value in values.values())


@pytest.mark.parametrize("batch_size", [1, 7, 200])
@pytest.mark.parametrize("outputs", [2, 1])
def test_a_weighted_loss_is_that_of_all_rows_whatever_the_batches(
    batch_size, outputs, rows, classifier
):
    trainer = Trainer(classifier(outputs=outputs), device="cpu")
    trainer.fit(rows, class_weight=[1.0, 20.0], epochs=1, folder=False)
    given, truth = by_hand(trainer, rows[0]), rows[1]
    if outputs == 2:
        expected = nn.functional.cross_entropy(given, truth, torch.tensor([1.0, 20.0]))
    else:
        weight = 1 + 19 * truth[:, None].float()
        each = nn.functional.binary_cross_entropy_with_logits(
            given, truth[:, None].float(), weight, reduction="sum"
        )
        expected = each / weight.sum()
    found = trainer.evaluate(rows, batch_size=batch_size)["loss"]
    assert found == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("batch_size", [3, 200])
@pytest.mark.parametrize("loss", ["auto", nn.CrossEntropyLoss(torch.tensor([3.0, 1.0]))])
def test_rows_without_a_label_do_not_move_the_loss(batch_size, loss, rows, classifier):
    x, y = rows[0], rows[1].clone()
    y[50:100] = -100
    trainer = Trainer(classifier(), loss, device="cpu")
    trainer.fit(rows, epochs=1, folder=False)
    weight = None if loss == "auto" else loss.weight
    expected = nn.functional.cross_entropy(by_hand(trainer, x), y, weight).item()
    assert trainer.evaluate((x, y), batch_size=batch_size)["loss"] == pytest.approx(expected, 1e-5)


def test_evaluation_changes_nothing_in_the_model(rows, trained):
    trained.model[1].eval()
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    modes = [module.training for module in trained.model.modules()]
    trained.evaluate(rows)
    trained.predict(rows[0])
    assert modes == [module.training for module in trained.model.modules()]
    for name, value in trained.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_modes_come_back_where_the_model_raises(rows, trained):
    trained.model.train()
    hook = trained.model[2].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trained.predict(rows[0])
    hook.remove()
    assert all(module.training for module in trained.model.modules())


def test_validation_is_measured_at_the_end_of_every_epoch_in_eval_mode(rows, classifier):
    modes = []
    model = classifier(dropout=0.9)
    model.register_forward_hook(
        lambda module, *_: modes.append((module.training, torch.is_inference_mode_enabled()))
    )
    run = Trainer(model).fit(rows, validation=rows, epochs=2, batch_size=100, folder=False)
    assert modes.count((True, False)) == 4
    assert modes.count((False, True)) >= 2
    assert model.training
    last = run.history.epochs[-1]
    assert last["val_loss"] == pytest.approx(run.trainer.evaluate(rows)["loss"], rel=1e-6)
    assert 0 <= last["val_accuracy"] <= 1


def test_a_share_is_held_back_from_training(rows, classifier):
    run = Trainer(classifier()).fit(rows, validation=0.25, epochs=1, batch_size=50, folder=False)
    assert run.step == 3
    assert "val_loss" in run.history.epochs[0]


def test_evaluation_before_any_fit_works(rows, classifier):
    values = Trainer(classifier()).evaluate(rows)
    outputs = classifier().eval()(rows[0])
    expected = nn.functional.cross_entropy(outputs, rows[1]).item()
    assert values["loss"] == pytest.approx(expected, rel=1e-5)


def test_predictions_are_the_raw_outputs_on_the_cpu_in_order(rows, trained):
    outputs = trained.predict(rows[0], batch_size=33)
    assert torch.allclose(outputs, by_hand(trained, rows[0]), atol=1e-6)
    assert outputs.device.type == "cpu"
    assert not outputs.requires_grad
    outputs.add_(1)


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x,
        lambda x: x.numpy(),
        lambda x: x.numpy().astype(np.float64),
        lambda x: x.tolist(),
        lambda x: TensorDataset(x),
    ],
    ids=["tensor", "array", "doubles", "list", "dataset"],
)
def test_one_predicts_for_whatever_holds_rows(form, rows, trained):
    outputs = trained.predict(form(rows[0]))
    assert torch.allclose(outputs, by_hand(trained, rows[0]), atol=1e-5)


def test_several_outputs_come_back_as_the_model_gives_them():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self, x):
            return {"mean": self.layer(x), "norm": x.norm(dim=1)}

    outputs = Trainer(Pair()).predict(torch.ones(10, 2), batch_size=4)
    assert {name: list(value.shape) for name, value in outputs.items()} == {
        "mean": [10, 3],
        "norm": [10],
    }


def test_no_rows_are_an_error(trained):
    with pytest.raises(DataError):
        trained.predict(torch.zeros(0, 8))


def test_long_predictions_report_how_far_they_are(rows, trained, monkeypatch):
    monkeypatch.setattr("mlnb.progress.QUIET_SECONDS", 0.0)
    told = []
    before = set_sink(lambda label, done, total: told.append((label, done, total)))
    try:
        trained.predict(rows[0], batch_size=50)
    finally:
        set_sink(before)
    assert told[-1] == ("sequential", 200, 200)


def test_a_step_of_ones_own_has_no_loss_to_evaluate_with(rows, classifier):
    def step(batch, models, optimizers):
        return torch.tensor(0.0)

    trainer = Trainer(classifier(), step=step)
    trainer.fit(rows, epochs=1, folder=False)
    with pytest.raises(TrainError, match="a metric of your own"):
        trainer.evaluate(rows)


def test_predictions_during_a_run_are_made_by_a_copy(rows, classifier):
    losses = []
    for asks in (False, True):

        class Asks:
            def on_step_end(self, run, asks=asks):
                if asks:
                    run.trainer.predict(rows[0][:4])

        trainer = Trainer(classifier(dropout=0.3, norm=True), callbacks=[Asks()])
        losses.append(trainer.fit(rows, epochs=2, folder=False).history["loss"])
    assert np.array_equal(*losses)


class Outputs(dict):
    """As libraries give them: a dict whose values are attributes, too."""

    __getattr__ = dict.__getitem__


class Wrapped(nn.Module):
    """Gives its logits in such a dict, or in an object that is none."""

    def __init__(self, kind=Outputs):
        super().__init__()
        self.layer, self.kind = nn.Linear(8, 2), kind

    def forward(self, x):
        return self.kind(logits=self.layer(x))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_outputs_of_a_class_of_their_own_reach_the_loss_as_they_are(precision, rows):
    kinds = set()

    def loss(outputs, targets):
        kinds.add((type(outputs), outputs.logits.dtype))
        return nn.functional.cross_entropy(outputs.logits, targets)

    trainer = Trainer(Wrapped(), loss=loss, precision=precision, device="cpu")
    run = trainer.fit(rows, validation=0.2, epochs=1, folder=False)
    assert kinds == {(Outputs, torch.float32)}
    assert run.history.epochs[0]["val_loss"] > 0
    assert trainer.predict(rows[0])["logits"].shape == (200, 2)


def test_rows_that_the_model_cannot_take_name_the_layer(rows, trained):
    narrow = (rows[0][:, :5], rows[1])
    for call in (lambda: trained.predict(narrow[0]), lambda: trained.evaluate(narrow)):
        with pytest.raises(TrainError, match=r"layer `0` \(Linear.*\[2, 5\]"):
            call()


def test_a_validation_that_the_model_cannot_take_is_told_before_the_first_step(rows, classifier):
    model = classifier()
    before = [value.clone() for value in model.parameters()]
    with pytest.raises(TrainError, match=r"^validation: the model cannot take.*layer `0`"):
        Trainer(model).fit(rows, validation=(rows[0][:, :5], rows[1]), folder=False)
    assert all(map(torch.equal, before, model.parameters()))


def test_predictions_that_are_no_tensors_come_back_all_the_same(rows):
    parts = Trainer(Wrapped(SimpleNamespace), device="cpu").predict(rows[0], batch_size=150)
    assert [len(part.logits) for part in parts] == [150, 50]


def test_joined_outputs_may_be_single_numbers():
    assert joined([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1.0, 2.0]
