"""The core on what Colab runs: IPython 7.34 with an ipykernel that knows no subshells.

This is not Colab; it is what of Colab can be run elsewhere. Slow, as it installs an environment.
"""

from __future__ import annotations

import re

import pytest
from models_made import onnx_models

pytestmark = pytest.mark.slow

VIEW = "application/vnd.jupyter.widget-view+json"


def printed(outputs: list[dict]) -> str:
    return "".join(output["text"] for output in outputs if output["type"] == "stream")


@pytest.fixture(scope="module")
def kernel(colab_kernel):
    """The kernel with a model file beside it and the extension loaded, once."""
    colab_kernel.run(
        f"import sys, google.colab\nopen('net.onnx', 'wb').write({onnx_models.convnet()!r});"
    )
    assert colab_kernel.run("%load_ext mlnb") == []
    return colab_kernel


def test_it_is_the_ipython_that_colab_pins(kernel):
    versions = "import IPython, ipykernel; print(IPython.__version__, ipykernel.__version__)"
    assert printed(kernel.run(versions)).split() == ["7.34.0", "6.17.1"]


def test_every_test_of_the_magics_and_widgets_passes_there(colab):
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow and not soak"]
    ran = colab.run("-m", "pytest", *options, "tests/magics", "tests/widgets")
    assert ran.returncode == 0, ran.stdout[-4000:]
    closing = re.search(r"(\d+) passed", ran.stdout)
    assert closing is not None
    assert int(closing[1]) > 150


def test_the_custom_widget_manager_is_switched_on(kernel):
    assert printed(kernel.run("print(google.colab.output.switched)")) == "[True]\n"


def test_a_model_is_shown_as_picture_and_widget_and_predicts(kernel):
    shown = kernel.run("net = %mlload net.onnx")
    assert [sorted(output["data"]) for output in shown] == [
        ["text/html", "text/plain"],
        [VIEW, "text/plain"],
    ]
    kernel.run("import numpy as np; image = np.zeros((1, 3, 8, 8), np.float32)")
    predicted = kernel.run("answer = %mlpredict net image=image")
    assert VIEW in predicted[-1]["data"]
    assert printed(kernel.run("print(answer['scores'].shape)")) == "(1, 5)\n"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%mlload ne", "%mlload net.onnx"),
        ("%mlload net.onnx --na", "%mlload net.onnx --name"),
        ("%mlpredict net im", "%mlpredict net image="),
        ("m = %mlload ne", "m = %mlload net.onnx"),
        ("%mlloa", "%mlload"),
    ],
)
def test_completion_works_over_the_protocol(kernel, line: str, offered: str):
    assert offered in kernel.complete(line)


def test_each_cell_shows_a_model_once_with_and_without_an_id_of_the_cell(kernel):
    counts = [
        sum(VIEW in output.get("data", {}) for output in kernel.run(cell, **metadata))
        for cell in ("net", "%mlload net.onnx")
        for metadata in ({}, {"cellId": "a"}, {"cellId": "a"}, {"cell_id": "b"})
    ]
    assert counts == [1] * 8


def test_a_mistake_is_one_line(kernel):
    outputs = kernel.run("%mlload nett.onnx")
    assert [output["type"] for output in outputs] == ["stream"]
    assert outputs[0]["text"].startswith("UsageError: no file nett.onnx")
    assert outputs[0]["text"].count("\n") == 1


def test_the_extension_goes_and_comes_again(kernel):
    assert kernel.run("%unload_ext mlnb") == []
    assert "UsageError" in printed(kernel.run("%mlload net.onnx"))
    assert kernel.run("%load_ext mlnb") == []
    assert len(kernel.run("%mlload net.onnx")) == 2
