from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from graph.made_graphs import EXPORTS, Made, chain, export, light
from models_made.large_graphs import wide_fan

from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.svg import HIGH, picture

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """Every piece of text in the picture."""
    found = [
        t for e in ET.fromstring(svg).iter() for t in (e.text, e.tail) if e.tag != f"{SVG}style"
    ]
    return [text for text in found if text and text.strip()]


def test_the_boxes_of_a_small_model_say_what_they_are():
    made = Made("image", values=[Value("image", "float32", ("N", 3, 8, 8))])
    made.weight("w", 16, 3, 3, 3)
    y = made.add("Conv", "image", "w", scope="stem/conv1", kernel_shape=(3, 3), strides=(2, 2))
    made.values[y] = Value(y, "float32", ("N", 16, 4, 4))
    shown = texts(picture(made.graph(made.add("Relu", y, scope="stem"))))
    for text in (
        "image",
        "float32 [N, 3, 8, 8]",
        "stem",
        "conv1",
        "Conv 3×3, stride 2 · 16",
        "Relu",
    ):
        assert text in shown
    assert "N×16×4×4" in shown


@pytest.mark.parametrize("name", EXPORTS)
def test_the_picture_of_a_real_export_is_small_well_formed_and_without_scripts(name):
    svg = picture(export(name))
    root = ET.fromstring(svg)
    assert len(svg) < 40_000
    assert float(root.get("height")) <= HIGH + 40
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "defs", "marker", "path", "rect", "g", "text", "tspan"}
    assert not re.search(r"script|href|url\((?!#)|on\w+=", svg)


def test_a_module_called_by_its_place_in_a_list_says_its_operation_first():
    made = Made("image")
    made.weight("w", 16, 3, 3, 3)
    y = made.add("Conv", "image", "w", scope="0", kernel_shape=(3, 3))
    shown = texts(picture(made.graph(made.add("Relu", y, scope="1"))))
    assert [text for text in shown if text.startswith(("Conv", "Relu", "0", "1"))][:4] == [
        *("Conv", "0 · 3×3 · 16"),
        *("Relu", "1"),
    ]


def test_it_is_readable_on_light_and_dark_pages():
    svg = picture(chain("Relu"))
    light_rules, dark_rules = svg.split("@media(prefers-color-scheme:dark)")
    assert ".c{fill:#ffffff" in light_rules
    assert ".c{fill:#16181b" in dark_rules
    assert 'class="c"' in svg, "it brings its own card to stand on"


def test_what_is_closed_says_how_much_is_inside():
    shown = texts(picture(export("vit_b_16_dynamo")))
    assert "12 × EncoderBlock" in shown
    assert any(re.fullmatch(r"\d+ ▸", text) for text in shown)


def test_names_of_strangers_are_text_and_nothing_else():
    evil = '"><script>alert(1)</script>\u202e&\x00'
    nodes = (
        Node(evil, evil, (evil,), ("y",), "", (evil, evil), {"kernel_shape": (evil,)}),
        Node(evil, evil, ("y",), ("z",), "", (evil, evil)),
    )
    svg = picture(Graph(evil, nodes, (evil,), ("z",), {"y": Value("y", evil, (evil,))}))
    assert ET.fromstring(svg) is not None
    assert "<script" not in svg
    assert "\u202e" not in svg


def test_a_long_name_keeps_its_end():
    made = Made("x")
    y = made.add("Relu", "x", scope="a_very_long_name_of_some_module_in_layer_11")
    shown = texts(picture(made.graph(y)))
    assert any("…" in text and text.endswith("_11") for text in shown)


def test_a_cycle_is_drawn_dashed():
    nodes = (Node("a", "Add", ("x", "v"), ("u",)), Node("b", "Relu", ("u",), ("v",)))
    svg = picture(Graph("ring", nodes, ("x",), ("v",)))
    assert svg.count('class="r"') == 1


@pytest.mark.parametrize("boxes", [12, 24, 40])
def test_it_keeps_to_about_the_boxes_it_is_given(boxes):
    svg = picture(light("densenet121"), boxes)
    stripes = re.findall(r'<path d="M[^"]+" fill="#', svg)
    assert 0 < len(stripes) <= boxes + 2


def test_the_pictures_of_odd_graphs():
    assert "<svg" in picture(Graph("", ()))
    assert "<svg" in picture(Graph("", (), ("x",), ("x",)))
    made = Made(*[f"x{i}" for i in range(100)])
    svg = picture(made.graph(made.add("Concat", *made.inputs)))
    assert "95 more inputs" in texts(svg)


def test_a_row_of_20_000_boxes_is_a_picture_that_a_notebook_can_keep():
    assert len(picture(wide_fan(20_000))) < 45_000  # as base64, with its table, under 60 kB


@pytest.mark.parametrize(
    ("op", "kernel", "attributes", "said"),
    [
        ("Conv2D", (3, 3, 8, 16), {"strides": (1, 2, 2, 1)}, "3×3, stride 2 · 16"),
        ("Conv2D", (3, 3, 8, 16), {"strides": (1, 1, 2, 2)}, "3×3, stride 2 · 16"),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 8), {"stride_h": 2, "stride_w": 2}, "3×3, stride 2 · 8"),
        ("CONV_2D", (16, 1, 1, 8), {}, "1×1 · 16"),
        ("FULLY_CONNECTED", (10, 64), {}, "10"),
        ("conv2d", (16, 8, 3, 3), {"stride": (1, 1)}, "3×3 · 16"),
    ],
)
def test_a_layer_says_its_size_however_its_kernel_is_stored(op, kernel, attributes, said):
    made = Made("x")
    made.weight("w", *kernel)
    read = made.add("Identity", "w", name="read")
    svg = picture(made.graph(made.add(op, "x", read, **attributes)))
    assert said in texts(svg)
