"""Losses by word, class, module and function; what "auto" means is said in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from mlnb.errors import TrainError, UnknownName  # noqa: E402
from mlnb.train.words.loss_functions import WORDS  # noqa: E402
from mlnb.train.words.losses import resolve_loss  # noqa: E402

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, -0.3], [1.0, 1.0, 1.0]])
CLASSES = torch.tensor([0, 2, 1])
NUMBERS = torch.tensor([[0.5], [-1.0], [2.0]])


def resolve(loss="auto", outputs=LOGITS, targets=CLASSES, **more):
    return resolve_loss(loss, outputs=outputs, targets=targets, **more)


@pytest.mark.parametrize(
    ("outputs", "targets", "task", "name", "kind"),
    [
        (LOGITS, CLASSES, "classification", "cross_entropy", "classification"),
        (LOGITS, CLASSES, "unknown", "cross_entropy", "classification"),
        (torch.zeros(2, 5, 4, 4), torch.zeros(2, 4, 4).long(), "unknown", "cross_entropy",
         "classification"),
        (LOGITS.softmax(1), LOGITS.softmax(1), "classification", "cross_entropy", "classification"),
        (NUMBERS, torch.tensor([[0.0], [1.0], [1.0]]), "binary", "bce", "binary"),
        (LOGITS, (LOGITS > 0).float(), "multilabel", "bce", "multilabel"),
        (NUMBERS, NUMBERS + 1, "regression", "mse", "regression"),
        (NUMBERS, torch.tensor([3, 4, 9]), "regression", "mse", "regression"),
        (LOGITS, LOGITS, "unknown", "mse", "regression"),
    ],
)  # fmt: skip
def test_auto_follows_outputs_and_targets(outputs, targets, task, name, kind):
    loss = resolve(outputs=outputs, targets=targets, task=task)
    assert (loss.name, loss.kind) == (name, kind)
    assert loss.said.startswith(f"loss: {name} (")
    assert loss.function(outputs, targets).ndim == 0


def test_auto_says_why():
    assert resolve().said == "loss: cross_entropy (integer targets, 3 outputs)"
    assert resolve(outputs=NUMBERS, targets=NUMBERS).said == "loss: mse (float targets, 1 output)"


def test_auto_refuses_what_fits_nothing():
    with pytest.raises(
        TrainError, match=r"no loss fits outputs \[3, 3\] and float32 targets \[3\]"
    ):
        resolve(targets=torch.zeros(3))
    with pytest.raises(TrainError, match="more than two classes, but the network has 1 output"):
        resolve(outputs=NUMBERS, task="classification")
    with pytest.raises(TrainError, match=r"\(x, x\) for an autoencoder"):
        resolve(targets=None)
    with pytest.raises(TrainError, match="the network's output is a tuple"):
        resolve(outputs=(LOGITS, LOGITS))


@pytest.mark.parametrize(
    ("word", "torchs"),
    [
        ("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss), ("l1", F.l1_loss),
        ("smooth_l1", F.smooth_l1_loss), ("poisson", F.poisson_nll_loss),
        ("huber(delta=0.3)", partial(F.huber_loss, delta=0.3)),
        ("rmse", lambda a, b: F.mse_loss(a, b).sqrt()),
        ("log_cosh", lambda a, b: torch.cosh(a - b).log().mean()),
    ],
)  # fmt: skip
def test_words_of_regression_are_torchs_losses(word, torchs):
    outputs, targets = torch.randn(7, 3), torch.rand(7, 3)
    loss = resolve(word, outputs, targets)
    assert loss.function(outputs, targets).item() == pytest.approx(torchs(outputs, targets).item())
    assert loss.kind == "regression"


def test_words_of_classification_are_torchs_losses():
    loss = resolve("cross-entropy(label_smoothing=0.1)")
    expected = F.cross_entropy(LOGITS, CLASSES, label_smoothing=0.1)
    assert torch.equal(loss.function(LOGITS, CLASSES), expected)
    assert "label_smoothing=0.1" in loss.said
    assert torch.equal(
        resolve("nll").function(LOGITS.log_softmax(1), CLASSES), F.cross_entropy(LOGITS, CLASSES)
    )
    assert torch.equal(
        resolve("hinge").function(LOGITS, CLASSES), F.multi_margin_loss(LOGITS, CLASSES)
    )


def test_kl_divergence_takes_logits_and_logarithms_alike():
    targets = torch.rand(3, 3).softmax(1)
    loss = resolve("kl_div", LOGITS, targets)
    expected = F.kl_div(LOGITS.log_softmax(1), targets, reduction="batchmean")
    assert loss.function(LOGITS, targets).item() == pytest.approx(expected.item())
    assert loss.function(LOGITS.log_softmax(1), targets).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("targets", [torch.tensor([0.0, 1.0, 1.0]), torch.tensor([-1.0, 1.0, 1.0])])
def test_hinge_takes_both_ways_to_write_two_classes(targets):
    loss = resolve("hinge", NUMBERS, targets, task="binary")
    assert loss.function(NUMBERS, targets).item() == pytest.approx((1.5 + 2 + 0) / 3)


@pytest.mark.parametrize("word", sorted(set(WORDS) - {"nll"}))
def test_every_word_gives_a_finite_loss_and_gradient(word):
    outputs = torch.randn(6, 4, requires_grad=True)
    classes = WORDS[word].kind == "classification"
    targets = torch.randint(0, 4, (6,)) if classes else torch.rand(6, 4).round()
    resolve(word, outputs, targets).function(outputs, targets).backward()
    assert outputs.grad.isfinite().all()


def test_rmse_has_a_finite_gradient_where_there_is_no_error():
    outputs = NUMBERS.clone().requires_grad_()
    value = resolve("rmse", outputs, NUMBERS).function(outputs, NUMBERS)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert outputs.grad.tolist() == [[0.0], [0.0], [0.0]]


def test_rows_and_columns_are_not_broadcast_against_each_other():
    flat = NUMBERS[:, 0] + 1
    loss = resolve("mse", NUMBERS, flat)
    assert loss.function(NUMBERS, flat).item() == pytest.approx(1.0)
    assert "targets [] read as [1] a row" in loss.said


def test_integers_are_numbers_to_a_regression():
    loss = resolve("mae", NUMBERS, torch.tensor([1, 2, 3]))
    assert loss.function(NUMBERS, torch.tensor([1, 2, 3])).item() == pytest.approx(4.5 / 3)


def test_class_weights_weigh_as_torch_weighs():
    weight = torch.tensor([1.0, 2.0, 5.0])
    loss = resolve("cross_entropy", class_weight=weight)
    assert torch.equal(
        loss.function(LOGITS, CLASSES), F.cross_entropy(LOGITS, CLASSES, weight=weight)
    )
    assert "classes weighted" in loss.said
    module = nn.CrossEntropyLoss()
    assert torch.equal(
        resolve(module, class_weight=weight).function(LOGITS, CLASSES),
        F.cross_entropy(LOGITS, CLASSES, weight=weight),
    )
    assert module.weight is None


def test_two_weights_weigh_two_classes_of_one_output():
    targets, weight = torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([1.0, 3.0])
    loss = resolve("bce", NUMBERS, targets, task="binary", class_weight=weight)
    two = torch.cat([torch.zeros(3, 1), NUMBERS], 1)
    expected = F.cross_entropy(two, targets[:, 0].long(), weight=weight)
    assert loss.function(NUMBERS, targets).item() == pytest.approx(expected.item())


def test_class_weights_where_there_are_no_classes_are_refused():
    for loss in ("mse", nn.MSELoss(), F.cross_entropy):
        with pytest.raises(TrainError, match="class_weight"):
            resolve(loss, NUMBERS, NUMBERS, class_weight=torch.ones(3))


@pytest.mark.parametrize(
    ("last", "activation"), [(nn.Softmax(1), None), (nn.LogSoftmax(1), "softmax")]
)
def test_a_network_that_ends_in_softmax_is_noticed(last, activation):
    model = nn.Sequential(nn.Linear(3, 3), last)
    outputs = last(LOGITS)
    loss = resolve("auto", outputs, CLASSES, model=model)
    assert loss.activation == activation
    assert "ends in" in loss.said
    expected = F.cross_entropy(LOGITS, CLASSES)
    assert loss.function(outputs, CLASSES).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_network_that_ends_in_sigmoid_is_noticed():
    targets = torch.tensor([[0.0], [1.0], [1.0]])
    model = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
    loss = resolve("auto", NUMBERS.sigmoid(), targets, task="binary", model=model)
    expected = F.binary_cross_entropy_with_logits(NUMBERS, targets)
    assert loss.function(NUMBERS.sigmoid(), targets).item() == pytest.approx(expected.item())


def test_unknown_words_and_options_name_the_closest():
    with pytest.raises(UnknownName, match="did you mean 'cross_entropy'"):
        resolve("cros_entropy")
    with pytest.raises(UnknownName, match="did you mean 'label_smoothing'"):
        resolve("cross_entropy(smoothing=0.1)")
    with pytest.raises(UnknownName, match="Known: cross_entropy, nll, bce"):
        resolve("zzz")
    for hostile in ("", "mse(__import__('os'))", "mse(**x)", "a b", "mse(delta=open('x'))"):
        with pytest.raises(TrainError, match="is no word that can be read"):
            resolve(hostile, NUMBERS, NUMBERS)


def test_classes_modules_and_functions_are_taken():
    for loss in (nn.CrossEntropyLoss, nn.CrossEntropyLoss(), F.cross_entropy):
        found = resolve(loss)
        assert (found.name, found.kind) == ("cross_entropy", "classification")
        assert found.activation == "softmax"
    found = resolve(lambda outputs, targets: outputs.mean())
    assert found.kind == "custom"
    assert resolve(partial(F.mse_loss, reduction="sum"), NUMBERS, NUMBERS).name == "mse"


def test_a_function_that_gives_no_single_number_is_refused():
    with pytest.raises(TrainError, match=r"gave \[3\], expected one number; return its mean"):
        resolve(lambda outputs, targets: outputs[:, 0])
    with pytest.raises(TrainError, match="gave a float"):
        resolve(lambda outputs, targets: 0.5)
    with pytest.raises(TrainError, match="failed on the first rows: no such thing"):
        resolve(_raising)
    with pytest.raises(TrainError, match="received int"):
        resolve(5)


@dataclass
class Focal:
    """A loss as a person may write it: equal to its like, and so without a hash."""

    gamma: float = 2.0

    def __call__(self, outputs, targets):
        each = F.cross_entropy(outputs, targets, reduction="none")
        return ((1 - (-each).exp()) ** self.gamma * each).mean()


def test_an_object_that_can_be_called_is_a_loss():
    assert resolve(Focal()).said == "loss: Focal"


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (nn.CrossEntropyLoss(reduction="none"), r"gave \[3\], expected one number"),
        (nn.CrossEntropyLoss(weight=torch.ones(5)), "failed on the first rows: weight tensor"),
        ("cross_entropy(label_smoothing=3)", "cross_entropy failed on the first rows: label_sm"),
    ],
    ids=["reduction", "weight", "smoothing"],
)
def test_losses_of_torch_are_tried_on_the_first_rows_too(loss, message):
    with pytest.raises(TrainError, match=message):
        resolve(loss)


def _raising(outputs, targets):
    raise ValueError("no such thing")
