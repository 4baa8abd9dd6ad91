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

    from mlnb.data.sample import Sample
    from mlnb.widgets.base import Widget


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
    for path in _VIEWS:
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
        for path in _VIEWS:
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


def _formatter(shell: InteractiveShell) -> Any:
    return shell.display_formatter.ipython_display_formatter


def _show_now(value: Any) -> None:
    paths = (f"{cls.__module__}.{cls.__name__}" for cls in type(value).__mro__)
    next((_VIEWS[path] for path in paths if path in _VIEWS), _page)(value)


# ------------------------------------------------------------------------------------- the views


def _card(value: Sample) -> None:
    from mlnb.magics.learn import sample_card

    display(sample_card(value), raw=True)


def _page(value: Any) -> None:
    display({"text/plain": repr(value), "text/html": value._repr_html_()}, raw=True)


def _layers(value: Any) -> None:
    from mlnb.widgets import network_view

    network_view.show_table(value)
    network_view.show_graph(value)


def _drawn(value: Any) -> None:
    from mlnb.graph.graph import Graph
    from mlnb.magics.models import is_table
    from mlnb.widgets.base import has_front_end
    from mlnb.widgets.weights_view import weights_bundle

    if is_table(value):
        display(weights_bundle(value), raw=True)
    elif has_front_end():
        from mlnb.widgets.graph_viewer import GraphViewer

        GraphViewer(value)._ipython_display_()
    elif isinstance(value, Graph):
        print(repr(value))  # noqa: T201 - a terminal is shown text
    else:
        _tensors(value)


def _tensors(value: Any) -> None:
    from mlnb.widgets.tensor_table import TensorTable

    _widget(TensorTable(value))


def _report(value: Any) -> None:
    from mlnb.widgets.evaluation_report import EvaluationReport

    _widget(EvaluationReport(value))


def _widget(value: Widget) -> None:
    from mlnb.widgets.base import has_front_end

    if has_front_end():
        value._ipython_display_()
    else:
        print(value.static_text())  # noqa: T201 - a terminal is shown text


_VIEWS: dict[str, Callable[[Any], None]] = {
    "mlnb.data.sample.Sample": _card,
    "mlnb.device.table.Devices": _page,
    "mlnb.graph.graph.Graph": _drawn,
    "mlnb.graph.tensor_table.TensorTable": _page,
    "mlnb.models.convert.conversion.Conversion": _page,
    "mlnb.models.model.Model": _drawn,
    "mlnb.models.prediction.Prediction": _tensors,
    "mlnb.networks.export.ExportReport": _page,
    "mlnb.networks.network.Network": _layers,
    "mlnb.networks.sequential.Sequential": _layers,
    "mlnb.specs.TensorSpecs": _tensors,
    "mlnb.train.evaluation.Evaluation": _report,
    "mlnb.train.keep.run_table.RunTable": _page,
    "mlnb.train.run.Run": run_views.show,
    "mlnb.widgets.answer.Answer": _page,
    "mlnb.widgets.base.Widget": _widget,
}
