"""A preprocessing says what the publisher of the weights did, and does the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_pictures import picture

from mlnb.errors import CheckpointError
from mlnb.tasks.images.features import normalised
from mlnb.tasks.images.preprocessing import Preprocessing, preprocessing_of
from mlnb.tasks.pipeline import ExtractPixels, ResizeImages


@pytest.mark.parametrize(
    ("name", "way"),
    [("efficientnet_b0", "bicubic"), ("swin_t", "bicubic"), ("mobilenet_v2", "bilinear")],
)
def test_weights_of_torchvision_have_their_own_transform(name: str, way: str) -> None:
    from torchvision.models import get_model_weights

    preset = get_model_weights(name).DEFAULT.transforms()
    ours = preprocessing_of(preset)
    assert ours.interpolation == way
    assert ("bicubic" in ours.text) == (way == "bicubic")
    pixels = picture("warm", 1, (300, 411))
    wanted = preset(Image.fromarray(pixels)).numpy()
    np.testing.assert_allclose(ours(ours.fit(pixels)[None])[0], wanted, atol=1e-5)


def test_steps_say_it_and_json_keeps_it() -> None:
    ours = preprocessing_of([ResizeImages(24, interpolation="bicubic"), ExtractPixels(mean=3)])
    assert Preprocessing.from_json(ours.to_json()) == ours
    older = {k: v for k, v in ours.to_json().items() if k != "interpolation"}
    assert Preprocessing.from_json(older).interpolation == "bilinear"
    with pytest.raises(CheckpointError):
        Preprocessing.from_json({**older, "interpolation": "nearest"})


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_torch_computes_the_same_numbers(order: str) -> None:
    ours = Preprocessing((24, 24), order=order, mean=(104.0, 117.0, 123.0), scale=(0.1, 1.0, 0.02))
    pixels = picture("warm", 1, (24, 24))[None]
    values = normalised(torch.from_numpy(pixels).permute(0, 3, 1, 2), ours)
    np.testing.assert_allclose(ours(pixels), values.numpy(), atol=1e-5)
