from __future__ import annotations

import pytest

from mlnb.formatting import (
    Markup,
    bytes_text,
    count_text,
    display_text,
    facts_table,
    first_line,
    html,
    html_table,
    plural,
    seconds_text,
    text_table,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv1/weight:0", "conv1/weight:0"),
        ("Größe 面 😀", "Größe 面 😀"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\x00\x1b[31m", "\\x00\\x1b[31m"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text, shown):
    assert display_text(text) == shown


def test_long_names_are_clipped():
    assert display_text("x" * 80) == "x" * 80
    assert display_text("x" * 81) == "x" * 79 + "…"
    assert display_text("abcdef", limit=3) == "ab…"


def test_html_escapes_everything_but_markup():
    assert html("<td>{name}</td>", name="<b>&\"'") == "<td>&lt;b&gt;&amp;&quot;&#x27;</td>"
    assert html("{part}", part=html("<b>{x}</b>", x="<")) == "<b>&lt;</b>"
    assert html("{parts}", parts=[Markup("<br>"), "<", 3]) == "<br>&lt;3"


def test_braces_and_bidi_in_a_part_do_no_harm():
    assert html("{a}", a="{b}") == "{b}"
    assert html("{a}", a="\u202e") == "\\u202e"


def test_a_part_is_clipped():
    assert len(html("{a}", a="x" * 10_000)) == 400


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("\nshapes differ\n  at line 3"), "shapes differ"),
        (RuntimeError("a\u202eb"), "a\\u202eb"),
        (KeyError(), "KeyError"),
        (ValueError(" \n "), "ValueError"),
        (ValueError("x" * 300), "x" * 199 + "…"),
    ],
)
def test_of_an_error_the_first_line_is_told(error, line):
    assert first_line(error) == line


def test_a_table_is_aligned_and_leaves_out_what_is_empty_everywhere():
    rows = [("layer", "", "MACs"), ("dense", "", "7,840"), ("a", "", "")]
    assert text_table(rows, right={2}) == ["layer   MACs", "dense  7,840", "a"]
    assert text_table(rows, ruled=True)[1] == "-" * len("dense  7,840")
    assert text_table([]) == []


def test_a_table_is_styled_cell_by_cell_and_escaped():
    table = html_table(("a", "b"), [("<i>", "2")], right={1}, style="white-space:pre")
    assert '<th style="text-align:left;white-space:pre">a</th>' in table
    assert '<td style="text-align:right;white-space:pre">2</td>' in table
    assert "&lt;i&gt;" in table
    assert html_table(("a",), []).count("<tr>") == 1


def test_facts_are_a_row_each_and_escaped():
    table = facts_table([("size", "3 kB"), ("file", "<b>")])
    assert table.count("<tr>") == 2
    assert "<td>3 kB</td>" in table
    assert "&lt;b&gt;" in table
    assert isinstance(table, Markup)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (66, "66"),
        (1412, "1,412"),
        (999_999, "999,999"),
        (1_000_000, "1 M"),
        (11_689_512, "11.7 M"),
        (1_814_073_344, "1.81 G"),
        (2.5e12, "2.5 T"),
        (999_999_999, "1 G"),
        (4.2e16, "42,000 T"),
    ],
)
def test_counts(number, text):
    assert count_text(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (84, "84 B"),
        (1_000, "1 kB"),
        (4_950_000, "4.95 MB"),
        (1.95e9, "1.95 GB"),
        (999_999, "1 MB"),
        (0.4, "0 B"),
    ],
)
def test_bytes(number, text):
    assert bytes_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.003, "3 ms"), (1.44, "1.4 s"), (125, "2 min 5 s"), (0.9999, "1.0 s"), (59.97, "1 min 0 s"),
     (119.7, "2 min 0 s")],
)  # fmt: skip
def test_durations(seconds, text):
    assert seconds_text(seconds) == text


def test_plurals():
    assert [plural(n, "node") for n in (0, 1, 1412)] == ["0 nodes", "1 node", "1,412 nodes"]
