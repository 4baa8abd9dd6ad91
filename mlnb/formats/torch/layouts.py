"""Whose weights these are: the networks of torchvision that a state dict's names and shapes tell.

Only to be able to name the line that makes a network of a file. A network is known by the CRC-32 of
all its names and shapes; what is not in the table, such as one with another head, is not guessed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlnb.graph.graph import Value

_WRAPPERS = ("state_dict.", "model_state_dict.", "model.", "module.")


def torchvision_name(tensors: Iterable[Value]) -> str | None:
    """The network of torchvision whose state dict has these names and shapes; `None` for others.

    >>> torchvision_name(open_model_file("mobilenet_v2.pth").tensors)
    'mobilenet_v2'
    """
    held = [(tensor.name, tensor.shape) for tensor in tensors]
    for wrapper in _WRAPPERS:
        inside = [(name, shape) for name, shape in held if name.startswith(wrapper)]
        held = [(name.removeprefix(wrapper), shape) for name, shape in inside] or held
    rows = [f"{name} {shape}" for name, shape in held if not name.endswith("num_batches_tracked")]
    return _LAYOUTS.get(zlib.crc32("\n".join(sorted(rows)).encode("utf-8", "replace")))


_LAYOUTS = {
    0xD7E72AF7: "alexnet",
    0x34F8D18F: "convnext_base",
    0x8CFEE1DB: "convnext_large",
    0x415A04FC: "convnext_small",
    0xFFA63224: "convnext_tiny",
    0xE563B6E9: "densenet121",
    0x5D46CE8D: "densenet161",
    0xE1F25096: "densenet169",
    0x04C000D6: "densenet201",
    0x11DB98D4: "efficientnet_b0",
    0x564AD68A: "efficientnet_b1",
    0x4395213D: "efficientnet_b2",
    0xFEE8E14E: "efficientnet_b3",
    0x4066D24C: "efficientnet_b4",
    0x9105E0C5: "efficientnet_b5",
    0x1A7F4677: "efficientnet_b6",
    0x7AE8C087: "efficientnet_b7",
    0x75677607: "efficientnet_v2_l",
    0x7352DB89: "efficientnet_v2_m",
    0x0699DF68: "efficientnet_v2_s",
    0xAA1207BB: "googlenet",
    0x78499A19: "inception_v3",
    0x3987F35D: "maxvit_t",
    0x8140228F: "mnasnet0_5",
    0x92C311E9: "mnasnet0_75",
    0x4EFF9F1C: "mnasnet1_0",
    0xDCD7B36A: "mnasnet1_3",
    0xEAFDFBE9: "mobilenet_v2",
    0xDFB861F8: "mobilenet_v3_large",
    0xE5E7C664: "mobilenet_v3_small",
    0xCE4979FC: "resnet101",
    0xADD45A78: "resnet152",
    0x34D030BD: "resnet18",
    0x888943B5: "resnet34",
    0x6AA4621C: "resnet50",
    0xE183DF83: "resnext101_32x8d",
    0x54869EA7: "resnext101_64x4d",
    0x9C9E7A1E: "resnext50_32x4d",
    0x299418AB: "shufflenet_v2_x0_5",
    0x667A8EF1: "shufflenet_v2_x1_0",
    0xF66C7C5A: "shufflenet_v2_x1_5",
    0xDC380F30: "shufflenet_v2_x2_0",
    0x34A75636: "squeezenet1_0",
    0x4FD13B88: "squeezenet1_1",
    0xDC401C1B: "swin_b",
    0xAE914607: "swin_s",
    0x8057436A: "swin_t",
    0xC32C1D8E: "swin_v2_b",
    0x9E6517AD: "swin_v2_s",
    0x536E8F00: "swin_v2_t",
    0x4ADD68C0: "vgg11",
    0xCC9CD5F6: "vgg11_bn",
    0x24E5053C: "vgg13",
    0x458D15BD: "vgg13_bn",
    0x25668151: "vgg16",
    0x5A03C0D5: "vgg16_bn",
    0x9C88D8EF: "vgg19",
    0x02422D91: "vgg19_bn",
    0x8601C0FD: "vit_b_16",
    0x84EA8688: "vit_b_32",
    0xFDE21CE1: "vit_h_14",
    0xFCBB05D5: "vit_l_16",
    0x6BD4A6A6: "vit_l_32",
    0x42334F1B: "wide_resnet101_2",
    0xA6ED3C41: "wide_resnet50_2",
}
"""From torchvision 0.29: CRC-32 of the sorted lines "name (shape)", without the batch counters."""
