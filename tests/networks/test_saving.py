"""One file without pickle; damage, strangers' files and crashes while writing."""

from __future__ import annotations

import json
import os

import pytest
import torch
from networks.made import OURS
from torch import nn

from mlnb.errors import CheckpointError, ExportError, LayerError
from mlnb.networks.network import Input, Network
from mlnb.networks.sequential import Sequential


@pytest.mark.parametrize("name", OURS)
def test_a_network_comes_back_from_its_file(name, tmp_path):
    net = OURS[name]()
    state = torch.get_rng_state()
    again = Sequential.load(net.save(tmp_path / "net.safetensors"))
    assert torch.equal(torch.get_rng_state(), state)
    assert again.spec() == net.spec()
    assert all(torch.equal(again.state_dict()[k], v) for k, v in net.state_dict().items())


def test_a_network_of_several_inputs_comes_back(tmp_path):
    a, b = Input((6,), "a"), Input((5,), "b")
    net = Network([a, b], a.bilinear(b, 3))
    again = Network.load(net.save(tmp_path / "net"))
    x, y = torch.randn(2, 6), torch.randn(2, 5)
    assert torch.equal(again(x, y), net(x, y))
    with pytest.raises(CheckpointError, match="definition of a Network"):
        Sequential.load(tmp_path / "net")


def test_tied_weights_are_stored_once_and_tied_again(tmp_path):
    net = Sequential((8,)).dense(8).dense(8)
    net.module.dense_2.weight = net.module.dense.weight
    again = Sequential.load(net.save(tmp_path / "net"))
    assert again.module.dense_2.weight is again.module.dense.weight
    assert again.parameter_count == net.parameter_count


def test_the_file_is_safetensors_with_the_definition_in_its_head(tmp_path):
    from safetensors import safe_open

    net = Sequential((8,)).dense(4)
    with safe_open(net.save(tmp_path / "net"), framework="pt") as file:
        assert sorted(file.keys()) == ["dense.bias", "dense.weight"]
        assert json.loads(file.metadata()["mlnb"])["spec"] == net.spec()


def test_a_file_that_stands_is_kept_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "net"
    Sequential((8,)).dense(4).save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(ExportError, match=r"cannot write .*net: no space left"):
        Sequential((8,)).dense(5).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


def test_a_foreign_module_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(LayerError, match="`linear` is a module"):
        Sequential((3,)).add(nn.Linear(3, 2)).save(tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_damaged_and_strange_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = Sequential((8,)).dense(4).save(tmp_path / "net")
    data = path.read_bytes()
    for broken in (b"", data[:20], data[:-8], b"\xff" * 64, os.urandom(256)):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match="no whole safetensors file"):
            Sequential.load(path)
    save_file({"w": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="without the definition"):
        Sequential.load(path)
    with pytest.raises(CheckpointError, match="There is no file"):
        Sequential.load(tmp_path / "other")


@pytest.mark.parametrize(
    "head",
    [
        {"spec": {"format": "x"}, "ties": {}},
        {
            "spec": {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": "x"}]},
            "ties": {},
        },
        {"spec": Sequential((8,)).dense(5).spec(), "ties": {}},
        {"spec": Sequential((8,)).dense(4).spec(), "ties": {"dense.weight": "nothing"}},
        {"spec": Sequential((8,)).dense(4).spec(), "ties": {"module.x": "dense.weight"}},
        {"ties": {}},
        [],
    ],
    ids=range(7),
)
def test_a_head_that_does_not_fit_the_weights_is_refused(head, tmp_path):
    from safetensors.torch import save_file

    tensors = {k: v.clone() for k, v in Sequential((8,)).dense(4).state_dict().items()}
    save_file(tensors, tmp_path / "net", metadata={"mlnb": json.dumps(head)})
    with pytest.raises(CheckpointError):
        Sequential.load(tmp_path / "net")
