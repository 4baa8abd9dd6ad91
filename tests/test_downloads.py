"""Downloads: from a server that behaves, from one that does not, and under bad luck here."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request

import pytest
from file_server import Page, Server

from mlnb import cache, transfer
from mlnb.cache import cache_folder, clear_cache, locked
from mlnb.downloads import download, is_address
from mlnb.errors import DownloadError, DownloadRefused, MlnbError
from mlnb.formatting import bytes_text

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, online, and short pauses."""
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLNB_OFFLINE", raising=False)
    monkeypatch.setattr(transfer, "PAUSE_SECONDS", 0.001)
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        running.pages["/net.onnx"] = Page(CONTENT, etag='"1"')
        yield running


def bring(server: Server, path: str = "/net.onnx", **options: object) -> tuple[Path, list[str]]:
    said: list[str] = []
    return download(server.url(path), tell=said.append, **options), said


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part*"))


# ------------------------------------------------------------------------------- as it should go


def test_a_file_is_brought_once_and_address_and_size_are_told_first(server, folder: Path):
    file, said = bring(server)
    assert file.read_bytes() == CONTENT
    assert file.name == "net.onnx"
    assert folder in file.parents
    assert said[0] == f"downloading {server.url('/net.onnx')} (102 kB)"
    assert parts(folder) == []
    again, silence = bring(server)
    assert (again, silence, len(server.requests)) == (file, [], 1)


def test_it_prints_where_nobody_else_takes_the_lines(server, capsys):
    download(server.url("/net.onnx"))
    assert capsys.readouterr().out.startswith("downloading http://127.0.0.1:")


def test_the_first_download_is_pinned_and_says_so(server):
    file, said = bring(server)
    assert f"pinned what came ({SHA256})" in said[1]
    pin = json.loads((file.parent / "pin.json").read_text())
    assert (pin["url"], pin["sha256"]) == (server.url("/net.onnx"), SHA256)
    assert pin["date"].count("-") == 2


def test_a_published_sha256_is_believed_without_a_word(server):
    file, said = bring(server, sha256=SHA256.upper())
    assert file.read_bytes() == CONTENT
    assert len(said) == 1


def test_progress_is_told_in_kilobytes(server, monkeypatch):
    from mlnb import progress

    told = []
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    previous = progress.set_sink(lambda *call: told.append(call))
    try:
        bring(server)
    finally:
        progress.set_sink(previous)
    assert told[-1] == ("net.onnx (kB)", 102, 102)


def test_addresses_with_odd_characters_are_asked_for_and_named_harmlessly(server, folder: Path):
    server.pages["/m%C3%BCll%20a.onnx?v=%C3%A9&b=1"] = Page(CONTENT)
    assert bring(server, "/müll a.onnx?v=é&b=1#part")[0].name == "müll_a.onnx"
    for hostile in ("/..%2f..%2fevil.onnx", "/%2e%2e", "/a%00b.onnx", "/", "/" + "n" * 300):
        server.pages[hostile] = Page(CONTENT)
        file, _ = bring(server, hostile)
        assert file.parent.parent == folder / "mlnb-downloads"
        assert file.is_file()


# ------------------------------------------------------------------------------------ bad servers


def test_a_file_that_is_not_there_says_to_check_the_address(server, folder: Path):
    with pytest.raises(DownloadError, match=r"answers 404 Not Found .*check the address"):
        bring(server, "/gone.onnx")
    assert parts(folder) == []


def test_a_cut_connection_is_resumed_and_ends_right(server):
    server.pages["/net.onnx"].cuts = [30_000, 40_000, 5]
    file, said = bring(server, sha256=SHA256)
    assert file.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=30000-", "bytes=70000-", "bytes=70005-"]
    assert [headers.get("if-range") for _, headers in server.requests] == [
        None,
        '"1"',
        '"1"',
        '"1"',
    ]
    assert len(said) == 1


def test_without_a_mark_of_its_version_a_cut_file_begins_anew(server):
    server.pages["/net.onnx"] = Page(CONTENT, cuts=[30_000])
    assert bring(server)[0].read_bytes() == CONTENT
    assert server.ranges == ["", ""]


def test_a_known_sha256_is_as_good_as_a_mark(server):
    server.pages["/net.onnx"] = Page(CONTENT, cuts=[30_000])
    assert bring(server, sha256=SHA256)[0].read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=30000-"]


def test_a_weak_mark_promises_nothing(server):
    server.pages["/net.onnx"] = Page(CONTENT, etag='W/"1"', cuts=[30_000])
    assert bring(server)[0].read_bytes() == CONTENT
    assert server.ranges == ["", ""]


def test_a_file_that_changed_meanwhile_is_not_glued_together(server):
    server.pages["/net.onnx"].cuts = [30_000] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_receive", raising_after(transfer._receive, 1))
        with pytest.raises(KeyboardInterrupt):
            bring(server)
    server.pages["/net.onnx"] = Page(CONTENT[::-1], etag='"2"')
    assert bring(server)[0].read_bytes() == CONTENT[::-1]
    assert server.ranges[-1] == "bytes=30000-"


def raising_after(function, count: int):
    """`function`, which is interrupted at its next call after so many."""
    calls = []

    def run(*arguments):
        calls.append(1)
        if len(calls) > count:
            raise KeyboardInterrupt
        return function(*arguments)

    return run


def test_a_file_that_shrank_below_what_is_here_begins_anew(server):
    server.pages["/net.onnx"].cuts = [30_000]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_receive", raising_after(transfer._receive, 1))
        with pytest.raises(KeyboardInterrupt):
            bring(server)
    server.pages["/net.onnx"] = Page(CONTENT[:500], etag='"1"')
    assert bring(server)[0].read_bytes() == CONTENT[:500]


def test_a_server_that_ignores_ranges_sends_all_of_it_again(server):
    server.pages["/net.onnx"] = Page(CONTENT, etag='"1"', ranges=False, cuts=[30_000, 60_000])
    assert bring(server)[0].read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=30000-", "bytes=60000-"]


def test_a_server_that_always_cuts_is_given_up_and_what_came_is_kept(server, folder: Path):
    server.pages["/net.onnx"] = Page(CONTENT, etag='"1"', ranges=False, cuts=[30_000] * 50)
    with pytest.raises(DownloadError, match=r"cut after 30 kB of 102 kB; 30 kB are kept"):
        bring(server)
    assert len(server.requests) == 1 + transfer.ATTEMPTS


def test_a_size_that_nobody_says_is_no_obstacle(server):
    server.pages["/net.onnx"] = Page(CONTENT, length=False)
    file, said = bring(server)
    assert file.read_bytes() == CONTENT
    assert "(size unknown)" in said[0]


def test_what_is_too_large_is_refused_with_the_way_to_have_it(server, folder: Path):
    with pytest.raises(DownloadRefused, match=r"has 102 kB, the limit is 1 kB; .*limit=102400\)"):
        bring(server, limit=1000)
    assert bring(server, limit=102_400)[0].read_bytes() == CONTENT


def test_what_grows_too_large_is_refused_as_soon_as_it_does(server, folder: Path):
    server.pages["/net.onnx"] = Page(CONTENT, length=False)
    with pytest.raises(DownloadRefused, match=r"the limit is 1 kB; .*limit=BYTES\)"):
        bring(server, limit=1000)
    assert parts(folder) == []


def test_a_disk_without_room_is_told_before_the_first_byte(server, monkeypatch, folder: Path):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        DownloadError, match=r"needs 102 kB, and .* has only 1 kB left; .*MLNB_CACHE"
    ):
        bring(server)
    assert parts(folder) == []


def test_another_sha256_than_the_published_is_refused_and_not_kept(server, folder: Path):
    with pytest.raises(DownloadRefused, match=rf"sha256 {SHA256}, expected was 000.*do not use it"):
        bring(server, sha256="0" * 64)
    assert not any(path.stat().st_size >= len(CONTENT) for path in folder.rglob("*"))


def test_what_differs_from_the_pinned_is_refused_with_the_remedy(server):
    file, _ = bring(server)
    file.unlink()
    server.pages["/net.onnx"] = Page(CONTENT[::-1], etag='"2"')
    with pytest.raises(DownloadRefused, match=r"pinned at the first download .*delete (\S+)") as no:
        bring(server)
    assert not file.exists()
    Path(str(no.value).split("delete ")[1].split(" and try")[0]).unlink()
    assert bring(server)[0].read_bytes() == CONTENT[::-1]


def test_a_damaged_part_is_thrown_away_and_the_whole_brought(server, folder: Path):
    file, _ = bring(server, sha256=SHA256)
    file.unlink()
    file.with_name("net.onnx.part").write_bytes(b"?" * 1000)
    assert bring(server, sha256=SHA256)[0].read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=1000-", ""]
    assert parts(folder) == []


def test_a_damaged_copy_in_the_cache_is_brought_again(server):
    file, _ = bring(server)
    file.write_bytes(CONTENT[:-1] + b"?")
    again, said = bring(server)
    assert again.read_bytes() == CONTENT
    assert "downloaded again" in said[0]


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><title>Sign in</title>",
        b"\n <html><body>quota</body></html>",
        b'<?xml version="1.0"?><!-- a --><HTML>',
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    ],
)
def test_a_page_in_place_of_the_file_is_refused(server, page: bytes):
    server.pages["/yelp.zip"] = Page(page)
    with pytest.raises(DownloadRefused, match=r"gives a (web page|pointer of Git LFS) in place of"):
        bring(server, "/yelp.zip")
    server.pages["/page.html"] = Page(b"<html>wanted</html>")
    assert bring(server, "/page.html")[0].read_bytes() == b"<html>wanted</html>"


def test_redirects_are_followed(server):
    server.pages["/old"] = Page(status=302, to="/net.onnx")
    assert bring(server, "/old")[0].read_bytes() == CONTENT


def test_what_was_cut_behind_a_redirect_is_resumed(server):
    server.pages["/old"] = Page(status=302, to="/net.onnx")
    server.pages["/net.onnx"].cuts = [30_000]
    assert bring(server, "/old")[0].read_bytes() == CONTENT
    assert server.ranges == ["", "", "bytes=30000-", "bytes=30000-"]


def test_a_loop_of_redirects_ends(server):
    server.pages["/a"] = Page(status=302, to="/b")
    server.pages["/b"] = Page(status=301, to="/a")
    with pytest.raises(DownloadError, match="sends on and on"):
        bring(server, "/a")
    assert len(server.requests) < 30


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_redirects_lead_to_http_only(server, to: str):
    server.pages["/a"] = Page(status=302, to=to)
    with pytest.raises(DownloadError):
        bring(server, "/a")


def test_no_redirect_leads_from_https_to_http():
    handler = transfer._Redirects()
    request = Request("https://example.org/net.onnx")
    with pytest.raises(DownloadRefused, match="never from https to http"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://example.org/net.onnx")
    followed = handler.redirect_request(request, None, 302, "Found", {}, "https://example.org/b")
    assert followed.full_url == "https://example.org/b"


def test_a_busy_server_is_asked_again(server):
    server.pages["/net.onnx"].failures = 2
    assert bring(server)[0].read_bytes() == CONTENT
    server.pages["/never"] = Page(CONTENT, failures=100)
    with pytest.raises(DownloadError, match="answers 503"):
        bring(server, "/never")


def test_a_server_that_falls_silent_is_given_up(server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.1)
    server.pages["/net.onnx"].pause = 5.0
    with pytest.raises(DownloadError, match=r"cut: .*timed out"):
        bring(server)


def test_a_host_out_of_reach_is_told_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"cannot reach 127\.0\.0\.1:\d+: .*online"):
        download(f"http://127.0.0.1:{port}/net.onnx", tell=print)


# ------------------------------------------------------------------------------------ bad callers


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "begins with https:// or http://"),
        ("ftp://example.org/net.onnx", "begins with https:// or http://"),
        ("net.onnx", "begins with https:// or http://"),
        ("http://", "begins with https:// or http://"),
        ("https://ann:secret@example.org/net.onnx", "bears a name or a password"),
        ("http://example.org:port/", "is no address"),
        ("http://[::1/net.onnx", "is no address"),
    ],
)
def test_an_address_must_be_one_of_the_web(url: str, said: str):
    with pytest.raises(DownloadError, match=said) as error:
        download(url)
    assert "secret" not in str(error.value)


def test_a_sha256_must_be_one():
    with pytest.raises(MlnbError, match="64 hexadecimal digits"):
        download("https://example.org/net.onnx", sha256="abc")


def test_an_address_is_told_from_a_path():
    assert is_address("https://example.org/x")
    assert is_address("s3://bucket/x")
    assert not is_address(r"C:\models\net.onnx")
    assert not is_address("models/net.onnx")


def test_offline_nothing_is_asked_and_what_is_here_is_found(server, monkeypatch):
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="MLNB_OFFLINE"):
        bring(server)
    assert server.requests == []
    monkeypatch.setenv("MLNB_OFFLINE", "0")
    file, _ = bring(server)
    monkeypatch.setenv("MLNB_OFFLINE", "1")
    assert bring(server)[0] == file


# --------------------------------------------------------------------------------- bad luck here


def test_an_interrupt_keeps_what_came(server, monkeypatch, folder: Path):
    monkeypatch.setattr(transfer, "CHUNK", 10_000)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_block", raising_after(transfer._block, 3))
        with pytest.raises(KeyboardInterrupt):
            download(server.url("/net.onnx"), tell=said.append)
    (part,) = folder.rglob("*.part")
    kept = part.stat().st_size
    assert part.read_bytes() == CONTENT[:kept] != b""
    assert said[-1] == (
        f"interrupted; {bytes_text(kept)} are kept, and the same call goes on from there"
    )
    file, said = bring(server)
    assert file.read_bytes() == CONTENT
    assert said[0].endswith(f"(102 kB, going on from {bytes_text(kept)})")
    assert server.ranges == ["", f"bytes={kept}-"]


DOWNLOAD = """
import sys, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import mlnb, mlnb.cache
if "nolock" in sys.argv: mlnb.cache.fcntl = None
if "small" in sys.argv:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    print(mlnb.download(sys.argv[1]), flush=True)
except mlnb.MlnbError as error:
    print(type(error).__name__, error)
"""


def start(server: Server, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-uc", DOWNLOAD, server.url("/net.onnx"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_full_disk_keeps_what_fits_and_says_what_to_do(server):
    out, err = start(server, "small").communicate(timeout=30)
    assert "DownloadError the disk is full at " in out, err
    assert "40 kB are kept" in out
    file, _ = bring(server)
    assert file.read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=40000-"


@pytest.mark.parametrize("words", [[], ["nolock"]])
def test_of_two_processes_one_downloads_and_the_other_waits(server, words: list[str]):
    gate = server.pages["/net.onnx"].gate = threading.Event()
    first = start(server, *words)
    wait_for(lambda: server.requests)
    second = start(server, *words)
    assert second.stdout is not None
    waits = second.stdout.readline()
    gate.set()
    outs = [process.communicate(timeout=30)[0].splitlines() for process in (first, second)]
    assert waits == "another process is downloading net.onnx; waiting for it\n"
    assert outs[0][-1] == outs[1][-1]
    assert Path(outs[0][-1]).read_bytes() == CONTENT
    assert len(server.requests) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("blow", ["SIGKILL", "SIGINT"])
def test_a_process_that_dies_leaves_the_lock_and_what_came(server, folder: Path, blow: str):
    server.pages["/net.onnx"].pause = 0.02
    process = start(server)
    try:
        wait_for(lambda: any(part.stat().st_size for part in folder.rglob("*.part")))
        process.send_signal(getattr(signal, blow))
        process.communicate(timeout=10)
    finally:
        process.kill()
    server.pages["/net.onnx"].pause = 0
    assert bring(server)[0].read_bytes() == CONTENT
    assert server.ranges[-1].startswith("bytes=")


def wait_for(condition, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_without_system_locks_a_lock_that_nobody_touches_is_taken_over(monkeypatch, folder: Path):
    monkeypatch.setattr(cache, "fcntl", None)
    lock, waited = folder / "lock", []
    folder.mkdir()
    (folder / "lock.held").touch()
    os.utime(folder / "lock.held", (1, 1))
    with locked(lock, lambda: waited.append(1)):
        assert (folder / "lock.held").exists()
    assert waited == [1]
    assert not (folder / "lock.held").exists()


def test_a_lock_is_touched_while_it_is_held(monkeypatch, folder: Path):
    monkeypatch.setattr(cache, "fcntl", None)
    monkeypatch.setattr(cache, "STALE_SECONDS", 0.2)
    with locked(folder / "lock"):
        os.utime(folder / "lock.held", (1, 1))
        wait_for(lambda: (folder / "lock.held").stat().st_mtime > 1)


def test_a_cache_that_cannot_be_written_to_is_told_with_the_remedy(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match=r"cannot write to .*set MLNB_CACHE to a folder"):
        bring(server)


# ------------------------------------------------------------------------------------- the folder


def test_the_cache_is_where_the_platform_has_caches(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    for name, value, platform, wanted in (
        ("MLNB_CACHE", "~/mine", "linux", tmp_path / "mine"),
        ("MLNB_CACHE", "", "linux", tmp_path / ".cache/mlnb"),
        ("XDG_CACHE_HOME", str(tmp_path / "xdg"), "linux", tmp_path / "xdg/mlnb"),
        ("LOCALAPPDATA", str(tmp_path / "local"), "win32", tmp_path / "local/mlnb/Cache"),
        ("HOME", str(tmp_path), "darwin", tmp_path / "Library/Caches/mlnb"),
    ):
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(cache.sys, "platform", platform)
        assert cache_folder() == wanted


def test_clearing_deletes_what_is_ours_and_nothing_else(server, folder: Path):
    bring(server)
    (folder / "mine.txt").write_text("keep")
    (folder / "downloads").mkdir()
    assert clear_cache() >= len(CONTENT)
    assert sorted(path.name for path in folder.iterdir()) == ["downloads", "mine.txt"]
    assert clear_cache() == 0
