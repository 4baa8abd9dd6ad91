"""Fine-tuning: the last stages of a backbone go on learning, on pictures that vary.

The head is trained before, since a fresh one would tear what the backbone knows; batch norms keep
their statistics, which a few hundred pictures would only make worse.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text, plural
from mlnb.tasks.images.features import TorchFeatures, normalised

if TYPE_CHECKING:
    from mlnb.data.decoding import Fit
    from mlnb.networks.backbones import Backbone
    from mlnb.tasks.images.learning import Learning
    from mlnb.tasks.images.pictures import Pictures
    from mlnb.tasks.images.preprocessing import Preprocessing
    from mlnb.tasks.images.training import Words
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

AUGMENTATIONS = ("none", "light", "strong")
BODY_SHARE, HEAD_SHARE = 0.01, 0.1
"""Of the head's own learning rate."""
_WEIGHT_DECAY = 0.05
_CONTAINERS = ("features", "classifier", "encoder", "layers", "blocks")


class PictureBatches:
    """Batches of pictures from files for a `Trainer`, decoded anew every epoch.

    Args:
        pictures: all of which can be read.
        codes: the class of each.
        preprocessing: of the backbone.
        batch_size: pictures a batch.
        augment: "none", "light" or "strong".
        shuffle: whether each epoch has an order of its own.
        seed: of that order.
    """

    def __init__(
        self,
        pictures: Pictures,
        codes: Array,
        preprocessing: Preprocessing,
        *,
        batch_size: int,
        augment: str = "none",
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        self.pictures, self.codes, self.preprocessing = pictures, codes, preprocessing
        self.batch_size, self.shuffle = batch_size, shuffle
        self._vary = augmentation(augment, preprocessing)
        self._fit = preprocessing.fit if augment == "none" else _larger(preprocessing)
        self._order = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-len(self.pictures) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """`float32 [n, 3, height, width]`, and the classes."""
        order = np.arange(len(self.pictures))
        if self.shuffle:
            order = self._order.permutation(order)
        for rows, pixels, _ in self.pictures.rows(order).pixels(self._fit, self.batch_size):
            given = torch.from_numpy(pixels).permute(0, 3, 1, 2)
            varied = torch.stack([self._vary(one) for one in given])
            yield normalised(varied, self.preprocessing), torch.from_numpy(self.codes[order[rows]])


def augmentation(name: str, preprocessing: Preprocessing) -> Callable[[Tensor], Tensor]:
    """How one picture, `uint8 [3, height, width]`, varies, and comes to the backbone's size.

    Args:
        name: "light" is a part of at least 70 % and a flip; "strong" a part of at least 35 %, a
            flip, and one of the changes of TrivialAugment (Müller and Hutter 2021).
        preprocessing: says the size.

    Raises:
        UnknownName: another word.
    """
    from torchvision.transforms import v2

    if name not in AUGMENTATIONS:
        raise unknown("augment", str(name), AUGMENTATIONS)
    if name == "none":
        return lambda picture: picture
    scale = (0.7, 1.0) if name == "light" else (0.35, 1.0)
    way = v2.InterpolationMode(preprocessing.interpolation)
    steps = [
        v2.RandomResizedCrop(preprocessing.size, scale=scale, interpolation=way, antialias=True),
        v2.RandomHorizontalFlip(),
    ]
    if name == "strong":
        steps.append(v2.TrivialAugmentWide())
    composed: Callable[[Tensor], Tensor] = v2.Compose(steps)
    return composed


def stages(body: nn.Module) -> dict[str, nn.Module]:
    """The parts of a backbone that have weights, first to last, as torchvision divides it.

    >>> list(stages(backbone("resnet18").body))
    ['conv1', 'bn1', 'layer1', 'layer2', 'layer3', 'layer4']
    """
    found: dict[str, nn.Module] = {}
    for name, child in body.named_children():
        if next(child.parameters(), None) is None:
            continue
        if name in _CONTAINERS and next(child.named_children(), None) is not None:
            found |= {f"{name}.{inner}": part for inner, part in stages(child).items()}
        else:
            found[name] = child
    return found


def require_stages(body: Backbone, last: int) -> dict[str, nn.Module]:
    """The stages of a backbone, of which there are at least `last`.

    Raises:
        TrainError: there are fewer; the last ones are named.
    """
    parts = stages(body.body)
    if not 0 < last <= len(parts):
        names = ", ".join(display_text(name, 30) for name in list(parts)[-6:])
        raise TrainError(
            f"fine_tune={last}, but {display_text(body.name)} has {plural(len(parts), 'stage')}, "
            f"the last of them {names}."
        )
    return parts


def fine_tune(
    features: TorchFeatures,
    net: nn.Module,
    learning: Learning,
    read: Array,
    words: Words,
    *,
    last: int,
    augment: str,
) -> tuple[TorchFeatures, nn.Module, Run]:
    """Train the last stages of a copy of the backbone, and the head.

    Args:
        features: the backbone.
        net: the trained head; a copy goes on.
        learning: the pictures.
        read: which of them can be read, `bool [n]`.
        words: how the head was trained.
        last: how many stages.
        augment: how pictures vary.

    Raises:
        TrainError: there are fewer stages.
    """
    body = copy.deepcopy(features.body).unfreeze()
    tuned = _Tuned(body, copy.deepcopy(net), last).to(memory_format=torch.channels_last)
    train, held = (
        PictureBatches(
            learning.pictures.rows(np.flatnonzero(rows & read)),
            learning.codes[rows & read],
            features.preprocessing,
            batch_size=words.batch_size,
            augment=augment if shuffle else "none",
            shuffle=shuffle,
            seed=words.seed or 0,
        )
        for rows, shuffle in ((learning.is_training, True), (~learning.is_training, False))
    )
    groups = [
        {"params": tuned.trained, "lr": words.lr * BODY_SHARE},
        {"params": list(tuned.head.parameters()), "lr": words.lr * HEAD_SHARE},
    ]
    trainer = words.trainer(
        tuned,
        has_validation=len(held) > 0,
        optimizer=torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY),
        metrics=["accuracy"],
    )
    run = trainer.fit(
        train,
        validation=held if len(held) else None,
        epochs=max(1, words.epochs // 3),
        name=f"last {plural(last, 'stage')} of {features.name}",
    )
    tuned.cpu().eval().requires_grad_(False)
    body.source = f"{features.source}, last {plural(last, 'stage')} fine-tuned"
    made = TorchFeatures(body, features.preprocessing, features.device)
    made.tuned = True
    return made, tuned.head, run


class _Tuned(nn.Module):
    """Backbone and head; only the last stages train, and the backbone stays in eval mode."""

    def __init__(self, body: Backbone, head: nn.Module, last: int) -> None:
        super().__init__()
        parts = require_stages(body, last)
        self.body, self.head = body, head
        self.body.requires_grad_(False)
        self.trained = [p for part in list(parts.values())[-last:] for p in part.parameters()]
        for parameter in self.trained:
            parameter.requires_grad_(True)

    def train(self, mode: bool = True) -> _Tuned:
        """As of every module; the backbone's batch norms and dropouts stay as in use."""
        super().train(mode)
        self.body.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Logits, [n, classes]."""
        logits: Tensor = self.head(self.body(x))
        return logits


def _larger(preprocessing: Preprocessing) -> Fit:
    """A square somewhat larger than the backbone takes, to cut parts from."""
    side = max(preprocessing.resize or 0, max(preprocessing.size) * 8 // 7)
    return replace(preprocessing.fit, size=(side, side), mode="crop", resize=None)
