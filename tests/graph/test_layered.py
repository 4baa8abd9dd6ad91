from __future__ import annotations

import random

import pytest

from mlnb.graph.layered import Cell, Link, place


def boxes(count):
    return [Cell(160, 38)] * count


def link(a, b):
    return Link(a, b, 80, 80)


def overlaps(cells, placement):
    areas = [
        (x, y, x + cell.width, y + cell.height)
        for cell, (x, y) in zip(cells, placement.corners, strict=True)
    ]
    return [
        (i, j)
        for i, a in enumerate(areas)
        for j, b in enumerate(areas[:i])
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def crossed(cells, links, placement):
    """Boxes that a straight part of a route of somebody else runs through."""
    found = []
    for k, route in zip(links, placement.routes, strict=True):
        pairs = list(zip(route.points, route.points[1:], strict=False))
        for (x1, y1), (x2, y2) in pairs[::2]:
            for i, (cell, (x, y)) in enumerate(zip(cells, placement.corners, strict=True)):
                if i not in (k.source, k.target) and x < x1 < x + cell.width and x1 == x2:
                    low, high = sorted((y1, y2))
                    if low < y + cell.height and high > y:
                        found.append((k, i))
    return found


def test_a_chain_goes_straight_down():
    placed = place(boxes(4), [link(0, 1), link(1, 2), link(2, 3)])
    xs, ys = zip(*placed.corners, strict=True)
    assert len(set(xs)) == 1
    assert list(ys) == sorted(ys)
    assert placed.width == 160


def test_a_skip_runs_beside_the_boxes():
    links = [link(0, 1), link(1, 2), link(2, 3), link(0, 3)]
    placed = place(boxes(4), links)
    assert crossed(boxes(4), links, placed) == []
    assert placed.width > 160


def test_a_cycle_is_drawn_backwards_and_everything_else_downwards():
    placed = place(boxes(3), [link(0, 1), link(1, 2), link(2, 0)])
    assert [route.backward for route in placed.routes] == [False, False, True]
    for route in placed.routes:
        (_, first), *_, (_, last) = route.points
        assert (last < first) is route.backward


def test_ports_stand_in_the_first_and_the_last_row():
    cells = [Cell(12, 0, -1), *boxes(3), Cell(12, 0, 1)]
    placed = place(cells, [Link(0, 2, 6, 80), link(1, 2), link(2, 3), Link(1, 4, 80, 6)])
    ys = [y for _, y in placed.corners]
    assert ys[0] == min(ys)
    assert ys[4] == max(ys)


def test_what_reads_nothing_stands_just_above_its_reader():
    placed = place(boxes(4), [link(0, 1), link(1, 2), link(3, 2)])
    assert placed.corners[3][1] == placed.corners[1][1]


def test_a_high_level_goes_on_in_another_column():
    cells, links = boxes(40), [link(i, i + 1) for i in range(39)]
    placed = place(cells, links)
    assert placed.height < 1_000
    assert len({x for x, _ in placed.corners}) > 1
    assert overlaps(cells, placed) == []
    assert sum(route.gutter is not None for route in placed.routes) >= 1
    assert len({x for x, _ in place(cells, links, columns=1).corners}) == 1


@pytest.mark.parametrize("seed", range(12))
def test_no_boxes_overlap_and_no_edge_runs_through_a_box(seed):
    luck = random.Random(seed)
    cells = [Cell(luck.choice([160, 160, 420]), luck.choice([38, 38, 260])) for _ in range(30)]
    links = [
        Link(a, b, cells[a].width / 2, cells[b].width / 2)
        for a, b in {tuple(luck.sample(range(30), 2)) for _ in range(45)}
    ]
    placed = place(cells, links)
    assert overlaps(cells, placed) == []
    assert crossed(cells, links, placed) == []
    for cell, (x, y) in zip(cells, placed.corners, strict=True):
        assert 0 <= x <= placed.width - cell.width + 0.01
        assert 0 <= y <= placed.height - cell.height + 0.01


def test_nothing_at_all_can_be_placed():
    placed = place([], [])
    assert (placed.corners, placed.routes, placed.width) == ((), (), 0)
