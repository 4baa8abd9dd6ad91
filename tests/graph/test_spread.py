from __future__ import annotations

import pytest

from mlnb.graph.spread import SIDE, spread


def test_spread_moves_boxes_as_little_as_their_order_allows():
    assert spread([0, 500], [160, 160], [1, 1]) == [0, 500]
    left, right = spread([100, 100], [160, 160], [1, 1])
    assert right - left == 160 + SIDE
    assert (left + right) / 2 == pytest.approx(100)


def test_a_heavier_box_moves_less():
    left, right = spread([100, 100], [160, 160], [1, 99])
    assert abs(right - 100) < 3
    assert left == right - 160 - SIDE


def test_an_empty_row_stays_empty():
    assert spread([], [], []) == []
