"""Lines of layers in their words, by indentation."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from mlnb.errors import LayerError
from mlnb.networks.text_lines import DEEPEST, text_lines


def test_lines_lie_in_the_one_that_they_are_indented_below():
    [block, last] = text_lines("residual relu:   # a block\n  dense 3\n\n  dense 4\ndense 5")
    assert (block.words, block.opens) == (["residual", "relu"], True)
    assert [line.words for line in block.inner] == [["dense", "3"], ["dense", "4"]]
    assert (last.word, last.opens, last.inner) == ("dense", False, [])


def test_brackets_and_quotation_marks_keep_a_word_together():
    [line] = text_lines("conv2d {a + (b)} name='a # b' [1, 2]")
    assert line.words == ["conv2d", "{a + (b)}", "name='a # b'", "[1, 2]"]


def test_a_place_counts_from_where_the_text_begins():
    [line] = text_lines("\n  dense 3  ", first_line=4, cell=7)
    assert str(line.place) == "cell 7, line 5, `dense 3`"
    assert text_lines("# nothing\n\n") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dense (3", "is not closed on its line"),
        ("residual:\n    dense 3\n  dense 4", "indented by 2 spaces"),
        ("\n".join(" " * at + "repeat 2:" for at in range(DEEPEST + 2)), "at most 20 deep"),
    ],
)
def test_lines_that_cannot_be_are_named(text, said):
    with pytest.raises(LayerError, match=said):
        text_lines(text)
