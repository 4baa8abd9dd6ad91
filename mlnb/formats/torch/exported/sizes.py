"""The formulas of dimensions in an ExportedProgram: `Mul(Integer(2), Symbol('s0'))` is `2*s0`.

torch writes them with `sympy.srepr` and reads them back by `sympify`, which evaluates Python. Here
they are parsed, never evaluated, and `is_formula` says whether a text is nothing but one.

The notation: https://docs.sympy.org/latest/modules/printing.html#module-sympy.printing.repr
"""

from __future__ import annotations

import ast
import re

_LONGEST = 2000
_NAME = re.compile(r"[A-Za-z]{1,8}_?\d{0,6}")
# fmt: off
_FUNCTIONS = frozenset({
    "Abs", "Add", "And", "CeilDiv", "CeilToInt", "CleanDiv", "Eq", "Equality", "Float",
    "FloatPow", "FloatTrueDiv", "FloorDiv", "FloorToInt", "Ge", "GreaterThan", "Gt", "Identity",
    "IntTrueDiv", "Integer", "LShift", "Le", "LessThan", "Lt", "Max", "Min", "Mod",
    "ModularIndexing", "Mul", "Ne", "Not", "Or", "Piecewise", "Pow", "PowByNatural", "PythonMod",
    "RShift", "Rational", "RoundDecimal", "RoundToInt", "StrictGreaterThan", "StrictLessThan",
    "Symbol", "ToFloat", "TruncToFloat", "TruncToInt", "Unequality", "Where", "ceiling", "floor",
    "sqrt",
})
# fmt: on
_BETWEEN = {"Add": " + ", "Mul": "*", "FloorDiv": "//", "PythonMod": "%", "Mod": "%"}


def is_formula(text: str) -> bool:
    """Whether a text is a formula of sizes and nothing else.

    >>> is_formula("Mul(Integer(2), Symbol('s0', positive=True))"), is_formula("__import__('os')")
    (True, False)
    """
    tree = _parsed(text)
    return tree is not None and _is_plain(tree)


def size_text(text: str) -> str:
    """The formula as one reads it; what is none stays as it is.

    >>> size_text("Mul(Integer(2), Symbol('s0', positive=True))")
    '2*s0'
    """
    tree = _parsed(text)
    return _shown(tree) if tree is not None and _is_plain(tree) else text


def _parsed(text: str) -> ast.expr | None:
    if len(text) > _LONGEST:
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_plain(tree: ast.expr) -> bool:
    """Numbers, names, arithmetic, and calls of functions of sizes; no attribute, no index."""
    match tree:
        case ast.Constant(value=bool() | int() | float()):
            return True
        case ast.Name(id=name):
            return bool(_NAME.fullmatch(name))
        case ast.Call(func=ast.Name(id="Symbol" | "Float" as name), args=args, keywords=words):
            return _is_atom(name, args) and all(isinstance(w.value, ast.Constant) for w in words)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return name in _FUNCTIONS and all(map(_is_plain, args))
        case ast.UnaryOp(operand=one):
            return _is_plain(one)
        case ast.BinOp(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case ast.Compare(left=left, comparators=others):
            return all(map(_is_plain, [left, *others]))
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts):
            return all(map(_is_plain, parts))
    return False


def _is_atom(name: str, args: list[ast.expr]) -> bool:
    """`Symbol('s0')`, or `Float('1.5')`."""
    allowed = r"\w{1,40}" if name == "Symbol" else r"[-+.\deE]{1,60}"
    texts = [arg.value for arg in args if isinstance(arg, ast.Constant)]
    return len(texts) == len(args) == 1 and bool(re.fullmatch(allowed, str(texts[0])))


def _shown(tree: ast.expr) -> str:
    match tree:
        case ast.Call(func=ast.Name(id="Symbol" | "Integer" | "Float"), args=[one, *_]):
            return str(one.value) if isinstance(one, ast.Constant) else _shown(one)
        case ast.Call(func=ast.Name(id=name), args=args) if name in _BETWEEN:
            return _BETWEEN[name].join(_operand(name, one) for one in args)
        case ast.Call(func=ast.Name(id=name), args=args):
            return f"{name}({', '.join(map(_shown, args))})"
    return ast.unparse(tree)


def _operand(around: str, tree: ast.expr) -> str:
    inner = _shown(tree)
    return f"({inner})" if around != "Add" and re.search(r" [-+] |//|%", inner) else inner
