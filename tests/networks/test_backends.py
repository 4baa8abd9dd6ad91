"""Backends: the same weights on other engines, and the table that compares them."""

from __future__ import annotations

import pytest
from no_compiler import without_a_compiler

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from mlnb.errors import InputError, TrainError, UnknownName  # noqa: E402
from mlnb.networks import backends as module_of_backends  # noqa: E402
from mlnb.networks.backend_table import BackendRow, BackendTable  # noqa: E402
from mlnb.networks.backends import backends, run_on  # noqa: E402
from mlnb.networks.network import Input, Network  # noqa: E402
from mlnb.networks.sequential import Sequential  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def no_compiling(monkeypatch: pytest.MonkeyPatch):
    """As on a machine without a C++ compiler."""

    def fails(taken):
        def engine(batch):
            raise TrainError(module_of_backends._why(RuntimeError("InvalidCxxCompiler: none")))

        return engine

    monkeypatch.setitem(module_of_backends._MAKERS, "compile", fails)


def net() -> Sequential:
    torch.manual_seed(0)
    return Sequential(6).dense(16, "relu").batch_norm().dropout(0.5).dense(3)


def test_the_table_has_time_first_call_and_difference(no_compiling):
    table = net().backends(torch.randn(8, 6))
    assert [row.name for row in table] == ["eager", "compile", "onnxruntime"]
    assert table.samples == 8
    for name in ("eager", "onnxruntime"):
        assert table[name].seconds > 0
        assert table[name].first_call > 0
        assert table[name].difference < 1e-5
    assert table["compile"].seconds is None
    lines = repr(table).splitlines()
    assert lines[0].split("  ")[0] == "backend"
    assert "a batch of 8" in lines[0]
    assert lines[-1] == "compile: there is no working C++ compiler here (g++ or clang++)"
    assert "no working C++ compiler" in table._repr_html_()
    assert list(table.to_frame()["name"]) == ["eager", "compile", "onnxruntime"]
    with pytest.raises(UnknownName, match="did you mean 'eager'"):
        table["eagr"]


def test_markup_in_a_reason_stays_text():
    row = BackendRow("compile", unavailable="<script>alert(1)</script>")
    assert "<script>" not in BackendTable((row,), 2)._repr_html_()


@pytest.mark.parametrize("backend", ["eager", "onnxruntime"])
def test_predict_answers_alike_on_another_backend(backend: str):
    network = net().loss("cross_entropy")
    x = torch.randn(7, 6)
    wanted = network.predict(x)
    assert torch.allclose(network.predict(x, backend=backend), wanted, atol=1e-5)
    assert torch.allclose(network.predict(x[0], backend=backend), wanted[0], atol=1e-5)
    parts = network.predict(x, backend=backend, batch_size=3)
    assert torch.allclose(parts, wanted, atol=1e-5)


def test_new_weights_are_seen_and_old_ones_exported_once(monkeypatch):
    made = []
    plain = module_of_backends._MAKERS["onnxruntime"]
    monkeypatch.setitem(
        module_of_backends._MAKERS, "onnxruntime", lambda taken: made.append(1) or plain(taken)
    )
    network, x = net(), torch.randn(4, 6)
    for _ in range(3):
        run_on(network, "onnxruntime", x)
    assert len(made) == 1
    for change in (lambda w: w.mul_(2), lambda w: w.data.mul_(2)):
        with torch.no_grad():
            change(network.module[0].weight)
        came = run_on(network, "onnxruntime", x)
        assert torch.allclose(came, network.module.eval()(x), atol=1e-4)
    assert len(made) == 3


def test_several_inputs_and_outputs_go_by_name():
    a, b = Input(3, name="a"), Input(2, name="b")
    both = a.dense(4).concat(b.dense(4))
    network = Network([a, b], {"y": both.dense(2), "z": both.dense(1)})
    batch = {"a": torch.randn(5, 3), "b": torch.randn(5, 2)}
    came, wanted = run_on(network, "onnxruntime", batch), network.predict(batch, raw=True)
    assert list(came) == ["y", "z"]
    assert all(torch.allclose(came[name], wanted[name], atol=1e-5) for name in wanted)


def test_an_unavailable_backend_says_so_once_and_answers_eagerly(no_compiling):
    said = []
    network, x = net(), torch.randn(4, 6)
    for _ in range(2):
        came = run_on(network, "compile", x, say=said.append)
    assert torch.equal(came, network.module.eval()(x))
    assert len(said) == 1
    assert said[0].startswith('backend="compile" is unavailable, so that this is computed eagerly')
    assert "no working C++ compiler" in said[0]


def test_without_a_listener_the_warning_stands_at_the_users_own_line(no_compiling):
    with pytest.warns(UserWarning, match="computed eagerly") as caught:
        net().predict(torch.randn(4, 6), backend="compile")
    assert [warning.filename for warning in caught] == [__file__]


def test_what_onnx_cannot_say_is_unavailable_with_the_reason():
    class Chooses(nn.Module):
        def forward(self, x):
            return x * 2 if x.sum() > 0 else x

    said = []
    came = run_on(Chooses(), "onnxruntime", torch.ones(2, 2), say=said.append)
    assert torch.equal(came, torch.full((2, 2), 2.0))
    assert "use torch.where" in said[0]


def test_unknown_names_and_wrong_batches_are_refused():
    with pytest.raises(UnknownName, match="did you mean 'onnxruntime'"):
        net().predict(torch.randn(2, 6), backend="onnx_runtime")
    with pytest.raises(InputError, match="the sample"):
        backends(net(), torch.randn(2, 5))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_on_an_accelerator_the_network_is_compared_where_it_is():
    network, x = net(), torch.randn(9, 6)
    network.module.cuda()
    table = backends(network, x)
    assert [row.device for row in table] == ["cuda", "cuda", "cpu"]
    assert all(row.difference < 1e-2 for row in table if row.seconds is not None)
    assert network.module[0].weight.is_cuda
    for name in ("eager", "onnxruntime"):
        came = run_on(network, name, x)
        assert not came.is_cuda
        wanted = network.module.eval()(x.cuda()).detach().cpu()
        assert torch.allclose(came, wanted, atol=1e-2)


@pytest.mark.compile
def test_compile_answers_alike_and_is_in_the_table():
    network, x = net(), torch.randn(9, 6)
    table = backends(network, x)
    assert table["compile"].difference < 1e-5
    assert table["compile"].first_call > table["compile"].seconds
    assert torch.allclose(
        run_on(network, "compile", x, batch_size=4), network.module.eval()(x), atol=1e-5
    )


@pytest.mark.compile
def test_without_a_compiler_the_table_says_so():
    with without_a_compiler():
        table = backends(net(), torch.randn(3, 6))
    assert "no working C++ compiler" in table["compile"].unavailable
    assert table["onnxruntime"].difference < 1e-5
