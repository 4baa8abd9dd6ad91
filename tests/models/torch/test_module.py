"""Live torch modules: read by torch.export, and run here."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from models_made.torch_modules import agrees, picture

from mlnb.errors import InputError, ModelRunError, UnknownName
from mlnb.models.loading import load_model

torch = pytest.importorskip("torch")
nn = torch.nn


class Branching(nn.Module):
    """A way that depends on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(4, 4)
        self.down = nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        """Up for a positive sum."""
        return self.up(x) if x.sum() > 0 else self.down(x)


class Tied(nn.Module):
    """One weight under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(4, 4, bias=False)
        self.leave = nn.Linear(4, 4, bias=False)
        self.leave.weight = self.enter.weight

    def forward(self, x: Any) -> Any:
        """Both ways."""
        return self.leave(self.enter(x))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "googlenet"])
def test_architectures_of_torchvision_have_a_graph_and_predict_bit_for_bit(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    extra = {"init_weights": False} if name == "googlenet" else {}
    module = getattr(models, name)(**extra).train()
    model = load_model(module, sample=(1, 3, 96, 96))
    assert [str(spec) for spec in model.inputs] == ["float32 [N, 3, 96, 96]"]
    assert [str(spec) for spec in model.outputs] == ["float32 [N, 1000]"]
    assert not model.graph.warnings
    trained = sum(one.numel() for one in module.parameters() if one.requires_grad)
    aux = sum(one.numel() for n, one in module.named_parameters() if n.startswith("aux"))
    running = sum(o.numel() for n, o in module.named_buffers() if "running" in n and "aux" not in n)
    assert model.summary().parameters == trained - aux + running
    x = picture(3, 3, 96, 96)
    assert np.array_equal(model.predict(x)["output"], agrees(module, x)[0])
    assert all(inner.training for inner in module.modules())


def test_scopes_are_the_modules_with_their_classes() -> None:
    body = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    graph = load_model(nn.Sequential(body, nn.Linear(4, 2)), sample=(2, 4)).graph
    assert [(node.op, node.scope) for node in graph.nodes] == [
        ("linear", ("0", "0")),
        ("relu", ("0", "1")),
        ("linear", ("1",)),
    ]
    assert graph.scope_types[("0",)] == "Sequential"
    assert graph.scope_types[("0", "1")] == "ReLU"


def test_a_transformer_takes_another_batch_than_its_sample() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    module = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    model = load_model(module, sample=picture(1, 5, 16))
    x = picture(3, 5, 16)
    assert model.inputs[0].shape == ("N", 5, 16)
    assert np.array_equal(model.predict(x)["output"], agrees(module, x)[0])


def test_tuples_come_out_by_their_indices() -> None:
    module = nn.LSTM(4, 6, batch_first=True)
    model = load_model(module, sample=picture(2, 5, 4))
    assert model.outputs.names == ["output_0", "output_1_0", "output_1_1"]
    assert model.outputs["output_1_0"].shape == (1, "N", 6)
    x = picture(3, 5, 4)
    for ours, theirs in zip(model.predict(x).values(), agrees(module, x), strict=True):
        assert np.array_equal(ours, theirs)
    assert module._flat_weights[0] is module.weight_ih_l0


def test_dicts_and_named_tuples_come_out_by_their_keys() -> None:
    from collections import namedtuple

    Pair = namedtuple("Pair", ["mean", "spread"])

    class Net(nn.Module):
        """A dict with a named tuple in it, and something that is no tensor."""

        def forward(self, x: Any) -> Any:
            """Same as its input."""
            return {"x": x, "stats": Pair(x.mean(1), x.std(1)), "none": None, "text": "a"}

    model = load_model(Net(), sample=(2, 4))
    assert model.outputs.names == ["x", "mean", "spread"]
    x = picture(3, 4)
    assert np.array_equal(model.predict(x)["mean"], x.mean(1).numpy())
    assert np.array_equal(model.predict(x)["x"], x.numpy())


def test_inputs_are_named_after_the_arguments_of_forward() -> None:
    class Net(nn.Module):
        """Two inputs and an option."""

        def forward(self, a: Any, b: Any = None, scale: float = 1.0) -> Any:
            """A sum."""
            return a * scale if b is None else a * scale + b

    x, y = picture(3, 4), picture(3, 4)
    for sample in ((x, y), {"b": y, "a": x}, (x, y, 2.0), {"a": (3, 4), "b": y.numpy()}):
        model = load_model(Net(), sample=sample)
        assert set(model.inputs.names) == {"a", "b"}
        scale = 2.0 if len(sample) == 3 else 1.0
        assert np.array_equal(model.predict(a=x, b=y)["output"], (x * scale + y).numpy())
    with pytest.raises(InputError, match="no argument c"):
        load_model(Net(), sample={"a": x, "c": y, "b": y})


def test_a_dict_may_be_the_argument_itself() -> None:
    class Net(nn.Module):
        """Takes a batch as data loaders give it."""

        def forward(self, batch: Any) -> Any:
            """A difference."""
            return batch["left"] - batch["right"]

    model = load_model(Net(), sample={"left": (1, 4), "right": picture(1, 4)})
    assert model.inputs.names == ["left", "right"]
    assert np.array_equal(
        model.predict(left=np.ones((2, 4)), right=np.ones((2, 4)))["output"], np.zeros((2, 4))
    )


def test_a_way_that_depends_on_the_data_is_noted_while_it_runs_and_says_so() -> None:
    module = Branching()
    model = load_model(module, sample=torch.ones(2, 4))
    assert "torch.export cannot follow it" in model.graph.warnings[0]
    assert ("addmm", ("up",)) in [(node.op, node.scope) for node in model.graph.nodes]
    assert model.graph.value("up.weight").initializer
    for x in (torch.ones(3, 4), -torch.ones(3, 4)):
        assert np.array_equal(model.predict(x)["output"], agrees(module, x)[0])
    assert not any(inner._forward_hooks or inner._forward_pre_hooks for inner in module.modules())


def test_a_module_that_raises_is_an_error_with_its_own_words() -> None:
    class Net(nn.Module):
        """Refuses."""

        def forward(self, x: Any) -> Any:
            """Never gives anything."""
            raise ValueError("only on Sundays\nreally")

    model = load_model(Net(), sample=(2, 4))
    with pytest.raises(
        ModelRunError, match=r"Net.forward\(x\) fails.*ValueError: only on Sundays$"
    ):
        model.graph  # noqa: B018


def test_without_a_sample_the_error_shows_how() -> None:
    with pytest.raises(InputError, match=r"forward\(input\).*sample=\(1, 3, 224, 224\)"):
        load_model(nn.Linear(4, 2))
    with pytest.raises(InputError, match="no tensor in it"):
        load_model(nn.Linear(4, 2), sample={"input": 3})


def test_a_network_of_mlnb_knows_its_own_inputs() -> None:
    from mlnb.networks.network import Input, Network
    from mlnb.networks.sequential import Sequential

    net = Sequential(input_shape=(4,)).dense(3, "relu").dense(2)
    model = load_model(net)
    assert model.inputs[0].shape == ("N", 4)
    x = picture(5, 4)
    assert np.array_equal(model.predict(x)[model.outputs.names[0]], agrees(net.module, x)[0])
    net.dense(7)
    assert model.outputs[0].shape == ("N", 7)
    a, b = Input((4,), name="a"), Input((2,), name="b")
    two = load_model(
        Network(inputs=[a, b], outputs={"both": a.dense(2).concat(b), "one": a.dense(3)})
    )
    assert two.inputs.names == ["a", "b"]
    assert two.outputs.names == ["both", "one"]


def test_the_weights_are_those_of_now_and_the_graph_is_read_again_only_where_it_changed() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    model = load_model(module, sample=(2, 4))
    graph, x = model.graph, picture(3, 4)
    before = model.predict(x)["output"]
    with torch.no_grad():
        module[0].weight.mul_(2)
    assert not np.array_equal(model.predict(x)["output"], before)
    assert np.array_equal(model.predict(x)["output"], agrees(module, x)[0])
    assert np.array_equal(model.tensor("0.weight"), module[0].weight.detach().numpy())
    assert model.graph is graph
    module.append(nn.Linear(4, 7))
    assert model.outputs[0].shape == ("N", 7)
    assert len(model.graph.nodes) == 3


def test_tensors_are_copies_and_unknown_ones_are_told() -> None:
    module = Tied()
    model = load_model(module, sample=(2, 4))
    model.tensor("leave.weight")[:] = 0
    assert module.leave.weight.abs().sum() > 0
    with pytest.raises(UnknownName, match=r"enter\.weight"):
        model.tensor("entr.weight")


def test_tied_weights_count_once() -> None:
    model = load_model(Tied(), sample=(2, 4))
    assert [node.inputs[1] for node in model.graph.nodes] == ["enter.weight", "enter.weight"]
    assert model.summary().parameters == 16


def test_a_module_without_weights_and_one_that_changes_its_input() -> None:
    class Net(nn.Module):
        """Writes into what it is fed."""

        def forward(self, x: Any) -> Any:
            """Twice its input, in place."""
            return x.mul_(2)

    x = np.ones((2, 4), np.float32)
    model = load_model(Net(), sample=x)
    assert np.array_equal(model.predict(x)["output"], 2 * x)
    assert (x == 1).all()


def test_a_layer_without_weights_yet_says_what_to_do() -> None:
    with pytest.raises(ModelRunError, match="call the module once"):
        load_model(nn.LazyLinear(3), sample=(2, 4))


def test_types_of_half_the_size_go_in_and_come_out() -> None:
    module = nn.Linear(4, 2).bfloat16()
    model = load_model(module, sample=(2, 4))
    assert model.inputs[0].dtype == "bfloat16"
    x = picture(3, 4).bfloat16()
    assert np.array_equal(model.predict(x)["output"], module(x).detach().float().numpy())


def test_numbers_for_an_embedding_need_a_sample_and_a_shape_says_so() -> None:
    module = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    with pytest.raises(ModelRunError, match="on its sample"):
        load_model(module, sample=(2, 5)).graph  # noqa: B018
    model = load_model(module, sample=np.zeros((2, 5), np.int64))
    assert str(model.inputs[0]) == "int64 [N, 5]"
    assert model.predict(np.ones((3, 5), np.int64))["output"].shape == (3, 5, 2)


def test_ten_thousand_layers_are_read_in_reasonable_time() -> None:
    module = nn.Sequential(*(nn.Linear(2, 2) for _ in range(10_000)))
    began = time.monotonic()
    graph = load_model(module, sample=(1, 2)).graph
    assert sum(node.op == "addmm" for node in graph.nodes) == 10_000
    assert "10,001 modules" in graph.warnings[0]
    assert time.monotonic() - began < 60


def test_a_file_of_onnx_brings_no_torch() -> None:
    code = (
        "import sys, mlnb\n"
        "from mlnb.models.live import live_module\n"
        "assert live_module('x.onnx') is None and live_module(object()) is None\n"
        "import mlnb.models.loading\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
