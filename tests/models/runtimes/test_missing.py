"""A runtime that is not installed: the file is looked at, and what installs it is told.

The children here cannot import the frameworks, whether this machine has them or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from models_made import exported_program_models, keras_models, tensorflow_models, tflite_models

from mlnb.child import client
from mlnb.errors import MissingExtra
from mlnb.models.loading import load_model

BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""

FORMATS: dict[str, tuple[Callable[[], bytes], str]] = {
    "GraphDef": (tensorflow_models.classifier, "tensorflow"),
    "SavedModel": (tensorflow_models.classifier_folder, "tensorflow"),
    "Keras": (lambda: keras_models.keras_zip(keras_models.row_of_two()), "tensorflow"),
    "TFLite": (tflite_models.add, "tflite"),
    "ExportedProgram": (exported_program_models.pt2, "train"),
}


@pytest.fixture
def without(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., None]]:
    """Have new children that lack the packages named."""
    children: dict[str, client.Child] = {}
    folder = tmp_path_factory.mktemp("missing")

    def lacking(*names: str) -> None:
        (folder / "sitecustomize.py").write_text(BLOCK.format(names=names))

    monkeypatch.setattr(client, "_children", children)
    monkeypatch.syspath_prepend(folder)
    yield lacking
    for child in children.values():
        child.close()


@pytest.mark.parametrize("name", FORMATS)
def test_what_runs_a_format_is_told_by_the_line_that_installs_it(
    name: str, without: Callable[..., None]
) -> None:
    make, extra = FORMATS[name]
    without("tensorflow", "keras", "h5py", "ai_edge_litert", "torch")
    model = load_model(make())
    assert model.graph.nodes
    feeds = {
        spec.name: np.zeros([d if isinstance(d, int) else 1 for d in spec.shape or ()], spec.dtype)
        for spec in model.inputs
    }
    for _ in range(2):  # the child lives on and says so again
        with pytest.raises(
            MissingExtra, match=rf"is not installed; run: pip install 'mlnb\[{extra}\]'"
        ):
            model.predict(feeds)


def test_keras_alone_that_is_missing_is_named(
    without: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    without("keras")
    model = load_model(keras_models.keras_zip(keras_models.row_of_two()))
    width = model.inputs[0].shape
    assert width is not None
    with pytest.raises(MissingExtra, match=r"^keras is not installed.*mlnb\[tensorflow\]"):
        model.predict(np.zeros((1, *width[1:]), np.float32))


def test_without_h5py_a_keras_model_shows_its_layers_and_says_what_shows_its_weights(
    without: Callable[..., None],
) -> None:
    if not find_spec("h5py"):
        pytest.skip("h5py makes the files")
    without("h5py")
    content = keras_models.keras_zip(keras_models.row_of_two(), keras_models.row_weights())
    graph = load_model(content).graph
    assert [node.op for node in graph.nodes]
    assert any(
        "h5py is not installed; run: pip install 'mlnb[tensorflow]'" in w for w in graph.warnings
    )
    with pytest.raises(MissingExtra, match=r"h5py is not installed.*mlnb\[tensorflow\]"):
        load_model(keras_models.keras_h5(keras_models.old_row()))
