"""Event files are read back by a parser that shares nothing with the writer."""

from __future__ import annotations

import math
import struct
import sys
from types import ModuleType, SimpleNamespace

import pytest

from mlnb.errors import TrainError
from mlnb.train.callbacks.event_file import EventWriter, crc32c
from mlnb.train.callbacks.tensorboard import TensorBoard
from mlnb.train.history import History
from mlnb.train.trainer import Trainer


def slow_crc(data: bytes) -> int:
    """CRC-32C bit by bit, from its definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return ~crc & 0xFFFFFFFF


def unmasked(stored: bytes) -> int:
    rotated = (struct.unpack("<I", stored)[0] - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def records(path) -> list[bytes]:
    data, found, at = path.read_bytes(), [], 0
    while at < len(data):
        head = data[at : at + 8]
        length = struct.unpack("<Q", head)[0]
        assert unmasked(data[at + 8 : at + 12]) == slow_crc(head)
        body = data[at + 12 : at + 12 + length]
        assert unmasked(data[at + 12 + length : at + 16 + length]) == slow_crc(body)
        found.append(body)
        at += 16 + length
    return found


def fields(message: bytes) -> dict:
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value, at = message[at : at + size], at + size
            if kind in (1, 5):
                value = struct.unpack("<d" if kind == 1 else "<f", value)[0]
        found[key >> 3] = value
    return found


def points(path) -> list[tuple[str, int, float]]:
    first, *rest = (fields(record) for record in records(path))
    assert first[3] == b"brain.Event:2"
    found = []
    for event in rest:
        value = fields(fields(event[5])[1])
        found.append((value[1].decode(), event.get(2, 0), value[2]))
    return found


def test_the_checksum_is_castagnolis():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(bytes(range(256))) == slow_crc(bytes(range(256)))


def test_points_are_read_back(tmp_path):
    writer = EventWriter(tmp_path / "logs" / "run")
    writer.scalar("loss", 0.5, 0)
    writer.scalar("Verlust/ä", -1e30, 300_000_000_000)
    writer.scalar("huge", 1e300, 128)
    writer.scalar("none", float("nan"), 127)
    writer.close()
    found = points(writer.path)
    assert found[0] == ("loss", 0, 0.5)
    assert found[1][:2] == ("Verlust/ä", 300_000_000_000)
    assert found[1][2] == pytest.approx(-1e30)
    assert found[2] == ("huge", 128, math.inf)
    assert math.isnan(found[3][2])
    assert ".tfevents." in writer.path.name


def test_tensorboard_itself_reads_them(tmp_path, monkeypatch):
    # It would import TensorFlow, which bears no torchvision beside it and takes seconds.
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    writer = EventWriter(tmp_path)
    writer.scalar("loss", 0.5, 7)
    writer.close()
    events = list(loader.EventFileLoader(str(writer.path)).Load())
    assert events[-1].step == 7


def test_two_files_of_one_second_do_not_meet(tmp_path):
    first, second = EventWriter(tmp_path), EventWriter(tmp_path)
    assert first.path != second.path
    first.close()
    second.close()


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainError, match="no event file can be written"):
        EventWriter(tmp_path / "file" / "logs")


def test_the_callback_writes_steps_and_epochs(tmp_path):
    history = History()
    run = SimpleNamespace(history=history, step=40, edits=[])
    callback = TensorBoard(tmp_path, every=10)
    callback.on_fit_begin(run)
    history.extend(range(1, 31), loss=[0.25] * 30)
    history.add_epoch(epoch=1, step=30, loss=0.25, val_accuracy=0.75, seconds=1.0, note="text")
    callback.on_epoch_end(run)
    history.extend(range(31, 41), loss=[0.5] * 10)
    callback.on_fit_end(run)
    (path,) = tmp_path.iterdir()
    found = points(path)
    assert [point for point in found if point[0] == "step/loss"] == [
        ("step/loss", 1, 0.25), ("step/loss", 11, 0.25), ("step/loss", 21, 0.25),
        ("step/loss", 31, 0.5),
    ]  # fmt: skip
    assert ("epoch/val_accuracy", 30, 0.75) in found
    assert not any("note" in point[0] for point in found)


def test_what_is_trained_again_after_a_rewind_is_written_again(rows, classifier, tmp_path):
    class Back:
        done = False

        def on_step_end(self, run):
            if run.step == 6 and not self.done:
                self.done = True
                run.set_lr(0.1)
                run.rewind(0)

    callbacks = [TensorBoard(tmp_path, every=1), Back()]
    Trainer(classifier(), callbacks=callbacks).fit(rows, epochs=2, folder=False)
    (path,) = tmp_path.iterdir()
    steps = [step for name, step, _ in points(path) if name == "step/loss"]
    assert steps == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8]
