"""`TensorTable`: what goes into a model and what comes out, and after a prediction the values.

It keeps rows, not arrays: what a prediction held is summed up once, so that a table in an old cell
does not keep the arrays alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import traitlets as t

from mlnb.formatting import Markup, display_text, seconds_text
from mlnb.models.model import Model
from mlnb.models.prediction import Prediction
from mlnb.specs import TensorSpec
from mlnb.widgets.base import Widget, bundle, refuse_unknown
from mlnb.widgets.model_words import model_words
from mlnb.widgets.rows import rows_html, rows_text, spec_rows, value_rows, within

if TYPE_CHECKING:
    from mlnb.widgets.rows import Row

    Source = Model | Prediction | Sequence[TensorSpec]

_PICTURE_BYTES = 200_000


class TensorTable(Widget):
    """The IO card: name, dtype and shape of each tensor, and its values where there are some.

    >>> TensorTable(model)  # its inputs and outputs, with the code that feeds it to copy
    >>> TensorTable(model.inputs)
    >>> TensorTable(model.predict(image))  # range, mean, histogram, NaN count, heat map or picture

    Args:
        source: a `Model`, a `Prediction`, or a row of `TensorSpec`.

    Raises:
        TypeError: for anything else, or for an argument that does not exist.
    """

    _esm = bundle("tensor_table.js")
    _css = bundle("tensor_table.css")

    rows = t.List(t.Dict(), help="A row a tensor, as `mlnb.widgets.rows` makes them.").tag(
        sync=True
    )
    feed = t.Unicode(help="Python code that feeds the model with zeros; empty: none.").tag(
        sync=True
    )
    title = t.Unicode(help="What the table is of.").tag(sync=True)
    facts = t.Unicode(help="One line about it.").tag(sync=True)

    def __init__(self, source: Source, **unknown: Any) -> None:
        refuse_unknown("TensorTable", unknown, ["source"])
        super().__init__(**_traits(source))

    def static_html(self) -> Markup:
        """The table without scripts."""
        return rows_html(self.title, self.facts, self.rows)

    def static_text(self) -> str:
        """The table as plain text."""
        return rows_text(self.title, self.facts, self.rows)

    def __repr__(self) -> str:
        names = ", ".join(display_text(row["name"], 30) for row in self.rows[:6])
        more = f" and {len(self.rows) - 6} more" if len(self.rows) > 6 else ""
        return f"TensorTable({names}{more})"


def _traits(source: Source) -> dict[str, Any]:
    if isinstance(source, Prediction):
        return _prediction_traits(source)
    if isinstance(source, Model):
        words = {"title": display_text(source.title), "facts": model_words(source)}
        return words | io_traits(source)
    if isinstance(source, Sequence) and all(isinstance(spec, TensorSpec) for spec in source):
        return {"rows": spec_rows(source)}
    raise TypeError(
        "TensorTable expects a Model, a Prediction or a row of TensorSpec; "
        f"received {type(source).__name__}"
    )


def io_traits(model: Model) -> dict[str, Any]:
    """The rows of a model's inputs and outputs, and the code that feeds it."""
    rows: list[Row] = [*spec_rows(model.inputs, "in"), *spec_rows(model.outputs, "out")]
    return {"rows": rows, "feed": model.feed_code}


def _prediction_traits(prediction: Prediction) -> dict[str, Any]:
    rows = [*value_rows(prediction.inputs, "in"), *value_rows(prediction, "out")]
    rows = within(rows, _PICTURE_BYTES)
    facts = (f"{seconds_text(prediction.seconds)} on {prediction.device}", *prediction.notes)
    return {"title": "prediction", "facts": " · ".join(facts), "rows": rows}
