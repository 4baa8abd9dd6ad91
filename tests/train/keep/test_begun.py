"""What a run was begun with is JSON, and tells other words and other data apart."""

import json

import numpy as np
import torch

from mlnb.train.keep.begun import fingerprint, objects_in, other_data, record
from mlnb.train.trainer import Trainer


def test_words_as_json():
    assert record(("a", None, True, 1.5, {"b": np.float32(2)})) == [
        "a",
        None,
        True,
        1.5,
        {"b": 2.0},
    ]
    assert record(torch.optim.SGD) == {"custom": "torch.optim.sgd.SGD"}
    assert record({1: 2}) == {"custom": "builtins.dict"}
    assert record(np.zeros(3)) == {"custom": "numpy.ndarray"}
    assert record(torch.device("cpu")) == "cpu"


def test_a_fingerprint_tells_data_apart(rows, classifier):
    run = Trainer(classifier()).fit(rows, epochs=0, folder=False)
    found = fingerprint(run._plan.prepared)
    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == 200
    assert found["inputs"] == ["float32 [8]"]
    assert len(found["ends"]) == 64
    x, y = rows
    other = Trainer(classifier()).fit((x[:100], y[:100]), epochs=0, folder=False)
    again = fingerprint(other._plan.prepared)
    assert other_data(found, again) == [
        "the data is not what the run was begun with: other rows (200, now 100)"
    ]
    turned = Trainer(classifier()).fit((x.flip(0), y.flip(0)), epochs=0, folder=False)
    assert other_data(found, fingerprint(turned._plan.prepared)) == [
        "the data is not what the run was begun with: other first or last rows"
    ]
    assert other_data(found, dict(found)) == other_data(None, found) == []


def test_objects_are_named_wherever_they_stand():
    assert objects_in(record(["sgd", (torch.optim.SGD, {"a": np.zeros(2)})])) == (
        "torch.optim.sgd.SGD, numpy.ndarray"
    )
    assert objects_in(record({"lr": 0.1, "names": ["a", None]})) == ""
