"""`Score`: the model's answers for every picture, decoded and fed a batch at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, InputError, unknown
from mlnb.formatting import display_text
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.progress import progress
from mlnb.tasks.pipeline.pictures import Array, batches, picture_frame
from mlnb.tasks.pipeline.step import Step

if TYPE_CHECKING:
    from pandas import DataFrame

Predict = Callable[[Array], Mapping[str, Array]]


class Score(Step):
    """Runs a model on pictures: a column `scores` with a vector a row, in place of `image`.

    >>> steps = LoadImages(), ResizeImages(224), ExtractPixels(), Score("squeezenet.onnx")
    >>> make_pipeline(*steps).transform("photographs").scores[0].shape
    (1000,)

    Pictures are decoded and fed batch by batch: what lies in memory is one batch and the scores.
    One that cannot be decoded keeps its row, with `None` for scores and the reason in `status`.

    Args:
        model: a loaded `Model`, the path of a file, a torch module, or a function of a batch.
        outputs: names of the outputs wanted, with or without TensorFlow's `:0`; all by default.
            Where there are several, each is a column by its name.
        batch_size: pictures decoded and fed at once; a model whose batch is fixed is fed that.
        raw: for a quantised model, the integers that it stores in place of real values.

    Raises:
        InputError: the pixels are not what the model takes; the message says what would be.
        DataError: pictures come in several sizes, or the answers are not one a picture.
    """

    def __init__(
        self,
        model: Any = None,
        outputs: str | Sequence[str] | None = None,
        batch_size: int = 32,
        raw: bool = False,
    ) -> None:
        self.model = model
        self.outputs = outputs
        self.batch_size = batch_size
        self.raw = raw

    def __sklearn_clone__(self) -> Score:
        """A copy over the same model: `clone` would copy its weights, and open files cannot be."""
        return Score(**self.get_params(deep=False))

    def transform(self, X: Any) -> DataFrame:
        """The frame with the scores."""
        import pandas as pd

        predict = predictor(self.model, self.outputs, raw=self.raw)
        frame = picture_frame(X)
        pictures = frame["image"].tolist()
        status = frame["status"].tolist()
        columns: dict[str, list[Any]] = {}
        done = 0
        with progress("scoring pictures", int(frame["image"].notna().sum())) as show:
            for batch in batches(pictures, max(1, self.batch_size)):
                for row, reason in batch.reasons.items():
                    status[row] = reason
                for name, scores in answers(predict, batch.values).items():
                    column = columns.setdefault(name, [None] * len(pictures))
                    for row, one in zip(batch.rows, scores, strict=True):
                        column[row] = one
                done += len(batch.rows) + len(batch.reasons)
                show(done)
        if not columns:
            columns["scores"] = [None] * len(pictures)
        elif len(columns) == 1:
            columns = {"scores": columns.popitem()[1]}
        made = {
            name: pd.Series(column, index=frame.index, dtype=object)
            for name, column in columns.items()
        }
        return frame.drop(columns="image").assign(status=status, **made)


def answers(predict: Predict, values: Array) -> Mapping[str, Array]:
    """What a model answers to a batch, one row a picture; `[n, 1000, 1, 1]` is `[n, 1000]`.

    Raises:
        DataError: it did not give a row a picture.
    """
    if not len(values):
        return {}
    found = {}
    for name, given in predict(values).items():
        array = np.asarray(given)
        if array.ndim == 0 or len(array) != len(values):
            raise DataError(
                f"output {display_text(name)} has shape {list(array.shape)} for {len(values)} "
                f"pictures; expected one row for each. Score(model, outputs=[…]) chooses others"
            )
        wide = [size for size in array.shape[1:] if size != 1]
        found[name] = array.reshape(len(array), -1) if len(wide) <= 1 else array
    return found


def predictor(
    model: Any, outputs: str | Sequence[str] | None = None, *, raw: bool = False
) -> Predict:
    """A function from a batch to the outputs by name, for whatever answers.

    Args:
        model: as `Score` takes it.
        outputs: names of the outputs wanted.
        raw: as in `Score`.

    Raises:
        DataError: nothing that answers.
    """
    wanted = [outputs] if isinstance(outputs, str) else outputs
    if isinstance(model, str | os.PathLike):
        model = load_model(model)
    if isinstance(model, Model):
        return _of_model(model, wanted, raw)
    if live_module(model) is not None:
        return lambda values: _chosen(_run_module(model, values), wanted)
    if callable(model):
        return lambda values: _chosen(_named(model(values)), wanted)
    raise DataError(
        f"expected a Model, the path of a file, a torch module or a function of a batch; "
        f"received {type(model).__name__}"
    )


def _of_model(model: Model, wanted: Sequence[str] | None, raw: bool) -> Predict:
    if len(model.inputs) != 1:
        raise InputError(
            f"the model has {len(model.inputs)} inputs ({', '.join(model.inputs.names)}); "
            f"pictures go into one: Score(lambda x: model.predict({{…: x}}))"
        )
    names = list(wanted or model.outputs.names)
    shape = model.inputs[0].shape
    piece = shape[0] if shape else None

    def predict(values: Array) -> Mapping[str, Array]:
        if not isinstance(piece, int) or piece < 1 or len(values) == piece:
            return dict(model.predict(values, outputs=names, raw=raw))
        filled = np.concatenate([values, np.repeat(values[-1:], -len(values) % piece, axis=0)])
        parts = [
            model.predict(filled[start : start + piece], outputs=names, raw=raw)
            for start in range(0, len(filled), piece)
        ]
        return {name: np.concatenate([p[name] for p in parts])[: len(values)] for name in parts[0]}

    return predict


def _run_module(model: Any, values: Array) -> Mapping[str, Array]:
    from mlnb.models.torch.arrays import to_array, to_tensor
    from mlnb.models.torch.state import device_of, settled, undisturbed

    live = live_module(model)
    assert live is not None
    module = settled(live)
    with undisturbed(module):
        given = module(to_tensor(values, device_of(module)))
    if isinstance(given, Mapping):
        return {str(name): to_array(value) for name, value in given.items()}
    if isinstance(given, tuple | list):
        return {f"output_{at}": to_array(value) for at, value in enumerate(given)}
    return {"output": to_array(given)}


def _named(given: Any) -> Mapping[str, Array]:
    return given if isinstance(given, Mapping) else {"output": np.asarray(given)}


def _chosen(found: Mapping[str, Array], wanted: Sequence[str] | None) -> Mapping[str, Array]:
    for name in wanted or ():
        if name not in found:
            raise unknown("output", name, found)
    return {name: found[name] for name in wanted or found}
