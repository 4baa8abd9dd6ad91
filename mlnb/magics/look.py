"""Look into a model: `%mlload`, `%mlgraph`, `%mlio`."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, magics_class
from traitlets import TraitError

from mlnb.data.official import OFFICIAL
from mlnb.data.samples import list_samples
from mlnb.downloads import download, is_address
from mlnb.errors import DownloadError, SampleMissing
from mlnb.formats import is_model_folder
from mlnb.formatting import display_text
from mlnb.graph.graph import Graph
from mlnb.magics.models import is_table, named, sample_of
from mlnb.magics.shell import Argument, Call, MagicError, magic
from mlnb.magics.words import quoted
from mlnb.models.facts import identifier
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.prediction import Prediction
from mlnb.specs import TensorSpecs

if TYPE_CHECKING:
    from mlnb.graph.tensor_table import TensorTable as WeightTable
    from mlnb.models.model import Model
    from mlnb.widgets.graph_viewer import GraphViewer
    from mlnb.widgets.tensor_table import TensorTable


@magics_class
class LookMagics(Magics):
    """The magics that look and change nothing."""

    @magic(
        Argument("path", completes="path"),
        Argument("--name"),
        Argument("--signature", completes="signature", shown="NAME"),
        Argument("--allow_io", switch=True),
        Argument("--sample", completes="variable", shown="VARIABLE"),
        Argument("--download", switch=True),
    )
    def mlload(self, call: Call) -> Model:
        """Load a model, show its inputs, its outputs and its graph, and return it.

        %mlload PATH [--name NAME] [--signature NAME] [--allow_io] [--sample VARIABLE] [--download]

        PATH         a file, or the folder of a SavedModel or of sharded safetensors; in quotes
                     where it has spaces; `~` is your home folder. Where there is no such file: a
                     variable that holds a path, the bytes or a torch module, or the name of a
                     sample. A file that holds weights and no graph is shown as a table of tensors.
        --name       the variable to put the model into; without it the file's or the sample's
                     name, made a variable's: `resnet-18.onnx` becomes `resnet_18`. A variable that
                     holds something else than a model is never overwritten.
        --signature  the entry point to take, where a file has several.
        --allow_io   let the model run although it would read files, reach the network or run
                     Python; what would is drawn in red. Do so for a file that you trust.
        --sample     for a torch module: a variable that holds what goes in, or its shape, with the
                     batch: 2x3x224x224.
        --download   PATH is an https address: the file is brought into the cache and loaded from
                     there. The address and the size are shown first.

        Examples
        --------
        %mlload squeezenet1.1_fp16.onnx
        %mlload "my models/net.pb" --name net
        m = %mlload net.tflite
        %mlload net.keras;                # loads, shows nothing
        %mlload half_plus_two_tf2 --signature regress_x_to_y
        %mlload --download https://example.org/net.onnx

        The same in Python: `net = mlnb.load_model("net.onnx", name="net")`, then `net` as the last
        line of a cell; with `mlnb.load_model(mlnb.download("https://…"))` for an address.
        """
        options = call.options
        words: dict[str, Any] = {}
        if options.signature is not None:
            words["signature"] = options.signature
        if options.allow_io:
            words["allow_io"] = True
        if options.sample is not None:
            words["sample"] = sample_of(call)
        try:
            source, name = _source(call)
            model = load_model(source, name=options.name or name, **words)
        except DownloadError:
            raise
        except OSError as error:
            why = error.strerror or error
            raise MagicError(f"cannot read {options.path}: {why}") from error
        call.bind(options.name or model.name, model)
        call.show(model)
        return model

    @magic(
        Argument("model", completes="model"),
        Argument("--height", kind=int),
        Argument("--sample", completes="variable", shown="VARIABLE"),
    )
    def mlgraph(self, call: Call) -> GraphViewer:
        """Show the graph of a model alone, and return the viewer.

        %mlgraph MODEL [--height HEIGHT] [--sample VARIABLE]

        MODEL     the variable that holds the model: a loaded one, a network, a `torch.nn.Module`,
                  or a `Graph`.
        --height  of the graph's canvas, in pixels; 460 without it.
        --sample  for a torch module: a variable that holds what goes in, or its shape, with the
                  batch: 2x3x224x224.

        Examples
        --------
        %mlgraph net
        viewer = %mlgraph net --height 700
        viewer.focus("layer4")
        %mlgraph module --sample 2x3x224x224

        The same in Python: `GraphViewer(net, io=False, height=700)`.
        """
        from mlnb.widgets.graph_viewer import GraphViewer

        name = call.options.model
        model = named(call, name, Graph)
        if is_table(model):
            raise MagicError(f"{name} holds tensors and no graph; %mlio {name} lists them")
        height = call.options.height
        try:
            sized = {} if height is None else {"height": height}
            viewer = GraphViewer(model, io=False, **sized)
        except TraitError as error:
            raise MagicError(str(error)) from error
        call.show(viewer)
        return viewer

    @magic(
        Argument("model", completes="model"),
        Argument("--sample", completes="variable", shown="VARIABLE"),
    )
    def mlio(self, call: Call) -> TensorTable | WeightTable:
        """Show what goes into a model and what comes out, and return the table.

        %mlio MODEL [--sample VARIABLE]

        MODEL     the variable that holds the model: a loaded one, a network or a
                  `torch.nn.Module`; or one that holds a prediction, whose values are shown, or a
                  row of specs such as `net.inputs`, put into a variable. Of a quantised tensor the
                  scale and the zero point are shown; of a file of weights its tensors.
        --sample  for a torch module: a variable that holds what goes in, or its shape, with the
                  batch: 2x3x224x224.

        Examples
        --------
        %mlio net
        %mlio module --sample batch

        The same in Python: `TensorTable(net)`, and `net.tensors` for a file of weights.
        """
        from mlnb.widgets.base import has_front_end
        from mlnb.widgets.tensor_table import TensorTable

        model = named(call, call.options.model, Prediction, TensorSpecs)
        if is_table(model):
            weights: WeightTable = model.tensors
            if has_front_end():  # a terminal prints what is returned
                call.show(weights)
            return weights
        table = TensorTable(model)
        call.show(table)
        return table


def _source(call: Call) -> tuple[Any, str | None]:
    """What PATH stands for: an address, a file, a variable, a sample, in this order; its name.

    Raises:
        MagicError: nothing of these, with the closest files; an address without `--download`.
        DownloadError: the address cannot be had.
    """
    text: str = call.options.path
    if is_address(text):
        return _from_address(call, text), None
    if call.options.download:
        raise MagicError(f"--download takes an address, https://…; {text} is none")
    path, name = Path(text).expanduser(), None
    if not path.exists():
        value = call.local.get(text, call.shell.user_ns.get(text))
        if isinstance(value, bytes) or live_module(value) is not None:
            return value, None
        if isinstance(value, str | os.PathLike):
            path = Path(value).expanduser()
        else:
            path, name = _sample_models().get(text, (path, None))
    if path.is_dir() and not is_model_folder(path):
        inside = ", ".join(_file_names(path)[:6]) or "no file"
        raise MagicError(
            f"{path} is a folder; name a file in it. It has: {display_text(inside, 200)}"
        )
    return (path, name) if path.exists() else _refuse(path)


def _from_address(call: Call, text: str) -> Path:
    if call.options.download:
        return download(text)
    name = f" --name {call.options.name}" if call.options.name else ""
    raise MagicError(
        "mlnb asks the network for nothing unless it is told to; this line downloads the file and "
        f"loads it: %mlload --download {display_text(quoted(text), 2000)}{name}"
    )


def _refuse(path: Path) -> NoReturn:
    folder, here = path.parent, path.name == str(path)
    if here and path.name in OFFICIAL:
        raise MagicError(
            f"{path.name} is a sample that is not on this machine; this line downloads it: "
            f"%mlsample {path.name}"
        )
    if not folder.is_dir():
        raise MagicError(f"no file {path}: there is no folder {folder} in {Path.cwd()}")
    known = _file_names(folder) + (list(_sample_models()) if here else [])
    close = get_close_matches(path.name, known, n=3, cutoff=0.5)
    few = ", ".join(known[:6]) or "nothing"
    hint = f"did you mean {' or '.join(close)}?" if close else f"it has: {few}"
    raise MagicError(f"no file {path.name} in {folder.resolve()}; {display_text(hint, 200)}")


def _file_names(folder: Path) -> list[str]:
    return sorted(e.name for e in folder.iterdir() if not e.name.startswith(".") and e.is_file())


def _sample_models() -> dict[str, tuple[Path, str]]:
    """Path and variable of the samples that are models, by their names and by their files'."""
    try:
        models = [(s.path, s.name) for s in list_samples() if s.kind == "model" and s.path]
    except SampleMissing:
        return {}
    return {text: (path, identifier(name)) for path, name in models for text in (path.name, name)}
