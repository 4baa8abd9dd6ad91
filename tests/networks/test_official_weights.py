"""The published files of VGG16, Inception, GoogLeNet and ResNet fit, tensor by tensor.

A file of the official layout, auxiliary heads and all, comes from a server on this machine. Every
tensor holds one number of its own, so that a weight in a wrong place would show.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from file_server import Page, Server

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

from mlnb.errors import CheckpointError  # noqa: E402
from mlnb.networks import backbones  # noqa: E402
from mlnb.networks.backbones import backbone  # noqa: E402
from mlnb.networks.weights import Published  # noqa: E402

FEATURES = {
    "vgg16": 4096,
    "inception_v3": 2048,
    "googlenet": 1024,
    "resnet18": 512,
    "resnet50": 2048,
}
TENSORS = {"vgg16": 32, "resnet18": 122, "resnet50": 320}


@pytest.fixture(autouse=True)
def a_bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("MLNB_DATA", raising=False)
    monkeypatch.setenv("MLNB_OFFLINE", "0")


def official(name: str) -> dict[str, torch.Tensor]:
    """What the published file holds, by key and shape; one number a tensor keeps it small."""
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        shapes = models.get_model(name, weights=None, **options).state_dict()
    return {key: number(key).to(one.dtype).expand(one.shape) for key, one in shapes.items()}


def number(key: str) -> torch.Tensor:
    """One of its own for each key, small enough for a network to bear."""
    return torch.tensor(int(hashlib.sha256(key.encode()).hexdigest()[:4], 16) / 2**20)


def served(name: str, state, server: Server, monkeypatch) -> None:
    """The state as the published file of a model."""
    file = io.BytesIO()
    torch.save(state, file)
    content = file.getvalue()
    page = f"/{name}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.pages[page] = Page(content)
    one = Published(name, server.url(page), len(content) / 1e6)
    monkeypatch.setattr(backbones, "_published", lambda *_: one)


SHIFTS = ("inception_v3", "googlenet")
"""Their published weights want the pixels shifted as when they were trained."""
LARGE = ("vgg16", "inception_v3", "resnet50")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in FEATURES]
)
def test_the_published_layout_fits_tensor_by_tensor(name: str, monkeypatch):
    state = official(name)
    assert len(state) == TENSORS.get(name, len(state))
    with Server() as server:
        served(name, state, server, monkeypatch)
        body = backbone(name, tell=lambda _: None)
        assert len(server.requests) == 1
    mine = body.body.state_dict()
    assert body.features == FEATURES[name]
    assert body.source == "IMAGENET1K_V2" if name == "resnet50" else "IMAGENET1K_V1"
    assert all((value == number(key).to(value.dtype)).all() for key, value in mine.items())
    assert getattr(body.body, "transform_input", False) is (name in SHIFTS)
    others = {key.partition(".")[0] for key in state.keys() - mine.keys()}
    heads = {"vgg16": {"classifier"}, "inception_v3": {"AuxLogits", "fc"}}
    assert others == heads.get(name, {"aux1", "aux2", "fc"} if name == "googlenet" else {"fc"})


@pytest.mark.parametrize("name", ["googlenet", "resnet18"])
def test_one_weight_too_few_or_of_another_shape_is_refused(name: str, monkeypatch):
    state = official(name)
    key = next(key for key in state if key.endswith("bn1.weight") or key == "conv1.bn.weight")
    for changed in ({**state, key: torch.zeros(7)}, {k: v for k, v in state.items() if k != key}):
        with Server() as server:
            served(name, changed, server, monkeypatch)
            with pytest.raises(CheckpointError, match=rf"{key} is (\[7\]|missing)"):
                backbone(name, tell=lambda _: None)
