"""Metrics agree with scikit-learn over the whole set, whatever the batches were."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
sk = pytest.importorskip("sklearn.metrics")

from torch import nn  # noqa: E402

from mlnb.errors import TrainError, UnknownName  # noqa: E402
from mlnb.train.words.losses import Loss, resolve_loss  # noqa: E402
from mlnb.train.words.metrics import direction, resolve_metrics  # noqa: E402

KINDS = {
    "classification": ("cross_entropy", "softmax"),
    "binary": ("bce", "sigmoid"),
    "multilabel": ("bce", "sigmoid"),
    "regression": ("mse", None),
}


def measured(names, kind, outputs, targets, sizes=(1, 7, 64)):
    """The metrics over `outputs`, in batches of unequal size."""
    name, activation = KINDS[kind]
    loss = Loss(name, nn.MSELoss(), "", kind, activation)
    metrics = resolve_metrics(names, loss=loss, outputs=outputs[:2], targets=targets[:2])
    metrics.reset()
    at, turn = 0, 0
    while at < len(outputs):
        size = sizes[turn % len(sizes)]
        metrics.update(outputs[at : at + size], targets[at : at + size])
        at, turn = at + size, turn + 1
    return metrics.compute()


def close(found: dict, expected: dict) -> None:
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6, nan_ok=True)


def multiclass(case: str, seed: int):
    """Logits and labels of five classes; classes absent, scores tied, one class only."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(300, 5)).astype(np.float32)
    labels = random.integers(0, 5, 300)
    if case == "absent":
        labels[labels == 3] = 1
        logits[:, 4] -= 20
    elif case == "ties":
        logits = np.round(logits)
        logits += np.arange(5, dtype=np.float32) * 1e-3 if seed % 2 else 0
    elif case == "one class":
        labels[:] = 2
    elif case == "good":
        logits[np.arange(300), labels] += 2
    return logits, labels


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", ["random", "good", "absent", "one class"])
def test_classes_are_counted_as_scikit_learn_counts_them(case, seed):
    logits, labels = multiclass(case, seed)
    guess = logits.argmax(1)
    expected = {
        "accuracy": sk.accuracy_score(labels, guess),
        "balanced_accuracy": np.mean([(guess == c)[labels == c].mean() for c in set(labels)]),
        "mcc": sk.matthews_corrcoef(labels, guess),
        "kappa": sk.cohen_kappa_score(labels, guess),
    }
    for name in ("precision", "recall", "f1", "jaccard"):
        score = getattr(sk, f"{name}_score")
        for way in ("macro", "micro", "weighted"):
            expected[f"{name}_{way}"] = score(labels, guess, average=way, zero_division=0)
        expected[name] = expected[f"{name}_macro"]
    found = measured(list(expected), "classification", torch.tensor(logits), torch.tensor(labels))
    close(found, expected)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", ["random", "good", "absent", "ties"])
def test_scores_are_ranked_as_scikit_learn_ranks_them(case, seed):
    logits, labels = multiclass(case, seed)
    shown = torch.tensor(logits)
    chance, exact = shown.softmax(1).numpy(), shown.double().softmax(1).numpy()
    present = sorted(set(labels))
    auc = {c: sk.roc_auc_score(labels == c, chance[:, c]) for c in present}
    precision = {c: sk.average_precision_score(labels == c, chance[:, c]) for c in present}
    share = [(labels == c).sum() for c in present]
    expected = {
        "auc": np.mean(list(auc.values())),
        "auc_weighted": np.average(list(auc.values()), weights=share),
        "average_precision": np.mean(list(precision.values())),
        "log_loss": sk.log_loss(labels, exact, labels=range(5)),
    }
    for k in (1, 2, 4):
        expected[f"top{k}"] = sk.top_k_accuracy_score(labels, logits, k=k, labels=range(5))
    close(measured(list(expected), "classification", shown, torch.tensor(labels)), expected)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_two_classes_by_one_output_are_scored_as_scikit_learn_does(seed, shape):
    random = np.random.default_rng(seed)
    logits = np.round(random.normal(size=257) * 3).astype(np.float32) / 2
    labels = (random.random(257) < 0.2).astype(np.float32)
    guess, chance = logits > 0, 1 / (1 + np.exp(-logits.astype(float)))
    expected = {
        "accuracy": sk.accuracy_score(labels, guess),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, guess),
        "precision": sk.precision_score(labels, guess, zero_division=0),
        "recall": sk.recall_score(labels, guess),
        "specificity": sk.recall_score(1 - labels, ~guess),
        "f1": sk.f1_score(labels, guess),
        "f1_macro": sk.f1_score(labels, guess, average="macro"),
        "mcc": sk.matthews_corrcoef(labels, guess),
        "auc": sk.roc_auc_score(labels, chance),
        "average_precision": sk.average_precision_score(labels, chance),
        "log_loss": sk.log_loss(labels, chance),
    }
    outputs, targets = torch.tensor(logits).reshape(shape), torch.tensor(labels).reshape(shape)
    close(measured(list(expected), "binary", outputs, targets), expected)


def test_two_classes_by_two_outputs_rank_by_the_second():
    logits, labels = multiclass("random", 3)
    logits, labels = logits[:, :2], labels % 2
    chance = torch.tensor(logits).softmax(1)[:, 1].numpy()
    found = measured(["auc"], "classification", torch.tensor(logits), torch.tensor(labels))
    close(found, {"auc": sk.roc_auc_score(labels, chance)})


@pytest.mark.parametrize("seed", [0, 1])
def test_several_labels_a_row_are_scored_as_scikit_learn_does(seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(211, 4)).astype(np.float32)
    labels = (random.random((211, 4)) < [0.5, 0.1, 0.9, 0.3]).astype(np.float32)
    guess = logits > 0
    expected = {
        "accuracy": (guess == labels).mean(),
        "auc": sk.roc_auc_score(labels, logits, average="macro"),
        "auc_micro": sk.roc_auc_score(labels, torch.tensor(logits).sigmoid(), average="micro"),
        "average_precision_weighted": sk.average_precision_score(
            labels, logits, average="weighted"
        ),
    }
    for way in ("macro", "micro", "weighted"):
        expected[f"f1_{way}"] = sk.f1_score(labels, guess, average=way, zero_division=0)
        expected[f"recall_{way}"] = sk.recall_score(labels, guess, average=way, zero_division=0)
    found = measured(list(expected), "multilabel", torch.tensor(logits), torch.tensor(labels))
    close(found, expected)


@pytest.mark.parametrize("far", [0.0, 1e4])
@pytest.mark.parametrize("columns", [1, 3])
def test_errors_are_summed_as_scikit_learn_sums_them(columns, far):
    random = np.random.default_rng(columns)
    truth = random.random((301, columns)) + far
    guess = truth + random.normal(size=truth.shape) * 0.2
    truth, guess = truth.astype(np.float32), guess.astype(np.float32)
    guess = np.abs(guess)
    exact = truth.astype(float), guess.astype(float)
    expected = {
        "mae": sk.mean_absolute_error(*exact),
        "mse": sk.mean_squared_error(*exact),
        "rmse": sk.root_mean_squared_error(*exact),
        "r2": sk.r2_score(*exact),
        "explained_variance": sk.explained_variance_score(*exact),
        "mape": sk.mean_absolute_percentage_error(*exact),
        "msle": sk.mean_squared_log_error(*exact),
        "median_absolute_error": sk.median_absolute_error(*exact),
        "max_error": np.abs(exact[0] - exact[1]).max(),
    }
    found = measured(list(expected), "regression", torch.tensor(guess), torch.tensor(truth))
    close(found, expected)


def test_rows_against_columns_are_not_broadcast():
    found = measured(["mae", "r2"], "regression", torch.arange(5.0)[:, None], torch.arange(5.0))
    close(found, {"mae": 0.0, "r2": 1.0})


def test_what_does_not_exist_is_nan():
    logits, labels = multiclass("one class", 0)
    found = measured(["auc"], "classification", torch.tensor(logits), torch.tensor(labels))
    assert math.isnan(found["auc"])
    one = torch.ones(1, 1)
    assert math.isnan(measured(["r2"], "regression", one, one)["r2"])
    empty = measured(["accuracy", "auc", "log_loss"], "binary", torch.ones(0, 1), torch.ones(0, 1))
    assert all(math.isnan(value) for value in empty.values())


def test_a_network_of_nan_is_never_right():
    outputs = torch.full((10, 5), torch.nan)
    found = measured(["top5", "auc"], "classification", outputs, torch.arange(10) % 5)
    assert found["top5"] == 0
    assert math.isnan(found["auc"])


def test_ignored_targets_do_not_count():
    logits, labels = (torch.tensor(part) for part in multiclass("good", 0))
    some = labels.clone()
    some[::3] = -100
    names = ["accuracy", "f1", "auc", "top2", "log_loss"]
    kept = some != -100
    whole = measured(names, "classification", logits, some)
    close(whole, measured(names, "classification", logits[kept], labels[kept]))


def test_the_positions_of_a_picture_count_as_rows():
    logits = torch.randn(6, 3, 4, 5)
    labels = torch.randint(0, 3, (6, 4, 5))
    found = measured(["accuracy", "top2"], "classification", logits, labels, sizes=(2,))
    flat = logits.movedim(1, -1).reshape(-1, 3)
    close(found, measured(["accuracy", "top2"], "classification", flat, labels.reshape(-1)))
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())


def test_chances_instead_of_logits_are_taken_as_they_are():
    logits, labels = multiclass("good", 0)
    shown, targets = torch.tensor(logits), torch.tensor(labels)
    probabilities = Loss("nll", nn.MSELoss(), "", "classification", None)
    metrics = resolve_metrics(
        ["log_loss", "auc"], loss=probabilities, outputs=shown[:2], targets=targets[:2]
    )
    metrics.update(shown.softmax(1), targets)
    close(metrics.compute(), measured(["log_loss", "auc"], "classification", shown, targets))


def test_a_second_pass_begins_anew():
    loss = Loss("mse", nn.MSELoss(), "", "regression")
    metrics = resolve_metrics(
        ["mae", "median_absolute_error"], loss=loss, outputs=None, targets=None
    )
    for size in (1.0, 3.0):
        metrics.reset()
        metrics.update(torch.full((4, 1), size), torch.zeros(4, 1))
        assert metrics.compute() == {"mae": size, "median_absolute_error": size}


def test_torchmetrics_and_functions_see_the_whole_set():
    torchmetrics = pytest.importorskip("torchmetrics")
    logits, labels = (torch.tensor(part) for part in multiclass("good", 0))
    metrics = {
        "theirs": torchmetrics.classification.MulticlassF1Score(5),
        "mine": lambda outputs, targets: (outputs.argmax(1) == targets).float().mean(),
        "spread": lambda outputs, targets: float(outputs.max() - outputs.min()),
        "f1": "f1_macro",
    }
    found = measured(metrics, "classification", logits, labels)
    assert found["theirs"] == pytest.approx(found["f1"])
    assert found["mine"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    assert found["spread"] == pytest.approx((logits.max() - logits.min()).item())


def test_a_collection_gives_every_one_of_its_values():
    torchmetrics = pytest.importorskip("torchmetrics")
    both = torchmetrics.MetricCollection(
        [torchmetrics.MeanAbsoluteError(), torchmetrics.MeanSquaredError()]
    )
    found = measured([both], "regression", torch.ones(4, 1), torch.zeros(4, 1))
    assert found == {"MeanAbsoluteError": 1.0, "MeanSquaredError": 1.0}


def test_a_function_that_fails_is_named():
    with pytest.raises(TrainError, match="the metric wrong failed: division"):
        measured({"wrong": lambda o, t: 1 / 0}, "regression", torch.ones(4, 1), torch.ones(4, 1))
    with pytest.raises(TrainError, match="the metric odd gave a str, expected a number"):
        measured({"odd": lambda o, t: "high"}, "regression", torch.ones(4, 1), torch.ones(4, 1))


def test_running_counts_are_the_same_as_over_the_whole():
    logits, labels = (torch.tensor(part) for part in multiclass("good", 0))
    loss = resolve_loss("auto", outputs=logits[:2], targets=labels[:2])
    metrics = resolve_metrics(["accuracy", "f1"], loss=loss, outputs=logits, targets=labels)
    sums = {}
    for at in range(0, 300, 64):
        metrics.running(logits[at : at + 64], labels[at : at + 64], sums)
    expected = (logits.argmax(1) == labels).float().mean().item()
    assert metrics.running_values(sums) == {"accuracy": pytest.approx(expected)}
    assert metrics.running_values({}) == {}


def test_running_counts_leave_out_rows_without_a_label():
    logits, labels = torch.eye(4), torch.tensor([0, 1, -100, 0])
    loss = resolve_loss("auto", outputs=logits, targets=labels)
    metrics = resolve_metrics("accuracy", loss=loss, outputs=logits, targets=labels)
    sums = {}
    for at in range(0, 4, 2):
        metrics.running(logits[at : at + 2], labels[at : at + 2], sums)
    assert metrics.running_values(sums)["accuracy"] == pytest.approx(2 / 3)


def test_a_margin_says_yes_from_zero_on_and_a_probability_from_a_half():
    outputs, targets = torch.tensor([[0.3], [-0.3]]), torch.tensor([[1.0], [0.0]])
    for name, accuracy in (("hinge", 1.0), ("bce", 0.5)):
        loss = Loss(name, nn.MSELoss(), "", "binary")
        metrics = resolve_metrics("accuracy", loss=loss, outputs=outputs, targets=targets)
        metrics.update(outputs, targets)
        assert metrics.compute() == {"accuracy": accuracy}


def test_running_errors_are_those_of_all_rows():
    loss = Loss("mse", nn.MSELoss(), "", "regression")
    truth, guess = torch.randn(100, 2), torch.randn(100, 2)
    metrics = resolve_metrics(["mae", "rmse"], loss=loss, outputs=guess, targets=truth)
    sums = {}
    for part in range(0, 100, 33):
        metrics.running(guess[part : part + 33], truth[part : part + 33], sums)
    found = metrics.running_values(sums)
    assert found["mae"] == pytest.approx((truth - guess).abs().mean().item(), rel=1e-5)
    assert found["rmse"] == pytest.approx((truth - guess).square().mean().sqrt().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "names"),
    [("classification", ("accuracy",)), ("regression", ("mae",)), ("custom", ())],
)
def test_auto_follows_the_loss(kind, names):
    loss = Loss("any", nn.MSELoss(), "", kind)
    assert resolve_metrics("auto", loss=loss, outputs=None, targets=None).names == names
    assert resolve_metrics(None, loss=loss, outputs=None, targets=None).names == ()


def test_unknown_and_unfitting_names_are_refused():
    loss = Loss("mse", nn.MSELoss(), "", "regression")
    logits = Loss("cross_entropy", nn.MSELoss(), "", "classification", "softmax")
    given = {"outputs": torch.zeros(2, 3), "targets": torch.zeros(2)}
    with pytest.raises(UnknownName, match="did you mean 'accuracy'"):
        resolve_metrics("acuracy", loss=logits, **given)
    with pytest.raises(
        TrainError, match="'accuracy' is not for regression outputs; these have: mae"
    ):
        resolve_metrics("accuracy", loss=loss, **given)
    with pytest.raises(TrainError, match="'r2' is not for classification outputs"):
        resolve_metrics(["r2"], loss=logits, **given)
    with pytest.raises(TrainError, match="two metrics are called 'f1'"):
        resolve_metrics(["f1", "f1"], loss=logits, **given)
    with pytest.raises(TrainError, match="received int"):
        resolve_metrics([3], loss=logits, **given)
    with pytest.raises(TrainError, match="k of at least 1"):
        resolve_metrics("top0", loss=logits, **given)


def test_the_best_direction_is_known_by_name():
    high = [
        "accuracy",
        "val_accuracy",
        "f1_macro",
        "val_top5",
        "auc",
        "r2",
        "acc",
        "val_my_accuracy",
    ]
    low = ["loss", "val_loss", "mae", "log_loss", "val_rmse", "generator_loss", "max_error"]
    assert {direction(name) for name in high} == {"max"}
    assert {direction(name) for name in low} == {"min"}
    assert direction("fid") is None


def test_nothing_warns_of_absent_classes():
    logits, labels = multiclass("absent", 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured(["f1", "auc"], "classification", torch.tensor(logits), torch.tensor(labels))
