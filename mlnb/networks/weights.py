"""The published weights of torchvision's models: where they are looked for, and how they are read.

They are looked for in `MLNB_DATA/models`, in torch's own cache, and at the address that torchvision
gives, whose file name ends in the first digits of its sha256. Nothing is unpickled but tensors, and
of a zip every part is checked first: one flipped byte loads wrong weights in silence.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.cache import file_sha256
from mlnb.downloads import PIN, download
from mlnb.errors import CheckpointError, DownloadError, DownloadRefused, need
from mlnb.formatting import display_text, first_line

ENDINGS = (".pth", ".pt", ".safetensors")
_PREFIX = re.compile(r"-([0-9a-f]{8,})\.\w+$")
_WRAPPERS = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class Published:
    """Weights as their publisher has them.

    Args:
        name: of the model.
        url: of the file.
        megabytes: its size, 0 where it is not told.
    """

    name: str
    url: str
    megabytes: float = 0.0

    @property
    def file(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """What its sha256 begins with; empty where the name does not tell."""
        found = _PREFIX.search(self.file)
        return found[1] if found else ""


def find_weights(
    published: Published, tell: Callable[[str], object] = print, *, fetch: bool = True
) -> Path:
    """Where the weights of a model are on this machine, downloaded if need be.

    Args:
        published: which ones.
        tell: takes the lines that are otherwise printed.
        fetch: whether they may be downloaded.

    Raises:
        DownloadError: they are not here and cannot be had now; the message says where to put them.
        DownloadRefused: what came, or what lies in `MLNB_DATA`, is not the published file.
    """
    for path in _here(published):
        if path.name != published.file or file_sha256(path).startswith(published.sha256):
            return path
        tell(f"{display_text(str(path), 200)} is not what it should be; it is passed over")
    if not fetch:
        raise DownloadError(_not_here(published))
    try:
        path = download(published.url, tell=_without_pin(tell, published))
    except DownloadRefused:
        raise
    except DownloadError as error:
        raise DownloadError(f"{_not_here(published)} ({error})") from error
    if not file_sha256(path).startswith(published.sha256):
        path.unlink()
        (path.parent / PIN).unlink(missing_ok=True)
        raise DownloadRefused(
            f"{display_text(published.url, 200)} has not the sha256 that its name tells, "
            f"{published.sha256}…: the file was damaged on its way or replaced; do not use it"
        )
    return path


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU.

    Args:
        path: a safetensors file, or what `torch.save` wrote: a state dict, or a dict that holds
            one as "state_dict" or "model".

    Raises:
        CheckpointError: the file is missing, damaged, or holds something else than tensors.
    """
    file = Path(path).expanduser()
    shown = display_text(str(path), 200)
    if not file.is_file():
        raise CheckpointError(f"There is no file {shown}.")
    try:
        if file.suffix == ".safetensors":
            held: Any = need("safetensors.torch", "train").load_file(str(file))
        else:
            held = _unpickled(file)
    except CheckpointError:
        raise
    except Exception as error:
        said = first_line(error)
        raise CheckpointError(
            f"{shown} holds no weights that can be read safely: {said}"
        ) from error
    for key in _WRAPPERS:
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
    if not isinstance(held, Mapping) or not any(isinstance(v, Tensor) for v in held.values()):
        raise CheckpointError(f"{shown} holds no weights, but a {type(held).__name__}.")
    state = {str(k): v for k, v in held.items() if isinstance(v, Tensor)}
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def put_weights(module: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Load a state dict, all of whose shapes must be those of the module.

    Args:
        module: the network without its head.
        state: may hold more, such as the head.
        path: where it came from, for the message.
        name: of the model, for the message.

    Raises:
        CheckpointError: weights are missing or of another shape; the first ones are named.
    """
    mine = module.state_dict()
    needed = [k for k in mine if not k.endswith("num_batches_tracked")]  # not in old files
    missing = [k for k in needed if k not in state]
    other = [k for k in mine if k in state and mine[k].shape != state[k].shape]
    if missing or other:
        shown = display_text(str(path), 200)
        if len(missing) == len(needed):
            first = ", ".join(display_text(k) for k in list(state)[:3])
            raise CheckpointError(f"{shown} holds the weights of another model: {first}, ….")
        what = [f"{display_text(k)} is missing" for k in missing[:3]]
        what += [
            f"{k} is {list(state[k].shape)}, expected {list(mine[k].shape)}" for k in other[:3]
        ]
        count = len(missing) + len(other)
        raise CheckpointError(f"{shown} does not fit {name} in {count} weights: {'; '.join(what)}.")
    module.load_state_dict({k: state[k] for k in mine if k in state}, strict=False)


def state_hash(module: nn.Module) -> str:
    """sha256 of all weights, by name."""
    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


# ------------------------------------------------------------------------------------- on this disk


def _here(published: Published) -> Iterator[Path]:
    """The file by its own name, or in `MLNB_DATA/models` by the model's."""
    folder = _data_models()
    if folder is not None:
        files = sorted(p for p in folder.rglob("*") if p.suffix in ENDINGS and p.is_file())
        yield from (p for p in files if p.name == published.file)
        ours = re.compile(rf"{re.escape(published.name)}(_torchvision\w*)?")
        yield from (p for p in files if ours.fullmatch(p.stem))
    cached = Path(torch.hub.get_dir()) / "checkpoints" / published.file
    if cached.is_file():
        yield cached


def _data_models() -> Path | None:
    data = os.environ.get("MLNB_DATA")
    folder = Path(data).expanduser() / "models" if data else None
    return folder if folder and folder.is_dir() else None


def _places() -> str:
    hub = display_text(str(Path(torch.hub.get_dir()) / "checkpoints"), 200)
    data = _data_models()
    first = display_text(str(data), 200) if data else "MLNB_DATA/models"
    return f"{first} or {hub}"


def _not_here(published: Published) -> str:
    size = f", {published.megabytes:.0f} MB" if published.megabytes else ""
    return (
        f"The weights of {published.name} ({published.file}{size}) are not on this machine: "
        f"put the file into {_places()}, or give it: weights=path. It is at {published.url}."
    )


def _without_pin(tell: Callable[[str], object], published: Published) -> Callable[[str], object]:
    """Says nothing of pinning where the file's name tells of its sha256."""
    return lambda line: None if published.sha256 and "; pinned what came" in line else tell(line)


# ------------------------------------------------------------------------------------------ reading


def _unpickled(file: Path) -> Any:
    zipped = zipfile.is_zipfile(file)
    if zipped:
        _check_zip(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle's versions
        return torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)


def _check_zip(file: Path) -> None:
    """Every part as long as it says and with its checksum, and nothing that unpacks to more."""
    shown = display_text(str(file), 200)
    with zipfile.ZipFile(file) as archive:
        packed = [i.filename for i in archive.infolist() if i.compress_type != zipfile.ZIP_STORED]
        if packed:
            raise CheckpointError(f"{shown} is compressed, which no torch.save does; refused.")
        damaged = archive.testzip()
    if damaged is not None:
        raise CheckpointError(
            f"{shown} is damaged: {display_text(damaged)} has another checksum. Get it again."
        )
