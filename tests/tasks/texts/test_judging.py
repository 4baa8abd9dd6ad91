"""What a classifier is judged on and beside, and what that costs when nobody asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_encoder import tiny_encoder, tiny_texts

from mlnb.networks.encoders import Encoder
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.classification import TextClassifier

TEXTS, LABELS = tiny_texts(60)
HELD = (TEXTS[40:], LABELS[40:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


def quiet(_: str) -> None:
    """Nothing is told."""


def fitted(given: Any, **words: Any) -> TextClassifier:
    made = TextClassifier(given, cache=False, device="cpu", **words)
    return made.fit(TEXTS[:40], LABELS[:40], validation=HELD, tell=quiet)


def test_words_are_counted_when_somebody_looks_beside_and_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    fit = TfIdf.fit

    def counting(texts: Any, *rest: Any) -> TfIdf:
        fits.append(len(texts))
        return fit(texts, *rest)

    monkeypatch.setattr(TfIdf, "fit", staticmethod(counting))
    made = fitted(folder)
    made.most_wrong()
    assert not fits
    assert made.held_out_ is not None
    assert set(made.held_out_.baselines) == {"majority", "TF-IDF"}
    made.evaluate(*HELD)
    made.fine_tune(epochs=1).evaluate(*HELD)
    assert fits == [40]


def test_validation_texts_are_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    batch = Encoder._batch

    def counting(self: Encoder, tokens: Any, rows: Any, layers: Any) -> Any:
        read.append(len(rows))
        return batch(self, tokens, rows, layers)

    monkeypatch.setattr(Encoder, "_batch", counting)
    for head in ("logreg", "linear"):
        read.clear()
        made = fitted(folder, head=head)
        assert made.held_out_ is not None
        assert made.held_out_.log_loss == pytest.approx(made.evaluate(*HELD).log_loss, abs=1e-5)
        assert sum(read) == 60 + 20


def test_of_another_head_nothing_of_the_one_before_is_left(folder: Path) -> None:
    made = fitted(folder, head="linear")
    made.evaluate(*HELD)
    assert made.run_ is made.runs_[-1]
    made.set_params(head="logreg").fit(TEXTS, LABELS, tell=quiet)
    assert made.runs_ == ()
    assert not hasattr(made, "run_")
    assert not hasattr(made, "evaluation_")


def test_texts_that_were_learnt_from_are_told(folder: Path) -> None:
    made = fitted(folder)
    again = [TEXTS[0].upper(), f"  {TEXTS[1]}", *TEXTS[50:]]
    notes = made.evaluate(again, LABELS[:2] + LABELS[50:]).notes
    assert "2 texts learnt from as well, which makes the score too good" in notes
    assert not any("learnt from" in note for note in made.evaluate(*HELD).notes)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    two = TextClassifier(folder, cache=False).fit(pairs[:40], LABELS[:40], tell=quiet)
    assert any("1 text learnt from" in n for n in two.evaluate(pairs[39:], LABELS[39:]).notes)
    mixed = [(TEXTS[0], TEXTS[1])] * 2
    assert not any("learnt from" in n for n in two.evaluate(mixed, LABELS[:2]).notes)
