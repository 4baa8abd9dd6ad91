"""`EmbeddingMap`: rows as points on a plane, near each other where their features are alike.

The page gets two 16-bit numbers a point and paints them itself: 100,000 points are 400 kB, and
moving about needs no kernel.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import traitlets as t

from mlnb.data.projection import project
from mlnb.errors import DataError, need, unknown
from mlnb.formatting import Markup, display_text, html, image_uri, plural
from mlnb.widgets.base import Widget, bundle, refuse_unknown
from mlnb.widgets.map_colors import colored_columns, colors_of, hexes
from mlnb.widgets.picture_rows import name_of
from mlnb.widgets.row_facets import is_none, value_text
from mlnb.widgets.selection import Selection
from mlnb.widgets.thumbnails import ThumbnailThread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pandas import DataFrame

_UNIT, _NOWHERE = 65534, 65535
_TEXTS = ("text", "sentence")
_SAID = ("label", "predicted", "probability", "split", "problem", "why")
_STATIC = (640, 400)
_STATIC_POINTS = 20_000


class EmbeddingMap(Widget):
    """A map of rows by their features; what is chosen on it is chosen everywhere.

    >>> EmbeddingMap(classifier.features(frame), frame, selection=grid.selection)
    >>> EmbeddingMap(features, frame, color="probability", method="umap")

    Draw around points, or a box, to choose them; shift adds. Click the legend to choose a group.
    The pointer over a point shows its picture or its text. The wheel zooms once the map was
    clicked, before that with ctrl. Keys: arrows move, `+` and `-` zoom, `0` shows all, `l`, `b` and
    `m` are lasso, box and move, `a` chooses all in sight, Escape nothing.

    Args:
        features: `[n, d]` numbers, an array or a tensor, a row each of the frame. Rows with NaN
            are left off the map. Two columns are places already.
        frame: what the rows are; `path` or `text` is shown, other columns give colours.
        selection: shared with other widgets; one of its own by default.
        method: `"pca"`, or `"umap"` where it is installed.
        color: a column; `label` by default where there is one.
        text: the column that holds the texts; `text` or `sentence` by default.

    Raises:
        DataError: features that are no `[n, d]`, or not as many as the frame has rows.
        MissingExtra: UMAP is not installed.
        UnknownName: no such column or method.
        TypeError: an argument that does not exist.
    """

    _placed = False  # while it is being made, and when it is closed

    _esm = bundle("embedding_map.js")
    _css = bundle("embedding_map.css")

    facts = t.Unicode(help="One line about the map.").tag(sync=True)
    points = t.Bytes(help="uint16: x and y of each row, 0 to 65534; 65535: no place.").tag(
        sync=True
    )
    codes = t.Bytes(help="uint8: the colour of each row.").tag(sync=True)
    legend = t.Dict(help="What the codes mean: column, kind, groups or low and high.").tag(
        sync=True
    )
    columns = t.List(t.Unicode(), help="The columns that colours can show.").tag(sync=True)
    color = t.Unicode(help="The column that they show; empty: none.").tag(sync=True)
    chosen = t.Bytes(help="int32: the positions of the chosen rows.").tag(sync=True)
    camera = t.Dict(help="What is seen: x, y (0 to 1) and zoom.").tag(sync=True)
    version = t.Int(help="Goes up when rows were edited.").tag(sync=True)
    pictures = t.Bool(help="Whether rows have pictures.").tag(sync=True)

    def __init__(
        self,
        features: Any,
        frame: DataFrame | None = None,
        selection: Selection | None = None,
        method: Literal["pca", "umap"] = "pca",
        *,
        color: str | None = None,
        text: str | None = None,
        **others: Any,
    ) -> None:
        names = ["features", "frame", "selection", "method", "color", "text"]
        refuse_unknown("EmbeddingMap", others, names)
        places = project(features, method)
        self._frame = _frame_of(frame, len(places))
        self._text = _text_column(self._frame, text)
        self.selection = Selection() if selection is None else selection
        self.selection.take(self._frame)
        self._thumbnails = ThumbnailThread(self._path_of, self.send)
        columns = colored_columns(self._frame)
        usual = next((name for name in ("label", "predicted") if name in columns), "")
        color = usual if color is None else color
        if color and color not in columns:
            raise unknown("column to colour by", color, columns)
        colors = colors_of(self._frame, color)
        super().__init__(
            facts=_facts(places, method, np.shape(features)),
            points=_placed(places).tobytes(),
            codes=colors.codes.tobytes(),
            legend=colors.legend,
            columns=columns,
            color=color,
            pictures="path" in self._frame,
        )
        self._placed = True
        self._follow_selection()
        self.selection.observe(self._follow_selection, "ids")
        self.selection.observe(self._follow_edits, "version")

    def close(self) -> None:
        """Take it off the page; it follows the selection no more."""
        if self._placed:
            self.selection.unobserve(self._follow_selection, "ids")
            self.selection.unobserve(self._follow_edits, "version")
            self._placed = False
        super().close()

    # ----------------------------------------------------------------------------- the two outputs

    def static_html(self) -> Markup:
        """The map as a picture, with its legend."""
        groups = [
            html(
                '<span style="white-space:nowrap;margin-right:12px">'
                '<span style="color:{color}">●</span> {name} {count}</span>',
                color=Markup(hexes(self.legend)[group["code"]]),
                name=group["name"],
                count=f"{group['count']:,}",
            )
            for group in self.legend.get("groups", [])
        ]
        return html(
            '<p><b>{facts}</b></p><img src="{uri}" alt="{facts}" style="max-width:100%">'
            "<div>{column}{groups}</div>",
            facts=self.facts,
            uri=image_uri(self._png()),
            column=f"{self.color}: " if self.color else "",
            groups=groups or self._range_text(),
        )

    def static_text(self) -> str:
        """The line of facts."""
        return repr(self)

    def __repr__(self) -> str:
        return f"EmbeddingMap({self.facts})"

    def _range_text(self) -> str:
        if self.legend["kind"] != "numbers":
            return ""
        return f"{self.legend['low']:.3g} (dark) to {self.legend['high']:.3g} (bright)"

    def _png(self) -> bytes:
        pillow, draw = need("PIL.Image", "train"), need("PIL.ImageDraw", "train")
        width, height = _STATIC
        picture = pillow.new("RGBA", (2 * width, 2 * height), (0, 0, 0, 0))
        pen, colors = draw.Draw(picture), hexes(self.legend)
        points = np.frombuffer(self.points, np.uint16).reshape(-1, 2)
        rows = np.flatnonzero(points[:, 0] != _NOWHERE)
        if len(rows) > _STATIC_POINTS:
            rows = rows[:: -(-len(rows) // _STATIC_POINTS)]
        side, radius = 2 * height * 0.94, max(2.2, min(9.0, 60 / max(1, len(rows)) ** 0.4 + 1.5))
        xy = (points[rows] / _UNIT - 0.5) * [side, -side] + [width, height]
        codes = np.frombuffer(self.codes, np.uint8)[rows]
        for (x, y), code in zip(xy.tolist(), codes.tolist(), strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colors[code])
        small = picture.resize(_STATIC, pillow.Resampling.BOX)
        file = BytesIO()
        small.quantize(64).save(file, "PNG", optimize=True)
        return file.getvalue()

    # ------------------------------------------------------------------------------ from the page

    def _receive_choose(self, content: dict[str, Any]) -> None:
        try:
            self.selection.choose(self._frame, content["rows"])
        finally:
            self.send({"kind": "chosen"})

    def _receive_thumbnails(self, content: dict[str, Any]) -> None:
        self._thumbnails.ask(content["rows"], content["side"])

    def _receive_about(self, content: dict[str, Any]) -> None:
        row = int(content["row"])
        if not 0 <= row < len(self._frame):
            raise DataError(f"rows are 0 to {len(self._frame) - 1}; received {row}")
        self.send({"kind": "about", **self._about(row)})

    def _about(self, row: int) -> dict[str, Any]:
        values = self._frame.iloc[row]
        lines = [
            f"{name}: {value_text(_short(values[name]))}"
            for name in dict.fromkeys([*_SAID, self.color])
            if name in values and not is_none(values[name])
        ]
        name = name_of(values["path"]) if "path" in values else ""
        text = display_text(str(values[self._text]), 400) if self._text else ""
        return {
            "row": row,
            "name": name or f"row {self._frame.index[row]}",
            "text": text,
            "lines": lines,
        }

    @t.observe("color")
    def _recolor(self, change: Mapping[str, Any]) -> None:
        if not self._placed:
            return
        if self.color and self.color not in self.columns:
            raise unknown("column to colour by", self.color, self.columns)
        colors = colors_of(self._frame, self.color)
        self.update(codes=colors.codes.tobytes(), legend=colors.legend)

    def _follow_selection(self, change: object = None) -> None:
        rows = self.selection.positions(self._frame).astype(np.int32)
        self.update(chosen=rows.tobytes())

    def _follow_edits(self, change: object = None) -> None:
        self._frame = self.selection.newest(self._frame)
        colors = colors_of(self._frame, self.color)
        self.update(
            codes=colors.codes.tobytes(), legend=colors.legend, version=self.selection.version
        )

    def _path_of(self, row: int) -> Any:
        return self._frame["path"].iloc[row]


def _frame_of(frame: DataFrame | None, rows: int) -> DataFrame:
    import pandas as pd

    if frame is None:
        return pd.DataFrame(index=range(rows))
    if len(frame) != rows:
        raise DataError(
            f"features of {plural(rows, 'row')} and a frame of {plural(len(frame), 'row')}; "
            "give a row of features for each row of the frame"
        )
    return frame


def _text_column(frame: DataFrame, name: str | None) -> str:
    if name is None:
        return next((usual for usual in _TEXTS if usual in frame), "")
    if name not in frame:
        raise unknown("column", name, map(str, frame.columns))
    return name


def _placed(places: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Both axes by the same measure, the wider one from edge to edge."""
    there = np.isfinite(places).all(axis=1)
    placed = np.full(places.shape, _NOWHERE, np.uint16)
    if not there.any():
        return placed
    low, high = places[there].min(axis=0), places[there].max(axis=0)
    part = (places[there] - (low + high) / 2) / (float((high - low).max()) or 1.0) + 0.5
    placed[there] = np.clip(np.round(part * _UNIT), 0, _UNIT).astype(np.uint16)
    return placed


def _facts(places: NDArray[np.float32], method: str, shape: tuple[int, ...]) -> str:
    missing = int((~np.isfinite(places).all(axis=1)).sum())
    how = f", {method.upper()} of {shape[1]:,} features" if shape[1] > 2 else ""
    left = f", {missing:,} without features" if missing else ""
    return f"{plural(len(places) - missing, 'point')}{how}{left}"


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
