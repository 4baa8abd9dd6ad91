"""Layers as text: what a line may say, what is said of mistakes, the way through text and back."""

from __future__ import annotations

import string
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mlnb.errors import LayerError, MlnbError, UnknownName
from mlnb.networks import layers as L
from mlnb.networks.layers import Layer, layer
from mlnb.networks.printing import layers_python, layers_text, network_python
from mlnb.networks.sequential import Sequential
from mlnb.networks.spec import layer_spec, read_layer
from mlnb.networks.text import parse_layers

SAMPLE = """\
conv2d 32 3 relu padding=1   # as in Python
max_pool2d 2

residual relu:
    conv2d 32 3x3 padding=1
    batch_norm
shortcut:
    conv2d 32 1
branches add:
    branch:
        pass
    branch:
        conv2d 32 1
repeat 2
    dropout p=0.2
reshape -1 8
dense 10 name="the last"
"""


def test_a_line_is_what_the_same_word_is_in_python():
    assert parse_layers(SAMPLE).layers == (
        L.conv2d(32, 3, "relu", padding=1),
        L.max_pool2d(2),
        L.residual(
            [L.conv2d(32, (3, 3), padding=1), L.batch_norm()], "relu", shortcut=L.conv2d(32, 1)
        ),
        L.branches([[], L.conv2d(32, 1)], "add"),
        L.repeat(2, L.dropout(p=0.2)),
        L.reshape(-1, 8),
        L.dense(10, name="the last"),
    )


def test_the_text_of_a_network_says_the_same_network():
    text = layers_text(parse_layers(SAMPLE).layers)
    assert parse_layers(text).layers == parse_layers(SAMPLE).layers
    assert text.splitlines()[0] == "conv2d 32 3 relu padding=1"
    assert layers_text(parse_layers(text).layers) == text


def test_values_are_numbers_sizes_words_and_what_python_can_say():
    (found,) = parse_layers("conv2d 8 (3, 5) stride=2x1 padding=same bias=False").layers
    assert found == L.conv2d(8, (3, 5), stride=(2, 1), padding="same", bias=False)
    (found,) = parse_layers("layer_norm eps=1e-6 name='a # b'").layers
    assert found == L.layer_norm(eps=1e-6, name="a # b")


def test_expressions_are_python_in_the_names_that_are_given():
    names = {"width": 16, "nn": nn, "block": Sequential().dense(4).relu()}
    text = "dense {width * 2} bias={width > 3}\n{nn.Hardtanh()} name=clip\n{block}\n{torch.square}"
    written = parse_layers(text, {**names, "torch": torch})
    kinds = [one.word for one in written.layers]
    assert written.layers[0] == L.dense(32, bias=True)
    assert kinds == ["dense", "module", "dense", "relu", "function"]
    assert written.layers[1].name == "clip"
    assert list(written.sources.values()) == ["nn.Hardtanh()", "torch.square"]
    assert layers_text(written.layers, written.sources).splitlines()[1] == (
        "{nn.Hardtanh()} name=clip"
    )


def test_a_function_of_the_cell_sees_what_its_names_become_later():
    names = {"torch": torch, "scale": 2.0}
    (found,) = parse_layers("{lambda x: x * scale}", names).layers
    names["scale"] = 3.0
    assert found.thing(torch.ones(1)).item() == 3.0


def test_a_text_alone_evaluates_nothing():
    with pytest.raises(LayerError, match="expressions in braces are for cells"):
        parse_layers("dense {__import__('os').getpid()}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("relu\nconvv2d 3 3", "line 2, `convv2d 3 3`: no layer 'convv2d'; did you mean 'conv2d'?"),
        ("conv2d 3", "line 1, `conv2d 3`: `conv2d` needs kernel_size:"),
        ("dense 3 rleu", "no activation 'rleu'; did you mean 'relu'?"),
        ("dropout q=0.2", "no keyword of `dropout` 'q'"),
        ("conv2d(32, 3, 'relu')", "neither brackets nor commas. Write `conv2d 32 3 'relu'`."),
        ("net.dense(32)", "neither brackets nor commas. Write `dense 32`."),
        ("conv2d 32, 3", "32, is no value. Values stand with spaces between"),
        ("dense 3 {1", "`{` is not closed on its line."),
        ("dense 3 bias=", "is no value"),
        ("conv2d padding=1 3 3", "3 stands behind a keyword. Values come before keywords."),
        ("dropout p=0.1 p=0.2", "p= was given twice."),
        ("dense 3:", "`dense` holds no layers; residual, branches, repeat do."),
        ("dense 3\n    relu", "`dense` holds no layers; residual, branches, repeat do."),
        ("residual:", "`residual` holds layers: indent them below it"),
        ("residual:\nrelu", "`residual` holds layers: indent them below it"),
        ("residual:\n    relu\n  relu", "line 3, `relu`: it is indented by 2 spaces"),
        ("  relu\nrelu", "line 2, `relu`: it is indented by 0 spaces"),
        ("branches:\n    relu", "every way begins with a line `branch:`, its layers below."),
        ("branches:\n    branch:", "`branch` holds layers"),
        ("branch:\n    relu", "`branch:` stands in a block `branches:`, indented."),
        ("shortcut:\n    relu", "`shortcut:` stands behind the layers of a `residual:`"),
        ("relu\npass", "`pass` stands alone in a block without layers."),
        ("repeat:\n    relu", "`repeat` needs a number of times: `repeat 3:`."),
        ("repeat two:\n    relu", "`repeat` expects a number of times"),
        ("residual times=3:\n    relu", "no keyword of `residual` 'times'"),
        ("residual relu relu:\n    relu", "`residual` takes activation;"),
        ("branches multiply:\n    branch:\n        relu", "no merge 'multiply'"),
        ("{nn}", "expressions in braces are for cells"),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(text: str, said: str):
    with pytest.raises(MlnbError) as caught:
        parse_layers(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("line ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{x}", "line 1, `{x}`: {x} gave NameError: name 'x' is not defined"),
        ("dense {1 / 0}", "{1 / 0} gave ZeroDivisionError: division by zero"),
        ("dense {1 +}", "gave SyntaxError"),
        ("{3}", "A layer is a word, a torch.nn.Module or a function of tensors; received int."),
        ("{nn.ReLU}", "received the class ReLU. Write add(ReLU(…)), an instance."),
        ("{nn.ReLU()} 3", "an expression takes name= alone"),
        ("{[nn.ReLU(), nn.ReLU()]} name=two", "name= is for one layer; the expression gives 2."),
        ("{nn.ReLU()}:", "an expression stands alone on its line"),
    ],
)
def test_a_mistake_in_an_expression_names_its_line(text: str, said: str):
    with pytest.raises(MlnbError) as caught:
        parse_layers(text, {"nn": nn})
    assert said in str(caught.value)


def test_lines_are_counted_from_where_the_text_begins_in_its_cell():
    with pytest.raises(UnknownName, match=r"^cell 7, line 4, `drop`: no layer 'drop'"):
        parse_layers("# first\nrelu\ndrop", first_line=2, cell=7)


def test_layers_that_cannot_stand_name_their_line_as_well():
    net = Sequential((1, 8, 8))
    with pytest.raises(LayerError, match=r"^cell 2, line 3, `conv2d 3 3`: `conv2d` expects"):
        net.add(parse_layers("flatten\nconv2d 3 3", first_line=2, cell=2).layers)


def test_what_was_added_as_an_object_has_no_text():
    net = Sequential((4,)).add(nn.Hardtanh())
    with pytest.raises(LayerError, match="`hardtanh` was added as an object"):
        layers_text(net.layers)


def test_the_python_of_a_text_makes_the_same_network():
    code = network_python(parse_layers(SAMPLE).layers, "net", (1, 28, 28))
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["net"].written == parse_layers(SAMPLE).layers
    assert names["net"].input_shape == (1, 28, 28)


def test_deep_blocks_are_refused():
    text = (
        "\n".join("    " * depth + "repeat 1:" for depth in range(25)) + "\n" + " " * 100 + "relu"
    )
    with pytest.raises(LayerError, match="at most 20 deep"):
        parse_layers(text)


def test_tabs_count_as_four_spaces():
    assert parse_layers("residual:\n\trelu\n    tanh").layers == (L.residual([L.relu(), L.tanh()]),)


# ------------------------------------------------------------------------------------- round trips

_NAMES = st.one_of(
    st.just(""),
    st.text(string.ascii_lowercase + " #:{}\"'\\=é\n", min_size=1, max_size=8).map(
        lambda s: f"n{s}"
    ),
)
_FLOATS = st.floats(0, 1, exclude_max=True)
_WORDS = st.one_of(
    st.builds(lambda n, a, b, name: layer("dense", n, a, bias=b, name=name), st.integers(1, 9),
              st.sampled_from([None, "relu", "softmax"]), st.booleans(), _NAMES),
    st.builds(lambda n, k, p, s, name: layer("conv2d", n, k, padding=p, stride=s, name=name),
              st.integers(1, 9), st.sampled_from([1, 3, (3, 5)]), st.sampled_from([0, 1, "same"]),
              st.sampled_from([1, (2, 1)]), _NAMES),
    st.builds(lambda p: layer("dropout", p=p), _FLOATS),
    st.builds(lambda k, d: layer("lstm", k, dropout=d, returns="all"), st.integers(1, 9), _FLOATS),
    st.builds(lambda s: layer("reshape", *s), st.lists(st.sampled_from([-1, 2, 30]), min_size=1,
                                                       max_size=4)),
    st.builds(lambda f: layer("upsample", scale_factor=f, mode="bilinear"), st.floats(0.5, 4)),
    st.sampled_from([layer("relu"), layer("flatten"), layer("identity"), layer("layer_norm")]),
)  # fmt: skip


def _blocks(inner: st.SearchStrategy[Layer]) -> st.SearchStrategy[Layer]:
    chains = st.lists(inner, max_size=3)
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda x, a, name: L.residual(x, a, name=name), some,
                  st.sampled_from([None, "relu"]), _NAMES),
        st.builds(lambda x, s: L.residual(x, shortcut=s), chains, chains),
        st.builds(lambda ways, m, d: L.branches(ways, m, dim=d), st.lists(chains, min_size=1,
                  max_size=3), st.sampled_from(["concat", "add"]), st.sampled_from([1, -1])),
        st.builds(lambda n, x, name: L.repeat(n, x, name=name), st.integers(1, 3), some, _NAMES),
    )  # fmt: skip


_LAYERS = st.lists(st.recursive(_WORDS, _blocks, max_leaves=6), max_size=5).map(tuple)


@settings(max_examples=150, deadline=None)
@given(_LAYERS)
def test_text_python_and_spec_say_the_same_layers(layers: tuple[Layer, ...]):
    text = layers_text(layers)
    assert parse_layers(text).layers == layers
    net = Sequential()
    exec(layers_python(layers, "net"), {"net": net, "layers": L})
    assert net.written == layers
    assert tuple(read_layer(layer_spec(one)) for one in layers) == layers
    assert tuple(read_layer(layer_spec(one)) for one in parse_layers(text).layers) == net.written


@settings(max_examples=200, deadline=None)
@given(st.text(string.ascii_lowercase + string.digits + " \t\n:=#{}()[]\"'\\,.x-", max_size=60))
def test_any_text_is_layers_or_an_error_in_one_line(text: str):
    said = ""
    try:
        parse_layers(text)
    except MlnbError as error:
        said = str(error)
    assert "\n" not in said
