"""`%mlpredict`: variables in, outputs shown and returned, mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

X = np.ones((2, 4), np.float32)
Y = [[1, 2, 3, 4]] * 2


@pytest.fixture
def loaded(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    notebook.run("%mlload 'two inputs.onnx' --name two;")
    notebook.names["x1"] = X
    return notebook


@pytest.mark.parametrize("cell", ["%mlpredict net x1", "%mlpredict net x=x1  # once"])
def test_a_variable_is_fed_and_the_outputs_are_shown(loaded, cell: str):
    ran = loaded.run(cell)
    assert ran.error is None
    assert (ran.viewers, ran.pictures) == (1, 1)
    assert np.array_equal(ran.result["y"], Y)


def test_the_outputs_are_returned_and_shown_once(loaded):
    ran = loaded.run("answer = %mlpredict net x1")
    assert ran.viewers == 1
    assert np.array_equal(loaded.names["answer"]["y"], Y)
    assert loaded.run("answer").viewers == 1
    assert loaded.run("%mlpredict net x1;").outputs == []


def test_the_card_shows_what_went_in_and_what_came_out(loaded):
    text = loaded.run("%mlpredict net x1").outputs[0]["data"]["text/plain"]
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["in", "x"], ["out", "y"]]
    assert "1 … 4" in text


def test_each_input_has_its_variable(loaded):
    ran = loaded.run("%mlpredict two a=x1 b=x1")
    assert np.array_equal(ran.result["y"], 2 * np.array(Y))


def test_a_variable_of_the_calling_function_comes_first(loaded):
    loaded.names["zeros"] = np.zeros((1, 4), np.float32)
    cell = "def f():\n    x1 = zeros\n    r = %mlpredict net x1\n    return r\nanswer = f()"
    ran = loaded.run(cell)
    assert ran.error is None
    assert loaded.names["answer"]["y"].tolist() == [[0, 0, 0, 0]]


def test_the_options_are_those_of_predict(loaded, monkeypatch):
    seen = {}

    def predict(self, feeds, **options):
        seen.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("mlnb.models.model.Model.predict", predict)
    loaded.run("%mlpredict net x1 --outputs y,z --timeout 2.5")
    assert seen == {"outputs": ["y", "z"], "timeout": 2.5}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlpredict", "missing: model"),
        ("%mlpredict net", "nothing to feed; write: %mlpredict net x=VARIABLE"),
        ("%mlpredict nt x1", "no model 'nt'; did you mean 'net'"),
        ("%mlpredict net x2", "no variable 'x2'; did you mean 'x1'"),
        ("%mlpredict net x1[:1]", "put it into a variable first"),
        ("%mlpredict net X=x1", "There is no input 'X'. It has: x."),
        ("%mlpredict two x1", "which input it is for; they are: a=VARIABLE b=VARIABLE"),
        ("%mlpredict x1 x1", "x1 is of type ndarray, not a Model"),
        ("%mlpredict net x1 --timeout soon", "invalid float value: 'soon'"),
        ("%mlpredict net x1 --output y", "did you mean '--outputs'"),
    ],
)
def test_a_mistake_is_told_in_one_line(loaded, cell: str, said: str):
    ran = loaded.run(cell)
    assert ran.outputs == []
    assert ran.err.startswith("UsageError: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_an_interrupt_prints_one_line(loaded, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlnb.models.model.Model.predict", interrupted)
    assert loaded.run("%mlpredict net x1").err == "UsageError: %mlpredict was interrupted\n"
