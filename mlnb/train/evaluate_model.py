"""`evaluate_model`: an `Evaluation` of anything that classifies, on rows whose labels are known.

A classifier of mlnb evaluates itself, because it knows what it takes. Of any other one two things
are asked, as scikit-learn has them: `predict_proba` and `classes_`.
"""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from mlnb.data.rows import is_good, is_left_out
from mlnb.data.sample import Sample
from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural
from mlnb.train.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    import pandas as pd


def evaluate_model(
    model: Any, test: Any, *, target: str | None = None, text: str | None = None
) -> Evaluation:
    """Let a classifier answer for rows whose labels are known, and compare.

    >>> evaluate_model(classifier, test)
    >>> evaluate_model(make_pipeline(TfidfVectorizer(), LogisticRegression()), frame, text="Text")

    Args:
        model: has `evaluate(test)`, or `predict_proba` and `classes_`.
        test: a frame, a pair `(x, labels)`, a sample, or whatever the model's `evaluate` takes. Of
            a frame that was split its test rows count, and of them those that can be read and that
            nobody left out.
        target: of a frame: the column of the labels; `label` without it.
        text: of a frame: the column of the texts. Without it a model is fed the columns that it
            was fitted on; else the frame where it has a `path`, else its `text`, else all of it
            but the labels.

    Raises:
        TypeError: the model is no classifier.
        UnknownName: the frame has no such column.
        DataError: the model is not fitted, or what does not fit together.
    """
    given = test.data() if isinstance(test, Sample) else test
    if hasattr(model, "evaluate"):
        return _by_itself(model, given, {"target": target, "text": text})
    if not hasattr(model, "predict_proba"):
        raise TypeError(
            f"expected a classifier, with evaluate(test) or predict_proba and classes_; "
            f"received a {type(model).__name__}"
        )
    if not hasattr(model, "classes_"):
        raise DataError(f"this {type(model).__name__} has no classes_: fit it first")
    if isinstance(given, tuple) and len(given) == 2:
        x, labels = given
        return evaluate(labels, model.predict_proba(x), model.classes_)
    if not hasattr(given, "columns"):
        raise DataError(
            f"expected a frame with a column of labels, or a pair (x, labels); "
            f"received a {type(given).__name__}"
        )
    return _on_frame(model, given, target or "label", text)


def _by_itself(model: Any, test: Any, words: dict[str, str | None]) -> Evaluation:
    given = {name: word for name, word in words.items() if word is not None}
    for name in given:
        if not _takes(model.evaluate, name):
            raise DataError(f"{type(model).__name__}.evaluate takes no {name}; leave it out")
    made = model.evaluate(test, **given)
    if isinstance(made, Evaluation):
        return made
    raise DataError(
        f"{type(model).__name__}.evaluate gives a {type(made).__name__}, no Evaluation; "
        "make one: mlnb.evaluate(labels, probabilities, classes)"
    )


def _takes(function: Any, name: str) -> bool:
    try:
        parameters = signature(function).parameters
    except (TypeError, ValueError):  # written in C: it says so itself
        return True
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _on_frame(model: Any, frame: pd.DataFrame, target: str, text: str | None) -> Evaluation:
    columns = [str(name) for name in frame.columns]
    for name in (target, text):
        if name is not None and name not in columns:
            error = unknown("column", name, columns)
            hint = "; say which holds the labels: target=" if name == "label" else ""
            raise type(error)(f"{error}{hint}")
    frame, notes = _taken(frame)
    if not len(frame):
        raise DataError("there is no row to evaluate on")
    probabilities = model.predict_proba(_fed(model, frame, target, text))
    if isinstance(probabilities, list):  # as scikit-learn gives them of many labels
        raise DataError(
            f"{display_text(type(model).__name__)} answers for many labels one by one; "
            "stack them: mlnb.evaluate(labels, probabilities, classes)"
        )
    return evaluate(
        frame[target], probabilities, model.classes_, frame=frame, content=text, notes=notes
    )


def _taken(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Of a frame that was split the test rows; those that can be read and were not left out."""
    notes = []
    if "split" in frame.columns and (frame["split"] == "test").any():
        frame = frame[frame["split"] == "test"]
        notes.append('the rows whose split is "test"')
    good, left_out = is_good(frame), is_left_out(frame)
    for column, lost in (("status", ~good), ("left_out", good & left_out)):
        notes += [f"{plural(int(lost.sum()), 'row')} left out: see {column}"] if lost.any() else []
    taken = good & ~left_out
    return (frame if taken.all() else frame[taken]), notes


def _fed(model: Any, frame: pd.DataFrame, target: str, text: str | None) -> Any:
    if text is not None:
        return frame[text]
    fitted_on = getattr(model, "feature_names_in_", None)
    if fitted_on is not None:
        missing = [name for name in fitted_on if name not in frame.columns]
        if missing:
            raise unknown("column", str(missing[0]), [str(name) for name in frame.columns])
        return frame[list(fitted_on)]
    if "path" in frame.columns:
        return frame
    return frame["text"] if "text" in frame.columns else frame.drop(columns=target)
