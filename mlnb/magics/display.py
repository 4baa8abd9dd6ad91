"""Live views of ordinary objects: a `Model` as the last line of a cell shows its viewer.

Registered by class name, so that `%load_ext mlnb` imports none of them. An object is shown at most
once a cell: a magic shows what it loads and returns it, and the cell must not show it again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from IPython.display import display

from mlnb.magics import explaining, progress_line, run_views

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlnb.widgets.base import Widget

_CLASSES = (
    "mlnb.data.sample.Sample",
    "mlnb.device.table.Devices",
    "mlnb.graph.graph.Graph",
    "mlnb.graph.tensor_table.TensorTable",
    "mlnb.models.convert.conversion.Conversion",
    "mlnb.models.model.Model",
    "mlnb.models.prediction.Prediction",
    "mlnb.networks.network.Network",
    "mlnb.networks.sequential.Sequential",
    "mlnb.networks.export.ExportReport",
    "mlnb.specs.TensorSpecs",
    "mlnb.train.evaluation.Evaluation",
    "mlnb.train.run.Run",
    "mlnb.train.keep.run_table.RunTable",
    "mlnb.widgets.answer.Answer",
    "mlnb.widgets.base.Widget",
)


class Shown:
    """What the running cell has shown already, by identity."""

    def __init__(self) -> None:
        self._shown: list[Callable[[], object]] = []

    def __contains__(self, value: object) -> bool:
        return any(other() is value for other in self._shown)

    def add(self, value: object) -> None:
        """Remember `value` until the next cell, without keeping it alive."""
        self._shown.append(ref(value))

    def forget(self, *_: object) -> None:
        """A new cell begins."""
        self._shown.clear()


_shown: WeakKeyDictionary[InteractiveShell, Shown] = WeakKeyDictionary()


def install(shell: InteractiveShell) -> None:
    """Show our objects by their views from now on."""
    shown = _shown[shell] = Shown()
    shell.events.register("pre_run_cell", shown.forget)
    for path in _CLASSES:
        module, _, name = path.rpartition(".")
        _formatter(shell).for_type_by_name(module, name, partial(_display_once, shown))
    progress_line.install(shell)
    run_views.install(shell, shown.add)
    explaining.install()


def remove(shell: InteractiveShell) -> None:
    """Show them as plain Python does."""
    shown = _shown.pop(shell, None)
    if shown is not None:
        shell.events.unregister("pre_run_cell", shown.forget)
        for path in _CLASSES:
            _formatter(shell).pop(path, None)
        progress_line.remove()
        run_views.remove()
        explaining.remove()


def show(shell: InteractiveShell, value: object, *, silent: bool = False) -> None:
    """Show `value` now, or with `silent` not at all; either way the cell does not show it again."""
    shown = _shown.setdefault(shell, Shown())
    if not silent and value not in shown:
        _show_now(value)
    shown.add(value)


def _display_once(shown: Shown, value: object) -> None:
    """What IPython calls to display a value of ours."""
    from mlnb.widgets.base import Widget, has_front_end

    if not has_front_end():
        raise NotImplementedError  # a terminal prints the repr
    if value in shown:
        return
    if not isinstance(value, Widget):  # a widget may be displayed as often as its user likes
        shown.add(value)
    _show_now(value)


def _show_now(value: Any) -> None:
    from mlnb.data.sample import Sample
    from mlnb.magics.models import is_table
    from mlnb.widgets.base import has_front_end
    from mlnb.widgets.weights_view import weights_bundle

    if isinstance(value, Sample):
        from mlnb.magics.learn import sample_card

        display(sample_card(value), raw=True)
    elif type(value).__name__ in ("Devices", "Run", "RunTable"):
        run_views.show(value)
    elif type(value).__name__ in ("Network", "Sequential"):
        from mlnb.widgets import network_view

        network_view.show_table(value)
        network_view.show_graph(value)
    elif type(value).__name__ in ("Answer", "Conversion", "ExportReport") or _is_weight_table(
        value
    ):
        display({"text/plain": repr(value), "text/html": value._repr_html_()}, raw=True)
    elif is_table(value):
        display(weights_bundle(value), raw=True)
    elif has_front_end():
        _view(value)._ipython_display_()
    else:
        print(_text(value))  # noqa: T201 - a terminal is shown text


def _is_weight_table(value: Any) -> bool:
    return type(value).__module__ == "mlnb.graph.tensor_table"


def _view(value: Any) -> Widget:
    from mlnb.widgets.base import Widget
    from mlnb.widgets.graph_viewer import GraphViewer
    from mlnb.widgets.tensor_table import TensorTable

    if isinstance(value, Widget):
        return value
    if type(value).__name__ == "Evaluation":
        from mlnb.widgets.evaluation_report import EvaluationReport

        return EvaluationReport(value)
    drawn = type(value).__name__ in ("Model", "Graph")
    return GraphViewer(value) if drawn else TensorTable(value)


def _text(value: Any) -> str:
    from mlnb.graph.graph import Graph
    from mlnb.widgets.base import Widget
    from mlnb.widgets.tensor_table import TensorTable

    if isinstance(value, Graph):
        return repr(value)
    if type(value).__name__ == "Evaluation":
        return _view(value).static_text()
    return (value if isinstance(value, Widget) else TensorTable(value)).static_text()


def _formatter(shell: InteractiveShell) -> Any:
    return shell.display_formatter.ipython_display_formatter
