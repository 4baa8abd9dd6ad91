"""Small ONNX models to run, good and hostile, each as bytes; imported as `models.made`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def model(nodes, inputs, outputs, weights=(), *, functions=(), imports=()) -> bytes:
    """A model of the versions that every onnxruntime in range reads."""
    graph = helper.make_graph(list(nodes), "made", list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", 20), *imports]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions))
    return made.SerializeToString()


def tensor(name, dtype=FLOAT, shape=()):
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def doubler(dtype=FLOAT, shape=("N", 3), out=None) -> bytes:
    """y = x + x."""
    return model(
        [node("Add", ["x", "x"], ["y"])],
        [tensor("x", dtype, shape)],
        [tensor("y", dtype, out or shape)],
    )


def identity(dtype, shape) -> bytes:
    return model(
        [node("Identity", ["x"], ["y"])], [tensor("x", dtype, shape)], [tensor("y", dtype, shape)]
    )


def adder(first=("N", 3), second=("N", 3)) -> bytes:
    """sum = a + b, product = a * b."""
    return model(
        [node("Add", ["a", "b"], ["sum"]), node("Mul", ["a", "b"], ["product"])],
        [tensor("a", FLOAT, first), tensor("b", FLOAT, second)],
        [tensor("sum", FLOAT, ("N", 3)), tensor("product", FLOAT, ("N", 3))],
    )


def fixed(batch=1, columns=3) -> bytes:
    """row sums of x, whose batch is a number."""
    return model(
        [node("ReduceSum", ["x", "axes"], ["y"], keepdims=1)],
        [tensor("x", FLOAT, (batch, columns))],
        [tensor("y", FLOAT, (batch, 1))],
        [weight("axes", [1], np.int64)],
    )


def divides_int_min() -> bytes:
    """INT_MIN / -1 of constants: SIGFPE while the session folds them."""
    return model(
        [node("Div", ["a", "b"], ["y"])],
        [],
        [tensor("y", INT32, (1,))],
        [weight("a", [-(2**31)], np.int32), weight("b", [-1], np.int32)],
    )


def splits_by_zero() -> bytes:
    """SplitToSequence with split 0: SIGFPE too."""
    return model(
        [
            node("SplitToSequence", ["x", "zero"], ["parts"], axis=0),
            node("ConcatFromSequence", ["parts"], ["y"], axis=0),
        ],
        [],
        [tensor("y", FLOAT, (None,))],
        [weight("x", [1, 2, 3]), weight("zero", 0, np.int64)],
    )


def loops_for_ever() -> bytes:
    """A Loop of 2^62 rounds."""
    body = helper.make_graph(
        [node("Identity", ["on"], ["still_on"]), node("Add", ["v", "v"], ["w"])],
        "body",
        [tensor("i", INT64), tensor("on", TensorProto.BOOL), tensor("v", FLOAT, (1,))],
        [tensor("still_on", TensorProto.BOOL), tensor("w", FLOAT, (1,))],
    )
    return model(
        [node("Loop", ["rounds", "on", "x"], ["y"], body=body)],
        [tensor("x", FLOAT, (1,))],
        [tensor("y", FLOAT, (1,))],
        [weight("rounds", 2**62, np.int64), weight("on", True, np.bool_)],
    )


def asks_for_6_gib() -> bytes:
    """ConstantOfShape of 6 GiB, in a file of a hundred bytes."""
    return model(
        [
            node("ConstantOfShape", ["shape"], ["big"]),
            node("ReduceSum", ["big"], ["y"], keepdims=0),
        ],
        [tensor("shape", INT64, (1,))],
        [tensor("y")],
    )


def laughs() -> bytes:
    """Nine levels of functions, each calling the next ten times: 10^9 nodes once expanded."""
    opset = [helper.make_opsetid("", 20), helper.make_opsetid("laugh", 1)]
    functions = []
    for level in range(9):
        inner, domain = ("Neg", "") if level == 8 else (f"level{level + 1}", "laugh")
        names = ["x", *(f"v{i}" for i in range(9)), "y"]
        body = [helper.make_node(inner, [a], [b], domain=domain) for a, b in pairwise(names)]
        functions.append(helper.make_function("laugh", f"level{level}", ["x"], ["y"], body, opset))
    return model(
        [helper.make_node("level0", ["x"], ["y"], domain="laugh")],
        [tensor("x", FLOAT, (1,))],
        [tensor("y", FLOAT, (1,))],
        functions=functions,
        imports=[helper.make_opsetid("laugh", 1)],
    )


def needs_the_evaluator() -> bytes:
    """Gelu-like work on bfloat16, of which onnxruntime's CPU provider has no kernel."""
    dtype = TensorProto.BFLOAT16
    return model(
        [node("Mish", ["x"], ["y"])], [tensor("x", dtype, ("N",))], [tensor("y", dtype, ("N",))]
    )


def with_external_weights(location: str, count: int) -> bytes:
    """y = x + w, w in a file of `count` float32."""
    from onnx import ModelProto

    made = ModelProto.FromString(
        model(
            [node("Add", ["x", "w"], ["y"])],
            [tensor("x", FLOAT, (count,))],
            [tensor("y", FLOAT, (count,))],
            [weight("w", np.zeros(count))],
        )
    )
    stored = made.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(4 * count))):
        stored.external_data.add(key=key, value=value)
    return made.SerializeToString()
