"""Fine-tuning: which weights move, how pictures vary, and what comes back from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_pictures import PREPROCESSING, picture, picture_folder, tiny_backbone

from mlnb.errors import UnknownName
from mlnb.networks.backbones import backbone
from mlnb.tasks.images.classification import ImageClassifier
from mlnb.tasks.images.pictures import take_pictures
from mlnb.tasks.images.tuning import PictureBatches, augmentation, stages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp("pictures"), each=12)


@pytest.fixture(scope="module")
def body() -> torch.nn.Module:
    return tiny_backbone()


@pytest.fixture(scope="module")
def tuned(folder: Path, body: torch.nn.Module) -> ImageClassifier:
    return ImageClassifier(body, fine_tune=1, epochs=6, lr=0.02, batch_size=8).fit(folder)


def test_only_the_last_stage_moves_and_the_backbone_that_was_given_stays(
    tuned: ImageClassifier, body: torch.nn.Module
) -> None:
    before, after = body.body.state_dict(), tuned._features.body.body.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"conv2.weight", "conv2.bias"}


def test_there_are_two_runs_and_the_second_names_the_stage(tuned: ImageClassifier) -> None:
    assert [run.name for run in tuned.runs_] == ["linear on tiny", "last 1 stage of tiny"]
    assert tuned.run_ is tuned.runs_[1]
    assert len(tuned.run_.history.epochs) == 2


def test_it_predicts_by_the_tuned_backbone(tuned: ImageClassifier, folder: Path) -> None:
    module = tuned.torch_module()
    pixels = PREPROCESSING(PREPROCESSING.fit(picture("warm", 99))[None])
    with torch.no_grad():
        wanted = module(torch.from_numpy(pixels)).softmax(1).numpy()
    np.testing.assert_allclose(tuned.predict_proba([picture("warm", 99)]), wanted, atol=1e-4)
    assert "fine-tuned" in tuned.evaluate(folder).notes[0]


def test_a_fine_tuned_backbone_is_saved_whole(
    folder: Path, tmp_path: Path, tuned: ImageClassifier
) -> None:
    tuned.save(tmp_path)
    other = ImageClassifier.load(tmp_path, backbone=tiny_backbone(seed=8))
    new = [picture("cold", 50)]
    np.testing.assert_allclose(other.predict_proba(new), tuned.predict_proba(new), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("resnet18", ["layer3", "layer4"]),
        ("mobilenet_v2", ["features.17", "features.18"]),
    ],
)
def test_stages_are_torchvisions(name: str, last: list[str]) -> None:
    assert list(stages(backbone(name, weights=None).body))[-2:] == last


@pytest.mark.parametrize("name", ["none", "light", "strong"])
def test_pictures_vary_and_come_in_the_size_of_the_backbone(folder: Path, name: str) -> None:
    pictures = take_pictures(folder)
    codes = np.arange(len(pictures))
    batches = PictureBatches(
        pictures, codes, PREPROCESSING, batch_size=10, augment=name, shuffle=name != "none"
    )
    assert len(batches) == 3
    first, second = list(batches), list(batches)
    assert [tuple(x.shape) for x, _ in first] == [(10, 3, 24, 24)] * 2 + [(4, 3, 24, 24)]
    assert sorted(int(c) for _, some in first for c in some) == codes.tolist()
    same = all(torch.equal(a, b) for (a, _), (b, _) in zip(first, second, strict=True))
    assert same is (name == "none")


def test_another_augmentation_is_unknown() -> None:
    with pytest.raises(UnknownName, match="strong"):
        augmentation("srong", PREPROCESSING)
