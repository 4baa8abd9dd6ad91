"""The ONNX file: what it takes and says, the tokenizer beside it, and that both are checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_encoder import tiny_encoder, tiny_texts

import mlnb
from mlnb.errors import ExportError
from mlnb.networks.export import ExportReport
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts import export as exporting
from mlnb.tasks.texts.classification import TextClassifier

TEXTS, LABELS = tiny_texts(60)
OTHERS = ["never again!", "x", "the soup was good " * 60, "naïve \U0001f60b 美味しい", "<b>{a}</b>"]


def quiet(_: str) -> None:
    """Takes what would be printed."""


def fitted(encoder: Any, texts: Any = TEXTS, labels: Any = LABELS) -> TextClassifier:
    made = TextClassifier(encoder, cache=False, device="cpu")
    return made.fit(texts, labels, tell=quiet)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture(scope="module")
def classifier(tiny: Path) -> TextClassifier:
    labels = [("<good> 'é'", "bad")[label] for label in LABELS]
    return fitted(str(tiny), labels=labels).fine_tune(epochs=1, lr=1e-3)


@pytest.fixture(scope="module")
def report(classifier: TextClassifier, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return classifier.export_onnx(tmp_path_factory.mktemp("onnx") / "tiny.onnx")


@pytest.fixture(scope="module")
def model(report: ExportReport) -> Any:
    return mlnb.load_model(report.path)


def by_three_lines(model: Any, texts: list[str]) -> np.ndarray:
    """As the docstring has it."""
    import tokenizers

    file = str(Path(model.path).with_name("tokenizer.json"))
    encoded = tokenizers.Tokenizer.from_file(file).encode_batch(texts)
    ids, mask = [one.ids for one in encoded], [one.attention_mask for one in encoded]
    answer = model.predict({"input_ids": ids, "attention_mask": mask})
    return np.asarray(answer["probabilities"])


@pytest.mark.parametrize("texts", [TEXTS[:1], TEXTS[:7], OTHERS, [*OTHERS, *TEXTS[:3]]])
def test_the_loaded_file_says_what_the_classifier_says(
    classifier: TextClassifier, model: Any, texts: list[str]
) -> None:
    assert np.allclose(by_three_lines(model, texts), classifier.predict_proba(texts), atol=1e-5)


def test_the_report_tells_shapes_and_agreement(report: ExportReport) -> None:
    assert report.inputs == {
        "input_ids": ("batch", "length"),
        "attention_mask": ("batch", "length"),
    }
    assert report.outputs == {"probabilities": ("batch", 2)}
    assert report.difference < 1e-5
    assert report.nbytes == report.path.stat().st_size
    assert sorted(path.name for path in report.path.parent.iterdir()) == [
        "tiny.onnx",
        "tokenizer.json",
    ]


def test_the_classes_stand_in_the_file(classifier: TextClassifier, model: Any) -> None:
    assert json.loads(model.metadata["classes"]) == classifier.classes_.tolist()
    assert model.labels == tuple(classifier.classes_)
    assert model.metadata["tokenizer"] == "tokenizer.json"


def test_a_file_that_answers_otherwise_is_found_out(tiny: Path, report: ExportReport) -> None:
    other = fitted(str(tiny), labels=[1 - label for label in LABELS])
    tokenizer = report.path.with_name("tokenizer.json").read_bytes()
    with pytest.raises(ExportError, match="answers otherwise than the classifier, by up to"):
        exporting._checked(other._fitted, report.path.read_bytes(), tokenizer)


def test_so_is_another_tokenizer(classifier: TextClassifier, report: ExportReport) -> None:
    changed = json.loads(report.path.with_name("tokenizer.json").read_text())
    words = changed["model"]["vocab"]
    words["good"], words["soup"] = words["soup"], words["good"]
    words["was"], words["bad"] = words["bad"], words["was"]
    with pytest.raises(ExportError, match="answers otherwise"):
        exporting._checked(
            classifier._fitted, report.path.read_bytes(), json.dumps(changed).encode()
        )


def test_nothing_is_written_where_the_check_fails(
    classifier: TextClassifier, report: ExportReport, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import onnx

    monkeypatch.setattr(exporting, "_graph", lambda *_: onnx.load(report.path))
    monkeypatch.setattr(exporting, "_WRONG", -1.0)
    with pytest.raises(ExportError):
        classifier.export_onnx(tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_tokenizer_of_another_model_is_not_replaced(
    classifier: TextClassifier, report: ExportReport, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import onnx

    monkeypatch.setattr(exporting, "_graph", lambda *_: onnx.load(report.path))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ExportError, match="export into a folder of its own"):
        classifier.export_onnx(tmp_path / "a.onnx")
    assert (tmp_path / "tokenizer.json").read_text() == "{}"
    (tmp_path / "a.onnx").write_bytes(b"an older export")
    assert classifier.export_onnx(tmp_path / "a.onnx").path.stat().st_size > 1_000
    classifier.export_onnx(tmp_path / "b.onnx")  # the same tokenizer serves both


def test_counted_words_and_places_that_are_none_are_refused(
    classifier: TextClassifier, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="ONNX has no operators"):
        fitted("tfidf").export_onnx(tmp_path / "a.onnx")
    for place in (tmp_path, tmp_path / "no" / "folder.onnx"):
        with pytest.raises(ExportError, match="folder"):
            classifier.export_onnx(place)


def test_a_network_of_ones_own_with_pairs_and_many_labels(tmp_path: Path) -> None:
    """All that differs in one file, because an export takes its time."""
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    labels = [["good"] * int(good) + ["third"] * (i % 3 == 0) for i, good in enumerate(LABELS)]
    classifier = fitted(Sequential().embedding(300, 8), pairs, labels)
    report = classifier.export_onnx(tmp_path / "pairs.onnx")
    assert list(report.inputs) == [
        "input_ids", "attention_mask", "input_ids_2", "attention_mask_2"
    ]  # fmt: skip
    assert report.inputs["input_ids_2"] == ("batch", "length_2")
    tokenizer = (tmp_path / "tokenizer.json").read_bytes()
    firsts, seconds = (list(column) for column in zip(*pairs[:6], strict=True))
    seconds[2] = "never again " * 200
    fed = [*exporting.encoded(tokenizer, firsts), *exporting.encoded(tokenizer, seconds)]
    assert fed[2].shape[1] == 128 > fed[0].shape[1]
    answer = mlnb.load_model(report.path).predict(dict(zip(report.inputs, fed, strict=True)))
    wanted = classifier.predict_proba(list(zip(firsts, seconds, strict=True)))
    assert np.allclose(answer["probabilities"], wanted, atol=1e-5)


def test_a_plain_rnn_is_refused_with_what_can_be_written(tmp_path: Path) -> None:
    classifier = fitted(Sequential().embedding(300, 8).rnn(8))
    with pytest.raises(ExportError, match=r"plain rnn.*gru and lstm"):
        classifier.export_onnx(tmp_path / "own.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    "net",
    [
        Sequential().embedding_bag(300, 8),
        Sequential().embedding(300, 8).positional_encoding().transformer_encoder_layer(2),
        Sequential().embedding(300, 8).permute(1, 0).conv1d(8, 3, "relu").global_max_pool1d(),
        Sequential().embedding(300, 8).lstm(8, num_layers=2),
        Sequential().embedding(300, 8).gru(8, bidirectional=True),
    ],
    ids=["bag", "transformer", "convolution", "lstm", "gru"],
)
def test_networks_of_all_kinds(net: Sequential, tmp_path: Path) -> None:
    assert fitted(net).export_onnx(tmp_path / "own.onnx").difference < 1e-5
