"""Samples of the wheels, of a made folder with everything that can be odd, and of the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlnb.data import samples
from mlnb.data.official import OFFICIAL
from mlnb.data.samples import LabelledImages, list_samples, load_sample
from mlnb.errors import MissingExtra, SampleMissing, UnknownName

ARCHITECTURES = ["bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50"]
ARCHITECTURES += ["shufflenet", "squeezenet", "vgg19", "zfnet512"]


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLNB_DATA", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder laid out as MLNB_DATA is, with a name in two places and a hostile one."""
    for file in (
        "models/onnx/net.onnx",
        "models/keras/mnist.keras",
        "models/other/net.onnx",
        "models/tf/half/saved_model.pb",
        "models/tf/half/variables/variables.index",
        "models/evil\u202ename.onnx",
        "malformed/onnx/broken.onnx",
        "README.md",
    ):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    for file in ("images/cup.png", "images/dog.png", "pets/cats/a.png", "pets/dogs/b.png"):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (1, 2, 3)).save(path)
    (tmp_path / "images/tags.tsv").write_text("cup.png\tteacup\nlost.png\tghost\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/three.txt").write_text("a\nb, c\n\nd")
    (tmp_path / "mnist").mkdir()
    dense = " ".join(["7", *("9" for _ in range(784))])
    (tmp_path / "mnist/tiny.txt").write_text(f"3\t784\t0:255\t783:8\n{dense}\n")
    (tmp_path / "text/pairs").mkdir(parents=True)
    (tmp_path / "text/likes_labelled.txt").write_text('He said "no.\t0\nFine\tindeed\t1\n'[:15])
    (tmp_path / "text/pairs/train.tsv").write_text("4.5\tA cat.\tThe cat.\n")
    (tmp_path / "text/pairs/readme.txt").write_text("not a table")
    (tmp_path / "MANIFEST.tsv").write_text(
        "file\trepo\tlicence\twhat\nmodels/onnx/net.onnx\tann/nets\tMIT\ta small net\n"
    )
    monkeypatch.setenv("MLNB_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_pictures_labels_and_a_frame() -> None:
    digits = load_sample("digits").data()
    images, labels = digits
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    assert set(labels) == set(range(10))
    assert digits.frame.shape == (1797, 65)
    assert digits.frame["pixel_3_5"].tolist() == images[:, 3, 5].tolist()


@pytest.mark.parametrize(
    ("name", "rows", "labels"),
    [
        ("wine", 178, {"class_0", "class_1", "class_2"}),
        ("breast_cancer", 569, {"malignant", "benign"}),
    ],
)
def test_tables_say_what_is_to_be_learned_in_words(name, rows, labels) -> None:
    frame = load_sample(name).data()
    assert len(frame) == rows
    assert set(frame["label"]) == labels


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photographs_are_arrays_and_files(name: str) -> None:
    sample = load_sample(name)
    assert sample.data().shape == (427, 640, 3)
    assert os.path.getsize(sample) == sample.nbytes


def test_the_nine_architectures_are_for_looking_and_say_so() -> None:
    found = {sample.name: sample for sample in list_samples() if "onnx wheel" in sample.source}
    assert sorted(found) == ARCHITECTURES
    for sample in found.values():
        assert "for looking" in sample.description
        assert "answers alike" in sample.description
        assert Path(sample).read_bytes() == sample.data()


def test_listing_reads_nothing_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mlnb.data.samples import list_samples; list_samples();"
        "print([m for m in ('onnx', 'sklearn', 'PIL', 'torch', 'pandas') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_an_unknown_name_gets_the_closest_and_a_known_absent_one_the_way_to_it() -> None:
    with pytest.raises(UnknownName, match="did you mean 'resnet50'"):
        load_sample("resnet5O")
    with pytest.raises(SampleMissing, match=r"no official address.*MLNB_DATA/models/"):
        load_sample("FastestDet")
    with pytest.raises(SampleMissing, match=r"sentence pairs.*MLNB_DATA/text/sts/"):
        load_sample("sts")


def test_without_scikit_learn_its_samples_are_listed_as_not_here(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    wine = load_sample("wine")
    assert not wine.here
    assert repr(wine) == "Sample('wine', table, not here)"
    for name in ("wine", "china"):
        with pytest.raises(MissingExtra, match=r"pip install 'mlnb\[train\]'"):
            load_sample(name).data()
    (digits,) = [sample for sample in list_samples() if sample.name == "digits"]
    assert not digits.here
    assert load_sample("digits", tell=lambda line: None).stand_in


def test_what_has_no_file_says_how_to_get_at_it() -> None:
    with pytest.raises(SampleMissing, match=r"digits is no file; take its data"):
        os.fspath(load_sample("digits"))


def test_a_folder_is_found_by_looking(folder: Path) -> None:
    made = [sample.name for sample in list_samples() if str(sample.path).startswith(str(folder))]
    assert set(made) == {
        *("pets", "images", "mnist", "likes", "pairs", "three", "net", "net.onnx", "mnist.keras"),
        *("half", "evil\u202ename", "cup", "dog"),
    }


def test_a_name_taken_goes_by_its_file_and_the_file_name_always_works(folder: Path) -> None:
    assert load_sample("mnist").kind == "images"
    assert load_sample("mnist.keras").path == folder / "models/keras/mnist.keras"
    assert load_sample("net").path == folder / "models/onnx/net.onnx"
    assert load_sample("net.onnx").path == folder / "models/other/net.onnx"
    assert load_sample("cup.png").path == folder / "images/cup.png"


def test_the_manifest_gives_licence_and_source_and_its_absence_does_no_harm(folder: Path) -> None:
    net = load_sample("net")
    assert (net.licence, net.source, net.description) == ("MIT", "ann/nets", "a small net")
    (folder / "MANIFEST.tsv").unlink()
    assert load_sample("net").licence == "unknown"


def test_a_saved_model_is_one_sample_and_its_path_a_folder(folder: Path) -> None:
    half = load_sample("half")
    assert os.fspath(half) == str(folder / "models/tf/half")
    assert half.nbytes == 10
    with pytest.raises(SampleMissing, match="take its path"):
        half.data()


def test_a_file_put_there_is_a_sample_at_once(folder: Path) -> None:
    (folder / "models/new.tflite").write_bytes(b"x")
    assert load_sample("new").data() == b"x"


def test_readers_of_the_folder_give_arrays_frames_and_lists(folder: Path) -> None:
    assert load_sample("three").data() == ["a", "b, c", "d"]
    assert load_sample("cup").data().shape == (3, 4, 3)
    digits = load_sample("mnist").data()
    assert isinstance(digits, LabelledImages)
    assert digits.labels.tolist() == [3, 7]
    assert digits.images[0, 0, 0] == 255
    assert digits.images[0, 27, 27] == 8
    assert (digits.images[1] == 9).all()
    assert load_sample("pets").data()["label"].tolist() == ["cats", "dogs"]
    tagged = load_sample("images").data().set_index("label")
    assert tagged.loc["teacup", "path"] == str(folder / "images/cup.png")
    assert load_sample("likes").data().to_dict("records") == [{"text": 'He said "no.', "label": 0}]
    pairs = load_sample("pairs").data()
    assert pairs.loc[0, ["score", "sentence_b", "part"]].tolist() == [4.5, "The cat.", "train"]


def test_a_hostile_file_name_is_shown_harmless(folder: Path) -> None:
    assert "\u202e" not in repr(load_sample("evil\u202ename"))


def test_a_setting_that_names_no_folder_says_so(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLNB_DATA", str(tmp_path / "gone"))
    with pytest.raises(SampleMissing, match=r"gone.*no folder"):
        list_samples()


def test_every_sample_of_the_real_folder_can_be_read(mlnb_data: Path, monkeypatch) -> None:
    monkeypatch.setenv("MLNB_DATA", str(mlnb_data))
    found = list_samples()
    names = [sample.name for sample in found]
    assert len(names) == len(set(names))
    assert {"squeezenet1.1_fp16", "yelp", "sick", "sts", "cats_vs_dogs", "mnist"} <= set(names)
    for sample in found:
        assert sample.here or sample.name in OFFICIAL
        if not sample.here:
            continue
        assert sample.nbytes > 0
        assert sample.description
        assert sample.licence
        if not (sample.kind == "model" and sample.path is not None and sample.path.is_dir()):
            assert len(sample.data()) > 0
    assert len(load_sample("yelp").data()) == 1000
    assert load_sample("mnist").data().images.shape == (115, 28, 28)
    assert len(load_sample("cats_vs_dogs").data()) == 1000
    assert len(load_sample("sick").data()) == 5000
