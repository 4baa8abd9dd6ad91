"""A network as the `Graph` that the viewer shows: layers as operations, blocks as scopes.

Operations have the names that ONNX gives them, so that colours, folding and the summary of loaded
models serve here too. A foreign module is taken apart by torch.fx where that can follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.formatting import display_text, first_line
from mlnb.graph.graph import Graph, Node, Value
from mlnb.models.torch.state import device_of, undisturbed
from mlnb.networks import blocks
from mlnb.networks.operations import op_of
from mlnb.train.trees import dtype_text

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder


def network_graph(net: Holder) -> Graph:
    """The graph of a network; without a known input shape its shapes are missing.

    Raises:
        LayerError: the sizes of the layers are not known yet.
    """
    return module_graph(net.module, net.dry_inputs(), net.name)


def module_graph(module: nn.Module, inputs: Sequence[Any] | None, name: str = "network") -> Graph:
    """The graph of any module.

    Args:
        module: a chain, a wiring, or anything that torch.fx follows.
        inputs: a batch of two for each input; `None` where they are not known.
        name: of the graph.
    """
    building = _Building()
    wired = module if isinstance(module, blocks.Wired) else None
    names = list(wired.inputs) if wired else _input_names(inputs)
    place = device_of(module)
    given = [one.to(place) for one in inputs] if inputs is not None else [None] * len(names)
    for each, value in zip(names, given, strict=True):
        building.describe(each, value)
    with undisturbed(module):
        flows = [_Flow(each, value) for each, value in zip(names, given, strict=True)]
        given_out = building.wired(wired, flows) if wired else [building.put(module, (), flows)]
    return Graph(
        name,
        tuple(building.nodes),
        tuple(names),
        tuple(dict.fromkeys(flow.name for flow in given_out)),
        building.values,
        building.scope_types,
        tuple(building.warnings),
    )


def _input_names(inputs: Sequence[Any] | None) -> list[str]:
    count = 1 if inputs is None else len(inputs)
    return ["input"] if count == 1 else [f"input_{at + 1}" for at in range(count)]


class _Flow:
    """What flows along an edge: its name, and the dry batch where it is known."""

    def __init__(self, name: str, dry: Any) -> None:
        self.name, self.dry = name, dry


Scope = tuple[str, ...]


class _Building:
    """Collects nodes while the dry batch goes through."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.scope_types: dict[Scope, str] = {}
        self.warnings: list[str] = []
        self._weights: dict[int, str] = {}

    def describe(self, name: str, dry: Any) -> None:
        """A value by its name, with the batch called N."""
        one = dry[0] if isinstance(dry, tuple) and dry else dry
        if not isinstance(one, Tensor):
            self.values[name] = Value(name)
            return
        batch = ("N",) if one.dim() and one.shape[0] == 2 else tuple(one.shape[:1])
        self.values[name] = Value(name, dtype_text(one.dtype), (*batch, *one.shape[1:]))

    def wired(self, module: blocks.Wired, flows: Sequence[_Flow]) -> list[_Flow]:
        """The layers of a `Network`."""
        known = {flow.name: flow for flow in flows}
        for name, sources in module.wiring.items():
            known[name] = self.put(module.layers[name], (name,), [known[s] for s in sources])
        return [known[source] for source in module.outputs.values()]

    def put(self, module: nn.Module, scope: Scope, flows: Sequence[_Flow]) -> _Flow:
        """A module behind what flows into it, with everything in it."""
        if isinstance(module, nn.Sequential) and len(module):
            self._scoped(module, scope)
            flow = list(flows)
            for name, child in module.named_children():
                flow = [self.put(child, (*scope, name), flow)]
            return flow[0]
        if isinstance(module, blocks.Residual):
            self._scoped(module, scope)
            ways = [self.put(module.body, (*scope, "body"), flows)]
            short = isinstance(module.shortcut, nn.Identity)
            shortcut = flows if short else [self.put(module.shortcut, (*scope, "shortcut"), flows)]
            return self._merged("Add", scope, [*ways, *shortcut], lambda a, b: a + b)
        if isinstance(module, blocks.Branches):
            return self._branches(module, scope, flows)
        foreign = not type(module).__module__.startswith(("torch.nn.", blocks.__name__))
        if foreign and list(module.children()):
            traced = self._traced(module, scope, flows)
            if traced is not None:
                return traced
        return self._leaf(module, scope, flows)

    def _branches(self, module: blocks.Branches, scope: Scope, flows: Sequence[_Flow]) -> _Flow:
        self._scoped(module, scope)
        ways = [
            flows[0]
            if isinstance(way, nn.Identity)
            else self.put(way, (*scope, f"branch {at + 1}"), flows)
            for at, way in enumerate(module.branches)
        ]
        if module.merge == "add":
            return self._merged("Add", scope, ways, lambda *xs: sum(xs[1:], xs[0]))
        return self._merged("Concat", scope, ways, lambda *xs: torch.cat(xs, module.dim))

    def _merged(self, op: str, scope: Scope, flows: Sequence[_Flow], act: Any) -> _Flow:
        dry = [flow.dry for flow in flows]
        result = act(*dry) if all(isinstance(one, Tensor) for one in dry) else None
        return self.node(op, (*scope, op.lower()), scope, [flow.name for flow in flows], result)

    def _leaf(self, module: nn.Module, scope: Scope, flows: Sequence[_Flow]) -> _Flow:
        dry = [flow.dry for flow in flows]
        result = None if any(one is None for one in dry) else module(*dry)
        path = scope or (type(module).__name__.lower(),)
        read = [flow.name for flow in flows] + list(self._own_weights(module, path))
        kind = type(module).__name__
        if isinstance(module, blocks.Function):
            kind = module.extra_repr()
        return self.node(op_of(kind), path, path, read, result, _attributes(module))

    def node(
        self,
        op: str,
        path: Scope,
        scope: Scope,
        inputs: Sequence[str],
        result: Any,
        attributes: dict[str, Any] | None = None,
    ) -> _Flow:
        """One operation and the value that it gives."""
        name = "/".join(path)
        while name in self.values:
            name += "'"
        self.describe(name, result)
        self.nodes.append(
            Node(name, op, tuple(inputs), (name,), scope=scope, attributes=attributes or {})
        )
        return _Flow(name, result)

    def _scoped(self, module: nn.Module, scope: Scope) -> None:
        if scope:
            self.scope_types[scope] = type(module).__name__

    def _own_weights(self, module: nn.Module, path: Scope) -> Iterable[str]:
        """A module's parameters as stored values, one that is shared under its first name."""
        for name, weight in module.named_parameters():
            full = self._weights.setdefault(id(weight), "/".join((*path, name)))
            if full not in self.values:
                self._store(full, weight)
            yield full

    def _store(self, name: str, tensor: Tensor) -> None:
        size = tensor.numel() * tensor.element_size()
        self.values[name] = Value(name, dtype_text(tensor.dtype), tuple(tensor.shape), True, size)

    # --------------------------------------------------------------------------- foreign modules

    def _traced(self, module: nn.Module, scope: Scope, flows: Sequence[_Flow]) -> _Flow | None:
        """What torch.fx sees in a module; `None` where its flow depends on the data."""
        try:
            traced = torch.fx.symbolic_trace(module)
        except Exception as error:  # noqa: BLE001
            name, said = display_text(type(module).__name__), first_line(error, 120)
            self.warnings.append(f"{name} is shown as one operation: torch.fx says: {said}")
            return None
        self._scoped(module, scope)
        for path, inner in module.named_modules():
            if path:
                self.scope_types[(*scope, *path.split("."))] = type(inner).__name__
        values: dict[Any, Any] = {}
        fed = iter(flows)
        for node in traced.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(fed, None)
            elif node.op == "get_attr":
                values[node] = self._attribute(traced, node.target, scope)
            elif node.op == "output":
                return _first_flow(node.args, values)
            else:
                values[node] = self._call(module, node, scope, values)
        return None

    def _attribute(self, module: nn.Module, target: str, scope: Scope) -> _Flow:
        owner, _, leaf = target.rpartition(".")
        tensor = getattr(module.get_submodule(owner), leaf)
        name = "/".join((*scope, *target.split(".")))
        self._store(name, tensor)
        return _Flow(name, tensor)

    def _call(self, module: nn.Module, node: Any, scope: Scope, values: dict[Any, Any]) -> _Flow:
        def real(one: Any) -> Any:
            return values[one].dry if values.get(one) else None

        args = torch.fx.node.map_arg(node.args, real)
        options = torch.fx.node.map_arg(node.kwargs, real)
        flows = [values[one] for one in node.all_input_nodes if values.get(one)]
        known = all(flow.dry is not None for flow in flows)
        if node.op == "call_module":
            return self._leaf(
                module.get_submodule(node.target), (*scope, *node.target.split(".")), flows
            )
        name, act = _operation(node)
        result = act(*args, **options) if known else None
        stack = list((node.meta.get("nn_module_stack") or {}).keys())
        inside = (*scope, *(stack[-1].split(".") if stack and stack[-1] else ()))
        return self.node(op_of(name), (*scope, node.name), inside, [f.name for f in flows], result)


def _operation(node: Any) -> tuple[str, Callable[..., Any]]:
    """The name of a call that torch.fx saw, and the call itself."""
    if node.op != "call_method":
        return node.target.__name__, node.target

    def act(first: Any, *rest: Any, **options: Any) -> Any:
        return getattr(first, node.target)(*rest, **options)

    return str(node.target), act


def _first_flow(given: Any, values: dict[Any, Any]) -> _Flow | None:
    """The first tensor among what a module returns."""
    while isinstance(given, tuple | list | dict) and given:
        given = next(iter(given.values())) if isinstance(given, dict) else given[0]
    found = values.get(given)
    return found if isinstance(found, _Flow) else None


def _attributes(module: nn.Module) -> dict[str, Any]:
    """What the layer was given, as far as it is plain: kernel sizes, shares, heads."""
    found = {}
    for key in getattr(module, "__constants__", ()):
        value = getattr(module, key, None)
        plain = isinstance(value, int | float | str | tuple) and not callable(value)
        if plain and key not in ("in_channels", "inplace", "training"):
            found[key] = value
    return found
