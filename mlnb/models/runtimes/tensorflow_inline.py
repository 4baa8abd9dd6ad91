"""`Inlined`: a TensorFlow graph with functions in place of their calls, to be cut inside them.

The names are those that the reader gives, `mlnb.formats.tensorflow.inline`: `call/dense:output:0`.
What no call comes before is not copied: variables and tables belong to their nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlnb.errors import ModelRunError, need
from mlnb.formats.tensorflow.inline import CALLS
from mlnb.formats.tensorflow.reach import node_of, output_of

_ROOM = "mlnb_inlined"


class Inlined:
    """The tensors of a graph, and of the functions that are called in it.

    >>> inlined = Inlined(tf, graph, ["StatefulPartitionedCall/dense:output:0"])
    >>> inlined.tensor("StatefulPartitionedCall/dense:output:0")
    <tf.Tensor 'mlnb_inlined/StatefulPartitionedCall/dense:0' shape=(?, 2) dtype=float32>

    Args:
        tf: the module.
        graph: of a session; the bodies are added to it.
        wanted: the tensors that will be fed and fetched.
    """

    def __init__(self, tf: Any, graph: Any, wanted: Iterable[str]) -> None:
        definition = graph.as_graph_def()
        self._graph = graph
        self._library = {one.signature.name: one for one in definition.library.function}
        self._nodes: dict[str, Any] = {}
        self._meant: dict[str, list[str]] = {}
        self._flat: dict[str, str] = {}
        with graph.as_default():
            for node in definition.node:
                self._add("", node)
            self._import(tf, wanted)

    def tensor(self, name: str) -> Any:
        """The tensor of this name."""
        flat = self._resolved(self._flat.get(name, name))
        room = f"{_ROOM}/" if node_of(flat) in self._nodes else ""
        return self._graph.get_tensor_by_name(f"{room}{flat}")

    def _resolved(self, name: str) -> str:
        """Where a call's result, or a function's argument, is really made."""
        while node_of(name) in self._meant:
            name = self._meant[node_of(name)][output_of(name)]
        return name if ":" in name else f"{name}:0"

    def _add(self, prefix: str, node: Any) -> None:
        function = self._library.get(node.attr["f"].func.name) if node.op in CALLS else None
        full = prefix + node.name
        if function is not None:
            self._open(full, [prefix + given for given in node.input if given[0] != "^"], function)
            return
        copy = type(node)()
        copy.CopyFrom(node)
        copy.name, copy.device = full, ""
        copy.attr.pop("_class", None)
        copy.ClearField("input")
        before = [given for given in node.input if given[0] == "^"]
        copy.input.extend(prefix + given for given in node.input if given[0] != "^")
        copy.input.extend(f"^{prefix}{given[1:]}" for given in before)
        self._nodes[full] = copy

    def _open(self, call: str, given: Sequence[str], function: Any) -> None:
        flattening = need("tensorflow.python.framework.function_def_to_graph", "tensorflow")
        inside = f"{call}/"
        body, flat = flattening.function_def_to_graph_def(function)
        self._flat.update((inside + name, inside + plain) for name, plain in flat.items())
        arguments = [argument.name for argument in function.signature.input_arg]
        self._meant.update((inside + a, [one]) for a, one in zip(arguments, given, strict=True))
        results = [function.ret[result.name] for result in function.signature.output_arg]
        self._meant[call] = [inside + flat[result] for result in results]
        for node in body.node:
            if inside + node.name not in self._meant:
                self._add(inside, node)

    def _import(self, tf: Any, wanted: Iterable[str]) -> None:
        """Put what the wanted tensors need into the graph, but for what no call comes before."""
        needed = self._needed(self._resolved(self._flat.get(name, name)) for name in wanted)
        behind = self._behind_calls(needed)
        made = tf.compat.v1.GraphDef()
        mapped = {}
        for name in behind:
            node = made.node.add()
            node.CopyFrom(self._nodes[name])
            node.ClearField("input")
            for given in self._inputs(name):
                node.input.append(given)
                if node_of(given) not in behind:
                    mapped[given] = self._graph.get_tensor_by_name(given)
            before = (given for given in self._nodes[name].input if given[0] == "^")
            node.input.extend(given for given in before if given[1:] in behind)
        for given, tensor in mapped.items():
            _stand_in(made, given, tensor)
        tf.import_graph_def(made, input_map=mapped, name=_ROOM)
        self._nodes = {name: self._nodes[name] for name in behind}

    def _inputs(self, name: str) -> list[str]:
        return [self._resolved(given) for given in self._nodes[name].input if given[0] != "^"]

    def _needed(self, wanted: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = [node_of(name) for name in wanted]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            if name not in self._nodes:
                raise ModelRunError(f"the graph has no node {name!r} any more; load it again")
            found.add(name)
            waiting += map(node_of, self._inputs(name))
        return found

    def _behind_calls(self, needed: set[str]) -> dict[str, None]:
        """Those in a function, and those that read what one of these makes."""
        own = {name for name in needed if not _is_outer(self._graph, name)}
        readers: dict[str, list[str]] = {}
        for name in needed:
            for given in self._inputs(name):
                readers.setdefault(node_of(given), []).append(name)
        waiting = list(own)
        while waiting:
            fresh = [name for name in readers.get(waiting.pop(), ()) if name not in own]
            own.update(fresh)
            waiting += fresh
        return dict.fromkeys(sorted(own))


def _is_outer(graph: Any, name: str) -> bool:
    try:
        graph.get_operation_by_name(name)
    except (KeyError, ValueError):
        return False
    return True


def _stand_in(made: Any, given: str, tensor: Any) -> None:
    """A node for what is mapped to a tensor of the graph around; it is never run."""
    if any(node.name == node_of(given) for node in made.node):
        return
    node = made.node.add()
    node.name, node.op = node_of(given), "Placeholder"
    node.attr["dtype"].type = tensor.dtype.base_dtype.as_datatype_enum
