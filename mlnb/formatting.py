"""Text for people: names from strangers made visible, numbers made short, HTML that escapes.

Every string that comes from a file passes `display_text` before anyone sees it, and `html` before
it stands in markup. There is no other way into HTML in this package (DESIGN.md, decision 7).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Container, Iterable, Sequence
from html import escape

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


class Markup(str):
    """A string that is HTML already, made by `html`; it is not escaped again."""

    __slots__ = ()


def display_text(text: str, limit: int = 80) -> str:
    r"""`text` as one harmless line: what cannot be seen made visible, long names clipped.

    >>> display_text("a\u202eb\n")
    'a\\u202eb\\n'
    """
    clipped = text if len(text) <= limit else text[: limit - 1]
    shown = _UNSEEN.sub(_visible, clipped)
    return shown if len(text) <= limit else shown + "…"


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def first_line(error: BaseException, limit: int = 200) -> str:
    """What an error of another library says first, as one harmless line; its kind if it is silent.

    >>> first_line(RuntimeError("shapes differ\\n  at line 3"))
    'shapes differ'
    """
    lines = str(error).strip().splitlines()
    return display_text(lines[0] if lines else type(error).__name__, limit)


def html(template: str, **parts: object) -> Markup:
    """Fill `{name}` in `template`, escaping every part that is not markup already.

    >>> html("<td>{name}</td>", name="<b>")
    '<td>&lt;b&gt;</td>'

    Args:
        template: markup written by us, never by a file.
        parts: text (escaped after `display_text`), `Markup` (as it is), or a list of either.
    """
    return Markup(template.format_map({key: _part(value) for key, value in parts.items()}))


def text_table(
    rows: Iterable[Sequence[str]], right: Container[int] = (), *, ruled: bool = False
) -> list[str]:
    """The lines of a table: columns two spaces apart, one that is empty everywhere left out.

    >>> text_table([("layer", "MACs"), ("dense", "7,840")], right={1})
    ['layer   MACs', 'dense  7,840']

    Args:
        rows: each with as many cells; the heads first, where there are any.
        right: the columns whose cells end alike, such as numbers.
        ruled: whether a line is drawn under the first row.
    """
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ).rstrip()
        for row in listed
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]] if ruled else lines


def html_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Container[int] = (),
    style: str = "",
) -> Markup:
    """The same as HTML, styled cell by cell: Jupyter aligns cells to the right and drops styles.

    Args:
        heads: of the columns.
        rows: each with as many cells.
        right: the columns that are aligned to the right, such as numbers.
        style: more CSS for each cell, written by us.
    """

    more = f";{style}" if style else ""

    def line(tag: str, cells: Sequence[str]) -> Markup:
        sides = ("right" if at in right else "left" for at in range(len(cells)))
        look = f'<{tag} style="text-align:{{side}}{more}">{{text}}</{tag}>'
        filled = [html(look, side=s, text=t) for s, t in zip(sides, cells, strict=True)]
        return html("<tr>{cells}</tr>", cells=filled)

    return html(
        "<table><thead>{head}</thead><tbody>{body}</tbody></table>",
        head=line("th", heads),
        body=[line("td", row) for row in rows],
    )


def facts_table(rows: Iterable[tuple[str, str]]) -> Markup:
    """A table of what is known of one thing, a fact a row: its name and what it is."""
    cells = [
        html('<tr><th style="text-align:left">{a}</th><td>{b}</td></tr>', a=name, b=fact)
        for name, fact in rows
    ]
    return html("<table>{cells}</table>", cells=cells)


def _part(value: object) -> str:
    if isinstance(value, Markup):
        return value
    if isinstance(value, list | tuple):
        return "".join(_part(item) for item in value)
    return escape(display_text(str(value), limit=400))


def image_uri(picture: bytes | str) -> Markup:
    """A picture as a data URI, for the `src` of an image: PNG, JPEG, or the text of an SVG."""
    if isinstance(picture, str):
        kind, data = "svg+xml", picture.encode()
    else:
        kind, data = "png" if picture.startswith(b"\x89PNG") else "jpeg", picture
    return Markup(f"data:image/{kind};base64,{b64encode(data).decode('ascii')}")


def count_text(number: float) -> str:
    """A count as one says it: `66`, `1,412`, `11.7 M`, `1.8 G`."""
    if number < 1_000_000:
        return f"{number:,.0f}"
    return _scaled(number, (1e6, "M"), (1e9, "G"), (1e12, "T"))


def bytes_text(number: float) -> str:
    """A size in decimal units, as disks and downloads give it: `84 B`, `4.95 MB`, `1.95 GB`."""
    if number < 1_000:
        return f"{number:.0f} B"
    return _scaled(number, (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"))


def _scaled(number: float, *units: tuple[float, str]) -> str:
    """Three digits in the first unit in which they do not round to a thousand."""
    for size, unit in units:
        if number < 999.5 * size:
            return f"{number / size:.3g} {unit}"
    return f"{number / size:,.0f} {unit}"


def seconds_text(seconds: float) -> str:
    """A duration as one says it: `3 ms`, `1.4 s`, `2 min 5 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def probability_text(probability: float) -> str:
    """A probability in two digits, never a one that is none: `.97`, `.99`, `1.0`."""
    if probability >= 0.995:
        return "1.0" if probability >= 1 else ".99"
    return f"{probability:.2f}".removeprefix("0")


def plural(count: int, noun: str) -> str:
    """`1 input`, `2 inputs`, `1,412 nodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
