"""`backbone`: torchvision's trained networks with the head taken off.

The head is the last layer that tells the thousand classes; what comes before it, `[n, features]`,
is what other pictures can be told apart by. Another place is cut out of torchvision's graph, and
its map averaged over height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.errors import LayerError, need, unknown
from mlnb.formatting import display_text, first_line
from mlnb.networks.weights import Published, find_weights, put_weights, read_weights

if TYPE_CHECKING:
    from typing import Self

_CLASSES = 1000
_OWN_INITIALISING = ("googlenet", "inception_v3")
_CHANNELS_LAST = ("swin",)


class Backbone(nn.Module):
    """A network that gives features: [n, 3, height, width] in, [n, features] out.

    >>> body = backbone("mobilenet_v2").freeze()
    >>> net = Sequential(input_shape=body.input_shape).add(body).dense(2)
    >>> features = body(body.preprocess(picture)[None])

    Args:
        name: of torchvision's model.
        body: the network without its head.
        preprocess: of a picture or of a batch of them, as the weights were trained.
        input_shape: of one sample.
        source: what the weights are, for its repr.
        pool: which axes are averaged; none of them with the head simply taken off.

    Attributes:
        features: how many numbers come out for each sample.
        frozen: whether the weights stay as they are.
    """

    def __init__(
        self,
        name: str,
        body: nn.Module,
        preprocess: Callable[[Any], Tensor],
        input_shape: tuple[int, int, int],
        source: str,
        pool: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.body = body
        self.preprocess = preprocess
        self.input_shape = input_shape
        self.source = source
        self.frozen = False
        self._pool = pool
        self.features = self._count()

    def forward(self, x: Tensor) -> Tensor:
        """The features, [n, features]; through a frozen body no gradient is computed."""
        if self.frozen:
            with torch.no_grad():
                return self._pooled(self.body(x))
        return self._pooled(self.body(x))

    def freeze(self) -> Self:
        """Keep the weights as they are while others train, and the batch norms' statistics too.

        >>> net.add(backbone("resnet18").freeze())
        """
        return self._set_frozen(True)

    def unfreeze(self) -> Self:
        """Let the weights train again."""
        return self._set_frozen(False)

    def train(self, mode: bool = True) -> Self:
        """As of every module; a frozen body stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.body.eval()
        return self

    def __repr__(self) -> str:
        height, width = self.input_shape[1:]
        shown = f"Backbone({self.name!r}, [3, {height}, {width}] -> [{self.features}]"
        return f"{shown}, {self.source}{', frozen' if self.frozen else ''})"

    def _set_frozen(self, frozen: bool) -> Self:
        self.frozen = frozen
        self.body.requires_grad_(not frozen)
        return self.train(self.training)

    def _pooled(self, out: Any) -> Tensor:
        if isinstance(out, dict):
            out = out["cut"]
        if self._pool == ("last",) and out.dim() == 4:
            out = out.mean((1, 2))
        elif self._pool is not None and out.dim() == 4:
            out = out.mean((2, 3))
        elif self._pool is not None and out.dim() == 3:
            out = out.mean(1)
        flat: Tensor = out.flatten(1)
        return flat

    def _count(self) -> int:
        mode = self.training
        self.eval()
        with torch.no_grad():
            count = self(torch.zeros(1, *self.input_shape)).shape[1]
        self.train(mode)
        return int(count)


class BGRPixels:
    """Pictures as Caffe's networks take them: blue first, 0 to 255, less the mean of ImageNet."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, picture: Any) -> Tensor:
        """[3, size, size] of a picture; [n, 3, size, size] of a batch."""
        from torchvision.transforms import functional

        tensor = picture if isinstance(picture, Tensor) else functional.pil_to_tensor(picture)
        tensor = tensor.float() if tensor.dtype == torch.uint8 else tensor * 255
        tensor = functional.center_crop(
            functional.resize(tensor, [self.size * 8 // 7], antialias=True), [self.size, self.size]
        )
        return tensor.flip(-3) - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1)


_OTHER_PIXELS = {"squeezenet1_1_torchvision": BGRPixels(224)}
"""Files that were converted from other frameworks, and want their own preprocessing."""


def backbone(
    name: str,
    *,
    weights: Any = "default",
    cut: str = "features",
    preprocess: Callable[[Any], Tensor] | None = None,
    fetch: bool = True,
    tell: Callable[[str], object] = print,
) -> Backbone:
    """One of torchvision's trained networks with the head taken off.

    >>> backbone("mobilenet_v2")
    Backbone('mobilenet_v2', [3, 224, 224] -> [1280], IMAGENET1K_V2)

    The weights are looked for in `MLNB_DATA/models`, in torch's cache, and at their publisher. What
    comes back is in eval mode, as features are computed.

    Args:
        name: as torchvision has it: "mobilenet_v2", "resnet18", "vgg16", "efficientnet_b0", ….
        weights: "default", another name such as "IMAGENET1K_V1", the path of a file, or `None`
            for random ones.
        cut: where to take the features: "features" is before the last layer, anything else a
            module of torchvision's, such as "layer3" or "features.13".
        preprocess: in place of the published one, for weights of somebody else.
        fetch: whether weights that are not on this machine are downloaded.
        tell: takes the lines that are otherwise printed: the address and size of a download.

    Raises:
        UnknownName: no such model, weights or place, with the closest.
        DownloadError: the weights are not here and cannot be had; it says where to put them.
        CheckpointError: the file does not fit the model.
    """
    models = need("torchvision.models", "train")
    known = models.list_models(module=models)
    if name not in known:
        raise unknown("backbone", str(name), known)
    kinds = models.get_model_weights(name)
    kind, path = _chosen(name, kinds, weights, fetch, tell)
    module = _headless(name, _made(models, name, drawn=path is None), kind)
    source = "random weights"
    if path is not None:
        put_weights(module, read_weights(path), path, name)
        source = display_text(path.name) if path.name != _published(name, kind).file else kind.name
    transforms = kind.transforms()
    given = preprocess or (_OTHER_PIXELS.get(path.stem) if path else None) or transforms
    side = int(transforms.crop_size[0])
    pool = None
    if cut != "features":
        module = _cut(module, cut)
        last = any(name.startswith(family) for family in _CHANNELS_LAST)
        pool = ("last",) if last and cut.startswith("features") else ("first",)
    body = Backbone(name, module, given, (3, side, side), source, pool)
    body.eval()
    return body


# -------------------------------------------------------------------------------------------- parts


def _chosen(
    name: str, kinds: Any, weights: Any, fetch: bool, tell: Callable[[str], object]
) -> tuple[Any, Path | None]:
    """Which weights of torchvision's are meant, and where they lie."""
    kind = kinds.DEFAULT
    if weights is None:
        return kind, None
    if isinstance(weights, kinds):
        return weights, find_weights(_published(name, weights), tell, fetch=fetch)
    if weights == "default":
        return kind, find_weights(_published(name, kind), tell, fetch=fetch)
    members = kinds.__members__
    if isinstance(weights, str) and weights in members:
        return members[weights], find_weights(_published(name, members[weights]), tell, fetch=fetch)
    path = Path(weights).expanduser()
    if not path.exists() and not path.suffix:
        raise unknown(f"weights of {name}", str(weights), ["default", *members])
    return kind, path


def _published(name: str, kind: Any) -> Published:
    return Published(name, kind.url, float(kind.meta.get("_file_size", 0.0)))


def _made(models: Any, name: str, *, drawn: bool) -> nn.Module:
    """The model with torchvision's random weights; no random numbers are used up for others."""
    options: dict[str, Any] = {}
    if name in _OWN_INITIALISING:
        options = {"init_weights": drawn, "aux_logits": False, "transform_input": not drawn}
    with torch.random.fork_rng(devices=[], enabled=not drawn):
        made: nn.Module = models.get_model(name, weights=None, **options)
    return made


def _headless(name: str, module: nn.Module, kind: Any) -> nn.Module:
    """The last layer for the classes, and the dropouts before it, replaced by nothing."""
    classes = len(kind.meta.get("categories", ())) or _CLASSES
    heads = [path for path, one in module.named_modules() if _tells(one, classes)]
    if not heads:
        raise LayerError(f"{name} has no last layer for {classes} classes to take off.")
    path = heads[-1]
    owner_path, _, leaf = path.rpartition(".")
    owner = module.get_submodule(owner_path)
    setattr(owner, leaf, nn.Identity())
    for before in _dropouts_before(owner, leaf):
        setattr(owner, before, nn.Identity())
    return module


def _tells(module: nn.Module, classes: int) -> bool:
    if isinstance(module, nn.Linear):
        return bool(module.out_features == classes)
    return isinstance(module, nn.Conv2d) and bool(module.out_channels == classes)


def _dropouts_before(owner: nn.Module, leaf: str) -> Iterator[str]:
    names = list(owner._modules)
    for name in reversed(names[: names.index(leaf)]):
        if not isinstance(owner._modules[name], nn.Dropout):
            return
        yield name


def _cut(module: nn.Module, place: str) -> nn.Module:
    """What torchvision computes up to a module of its."""
    extraction = need("torchvision.models.feature_extraction", "train")
    places = [path for path, _ in module.named_modules() if path]
    if place not in places:
        raise unknown("place", str(place), ["features", *places])
    try:
        cut: nn.Module = extraction.create_feature_extractor(module, {place: "cut"})
    except Exception as error:
        said = first_line(error)
        raise LayerError(f"The network cannot be cut at {place}: {said}") from error
    return cut
