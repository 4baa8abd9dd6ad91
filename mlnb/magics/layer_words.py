"""Completion inside the body of `%%mlbuild`: words, keywords, activations, the user's variables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_HEAD = re.compile(r"%%mlbuild(\s|$)")
_BLOCK_LINES = ("branch:", "shortcut:", "pass")
_KEYWORDS = {
    "residual": ["name="],
    "branches": ["merge=", "dim=", "name="],
    "repeat": ["name="],
}
_VALUES = {
    "merge": ["add", "concat"],
    "returns": ["all", "last"],
    "padding": ["same", "valid"],
    "padding_mode": ["circular", "reflect", "replicate", "zeros"],
    "bidirectional": ["True"],
}


def is_body(lines_above: Iterable[str]) -> bool:
    """Whether what stands above a line makes it a line of `%%mlbuild`."""
    for line in lines_above:
        if line.strip() and not line.lstrip().startswith("#"):
            return _HEAD.match(line) is not None
    return False


def complete_line(shell: InteractiveShell, line: str) -> tuple[str, list[str]]:
    """The fragment before the cursor in a line of layers, and what may stand in its place.

    >>> complete_line(get_ipython(), "conv2d 32 3 re")
    ('re', ['relu', 'relu6'])
    """
    if line.count("{") > line.count("}"):
        return _variables(shell, line)
    if "#" in line:
        return "", []
    fragment = re.search(r"\S*$", line)
    assert fragment is not None
    begun, words = fragment[0], line[: fragment.start()].split()
    found = _behind(words[0].rstrip(":"), begun) if words else _words()
    return begun, [text for text in found if text.startswith(begun)]


def _variables(shell: InteractiveShell, line: str) -> tuple[str, list[str]]:
    from mlnb.magics.shell import user_names

    fragment = re.search(r"\w*$", line)
    begun = fragment[0] if fragment else ""
    return begun, sorted(n for n in user_names(shell, {}) if n.startswith(begun))


def _words() -> list[str]:
    from mlnb.networks.vocabulary import BLOCKS, VOCABULARY

    return [*sorted([*VOCABULARY, *BLOCKS]), *_BLOCK_LINES]


def _behind(word: str, begun: str) -> list[str]:
    """What may follow a word: its keywords, the activations, or the values of a keyword."""
    from mlnb.networks.activations import ACTIVATIONS
    from mlnb.networks.vocabulary import VOCABULARY

    key, equals, _ = begun.partition("=")
    if equals:
        values = sorted(ACTIVATIONS) if key == "activation" else _VALUES.get(key, [])
        return [f"{key}={value}" for value in values]
    known = VOCABULARY.get(word)
    if known is None:
        activations = sorted(ACTIVATIONS) if word in ("residual", "branches") else []
        return [*activations, *_KEYWORDS.get(word, [])]
    keywords = [f"{name}=" for name in known.signature.parameters if name != "activation"]
    return [*(sorted(ACTIVATIONS) if known.activation else []), *keywords, "name="]
