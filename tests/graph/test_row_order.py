from __future__ import annotations

from mlnb.graph.row_order import crossings, order_rows


def joined(count, edges):
    above, below = [[] for _ in range(count)], [[] for _ in range(count)]
    for a, b in edges:
        below[a].append((b, 0, 0))
        above[b].append((a, 0, 0))
    return above, below


def test_crossed_edges_are_uncrossed():
    above, below = joined(4, [(0, 3), (1, 2)])
    rows = [[0, 1], [2, 3]]
    assert crossings(rows, below) == 1
    assert crossings(order_rows(rows, above, below, 8), below) == 0


def test_edges_that_share_an_end_do_not_cross():
    _, below = joined(3, [(0, 1), (0, 2)])
    assert crossings([[0], [2, 1]], below) == 0


def test_an_order_without_crossings_is_kept():
    above, below = joined(6, [(0, 3), (1, 4), (2, 5)])
    rows = [[0, 1, 2], [3, 4, 5]]
    assert order_rows(rows, above, below, 8) == rows


def test_what_cannot_be_uncrossed_does_not_get_worse():
    edges = [(a, b) for a in range(3) for b in range(3, 6)]
    above, below = joined(6, edges)
    rows = [[0, 1, 2], [3, 4, 5]]
    assert crossings(order_rows(rows, above, below, 8), below) <= crossings(rows, below) == 9
