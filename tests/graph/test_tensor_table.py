"""The table of tensors: its groups, its totals, and that a large one stays small."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from mlnb.errors import UnknownName
from mlnb.graph.graph import Value
from mlnb.graph.tensor_groups import Group, grouped
from mlnb.graph.tensor_table import TensorTable


def weight(name: str, *shape: int, dtype: str = "float32") -> Value:
    size = 4
    for dimension in shape:
        size *= dimension
    return Value(name, dtype, shape, initializer=True, nbytes=size)


def transformer(layers: int) -> Iterator[Value]:
    yield weight("model.embed.weight", 100, 8)
    for i in range(layers):
        for part in ("q", "k", "v"):
            yield weight(f"model.layers.{i}.attention.{part}.weight", 8, 8)
        yield weight(f"model.layers.{i}.norm.weight", 8)
    yield weight("head.weight", 100, 8)


def labels(items: tuple[Group | Value, ...]) -> list[str]:
    return [item.label if isinstance(item, Group) else item.name for item in items]


def test_layers_that_are_alike_are_said_once() -> None:
    text = repr(TensorTable(list(transformer(32))))
    assert "model.layers.0 … model.layers.31 (×32)" in text
    assert "model.layers.0.attention" in text
    assert "model.layers.1." not in text
    assert text.endswith("130 tensors · 8,000 elements · 32 kB · float32")


def test_a_layer_that_differs_stands_by_itself() -> None:
    tensors = [weight(f"layers.{i}.a.w", 8 if i == 2 else 4) for i in range(5)]
    tensors += [weight(f"layers.{i}.a.b", 4) for i in range(5)]
    tensors.sort(key=lambda tensor: tensor.name)
    group = grouped(tensors)[0]
    assert isinstance(group, Group)
    expected = ["layers.0.a … layers.1.a (×2)", "layers.2.a", "layers.3.a … layers.4.a (×2)"]
    assert labels(group.items) == expected


def test_totals_of_groups_add_up_and_shared_bytes_count_once() -> None:
    tensors = list(transformer(3))
    table = TensorTable(tensors, {"head.weight": "model.embed.weight"})
    assert table.parameters == 100 * 8 + 3 * (3 * 64 + 8)
    assert table.bytes == 4 * table.parameters
    groups = grouped(tensors, table.ties)
    assert sum(item.elements for item in groups if isinstance(item, Group)) == table.parameters
    assert "shares model.embed.weight" in repr(table)
    assert "1 share their bytes with another and count once" in table.line


def test_tensors_answer_to_positions_slices_and_names() -> None:
    table = TensorTable(list(transformer(2)))
    assert table["head.weight"] is table[-1]
    assert len(table[2:4]) == 2
    assert len(list(table)) == len(table) == 10
    with pytest.raises(UnknownName, match=r"did you mean 'head\.weight'"):
        table["head.wieght"]


def test_the_frame_has_every_tensor() -> None:
    pytest.importorskip("pandas")
    frame = TensorTable(list(transformer(2)), {"head.weight": "model.embed.weight"}).to_frame()
    assert list(frame.columns) == ["name", "dtype", "shape", "elements", "bytes", "shares"]
    assert frame["shares"].iloc[-1] == "model.embed.weight"
    assert len(frame) == 10


def test_a_table_of_nothing_is_a_line() -> None:
    assert repr(TensorTable([])) == "0 tensors · 0 elements · 0 B"
    assert TensorTable([])._repr_html_()


def test_unknown_shapes_and_sizes_are_shown_as_unknown() -> None:
    text = repr(TensorTable([Value("a", initializer=True)]))
    assert "?" in text


def test_the_html_has_no_script_and_escapes_names() -> None:
    table = TensorTable([weight("<script>alert(1)</script>.w", 2), weight("a\u202e.b.c", 2)])
    html = table._repr_html_()
    assert "<script" not in html
    assert "\u202e" not in html
    assert "\u202e" not in repr(table)
    assert "<details" in TensorTable(list(transformer(3)))._repr_html_()


@pytest.mark.parametrize(
    "name",
    [
        "layers.{0}.w",
        "w{0}",
        "a{1}.b{2}.w{0}",
        "model.layers.{1}.part{2}.weight{0}",
        "{0}.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o",
    ],
)
def test_a_hundred_thousand_tensors_stay_small(name: str) -> None:
    tensors = [weight(name.format(i, i // 331, i % 17), 2 + i % 5) for i in range(100_000)]
    started = time.process_time()
    table = TensorTable(tensors)
    html, text = table._repr_html_(), repr(table)
    assert time.process_time() - started < 6
    assert len(html.encode()) < 300_000
    assert len(text.splitlines()) < 130
    assert "100,000 tensors" in text


def test_names_that_are_very_long_or_odd_are_grouped_all_the_same() -> None:
    names = [".", "..", "", "a..b", "/a", "x" * 50_000, ".".join("y" * 5_000), "a", "a.b"]
    html = TensorTable([weight(name, 1) for name in names])._repr_html_()
    assert len(html) < 20_000
