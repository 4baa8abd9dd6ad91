"""From the JSON of an ExportedProgram to its `Graph`, as far as it can be understood.

What a newer schema adds is passed over: an argument of an unknown kind becomes an attribute with
the kind as its text, a call that is no call is left out with a warning.

The schema: https://github.com/pytorch/pytorch/blob/main/torch/_export/serde/schema.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError
from mlnb.formats.torch.exported.calls import danger_of
from mlnb.formats.torch.exported.sizes import size_text
from mlnb.formats.torch.graph import Ref, TorchGraph
from mlnb.formatting import display_text, plural
from mlnb.specs import Dimension, TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.limits import Limits
    from mlnb.specs import Shape

_NAMES = """uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128
    bool bfloat16 uint16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz
    float8_e8m0fnu uint32 uint64"""
DTYPES = dict(zip((*range(1, 14), *range(28, 36)), _NAMES.split(), strict=True))
"""The schema's `ScalarType`, by NumPy's or ml_dtypes' names."""

BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)
"""What walking through JSON raises that is built otherwise than expected."""

_STORED = {
    "parameter": "parameter_name",
    "buffer": "buffer_name",
    "tensor_constant": "tensor_constant_name",
}


class ExportedGraph:
    """One program of a `.pt2`.

    Args:
        program: the JSON.
        name: of the graph.
        limits: caps on nodes and values.
        aliases: the first name of a weight that has several.
    """

    def __init__(
        self, program: Mapping[str, Any], name: str, limits: Limits, aliases: Mapping[str, str]
    ) -> None:
        module = program["graph_module"]
        self._graph = module["graph"]
        self._signature = module["signature"]
        self._calls = module.get("module_call_graph") or []
        self._name = name
        self._limits = limits
        self._aliases = aliases
        self._tensors: Mapping[str, Any] = self._graph["tensor_values"]

    def inputs(self) -> TensorSpecs:
        """What is fed, in the order of the program's arguments."""
        fed = [
            _argument_name(spec["user_input"]["arg"])
            for spec in self._signature["input_specs"]
            if "user_input" in spec
        ]
        return TensorSpecs([self._spec(name, self._graph) for name in fed if name], "input")

    def outputs(self) -> TensorSpecs:
        """What is handed out, in the order of the program's results."""
        given = [
            _argument_name(spec["user_output"]["arg"])
            for spec in self._signature["output_specs"]
            if "user_output" in spec
        ]
        names = dict.fromkeys(name for name in given if name)
        return TensorSpecs([self._spec(name, self._graph) for name in names], "output")

    def stored(self) -> dict[str, str]:
        """The names that weights have in the module, by those that they have in the program."""
        found: dict[str, str] = {}
        for spec in self._signature["input_specs"]:
            for kind, key in _STORED.items():
                if kind in spec:
                    name = str(spec[kind][key])
                    found[spec[kind]["arg"]["name"]] = self._aliases.get(name, name)
        return found

    def graph(self) -> Graph:
        """The operations with the modules around them."""
        self._limits.check("nodes", len(self._graph["nodes"]), self._name)
        self._limits.check("values", len(self._tensors), self._name)
        stored = self.stored()
        made = self._made(self._graph, self._name, stored, 0)
        for inside, name in stored.items():
            dtype, shape = self._type(inside, self._graph)
            made.weight(name, dtype, shape)
        return made.done(self.inputs().names, self.outputs().names)

    def _made(
        self, graph: Mapping[str, Any], name: str, stored: Mapping[str, str], depth: int
    ) -> TorchGraph:
        self._limits.check("depth", depth, self._name)
        made = TorchGraph(name, self._limits)
        for value in graph["tensor_values"]:
            if value not in stored:
                made.value(value, *self._type(value, graph))
        unread = 0
        for node in graph["nodes"]:
            try:
                self._call(made, node, stored, depth)
            except MlnbError:
                raise
            except BROKEN:
                unread += 1
        if unread:
            made.warnings.append(f"{plural(unread, 'call')} could not be read and is missing here")
        return made

    def _call(
        self, made: TorchGraph, node: Mapping[str, Any], stored: Mapping[str, str], depth: int
    ) -> None:
        target = str(node["target"])
        subgraphs: dict[str, Graph] = {}
        arguments = []
        for given in node["inputs"]:
            kind, value = _only(given["arg"])
            if kind == "as_graph":
                inner = self._made(value["graph"], str(value["name"]), {}, depth + 1)
                ends = (_ends(value["graph"][key]) for key in ("inputs", "outputs"))
                subgraphs[str(value["name"])] = inner.done(*ends)
            else:
                arguments.append((str(given["name"]), _renamed(_value(kind, value), stored)))
        outputs = [name for given in node["outputs"] for name in _result_names(given)]
        metadata = node.get("metadata") or {}
        why = danger_of(target)
        if why:
            made.warnings.append(f"{display_text(target)} {why}; the program is not run")
        made.call(
            target,
            arguments,
            outputs,
            name=str(node.get("name") or (outputs[0] if outputs else "")),
            modules=tuple(_modules(str(metadata.get("nn_module_stack") or ""))),
            subgraphs=subgraphs,
            danger=why,
        )

    def _spec(self, name: str, graph: Mapping[str, Any]) -> TensorSpec:
        return TensorSpec(name, *self._type(name, graph))

    def _type(self, name: str, graph: Mapping[str, Any]) -> tuple[str, Shape | None]:
        for kind, dtype in _SCALARS.items():
            if name in (graph.get(kind) or {}):
                return dtype, ()
        found = graph["tensor_values"].get(name)
        if found is None:
            return "unknown", None
        shape = tuple(_dimension(size) for size in found["sizes"])
        self._limits.check("rank", len(shape), name)
        return DTYPES.get(found["dtype"], "unknown"), shape


_SCALARS = {"sym_int_values": "int64", "sym_float_values": "float64", "sym_bool_values": "bool"}


def dimensions(program: Mapping[str, Any]) -> str:
    """The ranges of the dimensions that have names: `s77 from 2, s3 from 1 to 64`."""
    told = []
    for name, span in (program.get("range_constraints") or {}).items():
        least, most = span.get("min_val"), span.get("max_val")
        low = f" from {least}" if isinstance(least, int) else ""
        high = f" to {most}" if isinstance(most, int) else ""
        told.append(f"{display_text(str(name), 40)}{low}{high}")
    return ", ".join(told)


def _only(union: Mapping[str, Any]) -> tuple[str, Any]:
    """Kind and value of one of the schema's unions."""
    for kind, value in union.items():
        return kind, value
    raise ValueError("an empty union")


def _dimension(size: Mapping[str, Any]) -> Dimension:
    if "as_int" in size:
        return int(size["as_int"])
    return display_text(size_text(str(size["as_expr"]["expr_str"])), 80)


def _argument_name(given: Mapping[str, Any]) -> str:
    """The name of the value that an argument means; empty where it is a constant."""
    kind, value = _only(given)
    if kind in ("as_tensor", "as_custom_obj"):
        return str(value["name"])
    return str(value.get("as_name") or "") if kind.startswith("as_sym_") else ""


def _ends(given: list[Mapping[str, Any]]) -> list[str]:
    return [name for one in given for name in [_argument_name(one)] if name]


def _result_names(given: Mapping[str, Any]) -> Iterator[str]:
    value = _only(given)[1]
    row = value if isinstance(value, list) else [value]
    for one in row:
        if not isinstance(one, dict):
            continue
        inner = one.get("as_tensor", one)
        if isinstance(inner, dict):
            yield str(inner.get("name") or inner.get("as_name") or "")


def _value(kind: str, value: Any) -> Any:
    """An argument: a `Ref`, a list with some, or what is plain."""
    if kind == "as_none" or (kind == "as_optional_tensor" and "as_none" in value):
        return None
    if isinstance(value, list):
        return [_item(one) for one in value]
    if kind == "as_scalar_type":
        return DTYPES.get(value, "unknown")
    if kind == "as_device":
        return str(value["type"])
    return _item(value) if isinstance(value, dict) else value


def _item(value: Any) -> Any:
    """One of a list; the schema wraps tensors and computed numbers, and leaves plain ones bare."""
    if isinstance(value, list):
        return [_item(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "name" in value or "as_name" in value:
        return Ref(str(value.get("name") or value["as_name"]))
    if "as_none" in value:
        return None
    inner = _only(value)[1]
    return _item(inner) if isinstance(inner, dict) else inner


def _renamed(given: Any, stored: Mapping[str, str]) -> Any:
    if isinstance(given, list):
        return [_renamed(one, stored) for one in given]
    if isinstance(given, Ref):
        return Ref(stored.get(given.name, given.name))
    return given


def _modules(stack: str) -> Iterator[tuple[str, str]]:
    """Paths and classes: `L__self__,,net.Net;L__self__conv,conv,torch.nn.Conv2d`."""
    for item in stack.split(";"):
        pieces = item.split(",", 2)
        if len(pieces) == 3:
            yield pieces[1].removeprefix("L['self'].").removeprefix("L['self']"), pieces[2]
