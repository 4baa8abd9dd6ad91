"""Where there is a GPU: features, fine-tuning and their cost there, beside the CPU's.

`pytest -m gpu -s` prints the figures. Without a GPU the CPU stands for it, so that what is tested
here runs on every machine.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_encoder import tiny_encoder, tiny_texts
from tiny_pictures import picture_folder, tiny_backbone

from mlnb.networks.encoders import encoder
from mlnb.tasks.images.bottleneck import bottleneck
from mlnb.tasks.images.classification import ImageClassifier
from mlnb.tasks.images.features import TorchFeatures
from mlnb.tasks.images.pictures import take_pictures
from mlnb.tasks.texts.classification import TextClassifier
from mlnb.tasks.texts.features import TextFeatures

no_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=(pytest.mark.gpu, no_gpu))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp("pictures"), each=12)


@pytest.mark.parametrize("device", DEVICES)
def test_the_features_of_pictures_are_those_of_the_cpu(device: str, folder: Path) -> None:
    body = tiny_backbone()
    there, here = (
        bottleneck(take_pictures(folder), TorchFeatures(body, device=each), None)
        for each in (device, "cpu")
    )
    np.testing.assert_allclose(there.features, here.features, rtol=1e-2, atol=1e-3)
    print(f"\nbottleneck on {device}: {there.computed / there.seconds:,.0f} pictures a second")


@pytest.mark.parametrize("device", DEVICES)
def test_pictures_are_fine_tuned_where_the_machine_computes(device: str, folder: Path) -> None:
    begun = time.monotonic()
    words = {"fine_tune": 1, "epochs": 3, "lr": 0.02, "batch_size": 8, "cache": False}
    tuned = ImageClassifier(tiny_backbone(), **words).fit(folder, tell=lambda line: None)
    assert tuned.run_.stop_reason in ("finished", "early")
    assert np.isfinite(tuned.predict_proba(folder)).all()
    print(f"\nfit with fine-tuning on {device}: {time.monotonic() - begun:.2f} s")


@pytest.mark.parametrize("device", DEVICES)
def test_the_features_of_texts_are_those_of_the_cpu(device: str, tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "encoder")
    texts, _ = tiny_texts(60)
    there, here = (
        TextFeatures(encoder(source, each), (2, 1)).of(texts) for each in (device, "cpu")
    )
    np.testing.assert_allclose(there, here, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_texts_are_fine_tuned_on_the_device_that_was_named(device: str, tmp_path: Path) -> None:
    texts, labels = tiny_texts(60)
    source = str(tiny_encoder(tmp_path / "encoder"))
    classifier = TextClassifier(source, layers=(2, 1), device=device).fit(texts, labels)
    classifier.fine_tune(epochs=1, batch_size=8)
    assert classifier.run_.stop_reason == "finished"
    assert np.isfinite(classifier.predict_proba(texts)).all()
