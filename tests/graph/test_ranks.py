from __future__ import annotations

from mlnb.graph.ranks import flow_places, ranks


def test_a_box_stands_below_all_it_reads():
    edges = [(0, 1), (1, 2), (0, 2)]
    assert ranks([0, 0, 0], edges, flow_places(3, edges)) == [0, 1, 2]


def test_what_reads_nothing_stands_just_above_its_reader():
    edges = [(0, 1), (1, 2), (3, 2)]
    assert ranks([0, 0, 0, 0], edges, flow_places(4, edges)) == [0, 1, 2, 1]


def test_ports_take_the_first_and_the_last_row_to_themselves():
    edges = [(0, 2), (1, 3)]
    assert ranks([-1, 0, 0, 1], edges, flow_places(4, edges)) == [0, 1, 1, 2]


def test_boxes_without_edges_stand_in_one_row():
    assert ranks([0, 0], [], flow_places(2, [])) == [0, 0]


def test_a_cycle_is_opened_at_its_first_box():
    assert flow_places(3, [(2, 0), (0, 1), (1, 2)]) == [0, 1, 2]


def test_a_box_that_reads_itself_has_a_place_like_any_other():
    assert flow_places(2, [(0, 0), (0, 1)]) == [0, 1]
