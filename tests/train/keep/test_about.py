"""`run.json` is believed whole or not at all."""

from contextlib import suppress

import pytest
from train_states import DAMAGE

from mlnb.errors import CheckpointError
from mlnb.train.keep.about import ABOUT, read_about, write_about

STATUS = {"name": "net", "status": "training", "best": {"val_loss": 0.25}, "note": "\u202e"}


@pytest.fixture
def place(tmp_path):
    write_about(tmp_path, STATUS)
    return tmp_path


def test_what_is_read_is_what_was_written(place):
    assert read_about(place) == STATUS
    write_about(place, {"name": "other"})
    assert read_about(place) == {"name": "other"}
    assert [path.name for path in place.iterdir()] == [ABOUT]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(place, damage):
    DAMAGE[damage](place / ABOUT)
    with pytest.raises(CheckpointError, match=r"run\.json is (missing|damaged)"):
        read_about(place)


def test_every_flip_is_noticed(place):
    whole = (place / ABOUT).read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 2
        (place / ABOUT).write_bytes(damaged)
        with suppress(CheckpointError):
            assert read_about(place) == STATUS  # white space between, at most


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b"7" * 5000, b"[" * 100_000, b'{"run": {}, "sha256": 7}']
)
def test_what_is_no_run_json_is_an_error_of_ours(place, content):
    (place / ABOUT).write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        read_about(place)
