"""Small photographs of two colours, and a small backbone and model that tell them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from mlnb.networks.backbones import Backbone
from mlnb.tasks.images.preprocessing import Preprocessing

SIDE = 24
PREPROCESSING = Preprocessing((SIDE, SIDE), mean=(127.5,) * 3, scale=(1 / 127.5,) * 3)


def picture(label: str, seed: int, size: tuple[int, int] = (30, 40)) -> np.ndarray:
    """`uint8 [height, width, 3]`, more red for "warm" and more blue for anything else."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 160, (*size, 3))
    pixels[..., 0 if label == "warm" else 2] += 90
    return pixels.astype(np.uint8)


def picture_folder(
    folder: Path, each: int = 20, labels: tuple[str, ...] = ("cold", "warm")
) -> Path:
    """A folder of PNG files in a folder for each label."""
    from PIL import Image

    for number, label in enumerate(labels):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            pixels = picture(label, 1000 * number + i)
            Image.fromarray(pixels).save(folder / label / f"{label}.{i}.png")
    return folder


def tiny_backbone(seed: int = 0, features: int = 12) -> Backbone:
    """A backbone with random weights and a batch norm."""
    torch.manual_seed(seed)
    body = nn.Sequential()
    body.add_module("conv1", nn.Conv2d(3, 8, 3, stride=2, bias=False))
    body.add_module("bn1", nn.BatchNorm2d(8))
    body.add_module("relu", nn.ReLU())
    body.add_module("conv2", nn.Conv2d(8, features, 3, stride=2))
    body.add_module("pool", nn.AdaptiveAvgPool2d(1))
    body.bn1.running_mean.normal_()
    body.bn1.running_var.uniform_(0.5, 2.0)
    made = Backbone("tiny", body, PREPROCESSING, (3, SIDE, SIDE), "random weights", ("first",))
    return made.eval()


def tiny_onnx(path: Path, batch: int | str = 1) -> Path:
    """An ONNX classifier of five classes, in Caffe's manner, with its batch fixed at 1."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        values = generator.normal(0, 0.3, shape).astype(np.float32)
        return numpy_helper.from_array(values, name)

    nodes = [
        helper.make_node("Conv", ["data", "w1"], ["map"], kernel_shape=[3, 3], strides=[2, 2]),
        helper.make_node("Relu", ["map"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["prob"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, [batch, 5])],
        [weights("w1", 16, 3, 3, 3), weights("w2", 16, 5)],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path
