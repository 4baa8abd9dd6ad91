"""Backbones: torchvision's networks without their heads, and where the weights come from."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
from file_server import Page, Server

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
from torch import nn  # noqa: E402

from mlnb.errors import (  # noqa: E402
    CheckpointError,
    DownloadError,
    DownloadRefused,
    UnknownName,
)
from mlnb.networks import backbones  # noqa: E402
from mlnb.networks.backbones import backbone  # noqa: E402
from mlnb.networks.sequential import Sequential  # noqa: E402
from mlnb.networks.weights import Published, find_weights, read_weights  # noqa: E402

SMALL = "shufflenet_v2_x0_5"


@pytest.fixture(autouse=True)
def a_bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One thread, no data, empty caches, and no network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("MLNB_DATA", raising=False)
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(3)
    return models.get_model(SMALL, weights=None).eval()


@pytest.fixture(scope="module")
def content(trained) -> bytes:
    return saved(trained.state_dict())


def saved(state) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def same_features(body, trained) -> bool:
    x = torch.randn(2, 3, 64, 64)
    whole = nn.Sequential(*[child for name, child in trained.named_children() if name != "fc"])
    with torch.no_grad():
        return torch.equal(body(x), whole(x).mean((2, 3)))


# ------------------------------------------------------------------------------------- the network

NAMED = {
    "mobilenet_v2": 1280,
    "resnet18": 512,
    "resnet34": 512,
    "resnet50": 2048,
    "googlenet": 1024,
    "efficientnet_b0": 1280,
    "squeezenet1_1": 512,
    "shufflenet_v2_x0_5": 1024,
}
LARGE = {"resnet101": 2048, "vgg16": 4096, "inception_v3": 2048, "vit_b_16": 768, "swin_t": 768}


@pytest.mark.parametrize("name", NAMED)
def test_a_network_gives_its_features(name: str):
    gives_features(name, NAMED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_network_gives_its_features(name: str):
    gives_features(name, LARGE[name])


def gives_features(name: str, features: int) -> None:
    body = backbone(name, weights=None)
    side = 299 if name == "inception_v3" else 224
    assert body.features == features
    assert body.input_shape == (3, side, side)
    assert body(torch.zeros(2, *body.input_shape)).shape == (2, features)
    assert body.preprocess(torch.zeros(3, 300, 400)).shape == body.input_shape
    shown = f"Backbone('{name}', [3, {side}, {side}] -> [{features}], random weights)"
    assert repr(body) == shown


@pytest.mark.slow
def test_every_classifier_of_torchvision_has_a_head_to_take_off():
    for name in models.list_models(module=models):
        kind = models.get_model_weights(name).DEFAULT
        if kind.meta["num_params"] < 30e6:
            module = backbones._headless(name, backbones._made(models, name, drawn=False), kind)
            classes = len(kind.meta["categories"])
            assert not [m for m in module.modules() if getattr(m, "out_features", 0) == classes]


@pytest.mark.parametrize(
    ("name", "cut", "features"),
    [
        ("resnet18", "layer3", 256),
        ("mobilenet_v2", "features.13", 96),
        ("squeezenet1_1", "features.5", 128),
    ],
)
def test_another_place_is_cut_and_averaged(name: str, cut: str, features: int):
    body = backbone(name, weights=None, cut=cut)
    assert body.features == features
    assert body(torch.randn(2, 3, 96, 96)).shape == (2, features)
    assert not any("fc" in key or "classifier" in key for key in body.state_dict())


def test_unknown_names_list_the_closest():
    with pytest.raises(UnknownName, match="did you mean 'mobilenet_v2'"):
        backbone("mobilenetv2")
    with pytest.raises(UnknownName, match="did you mean 'layer3'"):
        backbone("resnet18", weights=None, cut="layer_3")
    with pytest.raises(UnknownName, match="did you mean 'IMAGENET1K_V1'"):
        backbone("resnet18", weights="IMAGENET1K_V3")


def test_it_is_a_layer_and_stays_frozen_while_the_rest_trains():
    torch.manual_seed(0)
    body = backbone(SMALL, weights=None).freeze()
    net = Sequential((3, 64, 64)).add(body).dense(2).loss("cross_entropy")
    assert net.built[0].gives == (1024,)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    dense = net["dense"].weight.clone()
    net.fit(torch.randn(8, 3, 64, 64), torch.arange(8) % 2, epochs=1, folder=False)
    assert all(torch.equal(before[name], value) for name, value in body.state_dict().items())
    assert not torch.equal(net["dense"].weight, dense)
    assert "frozen" in repr(body)

    body.unfreeze()
    assert net.module.train().training
    assert body.body.training
    assert all(weight.requires_grad for weight in body.parameters())


def test_random_numbers_are_drawn_for_random_weights_only(tmp_path: Path, content: bytes):
    (tmp_path / "w.pth").write_bytes(content)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    backbone(SMALL, weights=tmp_path / "w.pth")
    assert torch.equal(torch.get_rng_state(), before)
    one = backbone(SMALL, weights=None)
    assert not torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(before)
    again = backbone(SMALL, weights=None)
    pairs = zip(one.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


# ------------------------------------------------------------------------------- where weights lie


def publish(monkeypatch, server: Server, content: bytes, prefix: str | None = None) -> str:
    """torchvision's weights of the small network, as if they lay on the test's own server."""
    sha256 = prefix or hashlib.sha256(content).hexdigest()[:8]
    file = f"small-{sha256}.pth"
    server.pages[f"/{file}"] = Page(content)
    one = Published(SMALL, server.url(f"/{file}"), 5.3)
    monkeypatch.setattr(backbones, "_published", lambda name, kind: one)
    return file


def test_weights_come_from_the_official_source_once(trained, content, monkeypatch):
    monkeypatch.setenv("MLNB_OFFLINE", "0")
    said: list[str] = []
    with Server() as server:
        file = publish(monkeypatch, server, content)
        body = backbone(SMALL, tell=said.append)
        again = backbone(SMALL, tell=said.append)
        assert len(server.requests) == 1
    assert same_features(body, trained)
    assert same_features(again, trained)
    assert any(line.startswith("downloading") and file in line for line in said)
    assert not any("pinned" in line for line in said), "the name tells of the sha256"
    assert "IMAGENET1K_V1" in repr(body)


def test_another_file_at_the_official_source_is_refused_and_not_kept(
    tmp_path: Path, content, monkeypatch
):
    monkeypatch.setenv("MLNB_OFFLINE", "0")
    with Server() as server:
        file = publish(monkeypatch, server, content, prefix="0123abcd")
        with pytest.raises(DownloadRefused, match="0123abcd…: the file was damaged"):
            backbone(SMALL, tell=lambda line: None)
        assert len(server.requests) == 1
    kept = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert file not in kept
    assert "pin.json" not in kept


def test_offline_without_them_it_says_where_to_put_the_file(tmp_path: Path, monkeypatch):
    with Server() as server:
        file = publish(monkeypatch, server, b"")
        with pytest.raises(DownloadError) as caught:
            backbone(SMALL)
        assert server.requests == []
    text = str(caught.value).splitlines()[0]
    assert text.startswith(f"The weights of {SMALL} ({file}, 5 MB) are not on this machine: put")
    assert f"MLNB_DATA/models or {tmp_path / 'torch' / 'hub' / 'checkpoints'}" in text
    assert "weights=path" in text


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("data/models/deep", "official"),
        ("data/models", SMALL),
        ("data/models", f"{SMALL}_torchvision_int8"),
        ("torch/hub/checkpoints", "official"),
    ],
)
def test_weights_on_this_machine_are_found(
    tmp_path, trained, content, monkeypatch, where: str, name: str
):
    (tmp_path / "data" / "models").mkdir(parents=True)
    monkeypatch.setenv("MLNB_DATA", str(tmp_path / "data"))
    with Server() as server:
        file = publish(monkeypatch, server, content)
        path = tmp_path / where / (file if name == "official" else f"{name}.pth")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        assert same_features(backbone(SMALL), trained)
        assert server.requests == []


def test_a_damaged_file_in_the_cache_is_passed_over_with_a_word(tmp_path, content, monkeypatch):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    one = Published(SMALL, f"http://127.0.0.1:9/s-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    (folder / one.file).write_bytes(content[:-1])
    said: list[str] = []
    with pytest.raises(DownloadError):
        find_weights(one, said.append)
    assert "passed over" in said[0]


# ------------------------------------------------------------------------------------ reading them


def test_safetensors_and_wrapped_checkpoints_are_read(tmp_path: Path, trained):
    safetensors = pytest.importorskip("safetensors.torch")
    state = trained.state_dict()
    safetensors.save_file(state, tmp_path / "w.safetensors")
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    (tmp_path / "w.pt").write_bytes(saved(wrapped))
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("w.safetensors", "w.pt", "old.pth"):
        body = backbone(SMALL, weights=tmp_path / name)
        assert same_features(body, trained)
        assert name in repr(body)


def test_another_head_is_no_obstacle(tmp_path: Path, trained):
    state = {**trained.state_dict(), "fc.weight": torch.zeros(7, 1024), "fc.bias": torch.zeros(7)}
    (tmp_path / "w.pt").write_bytes(saved(state))
    assert same_features(backbone(SMALL, weights=tmp_path / "w.pt"), trained)


class Touch:
    """A pickle whose only payload is to make a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_is_not_run(tmp_path: Path):
    mark = tmp_path / "touched"
    (tmp_path / "a.pth").write_bytes(saved({"x": Touch(mark)}))
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Touch(mark)))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(CheckpointError, match="holds no weights that can be read safely"):
            read_weights(tmp_path / name)
    assert not mark.exists()


def test_one_flipped_byte_is_found(tmp_path: Path, content: bytes):
    path = tmp_path / "w.pth"
    at = len(content) // 2
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(CheckpointError, match="is damaged"):
        read_weights(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path):
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 10_000_000)
    with pytest.raises(CheckpointError, match="is compressed"):
        read_weights(path)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"a": torch.zeros(2)}, "holds the weights of another model: a, …"),
        (None, "in 1 weights: conv1.0.weight is missing"),
        ("shape", r"conv1.0.weight is \[24, 3, 5, 5\], expected \[24, 3, 3, 3\]"),
        ([1, 2], "holds no weights, but a list"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, trained, state, said: str):
    whole = dict(trained.state_dict())
    if state is None:
        state = {k: v for k, v in whole.items() if k != "conv1.0.weight"}
    if isinstance(state, str):
        state = {**whole, "conv1.0.weight": torch.zeros(24, 3, 5, 5)}
    (tmp_path / "w.pth").write_bytes(saved(state))
    with pytest.raises(CheckpointError, match=said):
        backbone(SMALL, weights=tmp_path / "w.pth")


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(CheckpointError, match="There is no file"):
        backbone(SMALL, weights=tmp_path / "none.pth")


# -------------------------------------------------------------------------------------- real ones

DATA = os.environ.get("MLNB_DATA", "")
REAL = Path(DATA) / "models" / "derived"


@pytest.mark.skipif(not REAL.is_dir(), reason="MLNB_DATA holds no such weights")
def test_real_weights_bring_their_own_preprocessing(monkeypatch):
    monkeypatch.setenv("MLNB_DATA", DATA)
    mobilenet, squeezenet = backbone("mobilenet_v2"), backbone("squeezenet1_1")
    assert "mobilenet_v2_torchvision_from_int8" in repr(mobilenet)
    assert all(w.dtype == torch.float32 for w in mobilenet.parameters())
    red = torch.zeros(3, 260, 260, dtype=torch.uint8)
    red[0] = 255
    first = squeezenet.preprocess(red)[:, 100, 100]
    assert first.tolist() == pytest.approx([-104, -117, 132], abs=0.01), "blue, green, red"
    assert mobilenet.preprocess(red)[:, 100, 100].abs().max() < 3


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="MLNB_DATA holds no such weights")
@pytest.mark.parametrize(
    ("name", "file", "at_least"),
    [
        ("mobilenet_v2", "mobilenet_v2_torchvision_from_int8", 0.9),
        ("squeezenet1_1", "squeezenet1_1_torchvision", 0.8),
    ],
)
def test_real_weights_see_what_is_in_photographs(name, file, at_least, monkeypatch):
    monkeypatch.setenv("MLNB_DATA", DATA)
    pictures = cats_and_dogs()
    body = backbone(name)
    assert file in repr(body)
    features = [body(torch.stack([body.preprocess(p) for p in kind])).detach() for kind in pictures]
    train = [kind[:12].mean(0) for kind in features]
    right = 0
    for label, kind in enumerate(features):
        apart = torch.cdist(kind[12:], torch.stack(train))
        right += int((apart.argmin(1) == label).sum())
    assert right / (2 * 8) >= at_least


def cats_and_dogs():
    from mlnb.data.images import read_image

    folder = Path(DATA) / "cats_vs_dogs"
    kinds = []
    for name in ("cats", "dogs"):
        files = sorted((folder / name).iterdir())[:20]
        pictures = [torch.as_tensor(read_image(file)).permute(2, 0, 1) for file in files]
        kinds.append(pictures)
    return kinds
