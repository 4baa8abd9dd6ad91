"""The maps of a layer and the gradients of a class's score on them: what Grad-CAM is made of.

Imports torch; `explain.py` does not, for what needs no gradient runs without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import DataError, ModelRunError, unknown
from mlnb.formatting import first_line
from mlnb.models.live import live_module
from mlnb.models.torch.state import device_of, settled, undisturbed
from mlnb.networks.backbones import Backbone

Array = np.ndarray[Any, np.dtype[Any]]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)


def class_maps(
    model: Any, image: Any, target: int | None, layer: str | nn.Module | None
) -> tuple[Array, Array, tuple[int, int]]:
    """A layer's maps, the gradients of a class's score on them, and the size of the picture.

    Args:
        model: a torch module, or what holds one.
        image: `[3, height, width]`, or with a batch of 1.
        target: which output; the largest where `None`.
        layer: whose maps, where not those after the last convolution.

    Returns:
        Maps and gradients as float32 `[channels, h, w]`, and height and width of the picture.

    Raises:
        DataError: no torch module, no maps in it, or no such output.
        UnknownName: no layer of that name.
    """
    live = live_module(model)
    if live is None:
        raise DataError(
            f"Grad-CAM needs gradients, and so a torch module; received {type(model).__name__}. "
            f"occlusion(predict, image) explains any model"
        )
    module = settled(live)
    pixels = _one(image, module)
    with _thawed(module), undisturbed(module):
        place = _named(module, layer) if layer is not None else _last_maps(module, pixels)
        maps, scores = _forward(module, pixels, place)
        index = int(scores.argmax()) if target is None else int(target)
        if not 0 <= index < len(scores):
            raise DataError(f"target is {target}; the model has outputs 0 to {len(scores) - 1}")
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(scores[index], maps, allow_unused=True)
    if gradient is None:
        raise DataError("the score does not depend on this layer; choose another one, layer=")
    height, width = pixels.shape[-2:]
    return _array(maps), _array(gradient), (int(height), int(width))


def _forward(module: nn.Module, pixels: Tensor, place: nn.Module) -> tuple[Tensor, Tensor]:
    """The maps as what gradients are taken of, and the scores."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: Any, out: Any) -> Any:
        maps = _tensor(out)
        if maps.dim() != 4:
            raise DataError(
                f"the layer gives {list(maps.shape)}; maps are [n, channels, height, width]"
            )
        kept.append(maps.detach().requires_grad_())
        # What follows may work in place, which a tensor that gradients are taken of forbids.
        return kept[-1].clone()

    hook = place.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            scores = _scores(_called(module, pixels))
    finally:
        hook.remove()
    if not kept:
        raise DataError("the layer takes no part in the answer; choose another one, layer=")
    return kept[-1], scores


def _last_maps(module: nn.Module, pixels: Tensor) -> nn.Module:
    """What gives the last maps of the last convolution's size."""
    seen: list[tuple[nn.Module, torch.Size]] = []

    def note(one: nn.Module, _: Any, out: Any) -> None:
        if isinstance(out, Tensor) and out.dim() == 4 and out.shape[-1] * out.shape[-2] > 1:
            seen.append((one, out.shape))

    leaves = [one for one in module.modules() if not any(one.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        _called(module, pixels)
    finally:
        for hook in hooks:
            hook.remove()
    ends = [at for at, (one, _) in enumerate(seen) if isinstance(one, _CONVOLUTIONS)]
    if not ends:
        raise DataError(
            f"{type(module).__name__} has no convolution with maps to look at; name a layer that "
            f"gives [n, channels, height, width], layer=, or use occlusion(predict, image)"
        )
    size = seen[ends[-1]][1]
    return [one for one, shape in seen[ends[-1] :] if shape == size][-1]


def _called(module: nn.Module, pixels: Tensor) -> Any:
    try:
        return module(pixels)
    except DataError:
        raise
    except Exception as error:
        said = first_line(error)
        raise ModelRunError(
            f"the module does not take a picture of {list(pixels.shape)}: {said}"
        ) from error


def _named(module: nn.Module, layer: str | nn.Module) -> nn.Module:
    if isinstance(layer, nn.Module):
        return layer
    places = dict(module.named_modules())
    if layer not in places:
        raise unknown("layer", str(layer), [name for name in places if name])
    return places[layer]


def _one(image: Any, module: nn.Module) -> Tensor:
    """One picture as a batch of one, where the module is."""
    pixels = torch.as_tensor(image)
    if pixels.dim() == 3:
        pixels = pixels[None]
    if pixels.dim() != 4 or len(pixels) != 1:
        raise DataError(
            f"expected one picture as the module takes it, [3, height, width]; "
            f"received {list(torch.as_tensor(image).shape)}"
        )
    if not pixels.is_floating_point():
        raise DataError(
            f"expected pixels as the module was trained on, floats; received {pixels.dtype}. "
            f"ExtractPixels or the backbone's preprocess makes them"
        )
    first = next((one for one in module.parameters() if one.is_floating_point()), None)
    dtype = pixels.dtype if first is None else first.dtype
    return pixels.detach().to(device_of(module), dtype)


def _scores(out: Any) -> Tensor:
    scores = _tensor(out)
    flat = scores.flatten()
    if not len(scores) or len(flat) != max(scores.shape):
        raise DataError(f"the module answers {list(scores.shape)}; expected scores, [1, classes]")
    return flat


def _tensor(out: Any) -> Tensor:
    while isinstance(out, tuple | list | Mapping) and out:
        out = next(iter(out.values() if isinstance(out, Mapping) else out))
    if not isinstance(out, Tensor):
        raise DataError(f"expected a tensor; the module gave {type(out).__name__}")
    return out


@contextmanager
def _thawed(module: nn.Module) -> Iterator[None]:
    """Frozen backbones compute no gradients at all, not even on their maps."""
    frozen = [one for one in module.modules() if isinstance(one, Backbone) and one.frozen]
    for one in frozen:
        one.frozen = False
    try:
        yield
    finally:
        for one in frozen:
            one.frozen = True


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach()[0].float().cpu().numpy())
