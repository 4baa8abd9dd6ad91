"""From an ExportedProgram in memory to a `Graph`: `Walk`, for modules that torch.export follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mlnb.formats.torch.graph import Ref, TorchGraph
from mlnb.models.torch.arrays import dtype_of
from mlnb.models.torch.record import loose

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.specs import Dimension, TensorSpecs


@dataclass(frozen=True)
class Traced:
    """What a module is.

    Args:
        graph: its operations.
        inputs: what it is fed.
        outputs: what it gives.
    """

    graph: Graph
    inputs: TensorSpecs
    outputs: TensorSpecs


class Walk:
    """From an ExportedProgram in memory to a `Graph`.

    Args:
        program: as torch.export gives it, of a `Call`.
        module: whose weights have the names.
        name: of the graph.
        inputs: names for what is fed.
        outputs: names for what comes out.
    """

    def __init__(
        self,
        program: Any,
        module: nn.Module,
        name: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
    ) -> None:
        self._program = program
        self._sizes: dict[str, str] = {}
        self._inputs, self._outputs = list(inputs), list(outputs)
        self._made = TorchGraph(name)
        self._names: dict[str, str] = {}
        first: dict[int, str] = {}
        self._tensors = dict(stored_tensors(module))
        self._weights = {
            path: first.setdefault(id(tensor), path) for path, tensor in self._tensors.items()
        }

    def traced(self) -> Traced:
        """The graph, and what goes in and out."""
        self._name_ends()
        self._describe_weights()
        self._calls(self._program.graph, self._made, self._names)
        results = [self._result(at, name) for at, name in enumerate(self._outputs)]
        graph = self._made.done(self._inputs, self._outputs)
        sizes = {value.shape[0] for n in self._inputs if (value := graph.value(n)).shape}
        batch = sizes.pop() if len(sizes) == 1 else None
        fixed = batch if isinstance(batch, int) else None
        ends = ((self._inputs, "input"), (results, "output"))
        return Traced(graph, *(loose(graph, names, noun, fixed) for names, noun in ends))

    def _name_ends(self) -> None:
        """Inputs and outputs have the caller's names, all else makes way for them."""
        fed = [spec.arg.name for spec in specs_of(self._program, "USER_INPUT")]
        self._names = dict(zip(fed, self._inputs, strict=True))
        self._given = [
            getattr(spec.arg, "name", None)
            for spec in self._program.graph_signature.output_specs
            if spec.kind.name == "USER_OUTPUT"
        ]
        for inside, name in zip(self._given, self._outputs, strict=True):
            if inside is not None and inside not in self._names:
                self._names[inside] = name
        taken = set(self._inputs) | set(self._outputs)
        for node in self._program.graph.nodes:
            if node.name not in self._names:
                name = node.name
                while name in taken:
                    name += "_"
                self._names[node.name] = name

    def _describe_weights(self) -> None:
        stored = specs_of(self._program, "PARAMETER", "BUFFER", "CONSTANT_TENSOR")
        for spec in stored:
            path = (spec.target or spec.arg.name).removeprefix("module.")
            name = self._weights.get(path, path)
            self._names[spec.arg.name] = name
            tensor = self._tensors.get(path)
            if tensor is None:
                constants = {**self._program.constants, **self._program.state_dict}
                tensor = constants.get(spec.target)
            if isinstance(tensor, torch.Tensor):
                self._made.weight(name, dtype_of(tensor), tuple(tensor.shape))

    def _result(self, at: int, name: str) -> str:
        """The output's name; one that is an input, a weight or another output passes a node."""
        inside = self._given[at]
        source = self._names.get(inside or "", "")
        if source != name:
            self._made.alias(name, source)
        return name

    def _calls(self, graph: Any, made: TorchGraph, names: dict[str, str]) -> None:
        needed = _needed(graph)
        for node in graph.nodes:
            if node.op == "placeholder":
                self._describe(made, names.get(node.name, node.name), node.meta.get("val"))
            elif node.op == "call_function" and node in needed and not _is_item(node):
                self._call(node, made, names)

    def _call(self, node: Any, made: TorchGraph, names: dict[str, str]) -> None:
        value = node.meta.get("val")
        outputs = [names.get(node.name, node.name)]
        if isinstance(value, tuple | list):
            items = {user.args[1]: user for user in node.users if _is_item(user)}
            outputs = [
                names.get(items[at].name, items[at].name) if at in items else ""
                for at in range(len(value))
            ]
        elif value is None:
            outputs = []
        values = value if isinstance(value, tuple | list) else [value]
        for name, one in zip(outputs, values, strict=False):
            if name:
                self._describe(made, name, one)
        subgraphs = {}
        arguments = []
        for key, given in _arguments(node):
            inner = _graph_of(given)
            if inner is not None:
                subgraphs[str(given.target)] = self._nested(str(given.target), inner)
            else:
                arguments.append((key, _argument(given, names)))
        made.call(
            target_text(node.target),
            arguments,
            outputs,
            name=node.name,
            modules=_modules(node),
            subgraphs=subgraphs,
        )

    def _nested(self, name: str, module: Any) -> Graph:
        made = TorchGraph(name)
        names = {node.name: node.name for node in module.graph.nodes}
        self._calls(module.graph, made, names)
        fed = [node.name for node in module.graph.nodes if node.op == "placeholder"]
        last = next(iter(reversed(module.graph.nodes)))
        given = [one.name for one in last.all_input_nodes]
        return made.done(fed, given)

    def _describe(self, made: TorchGraph, name: str, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            made.value(name, dtype_of(value), tuple(self._size(one) for one in value.shape))
        elif value is not None:
            kinds = {torch.SymInt: "int64", torch.SymFloat: "float64", torch.SymBool: "bool"}
            made.value(name, kinds.get(type(value), "unknown"), ())

    def _size(self, size: Any) -> Dimension:
        """A dimension: the batch is N, a second free one N_2."""
        symbols = symbols_of(size)
        if not symbols:
            return int(size)
        text = str(size.node.expr)
        for symbol in symbols:
            if symbol not in self._sizes:
                count = len(self._sizes) + 1
                self._sizes[symbol] = "N" if count == 1 else f"N_{count}"
            text = text.replace(symbol, self._sizes[symbol])
        return text


def _needed(graph: Any) -> set[Any]:
    """The nodes that an output comes from; in a module that is cut, others stand there, too."""
    waiting = [node for node in graph.nodes if node.op == "output"]
    found: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(node.all_input_nodes)
    return found


def stored_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers by name; one that has several names comes under each."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def target_text(target: Any) -> str:
    """What a call calls, as a `.pt2` has it: `aten.conv2d.default`."""
    if isinstance(target, torch._ops.OpOverload):
        return f"torch.ops.{target}"
    if isinstance(target, torch._ops.HigherOrderOperator):
        return f"torch.ops.higher_order.{target.name()}"
    name = getattr(target, "__name__", str(target))
    return f"{getattr(target, '__module__', None) or 'torch'}.{name}".removeprefix("torch.fx.")


def _is_item(node: Any) -> bool:
    """Whether a node takes one of an operation's results apart; the value has its name then."""
    return (
        getattr(node.target, "__name__", "") == "getitem"
        and isinstance(node.args[1], int)
        and isinstance(node.args[0].meta.get("val"), tuple | list)
    )


def _arguments(node: Any) -> Iterator[tuple[str, Any]]:
    """Arguments by the schema's names."""
    schema = getattr(node.target, "_schema", None)
    names = [one.name for one in schema.arguments] if schema is not None else []
    for at, given in enumerate(node.args):
        yield names[at] if at < len(names) else f"argument_{at}", given
    yield from node.kwargs.items()


def _argument(given: Any, names: Mapping[str, str]) -> Any:
    if isinstance(given, torch.fx.Node):
        return Ref(names.get(given.name, given.name))
    if isinstance(given, tuple | list):
        return [_argument(one, names) for one in given]
    if given is None or isinstance(given, bool | int | float | str):
        return given
    return str(given).removeprefix("torch.")


def _graph_of(given: Any) -> Any:
    """The graph module that an argument of a control flow operation means."""
    if isinstance(given, torch.fx.Node) and given.op == "get_attr":
        found = getattr(given.graph.owning_module, str(given.target), None)
        return found if isinstance(found, torch.fx.GraphModule) else None
    return None


def _modules(node: Any) -> list[tuple[str, str]]:
    """Paths and classes of the modules around a node, without the `Call` around all."""
    found = []
    for path, kind in list((node.meta.get("nn_module_stack") or {}).values())[1:]:
        inner = path.removeprefix("module").removeprefix(".")
        found.append((inner, kind if isinstance(kind, str) else kind.__name__))
    return found


def symbols_of(size: Any) -> list[str]:
    """The free symbols in a dimension, the longest first; of a number none."""
    found = () if isinstance(size, int) else size.node.expr.free_symbols
    return sorted(map(str, found), key=len, reverse=True)


def specs_of(program: Any, *kinds: str) -> list[Any]:
    """The program's arguments of these kinds, `"USER_INPUT"`, `"PARAMETER"` …, in order."""
    return [one for one in program.graph_signature.input_specs if one.kind.name in kinds]
