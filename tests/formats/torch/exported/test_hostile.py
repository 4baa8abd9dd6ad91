"""Damaged and hostile `.pt2` files give errors of mlnb, soon, and take no memory."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import time
import zipfile
from typing import Any

import pytest
from models_made.exported_program_models import (
    call,
    good_exported_program,
    linear,
    pt2,
    tensor,
    weights_config,
    with_branches,
    zipped,
)

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.model_file import ModelFile
from mlnb.limits import Limits

UNLUCKY = (None, True, -1, 0, 2**70, 1e308, "", "x", "\x00\u202e", [], {}, [[]], {"as_int": 1})


def looked_at(data: bytes) -> ModelFile:
    file = open_model_file(data)
    for view in (
        file.inputs,
        file.outputs,
        file.metadata,
        file.graph,
        file.dangers,
        file.run_facts,
    ):
        repr(view)
    return file


def test_every_truncation_is_an_error_of_mlnb() -> None:
    for data in good_exported_program():
        for at in range(0, len(data), max(1, len(data) // 60)):
            with pytest.raises(MlnbError):
                looked_at(data[:at])


@pytest.mark.parametrize("make", [linear, with_branches])
def test_mutants_of_the_program_are_seen_or_refused(make: Any) -> None:
    slowest = 0.0
    for number in range(1000):
        chance = random.Random(number)
        program = make()
        for _ in range(chance.choice((1, 1, 2, 4))):
            _spoil(program, chance)
        data = pt2(program)
        began = time.monotonic()
        with contextlib.suppress(MlnbError):
            looked_at(data)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1


def test_mutants_of_the_table_of_weights_are_read_or_refused() -> None:
    for number in range(500):
        chance = random.Random(number)
        config: Any = weights_config()
        _spoil(config, chance)
        name = "model/data/weights/model_weights_config.json"
        try:
            file = looked_at(pt2(members={name: json.dumps(config).encode()}))
            file.tensor("fc.weight")
        except MlnbError:
            pass


def _spoil(root: Any, chance: random.Random) -> None:
    """One value somewhere becomes another, goes, or stands in another's place."""
    places: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    holder, key = chance.choice(places)
    deed = chance.random()
    if deed < 0.2:
        del holder[key]
    elif deed < 0.4:
        other, from_ = chance.choice(places)
        try:
            holder[key] = copy.deepcopy(other[from_])
        except (KeyError, IndexError):
            holder[key] = None
    else:
        holder[key] = chance.choice(UNLUCKY)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"{", b"\xff\xfe", b"3", b"null", b"1" * 10_000])
def test_what_is_no_json_of_a_program_is_an_error(text: bytes) -> None:
    with pytest.raises(ModelFormatError):
        looked_at(pt2(members={"model/models/model.json": text}))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped(
        {"m/archive_format": b"pt2", "m/models/model.json": b" " * 2**27}, zipfile.ZIP_DEFLATED
    )
    assert len(bomb) < 2**20
    with pytest.raises(LimitExceeded):
        looked_at(bomb)


def test_more_calls_than_allowed_are_refused() -> None:
    program = linear()
    nodes = program["graph_module"]["graph"]["nodes"]
    nodes += [
        call("torch.ops.aten.relu.default", {"self": tensor("x")}, f"y{i}") for i in range(99)
    ]
    with pytest.raises(LimitExceeded, match="nodes"):
        open_model_file(pt2(program), Limits(nodes=50)).graph  # noqa: B018


def test_graphs_in_graphs_without_end_are_refused() -> None:
    inner: Any = linear()["graph_module"]["graph"]
    for _ in range(40):
        node = call("torch.ops.higher_order.wrap", {"body": {}}, "relu")
        node["inputs"][0]["arg"] = {"as_graph": {"name": "body", "graph": inner}}
        inner = {**linear()["graph_module"]["graph"], "nodes": [node]}
    program = linear()
    program["graph_module"]["graph"] = inner
    with pytest.raises(LimitExceeded, match="depth"):
        open_model_file(pt2(program), Limits(depth=20)).graph  # noqa: B018


def test_a_call_of_python_is_shown_in_red_and_named() -> None:
    program = linear()
    program["graph_module"]["graph"]["nodes"][1]["target"] = "torch.os.system"
    file = looked_at(pt2(program))
    assert file.graph.nodes[1].danger == "runs Python"
    assert "torch.os.system runs Python" in file.graph.warnings[0]
    assert file.dangers[0].op == "torch.os.system"


def test_a_weight_cannot_reach_beyond_its_bytes() -> None:
    for key, value in (("storage_offset", {"as_int": 5}), ("storage_offset", {"as_int": -1})):
        config: Any = weights_config()
        config["config"]["fc.weight"]["tensor_meta"][key] = value
        name = "model/data/weights/model_weights_config.json"
        file = open_model_file(pt2(members={name: json.dumps(config).encode()}))
        with pytest.raises(ModelFormatError, match="reaches beyond"):
            file.tensor("fc.weight")
    config["config"]["fc.weight"]["tensor_meta"] |= {
        "sizes": [{"as_int": 2**40}],
        "strides": [{"as_int": 0}],
        "storage_offset": {"as_int": 0},
    }
    file = open_model_file(pt2(members={name: json.dumps(config).encode()}))
    with pytest.raises(LimitExceeded):
        file.tensor("fc.weight")
