"""What plotly figures share."""

from __future__ import annotations

from mlnb.figures.plotly_style import layout, plain


def test_a_strangers_text_is_no_markup_and_not_endless() -> None:
    assert plain("<a href=x>&</a>") == "&lt;a href=x&gt;&amp;&lt;/a&gt;"
    assert "\x1b" not in plain("\x1b[31m")
    assert len(plain("x" * 999)) <= 80


def test_a_layout_has_no_ground_of_its_own_and_takes_more() -> None:
    made = layout("<b>loss</b>", height=300)
    assert made["title"]["text"] == "&lt;b&gt;loss&lt;/b&gt;"
    assert made["paper_bgcolor"] == made["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert made["height"] == 300
