"""`%mlpredict`: variables in, outputs shown and returned, mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlnb.errors import DataError

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
        ("%mlpredict net X=x1", "There is no input 'X'. Known: x."),
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


class Reader:
    """Finds a text good where it says so."""

    classes_ = ("bad", "good")
    takes_text = True

    def predict_proba(self, texts):
        good = np.array([0.9 if "good" in text else 0.2 for text in texts])
        return np.stack([1 - good, good], axis=1)


class Looker:
    """Finds a picture red where it is."""

    classes_ = ("dark", "red")

    def predict_proba(self, pictures):
        red = np.array([picture[..., 0].mean() / 255 for picture in pictures])
        return np.stack([1 - red, red], axis=1)


@pytest.fixture
def asked(notebook, folder: Path):
    from PIL import Image

    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(folder / "my red.png")
    notebook.names.update(reader=Reader(), looker=Looker(), red=red, said="all good")
    return notebook


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ('%mlpredict reader "The soup was good."', "good"),
        ("%mlpredict reader The soup was cold", "bad"),
        ("%mlpredict reader said", "good"),
        ("%mlpredict looker 'my red.png'", "red"),
        ("%mlpredict looker red", "red"),
    ],
)
def test_a_classifier_is_asked_about_a_text_or_a_picture(asked, cell: str, label: str):
    ran = asked.run(cell)
    assert ran.error is None
    assert ran.result.label == label
    [output] = ran.outputs
    assert "px;height:10px;background-color" in output["data"]["text/html"]
    assert output["data"]["text/plain"].startswith(f"Answer({label} ")


def test_the_words_of_a_text_are_coloured_and_an_answer_needs_no_explanation(asked):
    ran = asked.run('%mlpredict reader "The soup was good."')
    assert [piece for piece, share in ran.result.words if share and share > 0.5] == ["good"]
    assert "<b>good</b>" in ran.outputs[0]["data"]["text/html"]

    class Silent(Reader):
        def explain(self, text):
            raise DataError("not today")

    asked.names["silent"] = Silent()
    ran = asked.run('%mlpredict silent "The soup was good."')
    assert ran.error is None
    assert (ran.result.label, ran.result.words) == ("good", ())


def test_a_classifier_alone_opens_the_panel(asked):
    ran = asked.run("%mlpredict looker")
    assert ran.viewers == 1
    assert ran.result.takes == "pictures"
    assert asked.run("%mlpredict reader;").outputs == []


def test_with_the_extension_the_panel_explains_what_cannot_explain_itself(asked, terminal):
    panel = asked.run("%mlpredict looker").result
    assert panel.why_not == ""
    assert panel._asked.heat(asked.names["red"], 1).shape == (20, 30)
    words, _ = asked.run("%mlpredict reader").result._asked.words("all good", 1)
    assert [piece for piece, share in words if share and share > 0.5] == ["good"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlpredict looker rd", "no variable or picture 'rd'; did you mean 'red'"),
        ("%mlpredict looker none.png", "no picture at none.png"),
        ("%mlpredict looker net.onnx", "net.onnx is no picture that mlnb reads"),
        ("%mlpredict looker red red", "one picture at a time"),
        ("%mlpredict reader red", "the model takes a text; received ndarray"),
        ("%mlpredict reader good --timeout 3", "--timeout is for a loaded model"),
    ],
)
def test_what_a_classifier_cannot_be_asked_is_told_in_one_line(asked, cell: str, said: str):
    ran = asked.run(cell)
    assert said in ran.err
    assert ran.err.count("\n") == 1


# ------------------------------------------------------------------------------------ %mlevaluate


@pytest.fixture
def reader(notebook):
    """A classifier of sentences, and sentences whose labels are known."""
    pytest.importorskip("sklearn")
    notebook.run(
        "import pandas as pd\n"
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "from sklearn.pipeline import make_pipeline\n"
        "words = ['good soup', 'good bread', 'bad soup', 'bad tea']\n"
        "reader = make_pipeline(CountVectorizer(), MultinomialNB()).fit(words, [1, 1, 0, 0])\n"
        "frame = pd.DataFrame({'Text': [*words, 'bad luck'], 'Liked': [1, 1, 0, 0, 1]})\n"
        "raw = MultinomialNB()\n"
        "test = frame.rename(columns={'Text': 'text', 'Liked': 'label'})"
    )
    return notebook


def test_a_classifier_is_evaluated_shown_and_the_evaluation_returned(reader):
    ran = reader.run("%mlevaluate reader test")
    assert ran.error is None
    assert (ran.viewers, ran.pictures) == (1, 1)
    assert ran.result.accuracy == 0.8
    assert "80.0%" in ran.outputs[0]["data"]["text/plain"]
    assert reader.run("answer = %mlevaluate reader frame --text Text --target Liked").viewers == 1
    assert reader.names["answer"].rows(1, 0) == [4]
    assert reader.run("answer").viewers == 1
    assert reader.run("%mlevaluate reader test;").outputs == []


def test_the_report_shares_a_selection(reader):
    reader.run("from mlnb.widgets.selection import Selection\nchosen = Selection(test)")
    ran = reader.run("%mlevaluate reader test --selection chosen")
    assert (ran.error, ran.viewers, ran.pictures) == (None, 1, 1)
    assert "predicted" in reader.names["chosen"].frame.columns
    assert "test holds no Selection" in reader.run("%mlevaluate reader test --selection test").err


def test_in_a_terminal_an_evaluation_is_text(terminal):
    pytest.importorskip("sklearn")
    terminal.run("from mlnb.train.evaluation import evaluate\nimport mlnb")
    ran = terminal.run("evaluate(['a', 'b'], [[.9, .1], [.8, .2]], ['a', 'b'])")
    assert "Evaluation(50.0%" in ran.out or "Evaluation(50.0%" in str(ran.outputs)
    terminal.names["model"] = type("Fake", (), {"evaluate": lambda self, test: test})()
    terminal.names["made"] = ran.result
    ran = terminal.run("%mlevaluate model made;")
    assert ran.err == ""
    assert "always the same answer 50.0%" in terminal.run("%mlevaluate model made").out


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlevaluate", "missing: model"),
        ("%mlevaluate readr test", "no classifier 'readr'; did you mean 'reader'"),
        ("%mlevaluate frame test", "frame holds a DataFrame, no classifier"),
        ("%mlevaluate reader tset", "no variable, sample or folder 'tset'; did you mean 'test'"),
        ("%mlevaluate reader frame", "no column 'label'"),
        ("%mlevaluate reader test --txt Text", "did you mean '--text'"),
        ("%mlevaluate reader words", "received a list"),
        ("%mlevaluate raw test", "has no classes_: fit it first"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_one_line(reader, cell: str, said: str):
    ran = reader.run(cell)
    assert ran.outputs == []
    assert ran.err.startswith("UsageError: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_classifiers_and_columns_complete(reader):
    assert "%mlevaluate reader" in reader.complete("%mlevaluate rea")
    assert "%mlevaluate frame" not in reader.complete("%mlevaluate fra")
    line = "%mlevaluate reader frame --target "
    assert reader.complete(line + "L") == [line + "Liked"]
    assert "%mlevaluate reader test --text" in reader.complete("%mlevaluate reader test --te")
