"""`.pt2` files: what is read of them without torch agrees with what torch has in them."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from models_made.exported_program_models import (
    bias,
    call,
    linear,
    meta,
    old_pt2,
    pt2,
    tensor,
    weight,
    weights_config,
    with_branches,
    zipped,
)

from mlnb.errors import ModelFormatError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.source import Source
from mlnb.formats.torch.exported.file import ExportedProgramFile
from mlnb.specs import TensorSpec

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:The tensor attributes")


def opened(data: bytes) -> ExportedProgramFile:
    return ExportedProgramFile(Source.of(data))


def test_a_pt2_is_told_by_what_lies_inside_and_has_its_inputs_and_outputs() -> None:
    file = open_model_file(pt2())
    assert file.format == "PyTorch ExportedProgram"
    assert list(file.inputs) == [TensorSpec("x", "float32", ("s0", 3))]
    assert list(file.outputs) == [TensorSpec("relu", "float32", ("s0", 2))]


def test_the_layout_of_torch_2_5_to_2_7_is_read_too() -> None:
    file = open_model_file(old_pt2())
    assert file.inputs.names == ["x"]
    assert [node.op for node in file.graph.nodes] == ["linear", "relu"]


def test_nodes_read_weights_by_the_names_of_the_module_and_stand_in_its_scopes() -> None:
    graph = opened(pt2()).graph
    first = graph.nodes[0]
    assert first.inputs == ("x", "fc.weight", "fc.bias")
    assert first.scope == ("fc",)
    assert graph.scope_types == {(): "Net", ("fc",): "Linear"}
    stored = graph.value("fc.weight")
    assert stored.initializer
    assert (stored.dtype, stored.shape, stored.nbytes) == ("float32", (2, 3), 24)


def test_the_metadata_tell_torch_schema_and_ranges() -> None:
    metadata = opened(pt2()).metadata
    assert metadata["producer"] == "torch 2.15.0"
    assert metadata["schema"] == "8.20"
    assert metadata["dimensions"] == "s0 from 2 to 64"


def test_a_dimension_that_is_a_formula_reads_as_one() -> None:
    program = linear()
    twice = "Mul(Integer(2), Symbol('s0', positive=True, integer=True))"
    program["graph_module"]["graph"]["tensor_values"]["relu"] = meta(twice, 2)
    assert opened(pt2(program)).outputs[0].shape == ("2*s0", 2)


def test_graphs_inside_a_call_are_subgraphs() -> None:
    graph = opened(pt2(with_branches())).graph
    assert graph.nodes[1].op == "cond"
    assert set(graph.nodes[1].subgraphs) == {"true_graph_0", "false_graph_0"}
    assert graph.nodes[1].subgraphs["true_graph_0"].nodes[0].op == "sin"


def test_a_weight_is_read_from_the_file_by_its_shape_and_strides() -> None:
    file = opened(pt2())
    assert np.array_equal(file.tensor("fc.weight"), weight())
    assert np.array_equal(file.tensor("fc.bias"), bias())
    turned = weights_config()
    told = turned["config"]["fc.weight"]["tensor_meta"]
    told["sizes"], told["strides"] = told["sizes"][::-1], told["strides"][::-1]
    config = {"model/data/weights/model_weights_config.json": json.dumps(turned).encode()}
    assert np.array_equal(opened(pt2(members=config)).tensor("fc.weight"), weight().T)


def test_an_unknown_weight_names_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'fc\.weight'"):
        opened(pt2()).tensor("fc.weigth")


def test_tied_weights_are_one_value() -> None:
    tied = weights_config()
    tied["config"]["fc.bias"] = tied["config"]["fc.weight"]
    config = {"model/data/weights/model_weights_config.json": json.dumps(tied).encode()}
    assert opened(pt2(members=config)).graph.nodes[0].inputs == ("x", "fc.weight", "fc.weight")


def test_the_exporters_own_checks_are_no_operations() -> None:
    program = linear()
    check = call("torch.ops.aten._assert_scalar.default", {"self": tensor("x")}, "checked")
    program["graph_module"]["graph"]["nodes"].insert(0, check)
    assert [node.op for node in opened(pt2(program)).graph.nodes] == ["linear", "relu"]


def test_a_newer_schema_is_read_as_far_as_it_goes_and_says_so() -> None:
    program = linear(schema_version={"major": 9, "minor": 1}, torch_version="3.0.0")
    program["graph_module"]["graph"]["nodes"][1]["inputs"].append(
        {"name": "wish", "arg": {"as_wish": {"granted": True}}, "kind": 1}
    )
    graph = opened(pt2(program)).graph
    assert [node.op for node in graph.nodes] == ["linear", "relu"]
    assert "written by torch 3.0.0 with schema 9.1" in graph.warnings[-1]


def test_a_schema_that_is_built_otherwise_is_one_sentence() -> None:
    program = linear(schema_version={"major": 9, "minor": 1}, torch_version="3.0.0")
    del program["graph_module"]["signature"]
    file = opened(pt2(program))
    with pytest.raises(ModelFormatError, match=r"torch 3\.0\.0 with schema 9\.1"):
        file.inputs  # noqa: B018


def test_compiled_code_is_refused_by_name() -> None:
    package = zipped({"m/archive_format": b"pt2", "m/data/aotinductor/model/x.so": b"\x7fELF"})
    with pytest.raises(ModelFormatError, match="AOTInductor package"):
        open_model_file(package)


def test_several_programs_are_signatures() -> None:
    other = json.dumps(linear(torch_version="2.9.0")).encode()
    file = opened(pt2(members={"model/models/decoder.json": other}))
    assert set(file.signatures) == {"model", "decoder"}
    assert file.signature == "model"
    assert file.with_signature("decoder").metadata["producer"] == "torch 2.9.0"
    with pytest.raises(UnknownName, match="decoder"):
        file.with_signature("decodr")


def test_reading_imports_no_torch() -> None:
    code = (
        "import sys, io\n"
        "from mlnb.models.loading import load_model\n"
        "model = load_model(sys.stdin.buffer.read())\n"
        "assert model.graph.nodes and model.inputs and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pt2(), check=False, timeout=60)
    assert done.returncode == 0


class Two(torch.nn.Module):
    """Two inputs, one of them with a default, and a dict that comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
        self.tied = self.body[0]
        self.register_buffer("scale", torch.full((4,), 2.0))

    def forward(self, a, b=None):
        """A sum and what becomes of it."""
        both = a if b is None else a + b
        return {"sum": both * self.scale, "body": self.body(both) + self.tied(a)}


def saved(program: torch.export.ExportedProgram) -> bytes:
    data = io.BytesIO()
    torch.export.save(program, data)
    return data.getvalue()


def made_by_torch() -> list[torch.export.ExportedProgram]:
    free = torch.export.Dim("batch", min=2, max=100)
    pair = (torch.zeros(4, 4), torch.ones(4, 4))
    images = torch.zeros(2, 3, 8, 8)
    convolution = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.GELU()
    ).eval()
    lstm = torch.nn.LSTM(4, 3, batch_first=True)
    return [
        torch.export.export(Two(), pair),
        torch.export.export(Two(), pair, dynamic_shapes=({0: free}, {0: free})),
        torch.export.export(convolution, (images,)),
        torch.export.export(convolution.double(), (images.double(),)),
        torch.export.export(lstm, (torch.zeros(2, 5, 4),)),
    ]


def test_what_torch_saves_has_torchs_own_inputs_outputs_and_types() -> None:
    for program in made_by_torch():
        file = open_model_file(saved(program))
        assert tuple(file.inputs.names) == program.graph_signature.user_inputs
        assert tuple(file.outputs.names) == tuple(
            dict.fromkeys(program.graph_signature.user_outputs)
        )
        values = {node.name: node.meta.get("val") for node in program.graph.nodes}
        for spec in (*file.inputs, *file.outputs):
            value = values[spec.name]
            assert spec.dtype == str(value.dtype).removeprefix("torch.")
            assert [str(size) for size in spec.shape or ()] == [str(size) for size in value.shape]


def test_what_torch_saves_has_torchs_own_weights_and_calls() -> None:
    for program in made_by_torch():
        file = open_model_file(saved(program))
        for name, held in program.state_dict.items():
            assert np.array_equal(file.tensor(name), held.detach().numpy())
        ops = [
            node.target.name().partition("::")[2].partition(".")[0]
            for node in program.graph.nodes
            if node.op == "call_function" and hasattr(node.target, "name")
        ]
        assert [node.op for node in file.graph.nodes] == ops
        for node in file.graph.nodes:
            for name in filter(None, node.inputs):
                known = file.graph.value(name).initializer or name in file.graph.producers
                assert known or name in file.graph.inputs
