"""Archives: what is unpacked, and what an archive cannot do to this machine."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlnb.data import archives
from mlnb.data.archives import UnpackLimits, unpack
from mlnb.errors import DownloadError, DownloadRefused

FILES = {"a.txt": b"one", "folder/b.bin": bytes(range(256)) * 3, "folder/empty": b""}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to put archives into; unpacked ones belong below `out`, and nothing beside it."""
    (tmp_path / "in").mkdir()
    return tmp_path


def zipped(file: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file


def tarred(file: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(file, mode) as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return file


def unpacked(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(archive: Path, place: Path, limits: UnpackLimits | None = None) -> str:
    """What the refusal says; nothing may be left anywhere."""
    before = set(place.parent.rglob("*"))
    with pytest.raises(DownloadRefused) as error:
        unpack(archive, place / "out", limits)
    assert set(place.parent.rglob("*")) == before
    return str(error.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_are_unpacked_whatever_packs_them(place: Path, mode: str):
    unpack(tarred(place / "in/a", FILES, mode), place / "out")
    assert unpacked(place / "out") == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_zip_files_are_unpacked_and_told_by_their_content(place: Path, method: int):
    unpack(zipped(place / "in/a.tar.gz", FILES, method), place / "out")
    assert unpacked(place / "out") == FILES


def test_a_folder_of_the_archive_itself_is_no_obstacle(place: Path):
    (place / "in/tree").mkdir()
    (place / "in/tree/a.txt").write_text("x")
    with tarfile.open(place / "in/a.tar", "w") as made:
        made.add(place / "in/tree", ".")
    unpack(place / "in/a.tar", place / "out")
    assert unpacked(place / "out") == {"a.txt": b"x"}


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "folder/../../evil",
        "/etc/evil",
        "..\\evil",
        "C:\\evil",
        "c:evil",
        "\\\\host\\share\\evil",
        "..",
    ],
)
def test_no_name_leads_out_of_the_folder(place: Path, make: Callable[..., Path], name: str):
    archive = make(place / "in/a", {"good.txt": b"1", name: b"evil"})
    assert "would land outside its folder" in refused(archive, place)


def test_a_name_cut_by_a_nul_is_refused(place: Path):
    archive = zipped(place / "in/a.zip", {"goodXevil.txt": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"goodXevil", b"good\0evil"))
    assert "good\\x00evil" in refused(archive, place)


def test_a_hostile_name_is_shown_harmless(place: Path):
    said = refused(zipped(place / "in/a.zip", {"../\u202e\x1b[31m": b""}), place)
    assert "\u202e" not in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_a_tar_holds_files_and_folders_only(place: Path, kind: bytes):
    with tarfile.open(place / "in/a.tar", "w") as made:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = kind, "/etc/passwd"
        made.addfile(entry)
    assert "a link or a device" in refused(place / "in/a.tar", place)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_zip_holds_files_and_folders_only(place: Path, kind: int):
    with zipfile.ZipFile(place / "in/a.zip", "w") as made:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (kind | 0o777) << 16
        made.writestr(entry, "/etc/passwd")
    assert "a link or a device" in refused(place / "in/a.zip", place)


def test_what_is_unpacked_may_not_be_run(place: Path):
    with tarfile.open(place / "in/a.tar", "w") as made:
        entry = tarfile.TarInfo("run.sh")
        entry.mode = 0o4777
        made.addfile(entry)
    unpack(place / "in/a.tar", place / "out")
    assert (place / "out/run.sh").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_refused_by_its_ratio(place: Path, make: Callable[..., Path]):
    archive = make(place / "in/a", {"zeros": bytes(20_000_000)})
    assert "it looks like a bomb" in refused(archive, place)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_the_caps_hold(place: Path, make: Callable[..., Path]):
    archive = make(place / "in/a", FILES)
    assert "more than 2 files" in refused(archive, place, UnpackLimits(files=2))
    assert "the limit is 500 B" in refused(archive, place, UnpackLimits(nbytes=500))
    unpack(archive, place / "out", UnpackLimits(files=3, nbytes=771))


def test_a_zip_that_lies_about_its_sizes_is_refused(place: Path):
    archive = zipped(place / "in/a.zip", {"zeros": bytes(3_000_000)})
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", 10)
    archive.write_bytes(content)
    refused(archive, place)


def test_a_tar_whose_header_claims_gigabytes_is_refused(place: Path):
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 2 * 2**30
    head = entry.tobuf(tarfile.USTAR_FORMAT)
    (place / "in/a.tar.gz").write_bytes(gzip.compress(head + bytes(100_000)))
    assert "a header of 2.15 GB" in refused(place / "in/a.tar.gz", place)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_two_entries_for_one_place_are_refused(place: Path, kind: str, names: tuple[str, str]):
    if kind == "zip":
        with zipfile.ZipFile(place / "in/a", "w") as made:
            for name in names:
                made.writestr(name, b"1")
    else:
        with tarfile.open(place / "in/a", "w") as made:
            for name in names:
                made.addfile(tarfile.TarInfo(name))
    assert "twice" in refused(place / "in/a", place)


def test_an_encrypted_zip_is_refused(place: Path):
    archive = zipped(place / "in/a.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    assert "encrypted" in refused(archive, place)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\3\4", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0"]
)
def test_what_is_no_archive_is_told(place: Path, content: bytes):
    (place / "in/a.zip").write_bytes(content * 20)
    assert "is no archive that can be unpacked" in refused(place / "in/a.zip", place)


@pytest.mark.parametrize(("make", "mode"), [(zipped, 8), (tarred, "w"), (tarred, "w:gz")])
def test_every_truncation_is_refused_or_harmless(place: Path, make, mode):
    whole = make(place / "in/a", FILES, mode).read_bytes()
    for length in range(1, len(whole), max(1, len(whole) // 60)):
        (place / "in/a").write_bytes(whole[:length])
        try:
            unpack(place / "in/a", place / "out")
        except DownloadRefused:
            assert not (place / "out").exists()
        else:  # a tar may end between two files: its sha256 tells, not its form
            archives.shutil.rmtree(place / "out")


def test_a_full_disk_leaves_nothing_half_unpacked(place: Path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "sync", full)
    with pytest.raises(DownloadError, match=r"could not be unpacked .*No space left.*MLNB_CACHE"):
        unpack(zipped(place / "in/a.zip", FILES), place / "out")
    assert not (place / "out").exists()
