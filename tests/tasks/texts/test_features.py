"""`TextFeatures`: each text once, kept on disk, and nothing lost by an interrupt."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import WIDTH, tiny_encoder, tiny_texts

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from mlnb.data.features import FeatureCache  # noqa: E402
from mlnb.errors import CheckpointError, DataError, MissingExtra  # noqa: E402
from mlnb.networks.encoders import Encoder, encoder  # noqa: E402
from mlnb.tasks.texts import features as module  # noqa: E402
from mlnb.tasks.texts.features import TextFeatures  # noqa: E402

TEXTS = tiny_texts(100)[0]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("here") / "tiny"))


@pytest.fixture
def features(tiny: Encoder) -> TextFeatures:
    return TextFeatures(tiny, layers=(2, 1))


@pytest.fixture
def cache(features: TextFeatures, tmp_path: Path) -> FeatureCache:
    return FeatureCache(features.key, tmp_path / "features")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each batch had that the encoder was asked for."""
    counts: list[int] = []
    batch = Encoder._batch

    def counted(self, tokens, rows, layers):
        counts.append(len(rows))
        return batch(self, tokens, rows, layers)

    monkeypatch.setattr(Encoder, "_batch", counted)
    return counts


def test_rows_are_the_encoders_in_the_order_of_the_texts(
    features: TextFeatures, tiny: Encoder
) -> None:
    rows = features.of(TEXTS)
    np.testing.assert_allclose(rows, tiny.embed(TEXTS, layers=(2, 1)), atol=1e-6)
    assert rows.shape == (100, features.width) == (100, 2 * WIDTH)
    assert rows.dtype == np.float32
    assert repr(features) == "TextFeatures(tiny, layers 2 and 1, up to 64 tokens, 32 numbers)"


def test_equal_texts_are_computed_once(features: TextFeatures, read: list[int]) -> None:
    rows = features.of(["the soup", "cold", "the soup", "the soup"])
    assert sum(read) == 2
    np.testing.assert_array_equal(rows[0], rows[3])


def test_a_second_time_nothing_is_computed_and_a_new_text_alone(
    features: TextFeatures, cache: FeatureCache, read: list[int]
) -> None:
    first = features.of(TEXTS, cache=cache)
    assert sum(read) == 100
    np.testing.assert_array_equal(features.of(TEXTS, cache=cache), first)
    assert sum(read) == 100
    features.of(["something new", *TEXTS], cache=cache)
    assert sum(read) == 101


def test_pairs_are_kept_apart_from_texts_and_from_each_other(
    features: TextFeatures, cache: FeatureCache, read: list[int]
) -> None:
    both = [("ab", "c"), ("a", "bc"), ("abc", ""), ("c", "ab")]
    rows = features.of([a for a, _ in both], [b for _, b in both], cache)
    features.of(["abc"], cache=cache)
    assert sum(read) == 5
    assert len({row.tobytes() for row in rows}) == 4
    again = features.of(["ab"], ["c"], cache)
    assert sum(read) == 5
    np.testing.assert_array_equal(again[0], rows[0])


def test_whatever_a_row_depends_on_changes_the_key(tiny: Encoder, tmp_path: Path) -> None:
    other = encoder(tiny_encoder(tmp_path, seed=1))
    keys = {
        TextFeatures(tiny).key,
        TextFeatures(tiny, (1,)).key,
        TextFeatures(tiny, (2, 1)).key,
        TextFeatures(tiny, (1, 2)).key,
        TextFeatures(tiny, max_len=32).key,
        TextFeatures(other).key,
        TextFeatures(tiny.copy().changed()).key,
    }
    assert len(keys) == 7
    assert TextFeatures(tiny, 2, 64).key == TextFeatures(tiny, (-1,), 128).key


def test_no_texts_are_no_rows(features: TextFeatures, cache: FeatureCache) -> None:
    assert features.of([], cache=cache).shape == (0, 32)
    assert features.of([], []).shape == (0, 32)


def test_an_interrupt_keeps_what_is_computed(
    features: TextFeatures, cache: FeatureCache, monkeypatch: pytest.MonkeyPatch, read: list[int]
) -> None:
    batch = Encoder._batch

    def interrupted(self, tokens, rows, layers):
        if len(read) == 2:
            raise KeyboardInterrupt
        return batch(self, tokens, rows, layers)

    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "_batch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            features.of(TEXTS, cache=cache)
    done = sum(read)
    assert len(cache) == done > 0
    assert features.of(TEXTS, cache=cache).shape == (100, 32)
    assert sum(read) == 100


def test_long_work_is_kept_now_and_then(
    features: TextFeatures, cache: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    put = FeatureCache.put_many
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(
        FeatureCache, "put_many", lambda self, rows: (kept.append(len(rows)), put(self, rows))
    )
    expected = features.of(TEXTS)
    np.testing.assert_array_equal(features.of(TEXTS, cache=cache), expected)
    assert len(kept) > 2
    assert sum(kept) == len(cache) == 100


def test_rows_of_another_width_in_the_cache_are_computed_anew(
    features: TextFeatures, cache: FeatureCache
) -> None:
    expected = features.of(TEXTS[:3], cache=cache)
    cache.put_many({key: np.zeros(5, np.float32) for key in module._keys(TEXTS[:3], None)})
    np.testing.assert_array_equal(features.of(TEXTS[:3], cache=cache), expected)


def test_damaged_weights_are_told_of_and_nothing_of_them_is_kept(
    features: TextFeatures, tmp_path: Path
) -> None:
    broken = TextFeatures(features.encoder.copy())
    with torch.no_grad():
        broken.encoder.word_embeddings.weight.fill_(float("nan"))
    cache = FeatureCache(broken.key, tmp_path)
    with pytest.raises(CheckpointError, match="NaN"):
        broken.of(TEXTS, cache=cache)
    assert len(cache) == 0


def test_what_cannot_be_meant_is_refused_at_once(tiny: Encoder) -> None:
    with pytest.raises(DataError, match="layers 1 to 2"):
        TextFeatures(tiny, layers=(6, 4))
    with pytest.raises(DataError, match="max_len"):
        TextFeatures(tiny, max_len=0)
    with pytest.raises(DataError, match="row 1"):
        TextFeatures(tiny).of(["a", 5])  # type: ignore[list-item]
    with pytest.raises(DataError, match="1 texts and 2 second"):
        TextFeatures(tiny).of(["a"], ["b", "c"])


@pytest.mark.parametrize("text", ["", "\x00", "a\ud800", "\u202e", "中" * 5_000, "x" * 200_000])
def test_hostile_texts_have_rows_and_are_found_again(
    features: TextFeatures, cache: FeatureCache, read: list[int], text: str
) -> None:
    rows = features.of([text, text], cache=cache)
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(features.of([text], cache=cache)[0], rows[0])
    assert sum(read) == 1


def test_a_second_fit_costs_next_to_nothing(tmp_path: Path) -> None:
    try:
        features = TextFeatures(encoder("auto"), layers=(6, 4))
    except MissingExtra as error:
        pytest.skip(str(error))
    cache = FeatureCache(features.key, tmp_path)
    features.of(["the first call of all"])
    spent = []
    for _ in range(2):
        begun = time.process_time()
        features.of(TEXTS, cache=cache)
        spent.append(time.process_time() - begun)
    assert spent[1] < 0.05 * spent[0]
