"""The graph of an exported PyTorch program, from whatever holds it: a `.pt2` or a live module.

Operations keep the names of torch's schemas (`conv2d`, `addmm`), weights those that they have in
the module, and scopes are the modules around a call. What an exporter adds for itself, its checks
of shapes, is left out.

The operators: https://docs.pytorch.org/docs/stable/torch.compiler_ir.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlnb.formats.element_types import stored_bytes
from mlnb.formats.scopes import relative
from mlnb.graph.graph import Graph, Node, Value
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.specs import Shape

Scope = tuple[str, ...]

# fmt: off
_CHECKS = frozenset({
    "_assert_scalar", "_assert_tensor_metadata", "_assert_async", "_functional_assert_async",
    "sym_constrain_range", "sym_constrain_range_for_size",
})
# fmt: on
_COPY = re.compile(r"@\d+\b")


@dataclass(frozen=True, slots=True)
class Ref:
    """A value that an operation reads, among arguments that are plain.

    Args:
        name: of the value.
    """

    name: str


class TorchGraph:
    """Collects the calls of one graph; `done` gives it.

    >>> made = TorchGraph("net")
    >>> made.value("x", "float32", ("N", 4))
    >>> made.call("aten.relu.default", [("self", Ref("x"))], ["y"])
    >>> made.done(["x"], ["y"]).nodes[0].op
    'relu'

    Args:
        name: of the graph.
        limits: caps on nodes and values.
    """

    def __init__(self, name: str, limits: Limits = LIMITS) -> None:
        self.name = name
        self.warnings: list[str] = []
        self._limits = limits
        self._nodes: list[Node] = []
        self._values: dict[str, Value] = {}
        self._types: dict[Scope, str] = {}
        self._scopes: dict[tuple[str, ...], Scope] = {}

    def value(self, name: str, dtype: str = "unknown", shape: Shape | None = None) -> None:
        """A tensor that flows; what is known already stays."""
        self._values.setdefault(name, Value(name, dtype, shape))

    def weight(self, name: str, dtype: str, shape: Shape | None) -> None:
        """A tensor that the module stores."""
        size = stored_bytes(dtype, shape)
        self._values[name] = Value(name, dtype, shape, initializer=True, nbytes=size)

    def call(
        self,
        target: str,
        arguments: Iterable[tuple[str, Any]],
        outputs: Sequence[str],
        *,
        name: str = "",
        modules: Sequence[tuple[str, str]] = (),
        subgraphs: Mapping[str, Graph] | None = None,
        danger: str = "",
    ) -> None:
        """One operation.

        Args:
            target: as torch names it: `aten.conv2d.default`, `_operator.add`.
            arguments: by the schema's names: a `Ref`, a list with some, or what is plain.
            outputs: the values that it gives.
            name: of the call.
            modules: paths and classes of the modules around it, outermost first.
            subgraphs: of an operation that takes graphs.
            danger: why it is shown in red.
        """
        domain, op = operation(target)
        if op in _CHECKS:
            return
        inputs, attributes = _sorted_out(arguments)
        self._limits.check("nodes", len(self._nodes) + 1, self.name)
        scope = self._scope(modules)
        ends = tuple(inputs), tuple(outputs)
        node = Node(name or op, op, *ends, domain, scope, attributes, subgraphs or {}, danger)
        self._nodes.append(node)

    def alias(self, name: str, source: str) -> None:
        """An output that is another value, under a name of its own."""
        same = self._values.get(source, Value(source))
        self.value(name, same.dtype, same.shape)
        self.call("aten.alias.default", [("self", Ref(source))], [name], name=name)

    def done(self, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
        """The graph of all calls."""
        return Graph(
            self.name,
            tuple(self._nodes),
            tuple(inputs),
            tuple(outputs),
            self._values,
            self._types,
            tuple(self.warnings),
        )

    def _scope(self, modules: Sequence[tuple[str, str]]) -> Scope:
        paths = tuple(_COPY.sub("", path) for path, _ in modules)
        scope = self._scopes.get(paths)
        if scope is None:
            scope = self._scopes[paths] = relative(list(paths))
            inner = [kind for path, kind in modules if path]
            outer = [kind for path, kind in modules if not path]
            for depth, kind in enumerate([*outer[:1], *inner], 1 - len(outer[:1])):
                self._types.setdefault(scope[:depth], kind.rpartition(".")[2].rstrip("'>"))
        return scope


def operation(target: str) -> tuple[str, str]:
    """Domain and name of a call's target.

    >>> operation("torch.ops.aten.conv2d.default"), operation("torch.ops.torchvision.nms.default")
    (('', 'conv2d'), ('torchvision', 'nms'))
    """
    steps = target.removeprefix("torch.ops.").split(".")
    if len(steps) > 1 and steps[0] in ("aten", "_operator", "torch", "math", "higher_order"):
        return "", steps[1] or target
    if len(steps) > 1 and target.startswith("torch.ops."):
        return steps[0], steps[1] or target
    return "", target


def _sorted_out(arguments: Iterable[tuple[str, Any]]) -> tuple[list[str], dict[str, Any]]:
    """What an operation reads, in the schema's order, and what it is told besides."""
    inputs: list[str] = []
    attributes: dict[str, Any] = {}
    for name, given in arguments:
        row = given if isinstance(given, list) and given else [given]
        if all(one is None or isinstance(one, Ref) for one in row):
            inputs += ["" if one is None else one.name for one in row]
        else:  # numbers, perhaps with computed ones among them: a size of [N, 512]
            inputs += _names(row)
            attributes[name] = _plain(given)
    while inputs and not inputs[-1]:
        inputs.pop()
    return inputs, attributes


def _names(row: list[Any]) -> list[str]:
    return [one.name for one in row if isinstance(one, Ref)]


def _plain(given: Any) -> Any:
    if isinstance(given, list):
        return tuple(_plain(one) for one in given)
    return given.name if isinstance(given, Ref) else given
