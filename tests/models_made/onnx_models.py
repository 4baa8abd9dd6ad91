"""Small ONNX models made in code, as bytes, each named after what it shows.

Those with graphs in graphs stand in `nested_models`; all of them are called from here.
"""

from __future__ import annotations

import numpy as np
import onnx
from models_made.build import BOOL, FLOAT, INT64, IR, OPSET, VALUE, model, weight
from models_made.nested_models import (
    branches,
    called,
    doubling_functions,
    function,
    functions,
    loop,
    nested_ifs,
    recursive_functions,
    scan,
)
from onnx import TensorProto, helper, numpy_helper

__all__ = [
    "BOOL",
    "FLOAT",
    "HOSTILE_NAMES",
    "INT64",
    "IR",
    "OPSET",
    "VALUE",
    "all_dtypes",
    "branches",
    "bytes_that_are_no_utf8",
    "called",
    "chain",
    "constant_weights",
    "containers",
    "convnet",
    "cycle",
    "dangling",
    "doubling_functions",
    "duplicate_names",
    "external_data",
    "function",
    "functions",
    "hostile_names",
    "loop",
    "mlp",
    "model",
    "nested_ifs",
    "odd_shapes",
    "out_of_order",
    "recursive_functions",
    "relu",
    "scan",
    "scoped",
    "text_lengths",
    "weight",
    "weights_as_inputs",
]


def relu() -> bytes:
    """The smallest model: y = Relu(x), one float32 of any batch."""
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="relu")]
    return model(nodes, [VALUE("x", FLOAT, ["N", 3])], [VALUE("y", FLOAT, ["N", 3])])


def mlp(features: int = 4, hidden: int = 8, classes: int = 3) -> bytes:
    """x [N, 4] → Gemm → Relu → Gemm → Softmax → scores [N, 3]."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], name="fc1", transB=1),
        helper.make_node("Relu", ["h"], ["a"], name="relu"),
        helper.make_node("Gemm", ["a", "w2", "b2"], ["logits"], name="fc2", transB=1),
        helper.make_node("Softmax", ["logits"], ["scores"], name="softmax", axis=-1),
    ]
    weights = {
        "w1": weight(hidden, features, seed=1),
        "b1": weight(hidden, seed=2),
        "w2": weight(classes, hidden, seed=3),
        "b2": weight(classes, seed=4),
    }
    return model(
        nodes,
        [VALUE("x", FLOAT, ["N", features])],
        [VALUE("scores", FLOAT, ["N", classes])],
        weights,
        producer_name="models_made",
    )


def convnet(batch: int | str = 1, ir: int = IR, opset: int = OPSET) -> bytes:
    """image [1, 3, 8, 8] → Conv → Relu → pool → Flatten → Gemm → scores [1, 5]."""
    nodes = [
        helper.make_node(
            "Conv",
            ["image", "conv.weight", "conv.bias"],
            ["c"],
            name="conv",
            kernel_shape=[3, 3],
            pads=[1, 1, 1, 1],
        ),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], name="pool"),
        helper.make_node("Flatten", ["p"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "fc.weight", "fc.bias"], ["scores"], name="fc", transB=1),
    ]
    weights = {
        "conv.weight": weight(16, 3, 3, 3, seed=1),
        "conv.bias": weight(16, seed=2),
        "fc.weight": weight(5, 16, seed=3),
        "fc.bias": weight(5, seed=4),
    }
    return model(
        nodes,
        [VALUE("image", FLOAT, [batch, 3, 8, 8])],
        [VALUE("scores", FLOAT, [batch, 5])],
        weights,
        ir=ir,
        opset=opset,
    )


def chain(count: int, op: str = "Relu") -> bytes:
    """`count` operations in a row, named op_0, op_1 …"""
    names = ["x", *(f"v{i}" for i in range(count - 1)), "y"]
    nodes = [helper.make_node(op, [names[i]], [names[i + 1]], name=f"op_{i}") for i in range(count)]
    return model(nodes, [VALUE("x", FLOAT, ["N"])], [VALUE("y", FLOAT, ["N"])])


def scoped(blocks: int = 2, dynamo: bool = True) -> bytes:
    """Blocks of Conv and Relu under layer1/0, layer1/1 …, as torch's two exporters write them."""
    nodes, last = [], "x"
    for i in range(blocks):
        for name, op in (("conv", "Conv"), ("relu", "Relu")):
            inputs = [last, "w"] if op == "Conv" else [last]
            last = f"{name}{i}"
            path = f"/layer1/layer1.{i}/{name}/{op}"
            node = helper.make_node(op, inputs, [last], name=last if dynamo else path)
            if dynamo:
                _tell_scope(node, ["", "layer1", f"layer1.{i}", f"layer1.{i}.{name}", last])
            nodes.append(node)
    shape = ["N", 4, 8, 8]
    return model(
        nodes, [VALUE("x", FLOAT, shape)], [VALUE(last, FLOAT, None)], {"w": weight(4, 4, 1, 1)}
    )


def _tell_scope(node: onnx.NodeProto, scopes: list[str]) -> None:
    classes = ["net.Net", "torch.nn.Sequential", "net.Block", f"torch.nn.{node.op_type}", "aten.op"]
    entries = {"name_scopes": repr(scopes), "class_hierarchy": repr(classes)}
    for name, value in entries.items():
        entry = node.metadata_props.add()
        entry.key, entry.value = f"pkg.torch.onnx.{name}", value


def weights_as_inputs() -> bytes:
    """IR 3, where every weight stands among the inputs as well."""
    loaded = onnx.load_from_string(convnet(ir=3, opset=9))
    for stored in loaded.graph.initializer:
        loaded.graph.input.append(VALUE(stored.name, FLOAT, list(stored.dims)))
    return loaded.SerializeToString()


def constant_weights() -> bytes:
    """Weights as Constant and ConstantOfShape nodes, as in the onnx wheel's light models."""
    fill = helper.make_tensor("value", FLOAT, [1], [0.02])
    nodes = [
        helper.make_node("ConstantOfShape", ["w_shape"], ["w"], value=fill),
        helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(weight(5))),
        helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="fc", transB=1),
    ]
    return model(
        nodes,
        [VALUE("x", FLOAT, ["N", 16])],
        [VALUE("y", FLOAT, ["N", 5])],
        {"w_shape": np.array([5, 16])},
    )


def external_data(location: str = "weights.bin", length: int = 4000) -> bytes:
    """A weight of 1,000 floats that lies in another file."""
    loaded = onnx.load_from_string(
        model(
            [helper.make_node("Add", ["x", "w"], ["y"], name="add")],
            [VALUE("x", FLOAT, [1000])],
            [VALUE("y", FLOAT, [1000])],
            {"w": weight(1000)},
        )
    )
    stored = loaded.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": str(length)}.items():
        entry = stored.external_data.add()
        entry.key, entry.value = key, value
    return loaded.SerializeToString()


def odd_shapes() -> bytes:
    """Inputs with named, unknown, unnamed, negative and no dimensions; one of unknown rank."""
    shapes = {
        "named": ["batch", 3, "None"],
        "unknown": [None, 3],
        "empty_name": ["", 3],
        "negative": [-1, 3],
        "zero": [0, 3],
        "scalar": [],
        "no_rank": None,
    }
    inputs = [VALUE(name, FLOAT, shape) for name, shape in shapes.items()]
    nodes = [helper.make_node("Identity", ["named"], ["y"])]
    return model(nodes, inputs, [VALUE("y", FLOAT, None)])


def all_dtypes() -> bytes:
    """One input of each element type, called after it."""
    kinds = {name: number for name, number in TensorProto.DataType.items() if number}
    inputs = [VALUE(name, number, [2]) for name, number in kinds.items()]
    nodes = [helper.make_node("Identity", ["FLOAT"], ["y"])]
    return model(nodes, inputs, [VALUE("y", FLOAT, [2])])


def containers() -> bytes:
    """A sequence, an optional, an optional sequence, a map and a sparse tensor as inputs."""
    tensor = helper.make_tensor_type_proto(FLOAT, ["N", 3])
    sequence = helper.make_sequence_type_proto(tensor)
    types = {
        "sequence": sequence,
        "optional": helper.make_optional_type_proto(tensor),
        "optional_sequence": helper.make_optional_type_proto(sequence),
        "map": helper.make_map_type_proto(TensorProto.STRING, tensor),
        "sparse": helper.make_sparse_tensor_type_proto(FLOAT, ["N", 3]),
    }
    inputs = [helper.make_value_info(name, kind) for name, kind in types.items()]
    nodes = [helper.make_node("SequenceAt", ["sequence", "zero"], ["y"])]
    return model(nodes, inputs, [VALUE("y", FLOAT, None)], {"zero": np.array(0)})


def text_lengths() -> bytes:
    """A model on strings: text [N] of strings, and the constant it is compared with."""
    stored = helper.make_tensor("known", TensorProto.STRING, [2], [b"cat", "çâ".encode()])
    loaded = onnx.load_from_string(
        model(
            [helper.make_node("StringConcat", ["text", "known"], ["joined"])],
            [VALUE("text", TensorProto.STRING, [2])],
            [VALUE("joined", TensorProto.STRING, [2])],
        )
    )
    loaded.graph.initializer.append(stored)
    return loaded.SerializeToString()


def cycle() -> bytes:
    """`first` reads what `second` makes, and the other way round."""
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    return model(nodes, [VALUE("x", FLOAT, [1])], [VALUE("b", FLOAT, [1])])


def out_of_order() -> bytes:
    """No cycle, but the second operation stands before the first."""
    nodes = [
        helper.make_node("Relu", ["a"], ["y"], name="second"),
        helper.make_node("Abs", ["x"], ["a"], name="first"),
    ]
    return model(nodes, [VALUE("x", FLOAT, [1])], [VALUE("y", FLOAT, [1])])


def duplicate_names() -> bytes:
    """Two nodes are called `twin`, and both claim to make `y`."""
    nodes = [helper.make_node(op, ["x"], ["y"], name="twin") for op in ("Relu", "Abs")]
    return model(nodes, [VALUE("x", FLOAT, [1])], [VALUE("y", FLOAT, [1])])


def dangling() -> bytes:
    """An operation reads `ghost`, and the output `void` is promised; nothing makes either."""
    nodes = [helper.make_node("Add", ["x", "ghost"], ["y"], name="add")]
    outputs = [VALUE("y", FLOAT, [1]), VALUE("void", FLOAT, [1])]
    return model(nodes, [VALUE("x", FLOAT, [1])], outputs)


HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "a\u202egnp.exe",
    "line\nbreak\x1b[31m\x00",
    "{name} %s ${x}",
    "../../etc/passwd",
    "'; drop table",
    "long" * 5000,
    "",
    "same",
    "same ",
)


def hostile_names() -> bytes:
    """A row of operations whose names, values and types are markup, controls and bidi marks."""
    values = [f"{name}#{i}" for i, name in enumerate(HOSTILE_NAMES)]
    nodes = [
        helper.make_node("Relu", [source], [target], name=name)
        for source, target, name in zip(values, [*values[1:], "y"], HOSTILE_NAMES, strict=True)
    ]
    nodes.append(
        helper.make_node(
            "<b>Op</b>", ["y"], ["z"], name="op", domain="<i>evil</i>", **{"<u>a": "<script>"}
        )
    )
    return model(nodes, [VALUE(values[0], FLOAT, ["<b>N</b>"])], [VALUE("z", FLOAT, ["\u202eN"])])


def bytes_that_are_no_utf8() -> bytes:
    """The name of the operation is not UTF-8."""
    return relu().replace(b"relu", b"\xff\xfe\xc3\x28")
