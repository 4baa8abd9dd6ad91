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


_TABLE = """
    D7E72AF7 alexnet 34F8D18F convnext_base 8CFEE1DB convnext_large 415A04FC convnext_small
    FFA63224 convnext_tiny E563B6E9 densenet121 5D46CE8D densenet161 E1F25096 densenet169
    04C000D6 densenet201 11DB98D4 efficientnet_b0 564AD68A efficientnet_b1
    4395213D efficientnet_b2 FEE8E14E efficientnet_b3 4066D24C efficientnet_b4
    9105E0C5 efficientnet_b5 1A7F4677 efficientnet_b6 7AE8C087 efficientnet_b7
    75677607 efficientnet_v2_l 7352DB89 efficientnet_v2_m 0699DF68 efficientnet_v2_s
    AA1207BB googlenet 78499A19 inception_v3 3987F35D maxvit_t 8140228F mnasnet0_5
    92C311E9 mnasnet0_75 4EFF9F1C mnasnet1_0 DCD7B36A mnasnet1_3 EAFDFBE9 mobilenet_v2
    DFB861F8 mobilenet_v3_large E5E7C664 mobilenet_v3_small CE4979FC resnet101 ADD45A78 resnet152
    34D030BD resnet18 888943B5 resnet34 6AA4621C resnet50 E183DF83 resnext101_32x8d
    54869EA7 resnext101_64x4d 9C9E7A1E resnext50_32x4d 299418AB shufflenet_v2_x0_5
    667A8EF1 shufflenet_v2_x1_0 F66C7C5A shufflenet_v2_x1_5 DC380F30 shufflenet_v2_x2_0
    34A75636 squeezenet1_0 4FD13B88 squeezenet1_1 DC401C1B swin_b AE914607 swin_s 8057436A swin_t
    C32C1D8E swin_v2_b 9E6517AD swin_v2_s 536E8F00 swin_v2_t 4ADD68C0 vgg11 CC9CD5F6 vgg11_bn
    24E5053C vgg13 458D15BD vgg13_bn 25668151 vgg16 5A03C0D5 vgg16_bn 9C88D8EF vgg19
    02422D91 vgg19_bn 8601C0FD vit_b_16 84EA8688 vit_b_32 FDE21CE1 vit_h_14 FCBB05D5 vit_l_16
    6BD4A6A6 vit_l_32 42334F1B wide_resnet101_2 A6ED3C41 wide_resnet50_2
"""
"""From torchvision 0.29: CRC-32 of the sorted lines "name (shape)", without the batch counters."""

_WORDS = iter(_TABLE.split())
_LAYOUTS = {int(crc, 16): name for crc, name in zip(_WORDS, _WORDS, strict=True)}
