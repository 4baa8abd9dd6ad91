"""The usual mistakes, each with what is said; the network stays as it was before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mlnb.errors import LayerError, MlnbError, UnknownName
from mlnb.networks import layers as L
from mlnb.networks.network import Input, Network, concat
from mlnb.networks.sequential import Sequential

IMAGE = (1, 28, 28)
FOREIGN = nn.Linear(4, 2)


def conv():
    return Sequential(IMAGE).conv2d(8, 3, "relu").max_pool2d(2)


MISTAKES = {
    "a convolution after flatten": (
        lambda: conv().flatten(),
        lambda net: net.conv2d(8, 3),
        "`conv2d_2` expects [channels, height, width]; `flatten` before it gave [1352]. "
        "Remove `flatten` or move it after the convolutions.",
    ),
    "a picture without channels": (
        lambda: Sequential((28, 28)),
        lambda net: net.conv2d(8, 3),
        "`conv2d` expects [channels, height, width]; the input is [28, 28]. "
        "Write input_shape=(1, 28, 28).",
    ),
    "the batch in the input shape": (
        lambda: Sequential((64, 1, 28, 28)),
        lambda net: net.conv2d(8, 3),
        "`conv2d` expects [channels, height, width]; the input is [64, 1, 28, 28]. "
        "input_shape is of one sample, without the batch: input_shape=(1, 28, 28).",
    ),
    "a flat picture": (
        lambda: Sequential(784),
        lambda net: net.conv2d(8, 3),
        "`conv2d` expects [channels, height, width]; the input is [784]. "
        "Put `reshape(1, 28, 28)` before it.",
    ),
    "pooling after a dense layer": (
        lambda: Sequential(64).dense(32),
        lambda net: net.max_pool2d(2),
        "`max_pool2d` expects [channels, height, width]; `dense` before it gave [32]. "
        "Put `reshape(channels, height, width)` before it, 32 values in all.",
    ),
    "a kernel larger than what is left": (
        lambda: conv().max_pool2d(4).max_pool2d(2),
        lambda net: net.conv2d(16, 3),
        "`conv2d_2` has a kernel of 3 × 3; `max_pool2d_3` before it gave [8, 1, 1]. "
        'Use kernel_size=1, padding="same", or pool less before it.',
    ),
    "channels last": (
        lambda: Sequential((28, 28, 3)),
        lambda net: net.conv2d(16, 5),
        "`conv2d` has a kernel of 5 × 5; the input is [28, 28, 3]. "
        "Channels come first: input_shape=(3, 28, 28).",
    ),
    "one pooling too many": (
        lambda: Sequential((8, 1, 1)).relu(),
        lambda net: net.max_pool2d(2),
        "`max_pool2d` leaves nothing of it; `relu` before it gave [8, 1, 1]. "
        "Remove `max_pool2d` or a pooling layer before it.",
    ),
    "the size of the input given to a dense layer": (
        lambda: Sequential(784),
        lambda net: net.dense(784, 128),
        "`dense` takes out_features, for the size of the input is inferred; "
        "received (784, 128). Write dense(128).",
    ),
    "the channels of the input given to a convolution": (
        lambda: Sequential(IMAGE),
        lambda net: net.conv2d(1, 32, 3),
        "`conv2d` takes out_channels, kernel_size, for the size of the input is inferred; "
        "received (1, 32, 3). Write conv2d(32, 3).",
    ),
    "an inferred size by keyword": (
        lambda: Sequential(784),
        lambda net: net.dense(128, in_features=784),
        "`dense` takes no in_features: it is inferred from what comes. Leave it out.",
    ),
    "a batch norm of pictures for vectors": (
        lambda: Sequential(64).dense(32),
        lambda net: net.batch_norm2d(),
        "`batch_norm2d` expects [channels, height, width]; `dense` before it gave [32]. "
        "Use `batch_norm1d`.",
    ),
    "groups that do not divide the channels": (
        lambda: Sequential((6, 8, 8)),
        lambda net: net.group_norm(4),
        "`group_norm` cannot cut 6 channels into 4 equal groups; the input is [6, 8, 8]. "
        "Use num_groups=1, 2, 3 or 6.",
    ),
    "groups of a convolution": (
        lambda: Sequential((6, 8, 8)),
        lambda net: net.conv2d(9, 3, groups=2),
        "`conv2d` cannot cut 6 channels to 9 into 2 equal groups; the input is [6, 8, 8]. "
        "Use groups=1 or 3.",
    ),
    "heads that do not divide the features": (
        lambda: Sequential((10, 30)),
        lambda net: net.multihead_attention(4),
        "`multihead_attention` cannot share 30 features among 4 heads; the input is [10, 30]. "
        "Use num_heads=3, 5, 6, 10, 15 or 30.",
    ),
    "heads of an encoder layer": (
        lambda: Sequential((10, 6)),
        lambda net: net.transformer_encoder_layer(4),
        "`transformer_encoder_layer` cannot share 6 features among 4 heads; "
        "the input is [10, 6]. Use nhead=1, 2, 3 or 6.",
    ),
    "an embedding of floats": (
        lambda: Sequential((10,)).dense(5),
        lambda net: net.embedding(100, 8),
        "`embedding` expects whole numbers, one for each token; `dense` before it gave [5] as "
        "floats. Put it first.",
    ),
    "a recurrent layer over a picture": (
        lambda: Sequential(IMAGE),
        lambda net: net.lstm(32),
        "`lstm` expects [time, features]; the input is [1, 28, 28]. "
        "Put `reshape(28, 28)` before it.",
    ),
    "a recurrent layer after convolutions": (
        conv,
        lambda net: net.gru(32),
        "`gru` expects [time, features]; `max_pool2d` before it gave [8, 13, 13]. "
        "Put `flatten(2).permute(1, 0)` before it: places become time, channels features.",
    ),
    "a second recurrent layer after the last step": (
        lambda: Sequential((10, 8)).lstm(16),
        lambda net: net.lstm(16),
        "`lstm_2` expects [time, features]; `lstm` before it gave [16]. "
        'Write returns="all" in `lstm`.',
    ),
    "a sequence without features": (
        lambda: Sequential((100,)),
        lambda net: net.lstm(16),
        "`lstm` expects [time, features]; the input is [100]. Write input_shape=(100, 1).",
    ),
    "a reshape that does not come out": (
        lambda: Sequential((128,)),
        lambda net: net.reshape(7, 7, 4),
        "`reshape` to [7, 7, 4] needs 196 values; the input is [128], which is 128.",
    ),
    "a reshape that nearly comes out": (
        lambda: Sequential((128,)),
        lambda net: net.reshape(4, 4, 4),
        "`reshape` to [4, 4, 4] needs 64 values; the input is [128], which is 128. "
        "`reshape(8, 4, 4)` would fit.",
    ),
    "a stride with padding same": (
        lambda: Sequential(IMAGE),
        lambda net: net.conv2d(8, 3, stride=2, padding="same"),
        '`conv2d` cannot have padding="same" with a stride of 2. Write padding=1, half the kernel.',
    ),
    "too much padding in a pool": (
        lambda: Sequential(IMAGE),
        lambda net: net.max_pool2d(2, padding=2),
        "`max_pool2d` has padding=2, more than half of its kernel of 2. Pad less.",
    ),
    "channels for a pixel shuffle": (
        lambda: Sequential((6, 8, 8)),
        lambda net: net.pixel_shuffle(2),
        "`pixel_shuffle` by 2 needs a multiple of 4 channels; the input is [6, 8, 8]. "
        "Give the layer before it 8 channels.",
    ),
    "axes with the batch in a permute": (
        lambda: Sequential((28, 28, 3)),
        lambda net: net.permute(0, 3, 1, 2),
        "`permute` expects each axis of a sample once, counted from 0 without the batch, such as "
        "permute(2, 1, 0); received (0, 3, 1, 2); the input is [28, 28, 3].",
    ),
    "a missing kernel": (
        lambda: Sequential(IMAGE),
        lambda net: net.conv2d(32),
        "`conv2d` needs kernel_size: conv2d(out_channels, kernel_size, activation=None, …).",
    ),
    "a class in place of a module": (
        lambda: Sequential(IMAGE),
        lambda net: net.add(nn.ReLU),
        "`add` expects a layer; received the class ReLU. Write add(ReLU(…)), an instance.",
    ),
    "two layers of one name": (
        lambda: Sequential((8,)).dense(4, name="fc"),
        lambda net: net.dense(4, name="fc"),
        "There is a layer `fc` already. Give this one another name.",
    ),
    "a name with a dot": (
        lambda: Sequential((8,)),
        lambda net: net.dense(4, name="fc.1"),
        "The name of a layer is a string without dots; received 'fc.1'.",
    ),
    "a name that torch needs": (
        lambda: Sequential((8,)),
        lambda net: net.dense(4, name="train"),
        "`train` is a method of torch's modules. Give the layer another name.",
    ),
    "a residual block that shrinks": (
        lambda: Sequential((3, 8, 8)),
        lambda net: net.residual(L.conv2d(3, 3)),
        "`residual` adds [3, 6, 6] to the [3, 8, 8] that came, which no projection brings "
        'together. Keep the size inside, as with padding="same", or give shortcut=.',
    ),
    "branches of several sizes": (
        lambda: Sequential((3, 8, 8)),
        lambda net: net.branches([L.conv2d(4, 1), L.conv2d(4, 3)]),
        "`branches` puts branches side by side whose other sizes agree; they give [4, 8, 8], "
        '[4, 6, 6]. Give convolutions padding="same" and pooling stride=1 with padding.',
    ),
    "branches to be added of several shapes": (
        lambda: Sequential((3,)),
        lambda net: net.branches([L.dense(4), []], merge="add"),
        "`branches` adds branches of one shape; they give [4], [3].",
    ),
    "a mistake inside a block": (
        lambda: Sequential((3, 8, 8)),
        lambda net: net.residual([L.flatten(), L.conv2d(3, 3)]),
        "`conv2d` expects [channels, height, width]; `flatten` before it gave [192]. "
        "Remove `flatten` or move it after the convolutions.",
    ),
    "repeat without a number": (
        lambda: Sequential((3,)),
        lambda net: net.repeat(L.dense(3), 2),
        None,
    ),
    "a tuple from a foreign module": (
        lambda: Sequential((5, 3)).add(nn.LSTM(3, 4, batch_first=True)),
        lambda net: net.dense(2),
        "`dense` expects a tensor; `lstm` before it gave tuple. "
        "Pick what is meant: add(lambda out: out[0]).",
    ),
    "a function that gives no tensor": (
        lambda: Sequential((3,)),
        lambda net: net.add(lambda x: x.tolist()),
        "The function `function` must give a tensor; it gave list.",
    ),
    "a module of other sizes": (
        lambda: Sequential((3,)),
        lambda net: net.add(FOREIGN),
        None,
    ),
    "several inputs in a chain": (
        lambda: Sequential((3,)),
        lambda net: net.bilinear(4),
        "`bilinear` reads several inputs; it has 1 here. A layer of a `Network` has several.",
    ),
    "an activation that is no name": (
        lambda: Sequential((3,)),
        lambda net: net.dense(4, nn.ReLU()),
        '`dense` expects the name of an activation, such as "relu"; received ReLU. '
        "Put anything else behind it with `add`.",
    ),
}


@pytest.mark.parametrize("title", MISTAKES)
def test_a_usual_mistake_is_told_with_its_line_and_leaves_the_network_as_it_was(title):
    begin, mistake, text = MISTAKES[title]
    net = begin()
    before, modules = repr(net), list(net.module.children())
    state = torch.get_rng_state()
    with pytest.raises(LayerError) as caught:
        mistake(net)
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(net) == before
    assert list(net.module.children()) == modules
    place, _, said = str(caught.value).partition(": ")
    line = mistake.__code__.co_firstlineno
    assert place == f"test_mistakes.py, line {line}"
    assert caught.value.line == line
    if text is not None:
        assert said == text
    assert "\n" not in said


def test_there_are_more_than_twenty_of_them():
    assert sum(text is not None for _, _, text in MISTAKES.values()) >= 20


@pytest.mark.parametrize(
    ("mistake", "closest"),
    [
        (lambda net: net.add("con2d", 3, 3), "no layer 'con2d'; did you mean 'conv2d'?"),
        (
            lambda net: net.conv2d(3, 3, strides=2),
            "no keyword of `conv2d` 'strides'; did you mean 'stride'?",
        ),
        (lambda net: net.conv2d(3, 3, "rleu"), "no activation 'rleu'; did you mean 'relu'?"),
        (lambda net: net.branches([[]], merge="conct"), "no merge 'conct'; did you mean 'concat'?"),
        (lambda net: net.flatten(2).lstm(3, returns="al"), "no returns 'al'; did you mean 'all'?"),
        (lambda net: net["conv"], "no layer 'conv'"),
        (lambda net: net.remove("conv"), "no layer 'conv'"),
        (lambda net: net.freeze("dense*"), "no weight or layer 'dense*'"),
        (
            lambda net: net.loss("cros_entropy"),
            "no loss 'cros_entropy'; did you mean 'cross_entropy'?",
        ),
        (lambda net: net.optimizer("admw"), "no optimizer 'admw'; did you mean 'adamw'?"),
        (lambda net: net.schedule("cosin"), "no schedule 'cosin'; did you mean 'cosine'?"),
        (
            lambda net: net.training(devise="cpu"),
            "no word for training 'devise'; did you mean 'device'?",
        ),
    ],
)
def test_an_unknown_name_is_told_with_the_closest_one(mistake, closest):
    net = Sequential(IMAGE)
    with pytest.raises(UnknownName) as caught:
        mistake(net)
    assert closest in str(caught.value)
    assert net.settings == {}


def test_an_unknown_method_is_told_with_the_closest_word():
    with pytest.raises(AttributeError, match="did you mean 'conv2d'"):
        Sequential(IMAGE).conv2(3, 3)


@pytest.mark.parametrize("shape", [(0, 3), (-1,), "28", (2.5,), (None, 3), [[3]]])
def test_an_input_shape_is_of_positive_whole_numbers(shape):
    with pytest.raises(LayerError, match="input_shape"):
        Sequential(shape)


def test_layers_that_wait_for_their_shape_name_the_line_where_they_were_written():
    net = Sequential()
    net.flatten()
    net.conv2d(3, 3); line = here()  # fmt: skip # noqa: E702
    with pytest.raises(LayerError) as caught:
        net.build(torch.zeros(5, 1, 8, 8))
    assert str(caught.value).startswith(f"test_mistakes.py, line {line}: `conv2d` expects")
    assert net.input_shape is None
    assert len(net) == 2


def test_in_a_chain_over_several_lines_the_line_of_the_word_is_named():
    # fmt: off
    first = here()
    with pytest.raises(LayerError) as caught:
        (
            Sequential(IMAGE)
            .flatten()
            .conv2d(3, 3)
        )
    # fmt: on
    assert caught.value.line == first + 5


def test_the_traceback_does_not_go_through_the_building():
    import traceback

    for mistake in (Sequential((28, 28)).conv2d, Input((28, 28)).conv2d):
        with pytest.raises(LayerError) as caught:
            mistake(3, 3)
        assert len(traceback.extract_tb(caught.value.__traceback__)) <= 4


def test_a_cell_is_named_by_its_number():
    cell = {"__name__": "__main__", "_ih": ["", "a", "b", "c"], "Sequential": Sequential}
    code = compile("net = Sequential((8, 8))\n\nnet.conv2d(1, 3)", "/tmp/ipykernel_1/12.py", "exec")
    with pytest.raises(LayerError, match=r"^cell 3, line 3: `conv2d` expects"):
        exec(code, cell)


def test_a_hostile_name_is_made_visible():
    with pytest.raises(MlnbError) as caught:
        Sequential((3,)).add("dense\u202e\n")
    assert "\u202e" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_names_inputs_that_are_missing():
    a, b = Input((3,), "a"), Input((3,), "b")
    with pytest.raises(LayerError, match="not among the inputs"):
        Network(a, a + b)
    with pytest.raises(LayerError, match="Two inputs are called `a`"):
        Network([a, Input((3,), "a")], a + a)


def test_tensors_of_other_sizes_cannot_be_put_side_by_side():
    with pytest.raises(LayerError, match="`concat` cannot work here"):
        concat([Input((3, 4), "a"), Input((3, 5), "b")])


def here():
    import sys

    return sys._getframe(1).f_lineno
