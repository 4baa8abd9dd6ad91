"""Whatever a file wants, looking at it, inferring its shapes and running it harm nobody.

One contract over the whole corpus: an act ends well or in one line of ours, in time, in bounded
memory, without a process left over or a file touched, and the session goes on to do right.
"""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hostile.watch import children, harmless, left_over, markup_faults, openings, peak_memory
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from models_made import hostile_models as corpus
from models_made import onnx_models
from models_made.hostile_models import CORPUS, SECRET, TIMEOUT, Hostile

import mlnb
from mlnb.child.client import child
from mlnb.errors import MlnbError, ModelRunError
from mlnb.graph.payload import graph_payload
from mlnb.models.loading import load_model
from mlnb.widgets.graph_viewer import GraphViewer

LINE = 200
"""Characters of an error's first line, which is all that a magic prints."""
MEMORY = 200 * 2**20


@pytest.fixture
def unharmed() -> Iterator[None]:
    """After a test the same process reads a good model, predicts right, and is what it was."""
    _warm_up()
    before = children()
    with peak_memory() as taken:
        yield
    assert taken[0] <= MEMORY
    good = load_model(corpus.good())
    assert repr(good) == "Model('bytes', 1 input, 1 output, 1 node)"
    assert (good.predict(np.ones((2, 3), np.float32))["y"] == 2).all()
    assert left_over(before) == set()


def _warm_up() -> None:
    """Start the children and import what they may need: no deadline is meant for that."""
    load_model(corpus.good()).infer_shapes()
    with suppress(ModelRunError):  # the module itself cannot cross
        child("onnxruntime").call("importlib:import_module", "onnx.reference")


def view(file: Path, _: Hostile) -> str:
    """Everything that a person gets to see of a model without running it."""
    model = load_model(file)
    viewer = GraphViewer(model)
    payload = gzip.decompress(viewer.payload).decode()
    for text in (
        *(repr(model), model.facts, model.feed_code, str(model.summary()), payload),
        *(viewer.title, viewer.facts, viewer.feed, str(viewer.rows), viewer.static_text()),
        *map(repr, (model.inputs, model.outputs, *model.inputs, *model.outputs, viewer)),
    ):
        assert harmless(text)
    for markup in (model._repr_html_(), viewer.static_html(), model.summary()._repr_html_()):
        assert harmless(markup)
        assert markup_faults(markup) == []
    for weight in model.graph.weights:
        if not model.parts:
            model.tensor(weight.name)
    viewer.close()
    return ""


def infer(file: Path, _: Hostile) -> str:
    model = load_model(file)
    assert model.graph.nodes
    model.infer_shapes(timeout=TIMEOUT)
    graph_payload(model.graph)
    return "\n".join(model.notes)


def predict(file: Path, hostile: Hostile) -> str:
    model = load_model(file)
    assert model.graph.nodes
    answer = model.predict(dict(hostile.feeds), timeout=TIMEOUT)
    assert list(answer) == model.outputs.names
    assert harmless(repr(answer))
    return ""


def ending(act: object, file: Path, hostile: Hostile) -> str:
    """What the act ended with; anything but an error of ours fails the test."""
    try:
        return act(file, hostile)  # type: ignore[operator]
    except MlnbError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("act", [view, infer, predict], ids=lambda act: act.__name__)
@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
def test_a_hostile_file_harms_nobody(hostile, act, tmp_path, unharmed):
    file = hostile.write(tmp_path)
    begin = time.monotonic()
    with openings(tmp_path / SECRET) as opened:
        ended = ending(act, file, hostile)
    assert time.monotonic() - begin < TIMEOUT + 2
    assert opened == []
    first = ended.partition("\n")[0]
    assert re.fullmatch(getattr(hostile, act.__name__), first), first
    assert len(first) <= LINE
    assert harmless(ended)


@pytest.mark.parametrize("hostile", [h for h in CORPUS if h.view], ids=lambda hostile: hostile.name)
def test_the_magic_says_it_in_the_same_one_line(hostile, tmp_path, unharmed):
    file = hostile.write(tmp_path)
    shell = InteractiveShell()
    mlnb.load_ipython_extension(shell)
    try:
        with pytest.raises(UsageError) as caught:
            shell.run_line_magic("mlload", f'"{file}"')
    finally:
        mlnb.unload_ipython_extension(shell)
    assert type(caught.value) is UsageError
    assert re.fullmatch(hostile.view, f"{type(caught.value.__cause__).__name__}: {caught.value}")


def test_none_of_200_truncations_of_several_files_harms_anybody(tmp_path, unharmed):
    models = [corpus.named(corpus.NAMES["HTML"]), onnx_models.functions(), onnx_models.convnet()]
    read = 0
    for content in models:
        for i in range(200):
            cut = content[: len(content) * i // 200]
            said = ending(view, _written(tmp_path, cut), CORPUS[0])
            assert re.match(r"ModelFormatError: cut\.onnx .*\d|^$", said), said
            assert len(said) <= LINE
            read += not said
    assert read <= 6  # a cut between two whole fields of the model may leave a whole model


def _written(folder: Path, content: bytes) -> Path:
    file = folder / "cut.onnx"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("kind", ["HTML", "ANSI", "RTL", "quotes and braces"])
def test_a_file_with_a_hostile_name_is_as_harmless_as_one_that_holds_it(kind, tmp_path, unharmed):
    name = corpus.NAMES[kind].replace("/", "-") + ".onnx"
    (tmp_path / name).write_bytes(corpus.good())
    assert ending(view, tmp_path / name, CORPUS[0]) == ""
    model = load_model(tmp_path / name)
    assert model.name.isidentifier()
    assert (model.predict([[1.0, 2.0, 3.0]])["y"] == [[2, 4, 6]]).all()
    (tmp_path / name).write_bytes(b"no model at all")
    for error in (ending(view, tmp_path / name, CORPUS[0]), ending(_ask, tmp_path / name, model)):
        assert re.match("Model(Format|FileChanged)", error)
        assert harmless(error)
        assert len(error) <= LINE


def _ask(_: Path, model: object) -> str:
    return str(model.predict([[1.0, 2.0, 3.0]]))  # type: ignore[attr-defined]


def test_the_code_to_copy_feeds_a_model_whatever_its_inputs_are_called(unharmed):
    for kind, name in corpus.NAMES.items():
        model = load_model(corpus.named(name))
        asked = model.feed_code.replace("np.zeros", "np.ones")
        answer = eval(asked, {"model": model, "np": np})
        assert list(answer) == [f"{name} out"], kind
