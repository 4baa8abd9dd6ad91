"""What is decided before the first step, and what is refused there."""

import pytest
import torch
from torch import nn

from mlnb.errors import DataError, TrainError
from mlnb.train.dry_batch import dry_batch
from mlnb.train.plan import Asked
from mlnb.train.preparing import prepare_fit
from mlnb.train.trainer import Trainer


def prepared(model, data, *, trainer=None, **words):
    return prepare_fit(Trainer(model, **(trainer or {})), Asked(data, **words))


def test_a_plan_knows_how_many_steps_there_will_be(rows, classifier):
    plan, _, _ = prepared(classifier(), rows, epochs=5, batch_size=30)
    assert (plan.steps_per_epoch, plan.total_steps) == (7, 35)
    plan, _, _ = prepared(classifier(), rows, epochs=5, batch_size=30, trainer={"accumulate": 2})
    assert (plan.steps_per_epoch, plan.total_steps) == (4, 20)


def test_a_state_begins_at_nothing(rows, classifier):
    _, state, _ = prepared(classifier(), rows)
    assert (state.step, state.epoch, state.batch, len(state.history)) == (0, 0, 0, 0)
    assert list(state.models) == ["model"]
    assert list(state.optimizers) == ["optimizer"]


def test_the_parameters_of_a_state_are_told_once():
    from mlnb.train.history import History
    from mlnb.train.state import TrainState

    shared = nn.Linear(2, 2)
    state = TrainState(
        {"a": shared, "b": nn.Sequential(shared, nn.Linear(2, 1))}, {}, None, History()
    )
    assert len(list(state.parameters())) == 4


def test_preparing_leaves_the_statistics_of_the_model(rows, classifier):
    model = classifier(norm=True)
    before = {name: value.clone() for name, value in model.named_buffers()}
    prepared(model, rows)
    assert model.training
    for name, value in model.named_buffers():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (torch.arange(200) % 2, "cross_entropy"),
        (torch.rand(200, 2), "mse"),
    ],
)
def test_auto_takes_the_loss_of_targets_and_outputs(targets, said, rows, classifier):
    plan, _, _ = prepared(classifier(), (rows[0], targets))
    assert plan.loss.name == said


def test_a_loss_that_is_an_object_tells_what_the_targets_are(rows, classifier):
    for loss in (nn.CrossEntropyLoss(), nn.CrossEntropyLoss, nn.functional.cross_entropy):
        with pytest.raises(DataError, match="give its last layer 2 outputs"):
            prepared(classifier(outputs=1), rows, trainer={"loss": loss})
    data, trainer = (rows[0], torch.arange(200) % 2), {"loss": nn.MSELoss()}
    plan, _, _ = prepared(classifier(outputs=1), data, trainer=trainer)
    assert (plan.prepared.task, plan.metrics.names) == ("regression", ("mae",))


def test_labels_may_be_text(rows, classifier):
    names = ["dog" if label else "cat" for label in rows[1]]
    run = Trainer(classifier()).fit((rows[0], names), epochs=1, folder=False)
    assert any("'cat' is 0" in notice for notice in run.notices)
    assert set(run.trainer.evaluate((rows[0], names))) == {"loss", "accuracy"}


def test_class_weights_weigh_the_loss(rows, classifier):
    losses = [
        Trainer(classifier())
        .fit(rows, epochs=1, batch_size=200, class_weight=weight, folder=False)
        .history["loss"][0]
        for weight in (None, {0: 1.0, 1: 100.0})
    ]
    assert losses[0] != pytest.approx(losses[1])


def test_gaps_in_the_inputs_are_named_by_row_and_feature(rows, classifier):
    x = rows[0].clone()
    x[37, 5] = float("nan")
    with pytest.raises(DataError, match=r"37.*5"):
        prepared(classifier(), (x, rows[1]))


def test_other_rows_are_read_as_the_first_ones(rows, classifier):
    plan, _, _ = prepared(classifier(), rows, batch_size=10)
    batches = plan.batches_for((rows[0][:50].numpy(), rows[1][:50].numpy()))
    assert (batches.samples, batches.steps) == (50, 5)
    first, again = (next(iter(batches.epoch(3)))[0] for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, next(iter(batches.epoch(4)))[0])


def test_a_clone_trains_other_modules_with_the_same_words(rows, classifier):
    trainer = Trainer(classifier(), lr=0.02, schedule="cosine")
    trainer.fit(rows, epochs=1, folder=False)
    twin = trainer._clone({"model": classifier()})
    assert twin.model is not trainer.model
    assert (twin.lr, twin.schedule, twin.optimizers) == (0.02, "cosine", {})
    twin.fit(rows, epochs=1, folder=False)
    assert trainer.optimizers["optimizer"] is not twin.optimizers["optimizer"]


def test_a_schedule_of_several_optimizers_is_refused(rows):
    models = {"a": nn.Linear(8, 2), "b": nn.Linear(8, 2)}
    with pytest.raises(TrainError, match="schedule= changes the rate of one optimizer"):
        prepared(models, rows[0], trainer={"step": lambda *_: 0.0, "schedule": "cosine"})


def test_a_dry_batch_names_the_innermost_layer_that_fails():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.ReLU(), nn.Linear(9, 2)))
    with pytest.raises(TrainError, match=r"layer `1\.1` \(Linear\(in_features=9.*float32 \[2, 8\]"):
        dry_batch(model, torch.zeros(2, 8))


def test_weights_of_low_precision_are_told_what_to_be_instead():
    with pytest.raises(TrainError, match=r'model.float\(\), and pass precision="bf16"'):
        dry_batch(nn.Linear(4, 2).bfloat16(), torch.zeros(2, 4))


def test_a_dry_batch_leaves_no_hooks_and_no_gradients():
    model = nn.Sequential(nn.Linear(8, 2))
    assert not dry_batch(model, torch.zeros(2, 8)).requires_grad
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_dry_batch_of_a_model_that_calls_itself_in_loops_is_fine():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            for _ in range(3):
                x = self.layer(x)
            return x

    assert dry_batch(Loop(), torch.zeros(2, 4)).shape == (2, 4)
