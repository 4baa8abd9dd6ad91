"""How losses, optimizers, schedules and metrics are named: a word, or a word with its options.

`"sgd(momentum=0.9)"` is what fits on a magic's line; the options are Python literals, nothing is
evaluated. Every part of training that takes words reads them here, so that they all look alike.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text

T = TypeVar("T")


def parse_word(text: str) -> tuple[str, dict[str, Any]]:
    """The name in lower case and the options of a word.

    >>> parse_word("SGD(momentum=0.9, nesterov=True)")
    ('sgd', {'momentum': 0.9, 'nesterov': True})

    Raises:
        TrainError: where it is neither a name nor a name with `option=value` in brackets.
    """
    text = text.strip()
    try:
        name, bracket, rest = text.partition("(")
        tree = ast.parse(name.strip().replace("-", "_") + bracket + rest, mode="eval").body
        if isinstance(tree, ast.Name):
            return tree.id.lower(), {}
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
            options = {str(k.arg): ast.literal_eval(k.value) for k in tree.keywords if k.arg}
            if len(options) == len(tree.keywords):
                return tree.func.id.lower(), options
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
    raise TrainError(
        f"'{display_text(text)}' is no word that can be read; write a name, or a name with options "
        "as in sgd(momentum=0.9)"
    )


def look_up(kind: str, name: str, table: Mapping[str, T], aliases: Mapping[str, str]) -> T:
    """The entry of `name` or of what it is an alias for.

    Raises:
        UnknownName: with the closest names that exist.
    """
    known = aliases.get(name, name)
    if known not in table:
        close = [alias for alias in aliases if alias not in table]
        raise unknown(kind, name, [*table, *close])
    return table[known]


def refuse_options(kind: str, name: str, given: Iterable[str], taken: Iterable[str]) -> None:
    """Raise for the first option that `name` does not take.

    Raises:
        UnknownName: with the options that it takes.
    """
    options = list(taken)
    for option in given:
        if option not in options:
            raise unknown(f"option of the {kind} {name}", option, options)
