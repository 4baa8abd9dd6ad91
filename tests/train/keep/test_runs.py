"""The table of runs: what it says of each, and how room is made for the next one."""

import gc
import os
import time
from pathlib import Path

import pytest
from train_states import state_of

from mlnb.errors import CheckpointError, UnknownName
from mlnb.train.keep.resuming import find
from mlnb.train.keep.run_folder import RunFolder
from mlnb.train.keep.runs import list_runs, make_room, runs_folder
from mlnb.train.keep.snapshot import take
from mlnb.train.trainer import Trainer


def made(path, status="finished", auto=True, when=0.0, **more):
    about = {"name": path.name, "status": status, "epoch": 1, "epochs": 2, "step": 3}
    with RunFolder.create(path) as folder:
        folder.save(take(state_of(steps=1)), "epoch")
        folder.describe(**about | {"auto": auto, "when": when} | more)
    return path


def test_a_finished_run_is_a_line(tmp_path, rows, classifier):
    Trainer(classifier(), lr=0.01).fit(
        rows, validation=0.2, epochs=2, folder=tmp_path / "a", name="first"
    )
    table = list_runs(tmp_path)
    row = table["a"]
    assert (row.status, row.epoch, row.epochs, row.folder) == ("finished", 2, 2, tmp_path / "a")
    assert row.settings["lr"] == 0.01
    assert "val_loss" in row.best
    assert len(row.history()) == row.step
    assert "first  finished  2 of 2  val_loss" in repr(table)
    assert repr(table).endswith("  a")
    assert table["first"] is row
    assert "lr 0.01" in repr(table)
    assert "<td>finished</td>" in table._repr_html_()
    assert list(table.to_frame().loc[0, ["name", "lr"]]) == ["a", 0.01]
    assert [row.name for row in list_runs(tmp_path / "a")] == ["a"]


def test_notes_of_checkpoints_stand_in_it(tmp_path, rows, classifier):
    class Note:
        def on_epoch_end(self, run):
            run.checkpoint("before the cooling")

    Trainer(classifier(), callbacks=[Note()]).fit(rows, epochs=1, folder=tmp_path / "a")
    assert list_runs(tmp_path)["a"].note == "before the cooling"


def test_live_runs_are_in_it_with_and_without_a_folder(rows, classifier):
    seen = {}

    class Look:
        def on_epoch_end(self, run):
            for row in list_runs():
                seen[row.title] = row

    Trainer(classifier(), callbacks=[Look()]).fit(rows, epochs=1, folder=False, name="bare")
    assert seen["bare"].status == "training"
    assert seen["bare"].folder is None
    path = runs_folder() / "mine"
    Trainer(classifier(), callbacks=[Look()]).fit(rows, epochs=1, folder=path, name="kept")
    assert (seen["kept"].name, seen["kept"].status) == ("mine", "training")
    assert seen["kept"].run is not None
    assert list_runs()["kept"].status == "finished"
    assert list_runs()["kept"].run is None


def test_runs_of_this_session_are_in_it_wherever_they_are_kept(tmp_path, rows, classifier):
    bare = Trainer(classifier()).fit(rows, epochs=1, folder=False, name="bare")
    path = tmp_path / "elsewhere"
    away = Trainer(classifier()).fit(rows, epochs=1, folder=path, name="away")
    table = list_runs()
    assert table["bare"].run is bare
    assert (table["bare"].status, table["bare"].folder) == ("finished", None)
    assert len(table["bare"].history()) == bare.step
    assert table["away"].folder == path
    assert "in memory" in repr(table)
    assert str(path) in repr(table)
    assert "in memory" in table._repr_html_()
    assert len(list_runs(tmp_path / "nothing")) == 0
    del bare, away
    gc.collect()  # the table keeps none of them
    assert table["bare"].run is None
    with pytest.raises(CheckpointError, match="run 'bare' has no checkpoint"):
        table["bare"].history()
    assert "bare" not in [row.title for row in list_runs()]


def test_a_run_with_a_folder_is_found_past_a_newer_one_without(rows, classifier, monkeypatch):
    monkeypatch.chdir(runs_folder().parent)
    Path("net").mkdir()  # a folder of that name, but of no run
    Trainer(classifier()).fit(rows, epochs=1, folder=runs_folder() / "kept", name="net")
    newer = Trainer(classifier()).fit(rows, epochs=1, folder=False, name="net")
    assert list_runs()["net"].run is newer
    assert find("net") == find("kept") == runs_folder() / "kept"


def test_a_run_in_the_folder_of_all_runs_hides_none(tmp_path):
    made(made(tmp_path / "runs") / "inner")
    assert [row.name for row in list_runs(tmp_path / "runs")] == ["runs", "inner"]


def test_a_run_whose_process_is_gone_was_cut_off(tmp_path):
    path = made(tmp_path / "a", status="training")
    assert list_runs(tmp_path)["a"].status == "cut off"
    with RunFolder.open(path):
        assert list_runs(tmp_path)["a"].status == "training"


def test_what_cannot_be_read_is_listed_with_the_reason(tmp_path):
    made(tmp_path / "good", when=5.0)
    for name, content in {
        "empty": b"", "nonsense": b"\xff\x00", "list": b"[1]", "deep": b"[" * 100_000,
    }.items():  # fmt: skip
        (made(tmp_path / name) / "run.json").write_bytes(content)
    (tmp_path / "bare" / "checkpoints").mkdir(parents=True)
    with RunFolder.open(made(tmp_path / "odd")) as folder:
        folder.describe(status=[], epoch="many", best=7, name="<script>\u202e")
    made(tmp_path / "never", when=1e300)
    made(tmp_path / "nan", when=float("nan"))
    made(tmp_path / "endless", epoch=float("inf"))
    made(tmp_path / "vast", best={"val_loss": 10**400}, when=6.0)
    (tmp_path / "file").write_text("not a run")
    table = list_runs(tmp_path)
    assert {row.name: row.status for row in table} == {
        "good": "finished", "empty": "unreadable", "nonsense": "unreadable",
        "list": "unreadable", "deep": "unreadable", "bare": "unreadable", "odd": "unreadable",
        "never": "unreadable", "nan": "unreadable", "endless": "unreadable", "vast": "finished",
    }  # fmt: skip
    assert table["bare"].note == "run.json is missing"
    assert table["empty"].note == "run.json is damaged"
    assert "unreadable" in repr(table)
    assert "unreadable" in table._repr_html_()
    assert len(table.to_frame()) == 11


def test_words_of_strangers_are_harmless_in_it(tmp_path):
    made(
        tmp_path / "<b>x",
        note="<script>alert(1)</script>\u202e\x1b[31m",
        settings={"trainer": {"lr": "<i>"}},
    )
    table = list_runs(tmp_path)
    page = table._repr_html_()
    assert "<script" not in page
    assert "<b>x" not in page
    assert "<i>" not in page
    assert "\x1b" not in repr(table) + page
    assert "\u202e" not in repr(table) + page


def test_an_unknown_name_gives_the_closest(tmp_path):
    made(tmp_path / "digits-1")
    with pytest.raises(UnknownName, match="no run 'digit-1'; did you mean 'digits-1'"):
        list_runs(tmp_path)["digit-1"]
    assert repr(list_runs(tmp_path / "nothing")) == f"no runs in {tmp_path / 'nothing'}"


def test_a_history_needs_a_checkpoint(tmp_path):
    path = made(tmp_path / "a")
    assert len(list_runs(tmp_path)["a"].history()) == 1
    with RunFolder.open(path) as folder:
        folder.delete(folder.entries[0])
    with pytest.raises(CheckpointError, match="no checkpoint to read a history from"):
        list_runs(tmp_path)["a"].history()


def test_the_oldest_finished_runs_make_room(tmp_path):
    for number in range(6):
        made(tmp_path / f"run-{number}", when=float(number))
    gone = make_room(tmp_path, most=4)
    assert [path.name for path in gone] == ["run-0", "run-1", "run-2"]
    assert len(list_runs(tmp_path)) == 3
    assert make_room(tmp_path, most=4) == []


def test_room_is_made_by_size_too(tmp_path):
    for number in range(3):
        made(tmp_path / f"run-{number}", when=float(number))
    size = list_runs(tmp_path)["run-0"].nbytes
    assert [path.name for path in make_room(tmp_path, nbytes=2 * size + 99)] == ["run-0"]
    assert [path.name for path in make_room(tmp_path, nbytes=0)] == ["run-1"]
    assert len(list_runs(tmp_path)) == 1  # the last one stays however large it is


def test_what_runs_what_was_named_and_what_tells_nothing_stays(tmp_path):
    made(tmp_path / "named", auto=False, when=0.0)
    held = RunFolder.open(made(tmp_path / "held", when=1.0))
    live = RunFolder.open(made(tmp_path / "live", status="training", when=2.0))
    (made(tmp_path / "damaged", when=3.0) / "run.json").write_text("?")
    made(tmp_path / "cut off", status="training", when=4.0)
    made(tmp_path / "done", when=5.0)
    gone = make_room(tmp_path, most=1, nbytes=0)
    assert [path.name for path in gone] == ["done", "cut off"]
    held.close()
    live.close()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_making_room_follows_no_links(tmp_path):
    outside = made(tmp_path / "outside")
    root = tmp_path / "runs"
    path = made(root / "a")
    (path / "more").symlink_to(outside)
    (root / "b").symlink_to(outside)
    assert make_room(root, most=1) == [path]
    assert (outside / "run.json").exists()


def test_the_table_is_quick(tmp_path):
    for number in range(20):
        made(tmp_path / f"run-{number}")
    began = time.process_time()
    list_runs(tmp_path)
    assert time.process_time() - began < 0.2
