"""A magic's line as words."""

from __future__ import annotations

import pytest

from mlnb.errors import MlnbError
from mlnb.magics.words import last_word, quoted, split_line, unquoted


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("net.onnx --name net", ["net.onnx", "--name", "net"]),
        ('"my models/net.onnx"', ["my models/net.onnx"]),
        ("'my models/net.onnx' --name n", ["my models/net.onnx", "--name", "n"]),
        ("my\\ net.onnx", ["my net.onnx"]),
        ("net.onnx # the first one", ["net.onnx"]),
        ("net#2.onnx", ["net#2.onnx"]),
        ("C:\\models\\net.onnx", ["C:\\models\\net.onnx"]),
        ("\\\\server\\share\\net.onnx", ["\\\\server\\share\\net.onnx"]),
        ("it\\'s.onnx", ["it's.onnx"]),
        ('""', [""]),
    ],
)
def test_a_line_is_split_as_a_person_means_it(line: str, words: list[str]):
    assert split_line(line) == (words, False)


@pytest.mark.parametrize("line", ["net.onnx;", "net.onnx ;", "net.onnx; # quiet", "net.onnx  ;  "])
def test_a_semicolon_at_the_end_asks_for_silence(line: str):
    assert split_line(line) == (["net.onnx"], True)


@pytest.mark.parametrize("line", ["'net.onnx;'", "net;.onnx", "net.onnx # ;"])
def test_a_semicolon_elsewhere_is_part_of_the_name(line: str):
    assert split_line(line)[1] is False


def test_an_open_quotation_mark_is_told():
    with pytest.raises(MlnbError, match="not closed"):
        split_line('"net.onnx --name net')


@pytest.mark.parametrize(
    ("line", "words", "fragment"),
    [
        ("", [], ""),
        ("--na", [], "--na"),
        ("net.onnx ", ["net.onnx"], ""),
        ("a\\ b", [], "a\\ b"),
        ('x "a b', ["x"], '"a b'),
    ],
)
def test_the_word_at_the_cursor_is_kept_as_typed(line: str, words: list[str], fragment: str):
    assert last_word(line) == (words, fragment)


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("net.onnx", ""),
        ("my net.onnx", ""),
        ("my net.onnx", '"'),
        ("it's.onnx", '"'),
        ('a"b c', ""),
    ],
)
def test_a_completed_word_means_the_name_again(name: str, opened: str):
    assert unquoted(quoted(name, opened)) == name
