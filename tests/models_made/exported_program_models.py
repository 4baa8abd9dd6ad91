"""Small `.pt2` files written without torch: `pt2` and the programs that go into one.

What torch itself writes is compared with these in tests/formats/torch/exported/test_file.py.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FLOAT = 7
LEAF = '{"type": null, "context": null, "children_spec": []}'
ROW = '{"type": "builtins.tuple", "context": "null", "children_spec": [%s]}'
NO_NAMES = '{"type": "builtins.dict", "context": "[]", "children_spec": []}'


def pt2(
    program: Mapping[str, Any] | None = None,
    *,
    members: Mapping[str, bytes] | None = None,
    without: Sequence[str] = (),
) -> bytes:
    """A file in the layout of torch 2.8 and later.

    Args:
        program: its JSON; `program()` by default.
        members: more members, or others in place of what would be there.
        without: members that are left out.
    """
    parts = {
        "model/archive_format": b"pt2",
        "model/archive_version": b"0",
        "model/.data/version": b"6\n",
        "model/byteorder": b"little",
        "model/models/model.json": json.dumps(program or linear()).encode(),
        "model/data/sample_inputs/model.pt": b"",
        "model/data/weights/model_weights_config.json": json.dumps(weights_config()).encode(),
        "model/data/constants/model_constants_config.json": b'{"config": {}}',
        "model/data/weights/weight_0": weight().tobytes(),
        "model/data/weights/weight_1": bias().tobytes(),
        **(members or {}),
    }
    return zipped({name: data for name, data in parts.items() if name not in without})


def old_pt2(program: Mapping[str, Any] | None = None, **members: bytes) -> bytes:
    """A file in the layout of torch 2.5 to 2.7; weights would be in a pickle."""
    return zipped(
        {
            "version": b"8.5",
            "serialized_exported_program.json": json.dumps(program or linear()).encode(),
            "serialized_state_dict.pt": b"",
            "serialized_constants.pt": b"",
            "serialized_example_inputs.pt": b"",
            **{f"{name}.pt": data for name, data in members.items()},
        }
    )


def zipped(members: Mapping[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file of these members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, packing)
    return data.getvalue()


def weight() -> np.ndarray[Any, np.dtype[Any]]:
    """`fc.weight`, [2, 3]."""
    return np.arange(6, dtype=np.float32).reshape(2, 3)


def bias() -> np.ndarray[Any, np.dtype[Any]]:
    """`fc.bias`, [2]."""
    return np.array([0.5, -20.0], np.float32)


def linear(**changes: Any) -> dict[str, Any]:
    """`relu(fc(x))` for a batch of any size.

    Args:
        changes: keys of the program that are others: `schema_version`, `guards_code` ….
    """
    nodes = [
        call(
            "torch.ops.aten.linear.default",
            {"input": tensor("x"), "weight": tensor("p_fc_weight"), "bias": tensor("p_fc_bias")},
            "linear",
            "fc,fc,torch.nn.modules.linear.Linear",
        ),
        call("torch.ops.aten.relu.default", {"self": tensor("linear")}, "relu"),
    ]
    return program(nodes, **changes)


def program(nodes: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A program from x [s0, 3] by these calls to relu [s0, 2]; it may read fc's two weights."""
    names = ["p_fc_weight", "p_fc_bias", "x"]
    stored = [
        {"parameter": {"arg": {"name": f"p_fc_{name}"}, "parameter_name": f"fc.{name}"}}
        for name in ("weight", "bias")
    ]
    root = {
        "inputs": [],
        "outputs": [],
        "in_spec": f"[1, {ROW % f'{ROW % LEAF}, {NO_NAMES}'}]",
        "out_spec": f"[1, {LEAF}]",
        "forward_arg_names": ["x"],
    }
    return {
        "graph_module": {
            "graph": {
                "inputs": [tensor(name) for name in names],
                "outputs": [tensor("relu")],
                "nodes": nodes,
                "tensor_values": {
                    "p_fc_weight": meta(2, 3),
                    "p_fc_bias": meta(2),
                    "x": meta("s0", 3),
                    "linear": meta("s0", 2),
                    "relu": meta("s0", 2),
                },
                "sym_int_values": {},
                "sym_bool_values": {},
                "is_single_tensor_return": False,
                "custom_obj_values": {},
                "sym_float_values": {},
            },
            "signature": {
                "input_specs": [*stored, {"user_input": {"arg": tensor("x")}}],
                "output_specs": [{"user_output": {"arg": tensor("relu")}}],
            },
            "module_call_graph": [{"fqn": "", "signature": root}],
            "metadata": {},
            "treespec_namedtuple_fields": {},
        },
        "opset_version": {"aten": 10},
        "range_constraints": {"s0": {"min_val": 2, "max_val": 64}},
        "schema_version": {"major": 8, "minor": 20},
        "verifiers": ["TRAINING"],
        "torch_version": "2.15.0",
        "guards_code": [],
        **changes,
    }


def call(target: str, inputs: Mapping[str, Any], output: str, module: str = "") -> dict[str, Any]:
    """A call that gives one tensor."""
    stack = "L__self__,,made.Net" + (f";L__self__{module}" if module else "")
    return {
        "target": target,
        "inputs": [{"name": name, "arg": arg, "kind": 1} for name, arg in inputs.items()],
        "outputs": [tensor(output)],
        "metadata": {"nn_module_stack": stack},
        "is_hop_single_tensor_return": None,
        "name": output,
    }


def tensor(name: str) -> dict[str, Any]:
    """An argument that is a tensor."""
    return {"as_tensor": {"name": name}}


def meta(*sizes: int | str) -> dict[str, Any]:
    """A float32 tensor of these sizes; a text is a formula, or the name of a free dimension."""
    steps = [1]
    for size in reversed(sizes[1:]):
        steps.insert(0, steps[0] * (size if isinstance(size, int) else 1))
    return {
        "dtype": FLOAT,
        "sizes": [size_of(size) for size in sizes],
        "requires_grad": False,
        "device": {"type": "cpu", "index": None},
        "strides": [{"as_int": step} for step in steps[: len(sizes)]],
        "storage_offset": {"as_int": 0},
        "layout": 7,
    }


def size_of(size: int | str) -> dict[str, Any]:
    """A dimension as the schema has it."""
    if isinstance(size, int):
        return {"as_int": size}
    text = f"Symbol('{size}', positive=True, integer=True)" if size.isalnum() else size
    return {"as_expr": {"expr_str": text, "hint": {"as_int": 4}}}


def weights_config() -> dict[str, Any]:
    """Where `fc`'s two weights lie."""
    sizes: dict[str, tuple[int, ...]] = {"fc.weight": (2, 3), "fc.bias": (2,)}
    return {
        "config": {
            name: {
                "path_name": f"weight_{at}",
                "is_param": True,
                "use_pickle": False,
                "tensor_meta": {**meta(*shape), "requires_grad": True},
            }
            for at, (name, shape) in enumerate(sizes.items())
        }
    }


def with_branches() -> dict[str, Any]:
    """A program with two graphs inside a call."""
    inner = {
        "inputs": [tensor("a")],
        "outputs": [tensor("b")],
        "nodes": [call("torch.ops.aten.sin.default", {"self": tensor("a")}, "b")],
        "tensor_values": {"a": meta("s0", 2), "b": meta("s0", 2)},
        "sym_int_values": {},
        "sym_bool_values": {},
    }
    branches = {
        "pred": tensor("linear"),
        "true_fn": {"as_graph": {"name": "true_graph_0", "graph": inner}},
        "false_fn": {"as_graph": {"name": "false_graph_0", "graph": inner}},
        "operands": {"as_tensors": [{"name": "linear"}]},
    }
    made = linear()
    made["graph_module"]["graph"]["nodes"][1] = call(
        "torch.ops.higher_order.cond", branches, "relu"
    )
    return made


def good_exported_program() -> list[bytes]:
    """Files that open, of both layouts, for the mutants."""
    packed = {
        "model/archive_format": b"pt2",
        "model/models/model.json": json.dumps(linear()).encode(),
    }
    return [
        pt2(),
        pt2(with_branches()),
        old_pt2(),
        zipped(packed, zipfile.ZIP_DEFLATED),
    ]
