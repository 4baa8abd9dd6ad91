"""Runs a PyTorch ExportedProgram: the file is checked, made anew without what torch would evaluate
or unpickle in it, and only then given to `torch.export.load`.

This is what the child runs. A `.pt2` can have torch run Python in four ways (`calls.py` tells
which); none of them is left in the file that torch gets to see, and it may unpickle tensors alone.
"""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.child.machine import cores
from mlnb.errors import MlnbError, ModelRunError, need
from mlnb.formats.source import Source
from mlnb.formats.torch.exported.calls import admitted
from mlnb.formats.torch.exported.file import OLD, ExportedProgramFile
from mlnb.formats.torch.exported.pickles import refuse_foreign
from mlnb.formatting import first_line
from mlnb.models.runtimes import sessions
from mlnb.models.torch.arrays import to_array, to_tensor

if TYPE_CHECKING:
    from mlnb.models.runtimes.sessions import Session

# Before torch is imported: whoever asks for an unpickler of classes gets that of tensors.
os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
torch = need("torch", "train")


def predict(
    address: str, feeds: Mapping[str, Any], outputs: Sequence[str], **how: Any
) -> list[Any] | None:
    """As `sessions.predict`, by `torch.export`.

    Args:
        address: of the model, as JSON, with the names of its inputs and outputs in order.
        feeds: a value for each input.
        outputs: the names wanted.
        how: as there.
    """
    return sessions.predict(_open, address, feeds, outputs, **how)


def device() -> str:
    """What models run on here: a program runs on the device that it was exported for."""
    return "CPU"


def _open(model: Mapping[str, Any], source: str | bytes) -> Session:
    return _Program(model, ExportedProgramFile(Source.of(source), signature=model["program"]))


class _Program:
    """An ExportedProgram that is ready to run."""

    notes: tuple[str, ...] = ()

    def __init__(self, model: Mapping[str, Any], file: ExportedProgramFile) -> None:
        torch.set_num_threads(cores())
        program = loaded(file)
        specs = program.graph_signature.input_specs
        self._leaves = [spec.arg for spec in specs if spec.kind.name == "USER_INPUT"]
        self._inputs: list[str] = model["inputs"]
        self._outputs = [
            getattr(spec.arg, "name", "")
            for spec in program.graph_signature.output_specs
            if spec.kind.name == "USER_OUTPUT"
        ]
        tensors = (*program.state_dict.values(), *program.constants.values())
        place = next((one.device for one in tensors if isinstance(one, torch.Tensor)), None)
        self._place = place or torch.device("cpu")
        self.device = "CUDA" if self._place.type == "cuda" else "CPU"
        self._module = program.module()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], _: Any) -> list[Any]:
        """The outputs by name."""
        given = iter([feeds[name] for name in self._inputs])
        leaves = [
            leaf.value if hasattr(leaf, "value") else self._leaf(leaf, next(given))
            for leaf in self._leaves
        ]
        try:
            with torch.no_grad():
                results = self._module(*leaves)
        except Exception as error:
            raise _shortened(error) from error
        found = dict(zip(self._outputs, results, strict=True))
        return [to_array(found[name]) for name in outputs]

    def _leaf(self, leaf: Any, value: Any) -> Any:
        if type(leaf).__name__ == "TensorArgument":
            return to_tensor(value, self._place)
        return value.item() if hasattr(value, "item") else value


def loaded(file: ExportedProgramFile) -> Any:
    """The program as torch has it, from a file made here.

    Raises:
        ModelRunError: it holds more than a graph and tensors, or torch does not read it.
    """
    refuse_foreign(file)
    clean = _rewritten(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.load(clean)
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        mine, theirs = torch.__version__, file.metadata.get("producer", "torch")
        same = mine.partition("+")[0] in theirs
        age = "" if same else f" The file is of {theirs}, and this is torch {mine}."
        raise ModelRunError(f"torch cannot load the program: {_told(error)}.{age}") from error


def _rewritten(file: ExportedProgramFile) -> io.BytesIO:
    """The same program and weights in a new zip, in memory; sample inputs stay behind."""
    program = json.dumps(admitted(file.program)).encode()
    clean = io.BytesIO()
    with zipfile.ZipFile(clean, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (_old if OLD in file.archive else _new)(file, program):
            archive.writestr(name, data)
    clean.seek(0)
    return clean


def _new(file: ExportedProgramFile, program: bytes) -> Any:
    """The layout of torch 2.8 and later, with this one program under the name `model`."""
    yield "model/archive_format", b"pt2"
    yield "model/archive_version", b"0"
    yield "model/.data/version", b"6"
    yield "model/byteorder", b"little"
    yield "model/models/model.json", program
    yield "model/data/sample_inputs/model.pt", b""
    written = set()
    for folder in ("weights", "constants"):
        begin = f"{file.root}data/{folder}/"
        config = {}
        for name, (_, member, told) in file.payloads.items():
            if member.startswith(begin):
                config[name] = dict(told)
                if member not in written:
                    written.add(member)
                    data = file.archive.read(member, file.source.size, checked=False)
                    yield f"model/{member.removeprefix(file.root)}", data
        told_all = json.dumps({"config": config}).encode()
        yield f"model/data/{folder}/model_{folder}_config.json", told_all


def _old(file: ExportedProgramFile, program: bytes) -> Any:
    """The layout of torch 2.5 to 2.7."""
    yield OLD, program
    yield "serialized_example_inputs.pt", b""
    for name in ("version", "serialized_state_dict.pt", "serialized_constants.pt"):
        if name in file.archive:
            yield name, file.archive.read(name, file.source.size, checked=False)


def _shortened(error: Exception) -> Exception:
    """torch's message in a line; its refusal of memory as what it is."""
    if isinstance(error, MlnbError | MemoryError):
        return error
    if "can't allocate memory" in str(error) or "not enough memory" in str(error):
        return MemoryError(str(error))
    return ModelRunError(f"torch: {_told(error)}")


def _told(error: Exception) -> str:
    return first_line(error, 300).rstrip(".")
