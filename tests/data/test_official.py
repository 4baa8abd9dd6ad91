"""Samples from elsewhere: where they are looked for, in which order, and what stands in."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from file_server import Page, Server
from models_made import onnx_models
from PIL import Image

from mlnb import transfer
from mlnb.data.images import read_image
from mlnb.data.official import OFFICIAL, Remote, cached
from mlnb.data.sample import LabelledImages
from mlnb.data.samples import list_samples, load_sample
from mlnb.data.stand_ins import stand_in
from mlnb.data.text import describe_texts
from mlnb.errors import DownloadError, DownloadRefused, SampleMissing

HEADER = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tSemEval_set\n"


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLNB_OFFLINE", raising=False)
    monkeypatch.delenv("MLNB_DATA", raising=False)
    monkeypatch.setattr(transfer, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The official addresses lead to this one, under the same file names."""
    with Server() as running:
        for name, official in OFFICIAL.items():
            here = tuple(
                Remote(running.url(f"/{one.url.rpartition('/')[2]}")) for one in official.files
            )
            monkeypatch.setitem(OFFICIAL, name, replace(official, files=here))
        yield running


def zip_of(files: dict[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return packed.getvalue()


def picture(red: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (6, 5), (red, 0, 0)).save(content, "JPEG")
    return content.getvalue()


YELP = zip_of(
    {
        "sentiment labelled sentences/.DS_Store": b"\0",
        "sentiment labelled sentences/yelp_labelled.txt": 'Loved it "so.\t1\nNo.\t0\n',
        "__MACOSX/sentiment labelled sentences/._yelp_labelled.txt": b"\0",
    }
)


def bring(name: str):
    said: list[str] = []
    return load_sample(name, tell=said.append), said


# -------------------------------------------------------------------------- from the real address


def test_yelp_comes_from_its_zip_and_is_asked_for_once(server: Server):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    sample, said = bring("yelp")
    address = server.url("/sentiment+labelled+sentences.zip")
    assert said[0] == f"downloading {address} ({len(YELP)} B)"
    assert (sample.here, sample.stand_in, sample.licence) == (True, False, "CC BY 4.0")
    assert sample.data().to_dict("list") == {"text": ['Loved it "so.', "No."], "label": [1, 0]}
    again, silence = bring("yelp")
    assert (again.path, silence, len(server.requests)) == (sample.path, [], 1)


def test_the_archive_is_not_kept_beside_what_was_in_it_but_its_pin_is(server: Server, tmp_path):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    bring("yelp")
    kept = [path.name for path in (tmp_path / "cache/mlnb-downloads").rglob("*") if path.is_file()]
    assert sorted(kept) == ["lock", "pin.json"]


def test_sick_says_which_part_a_pair_is_in(server: Server):
    row = "1\tA cat.\tA dog.\tNEUTRAL\t3.2\tTRIAL\n"
    server.pages["/SICK.zip"] = Page(zip_of({"SICK.txt": HEADER + row, "readme.txt": "x"}))
    frame = bring("sick")[0].data()
    found = frame.loc[0, ["sentence_a", "sentence_b", "score", "part"]].tolist()
    assert found == ["A cat.", "A dog.", 3.2, "TRIAL"]


def test_cats_and_dogs_are_labelled_and_empty_files_are_left_out(server: Server):
    files = {"PetImages/Cat/0.jpg": picture(9), "PetImages/Cat/666.jpg": b""}
    files |= {"PetImages/Dog/1.jpg": picture(200), "readme[1].txt": b"x"}
    server.pages["/kagglecatsanddogs_5340.zip"] = Page(zip_of(files))
    frame = bring("cats_vs_dogs")[0].data()
    assert frame["label"].tolist() == ["cats", "dogs"]
    assert read_image(frame["path"][1]).shape == (5, 6, 3)


def test_the_scenes_for_detectors_come_one_by_one(server: Server):
    for number in (1, 2, 3, 4):
        server.pages[f"/image{number}.jpg"] = Page(picture(number))
    server.pages["/wikimedia.md"] = Page(b"licences")
    sample, said = bring("detection")
    assert len(sample.data()) == 4
    assert sum(line.startswith("downloading ") for line in said) == 5


def test_a_model_comes_out_of_its_tar_file_and_can_be_loaded(server: Server):
    import mlnb

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        content = onnx_models.convnet()
        entry = tarfile.TarInfo("model/Model.onnx")
        entry.size = len(content)
        made.addfile(entry, io.BytesIO(content))
    server.pages["/tinyyolov2-7.tar.gz"] = Page(packed.getvalue())
    sample, _ = bring("tinyyolov2-7")
    assert mlnb.load_model(sample).title == "Model.onnx"


def test_digits_without_scikit_learn_come_from_where_it_has_them(server: Server, monkeypatch):
    from mlnb.data import samples

    real = load_sample("digits").data()
    rows = np.column_stack([real.images.reshape(-1, 64), real.labels])
    text = "\n".join(",".join(map(str, row)) for row in rows)
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    server.pages["/optical+recognition+of+handwritten+digits.zip"] = Page(
        zip_of({"optdigits.tra": "", "optdigits.tes": text})
    )
    digits = bring("digits")[0].data()
    assert isinstance(digits, LabelledImages)
    assert (digits.images == real.images).all()
    assert digits.images.dtype == real.images.dtype
    assert (digits.labels == real.labels).all()


# -------------------------------------------------------------------------------------- the order


def test_the_users_own_folder_comes_first(server: Server, tmp_path: Path, monkeypatch):
    (tmp_path / "data/text").mkdir(parents=True)
    (tmp_path / "data/text/yelp.txt").write_text("Mine.\t1\n")
    monkeypatch.setenv("MLNB_DATA", str(tmp_path / "data"))
    assert bring("yelp")[0].data()["text"].tolist() == ["Mine."]
    assert server.requests == []


def test_listing_asks_for_nothing_and_says_what_is_here(server: Server):
    listed = {sample.name: sample for sample in list_samples()}
    assert set(OFFICIAL) <= set(listed)
    assert listed["digits"].here
    yelp = listed["yelp"]
    assert (yelp.here, yelp.nbytes, yelp.path) == (False, 84_188, None)
    for use in (yelp.data, lambda: os.fspath(yelp)):
        with pytest.raises(SampleMissing, match=r"mlnb\.load_sample\('yelp'\) downloads it"):
            use()
    assert server.requests == []
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    bring("yelp")
    assert {sample.name: sample.here for sample in list_samples()}["yelp"]


def test_offline_what_is_in_the_cache_is_found(server: Server, monkeypatch):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    bring("yelp")
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    assert not bring("yelp")[0].stand_in


def test_files_that_somebody_took_out_of_the_cache_come_again(server: Server):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    bring("yelp")[0].path.unlink()
    assert cached(OFFICIAL["yelp"]) is None
    assert len(bring("yelp")[0].data()) == 2


@pytest.mark.parametrize("name", list(OFFICIAL))
def test_every_address_is_a_publishers_and_safe(name: str):
    for remote in OFFICIAL[name].files:
        assert remote.url.startswith("https://")
        assert remote.sha256 is None or len(bytes.fromhex(remote.sha256)) == 32
    published = {"yelp": "afc26626", "tinyyolov2-7": "b20099da"}
    if name in published:
        assert str(OFFICIAL[name].files[0].sha256).startswith(published[name])


# ------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!doctype html>quota", "gives a web page in place of"),
        (zip_of({"../evil": b"1"}), "would land outside its folder"),
        (zip_of({"other.txt": b"1"}), "holds no yelp_labelled.txt"),
        (b"no zip at all", "is no archive"),
    ],
)
def test_what_is_not_what_it_should_be_is_refused_not_replaced(server: Server, content, said: str):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(content)
    with pytest.raises(DownloadRefused, match=said):
        bring("yelp")
    assert cached(OFFICIAL["yelp"]) is None


def test_a_wrong_sha256_is_refused(server: Server, monkeypatch):
    remote = replace(OFFICIAL["yelp"].files[0], sha256=hashlib.sha256(b"other").hexdigest())
    monkeypatch.setitem(OFFICIAL, "yelp", replace(OFFICIAL["yelp"], files=(remote,)))
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    with pytest.raises(DownloadRefused, match="do not use it"):
        bring("yelp")


def test_an_interrupt_leaves_no_half_sample(server: Server, monkeypatch):
    from mlnb.data import official

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(official, "unpack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bring("yelp")
    assert len(bring("yelp")[0].data()) == 2
    assert len(server.requests) == 1


FETCH = """
import sys
from dataclasses import replace
from mlnb.data.official import OFFICIAL, Remote
from mlnb.data.samples import load_sample
OFFICIAL["yelp"] = replace(OFFICIAL["yelp"], files=(Remote(sys.argv[1]),))
print(len(load_sample("yelp").data()))
"""


def test_two_processes_that_want_one_sample_fetch_it_once(server: Server):
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP, pause=0.5)
    command = [sys.executable, "-c", FETCH, server.url("/sentiment+labelled+sentences.zip")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outs = [process.communicate(timeout=30)[0].splitlines() for process in both]
    assert [out[-1] for out in outs] == ["2", "2"]
    assert len(server.requests) == 1


# -------------------------------------------------------------------------------------- stand-ins


@pytest.mark.parametrize("reason", ["404", "offline"])
def test_a_stand_in_says_first_that_it_is_one_and_then_why(
    server: Server, monkeypatch, reason: str
):
    if reason == "offline":
        monkeypatch.setenv("MLNB_OFFLINE", "1")
    sample, said = bring("yelp")
    assert said[0] == "STAND-IN made up by mlnb, not the real yelp: its figures mean nothing"
    assert ("404" if reason == "404" else "MLNB_OFFLINE") in said[1]
    assert sample.stand_in
    assert sample.description == said[0]
    assert repr(sample) == "Sample('yelp', text, stand-in)"
    assert (sample.path.parent / "README").read_text() == f"{said[0]}\n"
    assert (len(server.requests) == 0) == (reason == "offline")


def test_a_stand_in_does_not_stay_once_the_real_one_can_be_had(server: Server):
    assert bring("yelp")[0].stand_in
    assert not {sample.name: sample.here for sample in list_samples()}["yelp"]
    server.pages["/sentiment+labelled+sentences.zip"] = Page(YELP)
    assert not bring("yelp")[0].stand_in


@pytest.mark.parametrize("name", list(OFFICIAL))
def test_there_is_a_stand_in_for_each_which_comes_out_the_same(name: str, tmp_path, monkeypatch):
    contents = []
    for folder in ("one", "two"):
        monkeypatch.setenv("MLNB_CACHE", str(tmp_path / folder))
        sample = stand_in(OFFICIAL[name])
        assert len(sample.data()) > 0
        assert "STAND-IN" in sample.description
        root = tmp_path / folder / "mlnb-stand-ins" / name
        files = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        assert sum(map(len, files.values())) < 1_000_000
        contents.append(files)
    assert contents[0] == contents[1]


def test_made_texts_and_pictures_are_like_the_real_ones():
    yelp = stand_in(OFFICIAL["yelp"]).data()
    assert yelp["label"].value_counts().tolist() == [180, 180]
    facts = describe_texts(yelp)
    assert (facts.empty, facts.duplicates, facts.contradictions) == (0, 0, 0)
    sick = stand_in(OFFICIAL["sick"]).data()
    assert sick["score"].between(1, 5).all()
    assert set(sick["part"]) == {"TRAIN", "TRIAL", "TEST"}
    assert not sick[["sentence_a", "sentence_b"]].duplicated().any()
    same = sick["sentence_a"] == sick["sentence_b"]
    assert (sick["score"][same] == 5.0).all()
    assert (sick["score"][~same] < 5.0).all()
    pets = stand_in(OFFICIAL["cats_vs_dogs"]).data()
    assert pets["label"].value_counts().to_dict() == {"cats": 20, "dogs": 20}
    pictures = {read_image(path).tobytes() for path in pets["path"]}
    assert len(pictures) == 40
    digits = stand_in(OFFICIAL["digits"]).data()
    assert digits.images.shape == (300, 8, 8)
    assert digits.images.max() == 16
    shapes = {(image > 0).tobytes() for image in digits.images}
    assert len(shapes) == 100
    assert (
        stand_in(OFFICIAL["detection"]).data()["path"].map(read_image).map(len).tolist() == [96] * 4
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mnist-8", (1, 10)), ("squeezenet1.1-7", (1, 1000)), ("tinyyolov2-7", (1, 125, 13, 13))],
)
def test_made_models_have_the_real_ones_inputs_and_outputs(name: str, shape: tuple[int, ...]):
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(stand_in(OFFICIAL[name]))
    onnx.checker.check_model(model, full_check=True)
    assert "its figures mean nothing" in model.doc_string
    (source,) = model.graph.input
    sizes = [d.dim_value or 1 for d in source.type.tensor_type.shape.dim]
    (answer,) = ReferenceEvaluator(model).run(None, {source.name: np.ones(sizes, np.float32)})
    assert answer.shape == shape


def test_where_nothing_can_be_written_that_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="set MLNB_CACHE to a folder"):
        bring("yelp")
