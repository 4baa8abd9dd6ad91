"""Curves as SVG paths: relative moves in whole tenths of a pixel, which are the shortest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import Markup, html

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlnb.figures.axes import Frame
    from mlnb.figures.curves import Curve


def curve_paths(curve: Curve, frame: Frame, faint: bool, count: int) -> Markup:
    """Band or faint line, then the line itself, in tenths of a pixel; fainter among many."""
    style = curve.style
    x, mean = _tenths(frame.x(curve.x)), _tenths(frame.y(curve.mean))
    parts: list[Markup] = []
    template = '<path d="{d}" class="{kind}"/>'
    if curve.band and count <= 8:
        low, high = _tenths(frame.y(curve.low)), _tenths(frame.y(curve.high))
        outline = _outline(x, low, high)
        fill = f"{'w' if faint else 'b'} s{curve.color} k{curve.color}"
        parts.append(html(template, d=Markup(outline), kind=fill))
    elif not curve.band and style.smooth and curve.mean is not curve.low:
        behind = _line(x, _tenths(frame.y(curve.low)))
        parts.append(html(template, d=Markup(behind), kind=f"l f s{curve.color}"))
    kind = f"l s{curve.color}" + " d" * style.dashed + " f" * style.faint
    parts.append(html(template, d=Markup(_line(x, mean)), kind=kind))
    finite = np.flatnonzero(np.isfinite(mean))
    dots = finite if style.dots and len(finite) * count <= 200 else finite[-1:]
    dots = dots[:0] if style.faint else dots
    parts += [
        html(
            '<circle cx="{x}" cy="{y}" r="{r}" class="k{color}"/>',
            x=int(x[at]),
            y=int(mean[at]),
            r=30 if style.dots or len(finite) == 1 else 34,
            color=curve.color,
        )
        for at in dots
    ]
    return Markup("".join(parts))


def _tenths(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.round(pixels * 10)


def _spans(y: NDArray[Any]) -> list[tuple[int, int]]:
    """From where to where there is no gap."""
    edges = np.diff(np.concatenate(([0], np.isfinite(y).astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _line(x: NDArray[Any], y: NDArray[Any]) -> str:
    """A path with a new start after every gap; what stands alone becomes a dot."""
    return "".join(
        _way(x[start:end], y[start:end]) + ("h0" if end == start + 1 else "")
        for start, end in _spans(y)
    )


def _outline(x: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> str:
    """Along the top and back along the bottom."""
    parts = []
    for start, end in _spans(low):
        along, back = x[start:end], x[start:end][::-1]
        ways = (
            np.concatenate([along, back]),
            np.concatenate([high[start:end], low[start:end][::-1]]),
        )
        parts.append(_way(*ways) + "z")
    return "".join(parts)


def _way(x: NDArray[Any], y: NDArray[Any]) -> str:
    """Moves from point to point in whole numbers, as short as SVG allows."""
    moves = zip(np.diff(x).astype(int).tolist(), np.diff(y).astype(int).tolist(), strict=True)
    rest = "".join(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in _spaced(moves))
    return f"M{int(x[0])} {int(y[0])}" + (f"l{rest}" if rest else "")


def _spaced(moves: Any) -> list[tuple[str, int]]:
    """The first number of each move with the blank that keeps it from the one before."""
    return [(str(dx) if dx < 0 or not at else f" {dx}", dy) for at, (dx, dy) in enumerate(moves)]
