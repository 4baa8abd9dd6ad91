"""`%mlsample`: the list of samples, and one of them."""

from __future__ import annotations

import pytest

from mlnb import Sample, list_samples


def test_without_a_name_the_samples_are_listed(notebook):
    ran = notebook.run("%mlsample")
    (table,) = (o["data"] for o in ran.outputs)
    for sample in list_samples()[:15]:
        assert sample.name in table["text/plain"]
        assert sample.name in table["text/html"]
    assert "licence" in table["text/plain"]
    assert "<script" not in table["text/html"]
    assert ran.result is None
    assert notebook.run("%mlsample;").outputs == []


def test_a_sample_is_bound_shown_and_returned(notebook):
    ran = notebook.run("%mlsample resnet50")
    assert isinstance(notebook.names["resnet50"], Sample)
    (card,) = (o["data"] for o in ran.outputs)
    assert "%mlload resnet50" in card["text/plain"]
    assert "resnet50" in card["text/html"]
    assert notebook.run("s = %mlsample resnet50 --name other;").outputs == []
    assert notebook.names["s"] is notebook.names["other"]


def test_a_samples_model_is_loaded_through_its_variable(notebook):
    notebook.run("%mlsample resnet50 --name sample;")
    assert notebook.run("%mlload sample --name r;").error is None
    assert notebook.names["r"].path == notebook.names["sample"].path


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlsample resnet51", "no sample 'resnet51'; did you mean 'resnet50'"),
        ("%mlsample resnet50 --names x", "did you mean '--name'"),
        ("%mlsample a b", "'b' is too much"),
    ],
)
def test_a_mistake_is_told_in_one_line(notebook, cell: str, said: str):
    ran = notebook.run(cell)
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_variable_that_holds_something_else_is_not_overwritten(notebook):
    notebook.run("resnet50 = 1")
    assert "resnet50 is an int already" in notebook.run("%mlsample resnet50").err


def test_a_terminal_is_shown_text(terminal):
    assert "licence" in terminal.run("%mlsample").outputs[0]["data"]["text/plain"]
