"""A magic's line as words: quotes, escaped spaces, a trailing comment, a trailing semicolon.

`shlex` is not used, because it takes the `#` and the backslashes of a path for its own.
"""

from __future__ import annotations

import re

from mlnb.errors import MlnbError

# A backslash escapes a space or a quotation mark only, so that C:\models\net.onnx stays as it is.
_PIECE = re.compile(
    r"""\\(?P<escaped>[\s"'])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^\s"'])"""
)


def split_line(line: str) -> tuple[list[str], bool]:
    """The words of a line, and whether it ends in a semicolon.

    >>> split_line('"my net.onnx" --name net;  # mine')
    (['my net.onnx', '--name', 'net'], True)

    Raises:
        MlnbError: a quotation mark is not closed.
    """
    words: list[str] = []
    at, silent = 0, False
    while at < len(line) and line[at] != "#":
        if line[at].isspace():
            at += 1
            continue
        word, at = _word(line, at)
        words.append(word)
        silent = line[at - 1] == ";"
    if silent:
        words[-1:] = [words[-1].removesuffix(";")] if words[-1] != ";" else []
    return words, silent


def _word(line: str, start: int) -> tuple[str, int]:
    """The word that begins at `start`, unquoted, and where it ends."""
    pieces, at = [], start
    while at < len(line) and not line[at].isspace():
        piece = _PIECE.match(line, at)
        if piece is None:
            raise MlnbError(f"the quotation mark in {line[at:]!r} is not closed")
        pieces.append(next(text for text in piece.groups() if text is not None))
        at = piece.end()
    return "".join(pieces), at


def last_word(line: str) -> tuple[list[str], str]:
    """The finished words of a line that is being typed, and the unfinished last one as it stands.

    >>> last_word('%mlload --name net my\\ n')
    (['%mlload', '--name', 'net'], 'my\\\\ n')
    """
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        try:
            word, end = _word(line, at)
        except MlnbError:  # an open quotation mark: the word goes on to the cursor
            return words, line[at:]
        if end == len(line):
            return words, line[at:]
        words.append(word)
        at = end
    return words, ""


def unquoted(word: str) -> str:
    """What an unfinished word means so far.

    >>> unquoted('"my n')
    'my n'
    """
    for closing in ("", '"', "'"):
        try:
            return _word(word + closing, 0)[0] if word else ""
        except MlnbError:
            continue
    return word


def quoted(text: str, opened: str = "") -> str:
    """`text` as one would type it on: inside the quotation mark that is open, or with escapes."""
    if opened in ('"', "'"):
        return opened + text
    return re.sub(r"""([\s"'])""", r"\\\1", text)
