"""A text with its words coloured by what each does for an answer, as HTML without a script."""

from __future__ import annotations

from collections.abc import Iterable

from mlnb.formatting import Markup, html

_WEAK = 0.05  # of the strongest word's share: what is weaker has no colour


def coloured(pieces: Iterable[tuple[str, float | None]], most: int) -> Markup:
    """Bold on green what speaks for the answer, italic on red what speaks against it.

    >>> coloured([("good", 1.0), (" soup", None)], 400)

    Args:
        pieces: of the text in its order: each with its share in the answer, -1 to 1, or `None` for
            what lies between words.
        most: characters that are shown.
    """
    given, made = list(pieces), []
    strongest = max([_WEAK, *(abs(share or 0.0) for _, share in given)])
    for piece, share in given:
        made.append(_piece(piece[:most], (share or 0.0) / strongest))
        most -= len(piece)
        if most < 0:
            made.append(Markup("…"))
            break
    return html("{made}", made=made)


def _piece(piece: str, weight: float) -> Markup:
    if abs(weight) < _WEAK:
        return html("{piece}", piece=piece)
    color, tag = ("46,158,91", "b") if weight > 0 else ("224,96,63", "i")
    return html(
        '<span style="background-color:rgba({color},{alpha});border-radius:3px">'
        "<{tag}>{piece}</{tag}></span>",
        color=color,
        alpha=f"{0.15 + 0.55 * abs(weight):.2f}",
        tag=tag,
        piece=piece,
    )
