"""`Bert`: the numbers of the paper's formulas, only the layers that are wanted, and its sizes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import HEADS, LONGEST, WIDTH, tiny_config, tiny_encoder, tiny_weights

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from mlnb.errors import CheckpointError  # noqa: E402
from mlnb.networks.bert import Bert, BertConfig, published_name  # noqa: E402
from mlnb.networks.encoder_loading import read_parts  # noqa: E402

IDS = np.array([[2, 10, 40, 50, 3, 0, 0], [2, 20, 3, 30, 31, 60, 3]])
MASK = np.array([[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]], bool)
KINDS = np.array([[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Bert:
    made = read_parts(tiny_encoder(tmp_path_factory.mktemp("encoder"))).body
    assert isinstance(made, Bert)
    return made.eval()


def by_formula(ids, mask, kinds, weights) -> list[np.ndarray]:
    """What Devlin et al. write down, in numpy, from weights under their published names."""

    def linear(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    tables = ("word", "position", "token_type")
    word, position, kind = (weights[f"embeddings.{table}_embeddings.weight"] for table in tables)
    x = norm(word[ids] + position[: ids.shape[1]] + kind[kinds], "embeddings.LayerNorm")
    hidden = [x]
    for layer in range(2):
        at = f"encoder.layer.{layer}"
        parts = [
            linear(x, f"{at}.attention.self.{part}").reshape(*ids.shape, HEADS, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        ]
        scores = parts[0] @ parts[1].swapaxes(-1, -2) / math.sqrt(WIDTH / HEADS)
        scores = np.where(mask[:, None, None, :], np.exp(scores), 0)
        seen = scores / scores.sum(-1, keepdims=True) @ parts[2]
        seen = linear(seen.swapaxes(1, 2).reshape(x.shape), f"{at}.attention.output.dense")
        x = norm(x + seen, f"{at}.attention.output.LayerNorm")
        wide = linear(x, f"{at}.intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(x + linear(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        hidden.append(x)
    return hidden


def test_every_layer_gives_the_numbers_of_the_formulas(body: Bert) -> None:
    expected = by_formula(IDS, MASK, KINDS, tiny_weights())
    with torch.no_grad():
        found = body(*(torch.from_numpy(one) for one in (IDS, MASK, KINDS)))
    assert len(found) == 3
    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(ours.numpy() - theirs)[MASK].max() < 1e-5


def test_padding_changes_nothing(body: Bert) -> None:
    with torch.no_grad():
        padded = body(torch.from_numpy(IDS), torch.from_numpy(MASK))[-1][0, :5]
        alone = body(torch.from_numpy(IDS[:1, :5]))[-1][0]
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=0)


def test_layers_above_those_that_are_wanted_are_not_computed(body: Bert) -> None:
    ran: list[int] = []
    hooks = [
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
        for number, layer in enumerate(body.blocks)
    ]
    assert len(body(torch.from_numpy(IDS), depth=1)) == 2
    for hook in hooks:
        hook.remove()
    assert ran == [0]


def test_it_drops_out_in_training_only_and_gradients_reach_the_words() -> None:
    torch.manual_seed(0)
    net = Bert(BertConfig.of(tiny_config() | {"hidden_dropout_prob": 0.5}))
    ids = torch.from_numpy(IDS)
    assert not torch.equal(net.train()(ids)[-1], net(ids)[-1])
    net.eval()(ids)[-1].square().sum().backward()
    torch.testing.assert_close(net(ids)[-1], net(ids)[-1])
    assert net.word_embeddings.weight.grad.abs().sum() > 0


def test_its_weights_have_the_published_names() -> None:
    net = Bert(BertConfig.of(tiny_config()))
    assert {published_name(name) for name in net.state_dict()} == set(tiny_weights())
    assert (net.width, net.depth, net.longest) == (WIDTH, 2, LONGEST)


def test_its_config_comes_back() -> None:
    config = BertConfig.of(tiny_config())
    assert BertConfig.of(config.to_json()) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_size", 10**18),
        ("hidden_size", -16),
        ("hidden_size", 18),
        ("hidden_size", "16"),
        ("hidden_size", None),
        ("num_hidden_layers", 10**9),
        ("num_attention_heads", 0),
        ("vocab_size", True),
        ("vocab_size", [1] * 1000),
        ("hidden_dropout_prob", float("nan")),
        ("layer_norm_eps", "small"),
        ("hidden_act", ["gelu"]),
        ("hidden_act", "<script>\u202e"),
    ],
)
def test_sizes_that_no_network_has_are_refused_in_words(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: \w+ ") as raised:
        BertConfig.of(tiny_config() | {name: value})
    assert len(str(raised.value)) < 300
    assert "\u202e" not in str(raised.value)


def test_a_config_without_a_size_is_refused() -> None:
    config = tiny_config()
    del config["vocab_size"]
    with pytest.raises(CheckpointError, match=r"vocab_size.*received nothing"):
        BertConfig.of(config)


def test_no_random_number_is_used_up_by_reading_a_folder(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    before = torch.get_rng_state()
    read_parts(folder)
    assert torch.equal(before, torch.get_rng_state())
