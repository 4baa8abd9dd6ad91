"""Formulas of dimensions: read as text, and never evaluated."""

from __future__ import annotations

import pytest

from mlnb.formats.torch.exported.sizes import is_formula, size_text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("Symbol('s0', positive=True, integer=True)", "s0"),
        ("Mul(Integer(2), Symbol('s0', positive=True))", "2*s0"),
        ("Add(Symbol('s0'), Integer(-1))", "s0 + -1"),
        ("Mul(Integer(2), Add(Symbol('s0'), Integer(1)))", "2*(s0 + 1)"),
        ("FloorDiv(Symbol('s0'), Integer(2))", "s0//2"),
        ("Max(Integer(1), Symbol('s1'))", "Max(1, s1)"),
        ("s0 + 1", "s0 + 1"),
    ],
)
def test_a_formula_reads_as_one_writes_it(formula: str, text: str) -> None:
    assert is_formula(formula)
    assert size_text(formula) == text


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "Symbol('s0').__class__",
        "eval('1')",
        "[c for c in ()]",
        "(lambda: 1)()",
        "Symbol(eval('1'))",
        "Symbol('s0', positive=eval('1'))",
        "Integer(2)['x']",
        "exec",
        "f'{s0}'",
        "(" * 500,
        "s0" + "+1" * 3000,
        "",
        "\x00",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert not is_formula(text) or text == "exec"  # a bare name is a symbol and calls nothing
    assert size_text(text) == text
