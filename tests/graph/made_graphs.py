"""Small graphs made in code, and the real exports of `tests/skeletons`, read once."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from mlnb.formats import open_model_file
from mlnb.graph.fold import Fold, Group
from mlnb.graph.graph import Graph, Node, TensorAttribute, Value

SKELETONS = Path(__file__).parent.parent / "skeletons"
EXPORTS = sorted(path.name.removesuffix(".onnx.gz") for path in SKELETONS.glob("*.onnx.gz"))


@cache
def export(name: str) -> Graph:
    """A torchvision model as `torch.onnx` wrote it, without the payloads of its weights."""
    return open_model_file(gzip.decompress((SKELETONS / f"{name}.onnx.gz").read_bytes())).graph


@cache
def light(name: str) -> Graph:
    """One of the real architectures in the onnx wheel."""
    import onnx

    folder = Path(onnx.__file__).parent / "backend/test/data/light"
    return open_model_file(folder / f"light_{name}.onnx").graph


class Made:
    """A graph under construction: `add` appends a node and gives the name of its output."""

    def __init__(self, *inputs: str, scope_types=None, values=()):
        self.inputs = inputs
        self.nodes: list[Node] = []
        self.values = {value.name: value for value in values}
        self.scope_types = scope_types or {}

    def add(self, op: str, *inputs: str, scope: str = "", name: str | None = None, **attributes):
        number = len(self.nodes)
        out = f"{op}_{number}_out"
        path = tuple(scope.split("/")) if scope else ()
        name = f"{op}_{number}" if name is None else name
        self.nodes.append(Node(name, op, inputs, (out,), "", path, attributes))
        return out

    def weight(self, name: str, *shape: int, dtype: str = "float32", itemsize: int = 4) -> str:
        nbytes = itemsize
        for size in shape:
            nbytes *= size
        self.values[name] = Value(name, dtype, shape, True, nbytes)
        return name

    def constant(self, *shape: int, dtype: str = "int64", scope: str = "") -> str:
        nbytes = 8
        for size in shape:
            nbytes *= size
        out = self.add("Constant", scope=scope, value=TensorAttribute(dtype, shape, nbytes))
        self.values[out] = Value(out, dtype, shape, True, nbytes)
        return out

    def graph(self, *outputs: str, name: str = "made") -> Graph:
        return Graph(name, tuple(self.nodes), self.inputs, outputs, self.values, self.scope_types)


def chain(*ops: str, scope: str = "") -> Graph:
    """One operation after the other."""
    made, x = Made("x"), "x"
    for op in ops:
        x = made.add(op, x, scope=scope)
    return made.graph(x)


def residual_blocks(count: int, wide_every: int = 0) -> Graph:
    """A scope-less ResNet: Conv, Relu, Conv, Add, Relu a block; some with a Conv beside."""
    made = Made("x")
    x = made.add("Relu", made.add("Conv", "x"))
    for block in range(count):
        side = made.add("Conv", x) if wide_every and block % wide_every == 0 else x
        y = made.add("Relu", made.add("BatchNormalization", made.add("Conv", x)))
        y = made.add("Relu", made.add("Add", made.add("Conv", y), side))
        x = y
    return made.graph(made.add("Gemm", made.add("GlobalAveragePool", x)))


def transformer(blocks: int, scoped: bool = True) -> Graph:
    """About 45 nodes a block, named as exporters name them: constants, shape arithmetic and all."""
    made = Made("input_ids")
    made.values["input_ids"] = Value("input_ids", "int64", ("batch", "sequence"))

    def add(op, *inputs, scope, **attributes):
        number = len(made.nodes)
        name = f"/{scope}/{op}_{number}"
        out = f"/{scope}/{op}_output_{number}"
        path = tuple(scope.split("/")) if scoped else ()
        made.nodes.append(Node(name, op, inputs, (out,), "", path, attributes))
        made.values[out] = Value(out, "float32", ("batch", "sequence", 768))
        return out

    def constant(scope):
        out = add("Constant", scope=scope, value=TensorAttribute("int64", (4,), 32))
        made.values[out] = Value(out, "int64", (4,), True, 32)
        return out

    def linear(x, scope, rows, columns):
        path = scope.replace("/", ".")
        y = add("MatMul", x, made.weight(f"{path}.weight", rows, columns), scope=scope)
        return add("Add", y, made.weight(f"{path}.bias", columns), scope=scope)

    def norm(x, scope):
        path = scope.replace("/", ".")
        weight, bias = made.weight(f"{path}.weight", 768), made.weight(f"{path}.bias", 768)
        return add("LayerNormalization", x, weight, bias, scope=scope, epsilon=1e-12, axis=-1)

    words = made.weight("embeddings.weight", 30522, 768)
    x = add("Gather", words, "input_ids", scope="embeddings")
    for block in range(blocks):
        layer = f"encoder/{block}"
        made.scope_types[("encoder", str(block))] = "BertLayer"
        inner = f"{layer}/attention/self"
        heads = {}
        for part in ("query", "key", "value"):
            y = linear(x, f"{inner}/{part}", 768, 768)
            y = add("Reshape", y, constant(inner), scope=inner)
            heads[part] = add("Transpose", y, scope=inner, perm=(0, 2, 1, 3))
        y = add("Transpose", heads["key"], scope=inner, perm=(0, 1, 3, 2))
        y = add("MatMul", heads["query"], y, scope=inner)
        y = add("Softmax", add("Div", y, constant(inner), scope=inner), scope=inner, axis=-1)
        y = add("MatMul", y, heads["value"], scope=inner)
        y = add("Transpose", y, scope=inner, perm=(0, 2, 1, 3))
        size = add("Gather", add("Shape", y, scope=inner), constant(inner), scope=inner, axis=0)
        size = add("Unsqueeze", size, constant(inner), scope=inner)
        size = add("Concat", size, constant(inner), scope=inner, axis=0)
        y = add("Reshape", y, size, scope=inner)
        y = linear(y, f"{layer}/attention/output/dense", 768, 768)
        x = norm(add("Add", y, x, scope=f"{layer}/attention/output"), f"{layer}/attention/norm")
        y = linear(x, f"{layer}/intermediate/dense", 768, 3072)
        act = f"{layer}/intermediate/act"
        e = add("Erf", add("Div", y, constant(act), scope=act), scope=act)
        e = add("Mul", y, add("Add", e, constant(act), scope=act), scope=act)
        y = add("Mul", e, constant(act), scope=act)
        y = linear(y, f"{layer}/output/dense", 3072, 768)
        x = norm(add("Add", y, x, scope=f"{layer}/output"), f"{layer}/output/norm")
    x = add("Gather", x, constant("pooler"), scope="pooler")
    x = add("Tanh", linear(x, "pooler/dense", 768, 768), scope="pooler")
    return made.graph(x)


def groups(folded: Fold) -> dict[str, Group]:
    """Every group of a fold by id."""
    return {group.id: group for group in folded.root.walk()}


def boxes(folded: Fold) -> int:
    """How many boxes the first picture shows."""

    def count(group: Group) -> int:
        return sum(
            (count(child) if child.id in folded.open else 1)
            if isinstance(child, Group)
            else child not in folded.elided
            for child in group.children
        )

    return count(folded.root)


def ops(graph: Graph, indices) -> list[str]:
    """The operations of some nodes, in file order."""
    return [graph.nodes[i].op for i in sorted(indices)]
