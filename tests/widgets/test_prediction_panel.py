"""`PredictionPanel`: pieces become pictures, models of every kind answer, all in words."""

from __future__ import annotations

import base64
import re
import threading
import time
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from mlnb import progress
from mlnb.errors import DataError, ImageError
from mlnb.models.loading import load_model
from mlnb.widgets import base
from mlnb.widgets.prediction_panel import KEPT, PredictionPanel

HOSTILE = "<img src=x onerror=alert(1)>\u202e{0}\n"


class Classifier:
    """Says how red a picture is; explains by the red in it."""

    classes_ = np.array(["dog", "cat"])

    def predict_proba(self, pictures: Any) -> np.ndarray:
        red = np.array([np.asarray(picture)[..., 0].mean() / 255 for picture in pictures])
        return np.stack([1 - red, red], axis=1)

    def explain(self, picture: np.ndarray) -> np.ndarray:
        return picture[..., 0] / 255


class Sentiment:
    """Counts good and bad words."""

    classes_ = ("bad", "good")
    takes_text = True

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        good = np.array([0.5 + 0.4 * ("good" in t) - 0.3 * ("cold" in t) for t in texts])
        return np.stack([1 - good, good], axis=1)

    def explain(self, text: str, target: int = 1) -> list[SimpleNamespace]:
        found = re.finditer(r"\w+", text)
        share = {"good": 0.4, "cold": -0.3}
        return [
            SimpleNamespace(start=m.start(), end=m.end(), share=share.get(m.group(), 0.0))
            for m in found
        ]


def red(height: int = 40, width: int = 60, value: int = 255) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = value
    return image


def file_of(image: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def sent(monkeypatch) -> list[tuple[dict[str, Any], list[bytes]]]:
    messages: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(
        PredictionPanel,
        "send",
        lambda _, content, buffers=None: messages.append((content, buffers)),
    )
    return messages


def until(sent: list[Any], kind: str, count: int = 1) -> list[tuple[dict[str, Any], list[bytes]]]:
    """The messages of a kind, when there are so many."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [one for one in list(sent) if one[0]["kind"] == kind]
        if len(found) >= count:
            return found
        time.sleep(0.005)
    raise AssertionError(f"no {kind} among {[content for content, _ in sent]}")


def give(panel: PredictionPanel, data: bytes, name: str = "a.png", request: str = "v-1", **more):
    """Send a file as the front end does."""
    size = 2**20
    pieces = max(1, -(-len(data) // size))
    for index in range(pieces):
        piece = memoryview(data[index * size : (index + 1) * size])
        message = {"kind": "piece", "request": request, "index": index, "pieces": pieces}
        panel._handle_custom_msg(message | {"name": name} | more, [piece])


def test_a_picture_is_judged_and_its_classes_come_likeliest_first(sent):
    panel = PredictionPanel(Classifier())
    assert (panel.takes, panel.facts, panel.why_not) == ("pictures", "2 classes: dog, cat", "")
    give(panel, file_of(red(value=204)))
    answer, buffers = until(sent, "answer")[0]
    assert [bar["label"] for bar in answer["bars"]] == ["cat", "dog"]
    assert [bar["share"] for bar in answer["bars"]] == pytest.approx([0.8, 0.2])
    assert answer["request"] == "v-1"
    assert not buffers
    assert panel.answer is not None
    assert panel.answer.label == "cat"
    assert panel.last["asked"] == "a.png"


def test_a_large_file_comes_in_pieces_and_each_is_acknowledged(sent):
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1000, 3), np.uint8)
    data = file_of(noise, "TIFF")
    assert len(data) > 3 * 2**20
    panel = PredictionPanel(Classifier())
    give(panel, data, "scan.tif", unseen=True)
    _, buffers = until(sent, "answer")[0]
    assert [content["pieces"] for content, _ in until(sent, "received", 4)] == [1, 2, 3, 4]
    assert Image.open(BytesIO(buffers[0])).size == (533, 640)


def test_the_model_is_shown_at_most_1024_pixels_upright(sent):
    seen: list[tuple[int, ...]] = []

    def model(image: np.ndarray) -> list[float]:
        seen.append(image.shape)
        return [0.5, 0.5]

    rotated = Image.Exif()
    rotated[0x0112] = 6
    give(PredictionPanel(model), file_of(red(600, 2048), "JPEG", exif=rotated))
    until(sent, "answer")
    assert seen == [(1024, 300, 3)]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"hello, this is no picture", "notes.txt", "notes.txt is no picture that mlnb reads"),
        (b"", "empty.png", "empty.png is empty"),
        (file_of(red(400, 400))[:500], "half.png", "half.png is damaged"),
        (b"x" * 50, f"../../{HOSTILE}.png", "is no picture that mlnb reads"),
        (b"x" * 50, "..", "is no picture that mlnb reads"),
        (b"x" * 50, "n" * 5000 + "é\0.png", "is no picture that mlnb reads"),
    ],
)
def test_a_file_that_is_no_picture_says_so(sent, data: bytes, name: str, said: str):
    panel = PredictionPanel(Classifier())
    give(panel, data, name)
    error = until(sent, "error")[0][0]
    assert said in error["message"]
    assert error["request"] == "v-1"
    give(panel, file_of(red()), request="v-2")
    assert until(sent, "answer")[0][0]["request"] == "v-2"


def test_a_piece_out_of_turn_or_after_a_cancel_is_refused(sent):
    panel = PredictionPanel(Classifier())
    first = {"kind": "piece", "request": "v-1", "name": "a", "index": 0, "pieces": 3}
    panel._handle_custom_msg(first, [b"x"])
    panel._handle_custom_msg({"kind": "cancel", "request": "v-1"}, [])
    panel._handle_custom_msg(first | {"index": 1}, [b"x"])
    assert "a piece of the file was lost" in until(sent, "error")[0][0]["message"]
    panel._handle_custom_msg(first | {"pieces": 10**9}, [b"x"])
    assert "at most 256 pieces" in until(sent, "error", 2)[1][0]["message"]


@pytest.mark.parametrize("message", [{}, {"request": 1}, {"index": "a"}, {"pieces": None}])
def test_a_piece_of_the_wrong_form_is_answered_and_nothing_breaks(sent, message: dict[str, Any]):
    PredictionPanel(Classifier())._handle_custom_msg({"kind": "piece"} | message, [b"x"])
    assert until(sent, "error")


def test_what_the_model_raises_stands_in_one_line(sent):
    def model(image: np.ndarray) -> list[float]:
        raise ValueError("first\nsecond")

    give(PredictionPanel(model), file_of(red()))
    assert until(sent, "error")[0][0]["message"] == "ValueError: first"


@pytest.mark.parametrize(
    ("gives", "labels", "said"),
    [
        ([0.1, np.nan], None, "not all finite"),
        ([], None, "the model gave nothing"),
        ([0.5, 0.5], ["a", "b", "c"], "gives 2 numbers and there are 3 labels"),
    ],
)
def test_what_are_no_probabilities_is_said(gives: Any, labels: Any, said: str):
    with pytest.raises(DataError, match=said):
        PredictionPanel(lambda image: gives, labels=labels).predict(red())


def test_scores_become_probabilities_and_that_is_said():
    panel = PredictionPanel(lambda image: [[2.0, -1.0, 0.0]], labels=["a", "b", "c"])
    answer = panel.predict(red())
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.label == "a"
    assert answer.note == "softmax of its scores"


def test_a_function_may_answer_with_a_dict_and_without_labels():
    assert PredictionPanel(lambda image: {"x": 0.2, "y": 0.8}).predict(red()).label == "y"
    many = PredictionPanel(lambda image: np.full(1000, 0.001)).predict(red())
    assert many.label == "class 0"
    assert many.more == "995 more classes: 0.1% at most"
    assert len(many.bars) == 5
    assert len(many.to_frame()) == 1000


def test_classes_of_the_same_name_are_told_apart():
    answer = PredictionPanel(lambda image: [0.3, 0.7], labels=["crane", "crane"]).predict(red())
    assert answer.probabilities == {"crane (1)": 0.7, "crane (0)": 0.3}


def image_model(path: Path, shape: tuple[Any, ...], kind: int = TensorProto.FLOAT) -> Any:
    """The mean of each channel as the scores of three classes."""
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["y"], axes=axes, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (shape[0], 3))],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(proto.SerializeToString())
    return load_model(path)


def test_small_scores_of_a_network_are_no_probabilities(tmp_path: Path):
    net = image_model(tmp_path / "net.onnx", ("N", 3, 8, 8))
    tenth = PredictionPanel(net, preprocessing=lambda image: np.full((3, 8, 8), 0.1, np.float32))
    answer = tenth.predict(red())
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.note == "softmax of its scores"


@pytest.mark.parametrize(
    ("shape", "kind", "note"),
    [
        (("N", 3, 24, 24), TensorProto.FLOAT, "ImageNet's mean and deviation (assumed)"),
        ((1, 24, 24, 3), TensorProto.FLOAT, "−1 to 1 (assumed)"),
        ((1, "h", "w", 3), TensorProto.UINT8, "softmax"),
    ],
)
def test_a_loaded_model_is_fed_by_its_input_and_the_assumption_is_said(
    tmp_path: Path, shape: tuple[Any, ...], kind: int, note: str
):
    model = image_model(tmp_path / "net.onnx", shape, kind)
    panel = PredictionPanel(model, labels=["red", "green", "blue"])
    answer = panel.predict(red())
    assert answer.label == "red"
    assert note in answer.note
    assert panel.title == "net.onnx"


def test_a_loaded_model_takes_preprocessing_and_refuses_what_is_no_picture(tmp_path: Path, model):
    net = image_model(tmp_path / "net.onnx", ("N", 3, 8, 8))
    panel = PredictionPanel(
        net, preprocessing=lambda image: image[:8, :8].transpose(2, 0, 1).astype(np.float32) / 255
    )
    answer = panel.predict(red())
    assert answer.label == "class 0"
    assert answer["class 0"] == pytest.approx(1.0)
    assert answer.note == ""
    with pytest.raises(ValueError, match="takes no picture"):
        PredictionPanel(model).predict(red())


def test_steps_of_a_pipeline_are_a_preprocessing(tmp_path: Path):
    pipeline = pytest.importorskip("mlnb.tasks.pipeline")
    net = image_model(tmp_path / "net.onnx", ("N", 3, 8, 8))
    steps = [pipeline.ResizeImages(8, 8), pipeline.ExtractPixels(scale=1 / 255)]
    assert PredictionPanel(net, preprocessing=steps).predict(red())["class 0"] == pytest.approx(1.0)


def test_the_map_of_why_comes_as_bytes_over_the_whole_picture(sent):
    panel = PredictionPanel(Classifier())
    image = red(300, 600)
    image[:, :300, 0] = 0
    give(panel, file_of(image))
    until(sent, "answer")
    panel._handle_custom_msg({"kind": "why", "request": "v-2", "of": "v-1"}, [])
    why, buffers = until(sent, "why")[0]
    assert (why["width"], why["height"], why["of"]) == (224, 112, "v-1")
    heat = np.frombuffer(buffers[0], np.uint8).reshape(112, 224)
    assert heat[:, :100].max() == 0
    assert heat[:, 124:].min() == 255


def test_how_far_a_slow_model_has_come_goes_to_the_panel_and_not_to_the_cell(
    sent, monkeypatch, capsys
):
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0)

    def model(image: np.ndarray) -> list[float]:
        with progress.progress("slow", 2) as done:
            done(1)
        return [1.0]

    give(PredictionPanel(model), file_of(red()))
    assert until(sent, "progress")[0][0]["message"] == "slow: 1 of 2"
    until(sent, "answer")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("heat", [np.zeros((3, 4, 5)), np.full((4, 4), np.nan), "map", None])
def test_an_explanation_that_is_no_map_is_told(sent, heat: Any):
    panel = PredictionPanel(lambda image: [1.0], explain=lambda image: heat)
    give(panel, file_of(red()))
    until(sent, "answer")
    panel._handle_custom_msg({"kind": "why", "request": "v-2", "of": "v-1"}, [])
    assert until(sent, "error")[0][0]["request"] == "v-2"


def test_the_last_pictures_can_be_explained_and_older_ones_say_so(sent):
    panel = PredictionPanel(Classifier())
    for number in range(KEPT + 1):
        give(panel, file_of(red()), request=f"v-{number}")
    until(sent, "answer", KEPT + 1)
    panel._handle_custom_msg({"kind": "why", "request": "w", "of": "v-0"}, [])
    assert "give it this one again" in until(sent, "error")[0][0]["message"]


def test_without_anyone_who_explains_the_reason_is_there_and_outside_help_is_taken(monkeypatch):
    from mlnb.widgets import explaining

    monkeypatch.setattr(explaining, "_by", {})
    assert "load_ext" in PredictionPanel(lambda image: [1.0]).why_not
    explaining.explain_by(
        pictures=lambda predict, image, target: np.full(image.shape[:2], predict([image])[0, 0]),
        texts=lambda predict, text, target: [SimpleNamespace(start=0, end=4, share=0.5)],
    )
    panel = PredictionPanel(lambda image: [0.25, 0.75])
    assert panel.why_not == ""
    assert panel._asked.heat(red(500, 1000), 0).shape == (160, 320)
    words = PredictionPanel(lambda text: [0.5], text=True)._asked.words("soup!", 0)
    assert words == ((("soup", 0.5), ("!", None)), "")


def test_a_classifier_of_texts_is_asked_to_explain_one_of_its_classes():
    class Strict(Sentiment):
        def explain(self, text: str, target: str | None = None) -> list[SimpleNamespace]:
            assert target in self.classes_
            return super().explain(text)

    panel = PredictionPanel(Strict())
    panel.predict("good tea")
    assert panel.explain().words == (("good", 0.4), (" ", None), ("tea", 0.0))
    assert panel.last["words"][0] == ("good", 0.4)
    with pytest.raises(DataError, match=r"panel\.predict\(text\) first"):
        PredictionPanel(Sentiment()).explain()


def test_a_classifier_of_pictures_is_asked_to_explain_one_of_its_classes():
    class Strict(Classifier):
        def explain(self, image: np.ndarray, target: str | None = None) -> np.ndarray:
            assert target in self.classes_
            return np.ones(image.shape[:2])

    assert PredictionPanel(Strict())._asked.heat(red(20, 30), 1).shape == (20, 30)


def test_what_was_not_looked_at_is_said_below_the_words():
    class Words(list):
        note = "The first 2 words; those behind have no share."

    class Long(Sentiment):
        def explain(self, text: str, target: str | None = None) -> Words:
            return Words(super().explain(text))

    panel = PredictionPanel(Long())
    panel.predict("good tea")
    assert panel.explain().words_note == panel.last["words_note"] == Words.note
    assert f"italic against it · {Words.note}" in panel.static_html()


def test_a_text_is_judged_and_its_words_are_explained(sent):
    panel = PredictionPanel(Sentiment())
    assert panel.takes == "text"
    panel._handle_custom_msg({"kind": "text", "request": "v-1", "text": "good 😀 soup"}, [])
    answer = until(sent, "answer")[0][0]
    assert answer["bars"][0] == {"label": "good", "share": pytest.approx(0.9)}
    panel._handle_custom_msg({"kind": "why", "request": "v-2", "text": "good 😀 soup"}, [])
    why = until(sent, "why")[0][0]
    assert why["words"] == [("good", 0.4), (" 😀 ", None), ("soup", 0.0)]
    assert (why["label"], why["words_note"]) == ("good", "")


def test_of_texts_that_wait_only_the_newest_is_judged(sent):
    asked, go = [], threading.Event()

    def model(text: str) -> list[float]:
        asked.append(text)
        go.wait(10)
        return [0.5, 0.5]

    panel = PredictionPanel(model)
    assert panel.takes == "text"
    for number, text in enumerate(("T", "Th", "The", "The soup")):
        panel._handle_custom_msg({"kind": "text", "request": f"v-{number}", "text": text}, [])
        while not asked:
            time.sleep(0.001)
    go.set()
    until(sent, "answer", 2)
    assert asked == ["T", "The soup"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "the text is empty"), (" \n", "the text is empty"), (7, "received int")],
)
def test_what_is_no_text_is_told(sent, text: Any, said: str):
    panel = PredictionPanel(Sentiment())
    panel._handle_custom_msg({"kind": "text", "request": "v-1", "text": text}, [])
    assert said in until(sent, "error")[0][0]["message"]
    with pytest.raises(DataError, match=said):
        panel.predict(text)


def test_a_text_that_is_too_long_is_told():
    with pytest.raises(DataError, match="the limit is 200,000"):
        PredictionPanel(Sentiment()).predict("a" * 200_001)


def test_a_vectoriser_of_scikit_learn_takes_text():
    sklearn = pytest.importorskip("sklearn.pipeline")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    made = sklearn.make_pipeline(TfidfVectorizer(), LogisticRegression())
    made.fit(["good soup", "cold soup", "good", "cold"], ["yes", "no", "yes", "no"])
    panel = PredictionPanel(made)
    assert panel.takes == "text"
    assert panel.predict("good").label == "yes"


def test_what_is_saved_is_small_and_shows_the_last_picture(tmp_path: Path):
    panel = PredictionPanel(Classifier())
    assert "run this cell" in panel.static_html()
    noise = np.random.default_rng(0).integers(0, 256, (900, 1000, 3), np.uint8)
    (tmp_path / "noise.png").write_bytes(file_of(noise))
    panel.predict(tmp_path / "noise.png")
    html = panel.static_html()
    picture = re.search('data:image/jpeg;base64,([^"]+)', html)
    assert picture is not None
    assert len(picture.group(0)) <= 40_000
    assert Image.open(BytesIO(base64.b64decode(picture.group(1)))).format == "JPEG"
    assert "<script" not in html
    assert "width:120px;height:10px" in html  # of 240
    assert "noise.png" in html
    assert "dog   50.0%  ██████████" in panel.static_text()


def test_a_saved_text_bears_its_words():
    panel = PredictionPanel(Sentiment())
    panel._explain_text("v-1", "good and cold")
    html = panel.static_html()
    assert "<b>good</b> and <i>cold</i>" in re.sub("</?span[^>]*>", "", html)
    assert html.count('<span style="background-color') == 2
    assert "bold speaks for good" in html
    assert panel.last["words"] == [
        ("good", 0.4),
        (" ", None),
        ("and", 0.0),
        (" ", None),
        ("cold", -0.3),
    ]


def test_an_answer_takes_the_place_of_the_picture_that_was_displayed(monkeypatch):
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(base, "has_front_end", lambda: True)
    monkeypatch.setattr(base, "display", lambda data, **_: None)
    monkeypatch.setattr(
        base,
        "update_display",
        lambda data, raw, display_id: shown.append((display_id, data["text/html"])),
    )
    panel = PredictionPanel(Classifier())
    panel.predict(red())
    assert shown == []
    panel._ipython_display_()
    panel.predict(red())
    assert shown[0][0] == panel.static_id
    assert "100%" in shown[0][1]


def test_nothing_foreign_is_markup():
    panel = PredictionPanel(lambda text: {HOSTILE: 0.9, "{0}": 0.1}, text=True)
    panel._asked._explain = lambda text: [SimpleNamespace(start=0, end=len(text), share=0.9)]
    panel.predict(HOSTILE)
    panel._explain_text("v", HOSTILE)
    html = panel.static_html()
    assert "<img" not in html
    assert "\u202e" not in html + repr(panel) + panel.static_text()


@pytest.mark.parametrize("model", [None, 3, "net.onnx", object()])
def test_something_else_is_refused(model: Any):
    with pytest.raises(TypeError, match="predict_proba and classes_, a Model, or a function"):
        PredictionPanel(model)


def test_an_unknown_argument_and_a_wrong_picture_are_refused(tmp_path: Path):
    with pytest.raises(TypeError, match="'label'; did you mean 'labels'"):
        PredictionPanel(Classifier(), label=["a"])
    with pytest.raises(DataError, match=r"the picture is float64 \[4, 4\]; expected uint8"):
        PredictionPanel(Classifier()).predict(np.zeros((4, 4)))
    with pytest.raises(ImageError, match="no picture at"):
        PredictionPanel(Classifier()).predict(tmp_path / "none.png")
