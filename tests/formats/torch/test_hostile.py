"""Checkpoints that were cut off, that lie, or that want to run something."""

from __future__ import annotations

import io
import os
import pickle
import random
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from models_made import weights_models

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.limits import Limits


class Toucher:
    """Loading it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle", "text"])
def test_a_payload_is_refused_by_name_and_does_not_run(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    value = {"state_dict": {"w": torch.zeros(2)}, "payload": Toucher(target)}
    content = {
        "zip": lambda: weights_models.saved(value),
        "legacy": lambda: weights_models.legacy(value),
        "pickle": lambda: pickle.dumps(Toucher(target), 4),
        "text": lambda: pickle.dumps(Toucher(target), 0),
    }[kind]()
    with pytest.raises(ModelFormatError, match=rf"refused.*{os.mkdir.__module__}\.mkdir") as error:
        open_model_file(content)
    assert not target.exists()
    assert "Nothing of it was run" in str(error.value)
    assert "torch.load" not in str(error.value)
    assert "weights_only=False" not in str(error.value)


@pytest.mark.parametrize(
    "program",
    [b"cbuiltins\neval\n(V1+1\ntR.", b"cos\nsystem\n(Vid\ntR.", b"(cos\nsystem\nVid\no."],
)
def test_programs_of_the_first_protocol_are_refused(program: bytes) -> None:
    with pytest.raises(ModelFormatError, match=r"is refused.*(builtins\.eval|os\.system)"):
        open_model_file(program)
    with pytest.raises(ModelFormatError, match="is refused"):
        open_model_file(weights_models.with_pickle(program))


def test_a_name_that_is_imported_and_thrown_away_is_seen_too() -> None:
    with pytest.raises(ModelFormatError, match=r"os\.system"):
        open_model_file(weights_models.with_pickle(b"\x80\x02cos\nsystem\n0}."))


def test_a_harmless_pickle_without_tensors_says_so() -> None:
    with pytest.raises(ModelFormatError, match="without tensors"):
        open_model_file(pickle.dumps({"a": 1}, 4))


def storage(key: object = "0", count: object = 4, kind: str = "FloatStorage") -> bytes:
    made = b"(Vstorage\nctorch\n" + kind.encode() + b"\n"
    return made + pickle.dumps(key, 0)[:-1] + b"Vcpu\n" + pickle.dumps(count, 0)[:-1] + b"tQ"


def tensor(held: bytes, offset: object, shape: object, strides: object) -> bytes:
    parts = b"".join(pickle.dumps(x, 0)[:-1] for x in (offset, shape, strides))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + held + parts + b"I00\nNtR"


def checkpoint(
    held: bytes, offset: object, shape: object, strides: object, stored: bytes = bytes(16)
) -> bytes:
    content = b"}Vw\n" + tensor(held, offset, shape, strides) + b"s."
    return weights_models.with_pickle(content, {"0": stored})


def test_a_tensor_made_by_hand_is_read() -> None:
    file = open_model_file(checkpoint(storage(), 1, (3,), (1,)))
    assert file.tensor("w").shape == (3,)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (checkpoint(storage(), 2, (3,), (1,)), "ends at byte 20 of a storage of 16"),
        (checkpoint(storage(), 0, (2, 2), (1000, 1)), "ends at byte"),
        (checkpoint(storage(), 0, (2**40,), (1,)), "ends at byte"),
        (checkpoint(storage(), -1, (1,), (1,)), "its offset"),
        (checkpoint(storage(), 0, (-1,), (1,)), "its shape"),
        (checkpoint(storage(), 0, (1,), (-1,)), "its shape"),
        (checkpoint(storage(), 0, (1, 1), (1,)), "its strides"),
        (checkpoint(storage(), 0, "abc", (1,)), "its shape"),
        (checkpoint(storage(count=10**6), 0, (4,), (1,)), "16 bytes of 4,000,000 needed"),
        (checkpoint(storage(key="9"), 0, (4,), (1,)), "is missing"),
        (checkpoint(storage(key="../../etc/passwd"), 0, (4,), (1,)), "is missing"),
        (checkpoint(storage(kind="OddStorage"), 0, (4,), (1,)), "OddStorage, is none"),
        (checkpoint(b"N", 0, (4,), (1,)), "no storage"),
    ],
)
def test_tensors_that_lie_are_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ModelFormatError, match=reason):
        open_model_file(content)


def test_a_tensor_spread_by_a_stride_of_0_is_not_made_large() -> None:
    content = checkpoint(storage(), 0, (2**20, 2**20), (0, 0))
    file = open_model_file(content)
    assert file.graph.values["w"].nbytes == 4
    with pytest.raises(LimitExceeded, match="tensor_bytes"):
        file.tensor("w")


def test_dicts_that_share_dicts_a_thousand_times_are_walked_once() -> None:
    shared: dict[str, Any] = {"w": torch.zeros(1)}
    for _ in range(30):
        shared = {"a": shared, "b": shared}
    started = time.monotonic()
    file = open_model_file(weights_models.saved(shared))
    assert len(file.graph.values) == 1
    assert time.monotonic() - started < 5


def test_a_dict_that_contains_itself_is_read() -> None:
    circle: dict[str, Any] = {"w": torch.zeros(2)}
    circle["self"] = circle
    assert list(open_model_file(weights_models.saved(circle)).graph.values) == ["w"]


def test_nesting_beyond_the_cap_names_the_cap() -> None:
    content = weights_models.with_pickle(b"]" * 5_000 + b"a" * 4_999 + b".")
    with pytest.raises(LimitExceeded, match="depth is 101, the limit is 100"):
        open_model_file(content)


def test_two_paths_that_read_alike_keep_both_tensors() -> None:
    made = {"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}}
    file = open_model_file(weights_models.saved(made))
    assert [file.tensor(name).item() for name in file.graph.values] == [0, 1]


@pytest.mark.parametrize("content", weights_models.good_checkpoint())
def test_a_checkpoint_cut_off_at_any_of_200_bytes_is_an_error(content: bytes) -> None:
    for i in range(200):
        with pytest.raises(ModelFormatError):
            open_model_file(content[: int(i * len(content) / 200)])


@pytest.mark.parametrize("seed", range(4))
def test_bytes_changed_at_random_end_in_a_table_or_in_our_error(seed: int) -> None:
    chance = random.Random(seed)
    models = [*weights_models.good_checkpoint(), *weights_models.good_torchscript()]
    for _ in range(120):
        content = bytearray(chance.choice(models))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            file = open_model_file(bytes(content))
            for name in list(file.graph.values)[:20]:
                file.tensor(name)
            dict(file.metadata)
        except MlnbError as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize("limits", [Limits(values=5), Limits(nodes=5), Limits(structure_bytes=99)])
def test_a_cap_that_is_hit_is_named(limits: Limits) -> None:
    content = weights_models.saved(weights_models.net().state_dict())
    with pytest.raises(LimitExceeded, match=r"values|nodes|structure_bytes|allowed"):
        open_model_file(content, limits)


def test_names_of_strangers_are_shown_harmlessly() -> None:
    made = {"<script>\u202e": torch.zeros(1)}
    file = open_model_file(weights_models.saved(made))
    assert list(file.graph.values) == ["<script>\u202e"]
    with pytest.raises(MlnbError, match=r"<script>\\u202e"):
        file.tensor("<script>")


def test_a_legacy_file_without_its_storages_says_so() -> None:
    content = weights_models.legacy({"w": torch.zeros(1000)})
    with pytest.raises(ModelFormatError, match=r"cut off|missing"):
        open_model_file(content[:-100])
    assert io.BytesIO(content).read(2) == b"\x80\x02"
