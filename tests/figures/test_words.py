"""Words with colours: which way, how strong, and nothing of a stranger's that is markup."""

from __future__ import annotations

from mlnb.figures.words import coloured


def test_what_speaks_for_it_is_bold_and_what_speaks_against_it_italic() -> None:
    page = coloured([("good", 1.0), (" soup, ", None), ("cold", -0.5), (" tea", 0.01)], 400)
    assert "<b>good</b>" in page
    assert "<i>cold</i>" in page
    assert page.count("<span") == 2
    assert page.index("0.70") < page.index("0.43")


def test_a_small_share_is_strong_where_no_word_has_more() -> None:
    assert "0.70" in coloured([("good", 0.2), ("tea", -0.1)], 400)
    assert "<span" not in coloured([("good", 0.0), ("tea", None)], 400)


def test_long_texts_end_and_markup_is_text() -> None:
    page = coloured([("<b>", None), ("\u202e" * 4, 1.0), ("x" * 200_000, None), ("y", 1.0)], 100)
    assert "<b>x" not in page
    assert "&lt;b&gt;" in page
    assert "\u202e" not in page
    assert page.count("x") <= 100
    assert page.endswith("…")
    assert coloured([], 100) == ""
