"""An `Evaluation` as a plotly figure: confusion, ROC, precision-recall and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.figures.plotly_style import AXES, DOTTED, TEXT, layout, plain
from mlnb.figures.style import LIGHT

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from mlnb.train.evaluation import Evaluation
    from mlnb.train.measures import Curve

CURVES = len(LIGHT)
POINTS = 500


def evaluation_figure(evaluation: Evaluation) -> Figure:
    """Four panels; of more than eight classes the curves of the eight with the lowest F1.

    >>> evaluation_figure(evaluation)

    Raises:
        MissingExtra: plotly is not installed.
    """
    objects = need("plotly.graph_objects", "train")
    titles = ("confusion: label by answer", "ROC", "precision and recall", "calibration")
    figure = need("plotly.subplots", "train").make_subplots(
        rows=2,
        cols=2,
        subplot_titles=titles,
        vertical_spacing=0.2,
        horizontal_spacing=0.12,
    )
    figure.add_trace(_confusion(objects, evaluation), row=1, col=1)
    table = evaluation.per_class.reset_index(drop=True)
    for color, at in enumerate(table.sort_values("f1", kind="stable").index[:CURVES]):
        name = evaluation.classes[at]
        group = {"name": plain(name, 40), "legendgroup": str(at), "mode": "lines"}
        line = {"color": LIGHT[color], "width": 1.75}
        for col, row, curve in (
            (2, 1, evaluation.roc(name)),
            (1, 2, evaluation.precision_recall(name)),
        ):
            shared = group | {"line": line, "showlegend": col == 2, **_thinned(curve)}
            figure.add_trace(objects.Scatter(**shared), row=row, col=col)
    for trace in _calibration(objects, evaluation):
        figure.add_trace(trace, row=2, col=2)
    _dress(figure, evaluation)
    return figure


def _confusion(objects: Any, evaluation: Evaluation) -> Any:
    """Shares of each label's rows as colours, counts as text while they can be read."""
    names = [plain(name, 40) for name in evaluation.classes]
    counts = evaluation.confusion
    if evaluation.multi_label:
        counts = counts.reshape(len(names), 4)[:, [3, 2, 1]]
        columns = ["found", "missed", "wrongly given"]
    else:
        columns = names
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    text = {"text": counts, "texttemplate": "%{text}"} if len(names) <= 20 else {"text": counts}
    return objects.Heatmap(
        z=shares,
        # Positions, because plotly lays cells of equal names over each other.
        x=np.arange(len(columns)),
        y=np.arange(len(names)),
        customdata=[[f"{row}: {column}" for column in columns] for row in names],
        zmin=0,
        zmax=1,
        colorscale="Blues",
        showscale=False,
        hovertemplate="%{customdata}<br>%{text} · %{z:.1%}<extra></extra>",
        **text,
    )


def _thinned(curve: Curve) -> dict[str, Any]:
    places = np.unique(np.linspace(0, len(curve.x) - 1, POINTS).round().astype(np.int64))
    places = places if len(curve.x) > POINTS else np.arange(len(curve.x))
    return {
        "x": curve.x[places],
        "y": curve.y[places],
        "hovertemplate": f"%{{x:.3f}}, %{{y:.3f}} (area {curve.area:.4f})",
    }


def _calibration(objects: Any, evaluation: Evaluation) -> list[Any]:
    table = evaluation.calibration().dropna()
    even = objects.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line=DOTTED,
        showlegend=False,
        hoverinfo="skip",
    )
    seen = objects.Scatter(
        x=table["confidence"],
        y=table["accuracy"],
        customdata=table["count"],
        mode="lines+markers",
        line={"color": TEXT, "width": 1.75},
        marker={"size": 4 + 16 * np.sqrt(table["count"] / table["count"].max())},
        name=f"calibration, ECE {evaluation.ece:.3f}",
        hovertemplate="sure %{x:.3f}, right %{y:.3f} (%{customdata:,})<extra></extra>",
    )
    return [even, seen]


def _dress(figure: Any, evaluation: Evaluation) -> None:
    figure.update_xaxes(**AXES, range=[-0.02, 1.02])
    figure.update_yaxes(**AXES, range=[-0.02, 1.02])
    names = [plain(name, 18) for name in evaluation.classes]
    columns = ["found", "missed", "wrongly given"] if evaluation.multi_label else names
    figure.update_xaxes(range=None, autorange=True, **_ticks(columns), row=1, col=1)
    figure.update_yaxes(range=None, autorange="reversed", **_ticks(names), row=1, col=1)
    for row, col, x, y in (
        (1, 2, "false positive rate", "true positive rate"),
        (2, 1, "recall", "precision"),
        (2, 2, "how sure", "how often right"),
    ):
        figure.update_xaxes(title={"text": x, "standoff": 4}, row=row, col=col)
        figure.update_yaxes(title={"text": y, "standoff": 4}, row=row, col=col)
    made = layout(
        " · ".join(evaluation.facts),
        legend={"orientation": "h", "y": -0.1, "yanchor": "top"},
        margin={"l": 40 + 7 * max(len(name) for name in names), "r": 20, "t": 80, "b": 60},
        height=800,
    )
    figure.update_layout(made)


def _ticks(names: list[str]) -> dict[str, Any]:
    step = max(1, len(names) // 20)
    return {"tickvals": list(range(0, len(names), step)), "ticktext": names[::step]}
