"""Real files of other formats: counted as their papers count them, coloured, constants hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlnb.formats import open_model_file
from mlnb.graph.elide import elided_nodes
from mlnb.graph.families import family
from mlnb.graph.summary import summarize

# MobileNet 1 (0.25): 0.47 million parameters and 41 million multiplications; MobileNet 2: 3.5 and
# 300 million; the chairs' SqueezeNet by the shapes that TensorFlow works out; the last two as Keras
# itself counts them.
KNOWN = {
    "tflite/mobilenet_v1_0.25_224_float.tflite": (467_593, 41_030_528),
    "tflite/mobilenet_v2_1.0_224_quant.tflite": (3_489_097, 300_775_552),
    "tf/frozen/chairs_model.pb": (723_534, 287_396_544),
    "keras/mnist.keras": (101_770, 101_632),
    "keras/fer2013_mini_XCEPTION.102-0.66.hdf5": (58_423, 10_163_392),
}


@pytest.mark.parametrize("name", KNOWN)
def test_parameters_and_multiplications_are_those_of_the_paper(mlnb_data: Path, name: str):
    if name.startswith("keras"):
        pytest.importorskip("h5py")
    summary = summarize(open_model_file(mlnb_data / "models" / name).graph)
    assert (summary.parameters, summary.macs, summary.without_macs) == (*KNOWN[name], 0)


@pytest.mark.parametrize(
    "name", ["tf/frozen/chairs_model.pb", "tf/saved_model/mnist_conv_model", "tflite"]
)
def test_every_shown_operation_has_a_colour_and_no_constant_is_shown(mlnb_data: Path, name: str):
    path = mlnb_data / "models" / name
    for file in sorted(path.glob("*.tflite")) or [path]:
        graph = open_model_file(file).graph
        hidden = elided_nodes(graph)
        shown = {node.op for i, node in enumerate(graph.nodes) if i not in hidden}
        assert not {op for op in shown if family(op).name in ("other", "constant")}
        assert "Identity" not in shown or "Identity" in {
            graph.nodes[graph.producers[name]].op for name in graph.outputs
        }
