"""From a name to a folder to an encoder: what is found, and what a damaged folder is answered."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_encoder import tiny_encoder, tiny_tokenizer, tiny_weights

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from mlnb.errors import (  # noqa: E402
    CheckpointError,
    DataError,
    DownloadError,
    MissingExtra,
    UnknownName,
)
from mlnb.networks import encoder_loading  # noqa: E402
from mlnb.networks.encoders import Encoder, encoder  # noqa: E402

WEIGHTS = "model.safetensors"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("here") / "tiny")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Encoder:
    return encoder(folder)


# --------------------------------------------------------------------------- what a name stands for


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("atuo", UnknownName, "did you mean 'auto'"),
        ("tfidf", DataError, "TextClassifier"),
        ("./nowhere", CheckpointError, "There is no folder ./nowhere"),
        ("a/b/c", CheckpointError, "There is no folder a/b/c"),
        (Path("nowhere"), CheckpointError, "There is no folder nowhere"),
        ("", UnknownName, "no encoder"),
        ("\u202egnp\x00/x/y", CheckpointError, r"There is no folder \\u202e"),
    ],
)
def test_a_name_that_means_nothing_is_answered_in_words(
    name: str | Path, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        encoder(name)


def test_a_file_is_no_encoder(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="is a file; an encoder is a folder"):
        encoder(folder / WEIGHTS)


def test_the_missing_package_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_loading, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"mlnb\[text\].*encoder=\"tfidf\""):
        encoder()


def test_a_package_that_was_changed_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny_encoder(tmp_path / "model")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(encoder_loading, "find_spec", lambda _: spec)
    with pytest.raises(CheckpointError, match="is not the file that was published"):
        encoder("auto")


@pytest.mark.usefixtures("no_network")
def test_a_name_on_the_hub_says_when_the_hub_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: list[dict[str, object]] = []

    def snapshot(name: str, **options: object) -> str:
        asked.append(options)
        raise OSError("no route\nto host")

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    monkeypatch.setattr(encoder_loading, "need", lambda *_: hub)
    monkeypatch.delenv("MLNB_OFFLINE", raising=False)
    with pytest.raises(
        DownloadError, match=r"some/thing is not on this machine.*encoder=.*no route"
    ):
        encoder("some/thing")
    with pytest.raises(DownloadError):
        encoder("some/thing", local=True)
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    with pytest.raises(DownloadError):
        encoder("some/thing")
    assert [options["local_files_only"] for options in asked] == [False, True, True]
    assert not any("bin" in str(pattern) for pattern in asked[0]["allow_patterns"])  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------- damaged folders


def spoil(folder: Path, which: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    weights = folder / WEIGHTS
    if which == "no config":
        (folder / "config.json").unlink()
    elif which == "config is no JSON":
        (folder / "config.json").write_bytes(b"\xff{")
    elif which == "config is deep":
        (folder / "config.json").write_text("[" * 200_000)
    elif which == "config is a list":
        (folder / "config.json").write_text("[]")
    elif which == "absurd sizes":
        absurd = {"hidden_size": 4_000_000, "intermediate_size": 9_000_000, "vocab_size": 9_000_000}
        (folder / "config.json").write_text(json.dumps(config | absurd))
    elif which == "another act":
        (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu2"}))
    elif which == "no weights":
        weights.rename(folder / "pytorch_model.bin")
    elif which == "half the weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif which == "no safetensors":
        weights.write_bytes(b"PK\x03\x04" * 100)
    elif which == "a long header":
        weights.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    elif which in ("a tensor less", "another shape"):
        from safetensors.numpy import save_file

        held = tiny_weights()
        name = "encoder.layer.1.output.dense.weight"
        held[name] = np.ascontiguousarray(held[name].T)
        if which == "a tensor less":
            del held[name]
        save_file(held, weights)
    elif which == "another tokenizer":
        said = json.loads(tiny_tokenizer())
        said["model"]["vocab"]["more"] = 5_000
        (folder / "tokenizer.json").write_text(json.dumps(said))
    elif which == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif which == "another pooling":
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling/config.json").write_text('{"pooling_mode_max_tokens": true}')


@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("no config", "there is no config.json"),
        ("config is no JSON", "config.json is no JSON"),
        ("config is deep", "config.json is no JSON"),
        ("config is a list", "config.json should hold names"),
        ("absurd sizes", r"word_embeddings.weight should be \[9000000, 4000000\]"),
        ("no weights", "there is no model.safetensors"),
        ("half the weights", "holds no encoder that can be read"),
        ("no safetensors", "holds no encoder that can be read"),
        ("a long header", "holds no encoder that can be read"),
        ("a tensor less", "has no encoder.layer.1.output.dense.weight"),
        ("another shape", r"should be \[16, 32\] by config.json; in model.safetensors it is"),
        ("another tokenizer", "belong to different encoders"),
        ("no tokenizer", "there is no tokenizer.json"),
        ("another pooling", "pooling_mode_max_tokens"),
    ],
)
@pytest.mark.usefixtures("no_network")
def test_a_damaged_folder_is_refused_with_what_is_wrong(
    tmp_path: Path, which: str, says: str
) -> None:
    spoil(tiny_encoder(tmp_path), which)
    with pytest.raises(CheckpointError, match=says) as raised:
        encoder(tmp_path)
    assert str(raised.value).startswith("The folder ")


def test_every_cut_and_many_flips_of_the_weights_are_refused_or_read(tmp_path: Path) -> None:
    whole = (tiny_encoder(tmp_path) / WEIGHTS).read_bytes()
    numbers = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(whole)
        for place in numbers.integers(0, 4_000, 3):
            spoilt[place] ^= 1 << numbers.integers(8)
        (tmp_path / WEIGHTS).write_bytes(spoilt[: numbers.choice([len(whole), 3_000, 9, 0])])
        with suppress(CheckpointError):
            encoder(tmp_path)


def test_weights_that_are_no_numbers_are_told_of_when_they_are_used(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    held = tiny_weights()
    held["embeddings.LayerNorm.weight"][3] = np.nan
    save_file(held, tiny_encoder(tmp_path) / WEIGHTS)
    with pytest.raises(CheckpointError, match="gives NaN or infinity"):
        encoder(tmp_path).embed(["soup"])


def test_names_of_larger_models_and_of_older_files_and_half_precision_are_read(
    tmp_path: Path, tiny: Encoder
) -> None:
    from safetensors.numpy import save_file

    older = {
        f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): one.astype(np.float16)
        for name, one in tiny_weights().items()
    }
    save_file(older | {"cls.bias": np.zeros(3, np.float32)}, tiny_encoder(tmp_path) / WEIGHTS)
    found = encoder(tmp_path).embed(["the soup was cold"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, tiny.embed(["the soup was cold"]), atol=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("family", ["roberta", "distilbert"])
def test_other_families_come_from_transformers_with_the_same_face(
    family: str, tmp_path: Path
) -> None:
    library = pytest.importorskip("transformers")
    sizes = {"vocab_size": 200, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 66}
    if family == "distilbert":
        sizes = {"vocab_size": 200, "n_layers": 2, "n_heads": 4, "dim": 16, "hidden_dim": 32}
    library.AutoModel.from_config(library.AutoConfig.for_model(family, **sizes)).save_pretrained(
        tmp_path
    )
    (tmp_path / "tokenizer.json").write_bytes(tiny_tokenizer())
    made = encoder(tmp_path)
    assert (made.width, made.depth, len(made.blocks)) == (16, 2, 2)
    assert made.longest == (64 if family == "roberta" else 512)
    texts = ["the soup", "cold", "the " * 100]
    rows = made.embed(texts, layers=(2, 1))
    np.testing.assert_allclose(rows[1:2], made.embed(["cold"], layers=(2, 1)), atol=1e-5)
    again = encoder(made.save(tmp_path / "again"))
    np.testing.assert_array_equal(again.embed(texts, layers=(2, 1)), rows)
