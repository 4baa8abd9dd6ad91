"""Use a model: `%mlpredict`, `%mlevaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from mlnb.magics import display
from mlnb.magics.ask import ask, classifier
from mlnb.magics.given import data_of
from mlnb.magics.models import named
from mlnb.magics.shell import Argument, Call, MagicError, magic

if TYPE_CHECKING:
    from mlnb.models.model import Model
    from mlnb.models.prediction import Prediction
    from mlnb.train.evaluation import Evaluation
    from mlnb.widgets.answer import Answer
    from mlnb.widgets.prediction_panel import PredictionPanel
    from mlnb.widgets.selection import Selection


@magics_class
class UseMagics(Magics):
    """The magics that run a model."""

    @magic(
        Argument("model", completes="asked"),
        Argument("feeds", completes="feed", many=True, shown="INPUT=VARIABLE"),
        Argument("--outputs", shown="NAMES"),
        Argument("--timeout", kind=float, shown="SECONDS"),
        Argument("--raw", switch=True),
    )
    def mlpredict(self, call: Call) -> Prediction | Answer | PredictionPanel:
        """Run a loaded model on your variables, or ask a classifier about a text or a picture.

        %mlpredict MODEL [INPUT=VARIABLE …] [--outputs NAMES] [--timeout SECONDS] [--raw]
        %mlpredict CLASSIFIER [TEXT | PICTURE]

        It shows what went in and came out, and returns the outputs, or the classes with their
        probabilities; the words of a text are coloured by what they add. A classifier alone opens
        the panel in which one types, or drops pictures.

        MODEL           the variable that holds the model, a network or a `torch.nn.Module`.
        INPUT=VARIABLE  what to feed: the input's name and the variable that holds the array. A
                        model with one input takes the variable alone.
        --outputs       the outputs to compute, with commas between; all of them without it.
        --timeout       seconds until the model is stopped; 60 without it.
        --raw           feed a quantised model the integers that it stores, and show such; without
                        it real values go in and come out.
        CLASSIFIER      a variable with something that has `predict_proba` and `classes_`.
        TEXT            a sentence, in quotes where it has quotes or a # in it; or a variable.
        PICTURE         a file, or a variable that holds `uint8 [height, width, 3]`.

        Examples
        --------
        %mlpredict net image
        answer = %mlpredict net data_0=image
        %mlpredict bert input_ids=ids attention_mask=mask --timeout 120
        %mlpredict pets my_cat.jpg
        %mlpredict reader "We sat an hour and the soup was cold."

        The same in Python: `answer = net.predict({"data_0": image})`, and
        `answer = mlnb.PredictionPanel(pets).predict("my_cat.jpg")`.
        """
        asked = classifier(call)
        if asked is not None:
            return ask(call, asked)
        options = call.options
        model = named(call, options.model)
        extra: dict[str, Any] = {}
        if options.outputs is not None:
            extra["outputs"] = [name.strip() for name in options.outputs.split(",")]
        if options.timeout is not None:
            extra["timeout"] = options.timeout
        if options.raw:
            extra["raw"] = True
        prediction = model.predict(_feeds(call, model), **extra)
        call.show(prediction)
        return prediction

    @magic(
        Argument("model", completes="classifier"),
        Argument("data", completes="data", shown="VARIABLE_SAMPLE_OR_FOLDER"),
        Argument("--target", completes="column", shown="COLUMN"),
        Argument("--text", completes="column", shown="COLUMN"),
        Argument("--selection", completes="variable", shown="VARIABLE"),
    )
    def mlevaluate(self, call: Call) -> Evaluation:
        """Let a classifier answer for rows whose labels are known, and show how good it is.

        %mlevaluate MODEL DATA [--target COLUMN] [--text COLUMN] [--selection VARIABLE]

        MODEL        the variable that holds the classifier: one of mlnb, or anything fitted that
                     has `predict_proba` and `classes_`.
        DATA         rows whose labels are known: a variable (a frame, or a pair of what goes in
                     and labels), the name of a sample, or a folder where the classifier takes one.
                     Of a frame that was split its test rows count.
        --target     of a frame: the column of the labels; `label` without it.
        --text       of a frame: the column of the texts.
        --selection  the variable that holds a `Selection`: what is chosen in the report is chosen
                     there, and in all that share it.

        A click on a cell of the confusion matrix shows its pictures or sentences; a click on a
        sentence colours the words that speak for its answer, and those that speak against it.

        Examples
        --------
        %mlevaluate pets test
        evaluation = %mlevaluate reader frame --text Text --target Liked
        evaluation.most_wrong(5)
        evaluation.figure()

        The same in Python: `evaluation = mlnb.evaluate_model(pets, test)`, and
        `mlnb.EvaluationReport(pets, evaluation)`.
        """
        from mlnb.train.evaluate_model import evaluate_model

        options = call.options
        model = _classifier(call, options.model)
        data = data_of(call, options.data, folder=True)
        evaluation = evaluate_model(model, data, target=options.target, text=options.text)
        from mlnb.widgets.evaluation_report import EvaluationReport

        selection = None if options.selection is None else _selection(call, options.selection)
        call.show(EvaluationReport(model, evaluation, selection=selection))
        display.show(call.shell, evaluation, silent=True)
        return evaluation


def _classifier(call: Call, name: str) -> Any:
    value = call.variable(name, "classifier")
    if not hasattr(value, "evaluate") and not hasattr(value, "predict_proba"):
        raise MagicError(
            f"{name} holds a {type(value).__name__}, no classifier: that has evaluate(test), or "
            "predict_proba and classes_"
        )
    return value


def _selection(call: Call, name: str) -> Selection:
    from mlnb.widgets.selection import Selection

    value = call.variable(name, "selection")
    if not isinstance(value, Selection):
        raise MagicError(f"{name} holds no Selection; selection = mlnb.Selection()")
    return value


def _feeds(call: Call, model: Model) -> dict[str, Any]:
    """The arrays by input, from words such as `data_0=image`, or one variable alone."""
    names, words = model.inputs.names, call.options.feeds
    if len(words) == 1 and len(names) == 1 and "=" not in words[0]:
        return {names[0]: call.variable(words[0])}
    feeds: dict[str, Any] = {}
    for word in words:
        name, equals, variable = word.rpartition("=")
        if not equals:
            wanted = " ".join(f"{name}=VARIABLE" for name in names)
            raise MagicError(f"{word!r} does not say which input it is for; they are: {wanted}")
        feeds[name] = call.variable(variable)
    if not feeds and names:
        shape = " ".join(f"{name}=VARIABLE" for name in names)
        raise MagicError(f"nothing to feed; write: %mlpredict {call.options.model} {shape}")
    return feeds
