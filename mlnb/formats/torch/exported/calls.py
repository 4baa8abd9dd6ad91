"""What an ExportedProgram may do when it runs, and what of it is handed to torch at all.

torch's own loader gives the text of a `.pt2` more power than a graph of tensors needs: it evaluates
expressions of dimensions and guards as Python, looks the target of a call up by any dotted path
below `torch` (`torch.os.system` is one), imports classes that the structure of its inputs names,
and unpickles. `admitted` makes a program that holds none of this, or says what stands in the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlnb.errors import ModelRunError
from mlnb.formats.torch.exported.sizes import is_formula
from mlnb.formatting import display_text

_OPERATOR = re.compile(r"torch\.ops\.(\w+)\.([A-Za-z_]\w*)(\.\w+)?")
# fmt: off
_LIBRARIES = frozenset({
    "aten", "prims", "torchvision", "torchaudio", "quantized", "quantized_decomposed",
    "higher_order", "mkldnn", "onednn", "inductor",
})
_FILES = frozenset({"from_file", "save", "load"})
_HIGHER_ORDER = frozenset({
    "cond", "while_loop", "map_impl", "scan", "associative_scan", "wrap_with_set_grad_enabled",
    "wrap_with_autocast", "flex_attention", "invoke_subgraph", "out_dtype", "wrap",
})
_PYTHON = re.compile(
    r"_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_|not_|"
    r"xor|getitem|index|lshift|rshift|truth)"
    r"|math\.(ceil|floor|trunc|sqrt|exp|log|log2|pow|sin|cos|tan|asin|acos|atan|sinh|cosh|tanh)"
    r"|torch\.(sym_(int|float|max|min|not|ite|sqrt|sum)|_sym_\w{1,12})"
)


def danger_of(target: str) -> str:
    """Why a call is not run, as a few words; empty where it is an operation on tensors.

    >>> danger_of("torch.ops.aten.relu.default"), danger_of("torch.os.system")
    ('', 'runs Python')
    """
    found = _OPERATOR.fullmatch(target)
    if not found:
        return "" if _PYTHON.fullmatch(target) else "runs Python"
    library, name = found[1], found[2]
    if name in _FILES:
        return "reads or writes files"
    if library == "higher_order":
        return "" if name in _HIGHER_ORDER else "runs Python"
    return "" if library in _LIBRARIES and not name.startswith("__") else "runs Python"


def foreign_calls(program: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every call that is no operation on tensors: its target, its name, and why it is none."""
    for target, name in _targets(program):
        why = danger_of(target)
        if why:
            yield target, name, why


def admitted(program: Mapping[str, Any]) -> dict[str, Any]:
    """The program with nothing in it that torch would evaluate, import or unpickle.

    Its arguments and results become flat rows; notes on where its calls came from are left out.

    Raises:
        ModelRunError: naming what it asks for that is more than a graph of tensors.
    """
    for target, _, why in foreign_calls(program):
        raise ModelRunError(f"the program calls {display_text(target)}, which {why}; it is not run")
    for expression in _expressions(program):
        if not is_formula(expression):
            raise ModelRunError(
                f"a dimension of the program is {display_text(expression)}, which is no formula of "
                f"sizes; torch would evaluate it as Python, and it is not run"
            )
    module = program["graph_module"]
    calls = {"in_spec": _row(_count(module, "input_specs", "user_input", "constant_input"), True)}
    calls["out_spec"] = _row(_count(module, "output_specs", "user_output"), False)
    root: dict[str, Any] = {"inputs": [], "outputs": [], "forward_arg_names": None, **calls}
    kept = {
        "graph": _bare(module["graph"]),
        "signature": module["signature"],
        "module_call_graph": [{"fqn": "", "signature": root}],
        "metadata": {},
        "treespec_namedtuple_fields": {},
    }
    return {**program, "graph_module": kept, "guards_code": []}


def _targets(part: Any) -> Iterator[tuple[str, str]]:
    """What is called and the call's name, in nested graphs too, and operators among arguments."""
    for holder in _objects(part):
        if "target" in holder and "inputs" in holder:
            yield str(holder["target"]), str(holder.get("name") or holder["target"])
        if "as_operator" in holder:
            yield str(holder["as_operator"]), str(holder["as_operator"])


def _expressions(program: Mapping[str, Any]) -> Iterator[str]:
    yield from map(str, program.get("range_constraints") or {})
    for holder in _objects(program):
        if "expr_str" in holder:
            yield str(holder["expr_str"])


def _objects(part: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _bare(part: Any) -> Any:
    """A graph without what stands beside its calls: traces, source functions, custom objects."""
    if isinstance(part, list):
        return [_bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    call = "target" in part and "inputs" in part
    return {key: {} if call and key == "metadata" else _bare(one) for key, one in part.items()}


def _count(module: Mapping[str, Any], row: str, *kinds: str) -> int:
    return sum(any(kind in spec for kind in kinds) for spec in module["signature"][row])


def _row(count: int, arguments: bool) -> str:
    """The structure of so many values side by side, as torch writes it."""
    leaf = '{"type": null, "context": null, "children_spec": []}'
    row = _TUPLE % ", ".join([leaf] * count)
    return f"[1, {_TUPLE % f'{row}, {_NO_NAMES}' if arguments else row}]"


_TUPLE = '{"type": "builtins.tuple", "context": "null", "children_spec": [%s]}'
_NO_NAMES = '{"type": "builtins.dict", "context": "[]", "children_spec": []}'
