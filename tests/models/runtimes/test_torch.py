"""A `.pt2` runs in its child as torch runs it, and nothing else in it runs at all."""

from __future__ import annotations

import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models_made.exported_program_models import (
    bias,
    call,
    linear,
    old_pt2,
    pt2,
    size_of,
    tensor,
    weight,
    weights_config,
    zipped,
)

from mlnb.errors import InputError, ModelRunError
from mlnb.models.loading import load_model
from mlnb.models.model import Model

torch = pytest.importorskip("torch")

CONFIG = "model/data/weights/model_weights_config.json"


def saved(program: Any) -> bytes:
    data = io.BytesIO()
    torch.export.save(program, data)
    return data.getvalue()


def images(rows: int = 3) -> np.ndarray[Any, np.dtype[Any]]:
    return np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)


def test_a_program_written_without_torch_runs() -> None:
    x = images()
    found = load_model(pt2()).predict(x)["relu"]
    assert np.allclose(found, np.maximum(x @ weight().T + bias(), 0), rtol=1e-6)


def test_it_answers_as_torch_does(tmp_path: Path) -> None:
    class Net(torch.nn.Module):
        """Two inputs, a number among them, and a dict that comes out."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)
            self.register_buffer("mean", torch.rand(3, 1, 1))

        def forward(self, x: Any, scale: float, mask: Any = None, names: Any = None) -> Any:
            """The picture, scaled and masked."""
            y = self.conv((x - self.mean) * scale)
            return {"y": y if mask is None else y * mask, "top": y.amax((2, 3))}

    net = Net().eval()
    x, mask = torch.rand(2, 3, 8, 8), torch.rand(2, 4, 6, 6)
    program = torch.export.export(net, (x, 2.0), {"mask": mask})
    path = tmp_path / "net.pt2"
    path.write_bytes(saved(program))
    model = load_model(path)
    found = model.predict({"x": x, "mask": mask})
    wanted = program.module()(x, 2.0, mask=mask)
    assert model.inputs.names == ["x", "mask"]
    for ours, theirs in zip(found.values(), wanted.values(), strict=True):
        assert np.allclose(ours, theirs.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_the_layout_of_torch_2_5_to_2_7_runs() -> None:
    from torch._export.serde.serialize import serialize

    program = torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(4, 3),))
    parts = serialize(program)
    old = zipped(
        {
            "version": b"8.20",
            "serialized_exported_program.json": parts.exported_program,
            "serialized_state_dict.pt": parts.state_dict,
            "serialized_constants.pt": parts.constants,
            "serialized_example_inputs.pt": parts.example_inputs,
        }
    )
    x = torch.rand(4, 3)
    found = load_model(old).predict(x)["linear"]
    assert np.array_equal(found, program.module()(x).detach().numpy())


def test_bfloat16_goes_in_and_comes_out() -> None:
    net = torch.nn.Linear(3, 2).bfloat16()
    x = torch.rand(4, 3).bfloat16()
    model = load_model(saved(torch.export.export(net, (x,))))
    assert np.array_equal(model.predict(x)["linear"], net(x).detach().float().numpy())


def test_another_shape_is_a_readable_error() -> None:
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(4, 3),))
    with pytest.raises(InputError, match=r"expects float32 \[4, 3\]; received float32 \[4, 5\]"):
        load_model(saved(program)).predict(np.zeros((4, 5), np.float32))


def test_sample_inputs_are_never_loaded_and_their_classes_are_named(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for name in ("model/data/sample_inputs/model.pt", "model/extra/notes.pkl"):
        for payload in (_payload(mark), _torch_payload(mark)):
            _refused(pt2(members={name: payload}), mark, "would import (posix|os).system")


def test_pickled_weights_may_hold_tensors_alone(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    config = weights_config()
    config["config"]["fc.weight"]["use_pickle"] = True
    told = {CONFIG: json.dumps(config).encode()}
    good = io.BytesIO()
    torch.save(torch.nn.Parameter(torch.from_numpy(weight())), good)
    model = load_model(pt2(members={**told, "model/data/weights/weight_0": good.getvalue()}))
    plain = load_model(pt2()).predict(images())["relu"]
    assert np.array_equal(model.predict(images())["relu"], plain)
    for payload in (_payload(mark), _torch_payload(mark)):
        hostile = pt2(members={**told, "model/data/weights/weight_0": payload})
        _refused(hostile, mark, "would import (posix|os).system")


def test_custom_objects_are_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for name in ("opaque_obj_0", "custom_obj_0"):
        constants = {
            "config": {"thing": {"path_name": name, "is_param": False, "use_pickle": True}}
        }
        members = {
            "model/data/constants/model_constants_config.json": json.dumps(constants).encode(),
            f"model/data/constants/{name}": _payload(mark),
        }
        _refused(pt2(members=members), mark, "pickled object")


def test_the_old_layouts_pickles_are_checked(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for part in ("serialized_state_dict", "serialized_constants", "serialized_example_inputs"):
        hostile = old_pt2(None, **{part: _torch_payload(mark)})
        _refused(hostile, mark, "would import (posix|os).system")


def test_a_call_of_python_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    command = {"command": {"as_string": f"touch {mark}"}}
    targets = (
        "torch.os.system",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.save",
        "torch.ops.load_library",
        "torch.ops.aten.__class__.x",
        "torch.ops.higher_order.triton_kernel_wrapper_mutation",
        "math.__loader__.load_module",
        "_operator.methodcaller",
    )
    for target in targets:
        program = linear()
        program["graph_module"]["graph"]["nodes"].append(call(target, command, "y"))
        _refused(pt2(program), mark, "runs Python|files")
    nested = linear()
    operator = {"op": {"as_operator": "torch.os.system"}, "x": tensor("linear")}
    nested["graph_module"]["graph"]["nodes"].append(
        call("torch.ops.higher_order.wrap", operator, "y")
    )
    _refused(pt2(nested), mark, "runs Python")


def test_a_dimension_that_is_python_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"__import__('os').system('touch {mark}')"
    sized = linear()
    sized["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0] = size_of(code)
    _refused(pt2(sized), mark, "no formula of sizes")
    _refused(pt2(linear(range_constraints={code: {"min_val": 1}})), mark, "no formula of sizes")


def test_guards_and_structures_of_the_file_are_left_out(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"__import__('os').system('touch {mark}')"
    program = linear(guards_code=[code])
    enum = json.dumps({"__enum__": True, "fqn": "os:system", "name": "x"})
    spec = '[1, {"type": "collections.defaultdict", "context": %s, "children_spec": []}]'
    root = program["graph_module"]["module_call_graph"][0]["signature"]
    root["out_spec"] = spec % json.dumps(enum)
    program["graph_module"]["module_call_graph"].append({"fqn": "x", "signature": root})
    metadata = program["graph_module"]["graph"]["nodes"][0]["metadata"]
    metadata |= {"source_fn_stack": "x,torch.os.system", "from_node": "[3]", "custom": "{"}
    assert load_model(pt2(program)).predict(images())["relu"].shape == (3, 2)
    assert not mark.exists()


def test_what_torch_cannot_load_is_a_sentence() -> None:
    program = linear(schema_version={"major": 9, "minor": 0}, torch_version="3.0.0")
    with pytest.raises(ModelRunError, match=r"cannot load the program.*torch 3\.0\.0"):
        load_model(pt2(program)).predict(images())
    with pytest.raises(ModelRunError, match="cannot load the program"):
        load_model(pt2(without=[CONFIG])).predict(images())


def test_a_program_that_asks_for_too_much_memory_is_an_error_and_the_next_one_runs() -> None:
    program = linear()
    nodes = program["graph_module"]["graph"]["nodes"]
    nodes[1] = call("torch.ops.aten.zeros.default", {"size": {"as_ints": [2**17, 2**17]}}, "relu")
    with pytest.raises(ModelRunError, match="ran out of memory"):
        load_model(pt2(program)).predict(images())
    assert load_model(pt2()).predict(images())["relu"].shape == (3, 2)


class _Runs:
    """What pickle makes run by unpickling."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def _payload(mark: Path) -> bytes:
    return pickle.dumps(_Runs(mark))


def _torch_payload(mark: Path) -> bytes:
    data = io.BytesIO()
    torch.save({"x": _Runs(mark)}, data)
    return data.getvalue()


def _refused(data: bytes, mark: Path, why: str) -> None:
    """It can be looked at, it does not run, and what it holds did not run."""
    model: Model = load_model(data)
    assert model.inputs.names == ["x"]
    with pytest.raises(ModelRunError, match=why):
        model.predict(images())
    assert not mark.exists()
