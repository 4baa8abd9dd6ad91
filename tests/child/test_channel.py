"""The line between two processes: sealed memory, no copy too many, and nothing taken on trust."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import threading
import time

import numpy as np
import pytest

from mlnb.child.arrays import pack
from mlnb.child.channel import IN_STREAM, SLAB, SocketChannel


@pytest.fixture
def pair():
    first, second = socket.socketpair()
    ours, theirs = SocketChannel(first, parent=True), SocketChannel(second, parent=False)
    yield ours, theirs
    ours.close()
    theirs.close()


def sent(sender, receiver, value):
    thread = threading.Thread(target=sender.send, args=(pack(value),))
    thread.start()
    received = receiver.receive()
    thread.join(5)
    return received


@pytest.mark.parametrize(
    "size", [0, 1, IN_STREAM - 1, IN_STREAM, 3 * IN_STREAM + 5, SLAB, SLAB + 1]
)
def test_arrays_of_every_size_cross(pair, size):
    array = np.arange(size, dtype=np.uint8)
    assert np.array_equal(sent(*pair, {"x": array})["x"], array)


def test_the_slab_is_filled_anew_for_each_value(pair):
    for number in range(3):
        array = np.full(IN_STREAM + number, number, np.uint8)
        assert np.array_equal(sent(*pair, [array, array])[1], array)


def test_files_are_closed_on_both_sides(pair):
    ours, theirs = pair
    sent(ours, theirs, np.zeros(IN_STREAM, np.uint8))
    before = len(os.listdir("/proc/self/fd"))
    for size in (IN_STREAM, SLAB + 1):
        sent(ours, theirs, np.zeros(size, np.uint8))
        sent(theirs, ours, np.zeros(size, np.uint8))
    assert len(os.listdir("/proc/self/fd")) == before


def test_received_arrays_can_be_written_where_that_was_asked(pair):
    ours, theirs = pair
    array = np.zeros(IN_STREAM, np.uint8)
    assert sent(theirs, ours, array).flags.writeable
    assert not sent(ours, theirs, array).flags.writeable


def test_without_memfd_the_bytes_follow_in_the_stream(pair, monkeypatch):
    def forbidden(*_):
        raise PermissionError("a sandbox forbids it")

    monkeypatch.setattr(os, "memfd_create", forbidden)
    array = np.random.default_rng(0).integers(0, 255, 10 * IN_STREAM)
    assert np.array_equal(sent(*pair, [array, array[::2]])[1], array[::2])


def test_a_wait_ends_at_its_deadline(pair):
    ours, _ = pair
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        ours.receive(begin + 0.1)
    with pytest.raises(TimeoutError):
        ours.send(pack("x" * 10**7), time.monotonic() + 0.1)
    assert time.monotonic() - begin < 1


def test_the_end_of_the_other_side_is_an_end(pair):
    ours, theirs = pair
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive()


def test_a_message_cut_short_is_an_end():
    first, second = socket.socketpair()
    first.sendall(struct.pack("<4sIQB", b"mlnb", 100, 0, 0) + b"[1")
    first.close()
    with pytest.raises(EOFError):
        SocketChannel(second, parent=False).receive()
    second.close()


def test_memory_that_its_writer_can_still_shorten_is_refused():
    first, second = socket.socketpair()
    file = os.memfd_create("open", os.MFD_ALLOW_SEALING)
    os.write(file, bytes(4096))
    text = b'{"array": [0, "|u1", [4096]]}'
    socket.send_fds(first, [struct.pack("<4sIQB", b"mlnb", len(text), 4096, 1)], [file])
    first.sendall(text)
    with pytest.raises(ValueError, match="not sealed"):
        SocketChannel(second, parent=True).receive()
    for end in (first, second):
        end.close()
    os.close(file)


def test_memory_shorter_than_announced_is_refused():
    first, second = socket.socketpair()
    file = os.memfd_create("short")
    socket.send_fds(first, [struct.pack("<4sIQB", b"mlnb", 2, 4096, 1)], [file])
    first.sendall(b"[]")
    with pytest.raises(ValueError, match="shorter than announced"):
        SocketChannel(second, parent=True).receive()
    for end in (first, second):
        end.close()
    os.close(file)


def test_bytes_that_are_no_message_are_refused():
    first, second = socket.socketpair()
    first.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ValueError, match="no message"):
        SocketChannel(second, parent=False).receive()
    first.close()
    second.close()


@pytest.mark.parametrize(
    "header",
    [(b"mlnb", 2**31, 0, 0), (b"mlnb", 2, 2**62, 0), (b"mlnb", 2, 2**62, 1), (b"mlnb", 2, 8, 9)],
    ids=["text", "stream", "memory", "no way"],
)
def test_announced_lengths_take_no_memory(header):
    first, second = socket.socketpair()
    first.sendall(struct.pack("<4sIQB", *header) + b"[]")
    with pytest.raises((ValueError, MemoryError)):
        SocketChannel(second, parent=True).receive(time.monotonic() + 5)
    first.close()
    second.close()


def test_memory_with_holes_is_refused():
    first, second = socket.socketpair()
    file = os.memfd_create("holes", os.MFD_ALLOW_SEALING)
    os.ftruncate(file, 2**40)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, 0xF)
    text = b'{"array": [0, "|u1", [1099511627776]]}'
    start = struct.pack("<4sIQB", b"mlnb", len(text), 2**40, 1) + text
    socket.send_fds(first, [start], [file])
    with pytest.raises(ValueError, match="shorter than announced"):
        SocketChannel(second, parent=True).receive()
    for end in (first, second):
        end.close()
    os.close(file)


def test_more_files_than_one_are_closed():
    first, second = socket.socketpair()
    channel = SocketChannel(second, parent=True)
    files = [os.memfd_create("many") for _ in range(20)]
    before = len(os.listdir("/proc/self/fd"))
    socket.send_fds(first, [b"GET / HTTP/1.1\r\n\r\n"], files)
    with pytest.raises(ValueError, match="no message"):
        channel.receive()
    assert len(os.listdir("/proc/self/fd")) == before
    for file in files:
        os.close(file)
    first.close()
    second.close()


def test_messages_that_come_together_are_told_apart(pair):
    ours, theirs = pair
    for number in range(3):
        theirs.send(pack([number, np.full(100, number)]))
    for number in range(3):
        received = ours.receive(time.monotonic() + 5)
        assert received[0] == number
        assert (received[1] == number).all()


def test_a_message_that_comes_byte_by_byte_is_whole():
    first, second = socket.socketpair()
    channel = SocketChannel(second, parent=True)
    packed = pack({"x": np.arange(5)})
    whole = struct.pack("<4sIQB", b"mlnb", len(packed.text), packed.size, 0) + packed.text
    whole += b"".join(bytes(part) for _, part in packed.parts)

    def drip():
        for i in range(len(whole)):
            first.sendall(whole[i : i + 1])
            time.sleep(0.001)

    thread = threading.Thread(target=drip)
    thread.start()
    assert channel.receive(time.monotonic() + 5)["x"].tolist() == [0, 1, 2, 3, 4]
    thread.join()
    first.close()
    second.close()
