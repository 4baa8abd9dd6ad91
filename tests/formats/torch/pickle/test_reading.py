"""Pickles read as data: what is in them, and that nothing of them runs."""

from __future__ import annotations

import collections
import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from mlnb.errors import LimitExceeded, MlnbError
from mlnb.formats.torch.pickle.globals import judge
from mlnb.formats.torch.pickle.reading import Call, Global, Key, read_pickle
from mlnb.formats.wire import Broken
from mlnb.limits import Limits

VALUES: dict[Any, Any] = {
    "numbers": [0, 1, -1, 255, 65_535, -(2**31), 2**31, 10**40, 2.5, -0.0],
    "constants": [None, True, False],
    "text": ["", "é\n'\"\\ \U0001f600", "x" * 300],
    "bytes": [b"", b"\x00\xff", b"y" * 300],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "sets": [{1, 2}, frozenset([3])],
    1: {(1, "a"): {"deep": [[[]]]}},
    "long": list(range(3_000)),
    "array": bytearray(b"abc"),
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back_as_they_went_in(protocol: int) -> None:
    content = pickle.dumps(VALUES, protocol)
    found = read_pickle(content)
    assert plain(found.value) == VALUES
    assert found.stop == len(content)
    assert not judge(found.globals).code
    assert not judge(found.globals).programs


def plain(value: Any) -> Any:
    """The value with the calls made that only build sets and bytes."""
    if isinstance(value, Call) and isinstance(value.function, Global):
        arguments: Any = value.arguments
        name = value.function.name
        if name == "encode":
            return arguments[0].encode("latin1")
        made = {"set": set, "frozenset": frozenset, "bytearray": bytearray, "bytes": bytes}[name]
        if arguments and isinstance(arguments[0], str):
            return made(arguments[0].encode("latin1"))
        return made(map_plain(value.elements or (plain(arguments[0]) if arguments else ())))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return map_plain(value)
    return tuple(map_plain(value)) if type(value) is tuple else value


def map_plain(items: Any) -> list[Any]:
    return [plain(item) for item in items]


class Toucher:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_is_written_down_and_not_made(protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    content = pickle.dumps(Toucher(target), protocol)
    found = read_pickle(content)
    assert not target.exists()
    assert [str(name) for name in found.globals] == [f"{os.mkdir.__module__}.mkdir"]
    assert isinstance(found.value, Call)
    assert found.value.arguments == (str(target),)
    assert judge(found.globals).programs == found.globals
    pickle.loads(content)
    assert target.exists()  # the same bytes do act where they are loaded


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "posix.system",
        "builtins.eval",
        "builtins.getattr",
        "subprocess.Popen",
        "runpy._run_code",
        "torch.hub.load",
        "numpy.testing._private.utils.runstring",
        "collections.abc.os.system",
        "operator.attrgetter",
        "torch.serialization.os.system",
        "copyreg.extension 7",
        "__builtin__.eval",
    ],
)
def test_names_that_only_attacks_have_are_programs(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    content = b"c" + module.encode() + b"\n" + attribute.encode() + b"\n."
    assert judge(read_pickle(content).globals).programs
    split = name.index(".")
    content = b"c" + name[:split].encode() + b"\n" + name[split + 1 :].encode() + b"\n."
    assert judge(read_pickle(content).globals).programs


def test_a_name_that_the_pickle_computes_is_a_program() -> None:
    content = b"\x80\x04c_codecs\nencode\n(Vos\nX\x05\x00\x00\x00ascii\x74R\x8c\x06system\x93."
    found = read_pickle(content)
    assert [name.module for name in judge(found.globals).programs] == ["?"]


def test_what_torch_admits_is_data_and_classes_are_code() -> None:
    harmless = [("torch._utils", "_rebuild_tensor_v2"), ("torch", "BFloat16Storage")]
    harmless += [("collections", "OrderedDict"), ("torch", "float8_e4m3fn"), ("torch", "Size")]
    assert judge(Global(*name) for name in harmless) == judge([])
    classes = [Global("torch.nn.modules.conv", "Conv2d"), Global("models.yolo", "Model")]
    assert judge(classes).code == tuple(classes)
    assert judge([Global("numpy.core.multiarray", "scalar")]).numpy


def test_every_name_that_torch_admits_is_data_here() -> None:
    torch = pytest.importorskip("torch._weights_only_unpickler")
    for full in torch._get_allowed_globals():
        module, _, name = full.rpartition(".")
        if module.startswith(("torch.sparse", "torch.cuda", "torch.xpu", "torch.mtia")):
            continue
        assert not judge([Global(module, name)]).programs, full


def test_containers_may_contain_themselves() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    found: Any = read_pickle(pickle.dumps(circle)).value
    assert found[1] is found


def test_an_ordered_dict_keeps_its_items_and_its_state() -> None:
    ordered = collections.OrderedDict(a=1)
    ordered.note = "x"  # type: ignore[attr-defined]
    found = read_pickle(pickle.dumps(ordered)).value
    assert isinstance(found, Call)
    assert (found.items, found.state) == ({"a": 1}, {"note": "x"})


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_cut_off_anywhere_is_told_as_such(protocol: int) -> None:
    content = pickle.dumps({"a": [1, 2.5, "text", b"bytes", (1, 2)], 10**30: None}, protocol)
    for cut in range(len(content)):
        with pytest.raises(Broken):
            read_pickle(content[:cut])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"t.",
        b"\x80\x06N.",
        b"\xff.",
        b"h\x05.",
        b"]a.",
        b"K\x01K\x02a.",
        b"(K\x01u.",
        b"Iabc\n.",
        b"Fx\n.",
        b"Sabc\n.",
        b"T\xff\xff\xff\xff.",
        b"\x97.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"N\x93.",
        b"0.",
        b"2.",
    ],
)
def test_what_is_no_pickle_is_an_error_that_is_caught(content: bytes) -> None:
    with pytest.raises(Broken):
        read_pickle(content)


def test_a_number_of_a_megabyte_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="1,000,000 bytes"):
        read_pickle(b"\x8b" + (1_000_000).to_bytes(4, "little") + bytes(1_000_000) + b".")


def test_a_memo_bomb_ends_at_the_cap_that_it_names() -> None:
    content = b"\x80\x04N" + b"\x94" * 100_000 + b"."
    with pytest.raises(LimitExceeded, match=r"values is 10,\d+, the limit is 10,000"):
        read_pickle(content, limits=Limits(values=10_000))


def test_a_flood_of_objects_ends_at_the_cap_that_it_names() -> None:
    with pytest.raises(LimitExceeded, match=r"nodes is [56],\d+, the limit is 5,000"):
        read_pickle(b"]" * 100_000 + b".", limits=Limits(nodes=5_000))


def test_a_tuple_that_takes_for_ever_to_hash_is_no_key_here() -> None:
    content = b"}(K\x01\x85" + b"2\x86" * 60 + b"K\x02u."
    started = time.monotonic()
    found: Any = read_pickle(content).value
    assert time.monotonic() - started < 1
    assert [type(key) for key in found] == [Key]


def test_nesting_of_200_000_lists_does_not_touch_pythons_stack() -> None:
    found = read_pickle(b"]" + b"]" * 199_998 + b"a" * 199_998 + b".")
    assert isinstance(found.value, list)


def test_random_bytes_end_in_a_value_or_in_our_error() -> None:
    import random

    chance = random.Random(0)
    seeds = [pickle.dumps(VALUES, protocol) for protocol in (0, 2, 4, 5)]
    for _ in range(2_000):
        content = bytearray(chance.choice(seeds)[: chance.randint(1, 2_000)])
        for _ in range(chance.randint(0, 5)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            read_pickle(bytes(content))
        except (Broken, MlnbError) as error:
            assert str(error)  # noqa: PT017
