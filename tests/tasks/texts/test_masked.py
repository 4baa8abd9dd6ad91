"""Texts of several lengths in one batch: each comes out as if it were alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mlnb.errors import TrainError
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.masked import masked

LENGTHS = (1, 2, 5, 9, 3)


def words() -> Sequential:
    return Sequential().embedding(50, 8)


CHAINS = {
    "embedding alone": words(),
    "bag": Sequential().embedding_bag(50, 8),
    "bag of sums": Sequential().embedding_bag(50, 8, mode="sum"),
    "bag of maxima": Sequential().embedding_bag(50, 8, mode="max"),
    "rnn": words().rnn(6),
    "gru": words().gru(6),
    "gru of two layers both ways": words().gru(6, bidirectional=True, num_layers=2),
    "gru, all steps": words().gru(6, returns="all").dense(4, "tanh"),
    "lstm both ways": words().lstm(6, bidirectional=True),
    "lstm without bias": words().lstm(6, bias=False),
    "transformer": words().positional_encoding().transformer_encoder_layer(2, dim_feedforward=16),
    "attention": words().multihead_attention(2).layer_norm(),
    "attention stepped over": words().residual(Sequential().multihead_attention(2)),
    "two transformers": words().repeat(
        2, Sequential().transformer_encoder_layer(2, dim_feedforward=16)
    ),
    "convolution": words().permute(1, 0).conv1d(6, 3, "relu").global_max_pool1d(),
    "convolutions with strides": words()
    .permute(1, 0)
    .conv1d(6, 3, "relu", padding=1)
    .conv1d(4, 5, stride=2)
    .global_avg_pool1d()
    .dense(5),
    "convolution of the same size": words().permute(1, 0).conv1d(6, 5, padding="same"),
    "convolutions side by side": words()
    .permute(1, 0)
    .branches(
        [
            Sequential().conv1d(4, 3, padding="same").global_max_pool1d(),
            Sequential().conv1d(4, 5, padding="same").global_max_pool1d(),
        ]
    ),
    "a function of words that gives one vector": words().add(lambda x: x[:, 0]),
}


@pytest.fixture(scope="module")
def texts() -> list[torch.Tensor]:
    numbers = torch.Generator().manual_seed(0)
    return [torch.randint(1, 50, (length,), generator=numbers) for length in LENGTHS]


def batch(texts: list[torch.Tensor], length: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """With a word where the padding is, which would be seen if it were read."""
    ids = torch.full((len(texts), length), 7)
    is_word = torch.zeros(len(texts), length, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        is_word[row, : len(text)] = True
    return ids, is_word


def built(chain: Sequential) -> nn.Module:
    return chain.build(torch.zeros(2, 8, dtype=torch.int64)).module.eval()


@pytest.mark.parametrize("name", CHAINS)
def test_a_text_comes_out_as_if_it_were_alone(name: str, texts: list[torch.Tensor]) -> None:
    chain = built(CHAINS[name])
    alone = [masked(chain, text[None], torch.ones(1, len(text)).bool()) for text in texts]
    together = masked(chain, *batch(texts))
    assert together.dim() == 2
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("name", ["bag", "gru of two layers both ways", "lstm both ways", "rnn"])
def test_without_padding_it_is_what_torch_gives(name: str, texts: list[torch.Tensor]) -> None:
    chain = built(CHAINS[name])
    ids = texts[3][None]
    assert torch.allclose(masked(chain, ids, torch.ones_like(ids).bool()), chain(ids), atol=1e-6)


def test_a_text_without_a_word_has_an_answer() -> None:
    ids = torch.zeros(2, 3, dtype=torch.int64)
    for name in ("bag", "bag of maxima", "gru", "transformer", "convolution"):
        out = masked(built(CHAINS[name]), ids, torch.zeros(2, 3).bool())
        assert out.isfinite().all(), name


def test_gradients_reach_no_padding(texts: list[torch.Tensor]) -> None:
    chain = built(CHAINS["transformer"])
    ids, is_word = batch([text for text in texts if not (text == 7).any()])
    masked(chain, ids, is_word).sum().backward()
    table = next(chain.parameters())
    assert table.grad is not None
    assert not table.grad[7].any()


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (words().flatten().dense(3), "`flatten` puts all words of a text side by side"),
        (words().permute(1, 0).adaptive_avg_pool1d(3), "`adaptive_avg_pool1d` makes"),
        (
            words().add(nn.GRU(8, 4, batch_first=True)).add(lambda out: out[0]),
            r"write it as a word, \.gru\(64\)",
        ),
    ],
)
def test_what_wants_one_length_says_so(chain: Sequential, said: str) -> None:
    ids = torch.ones(2, 8, dtype=torch.int64)
    with pytest.raises(TrainError, match=said):
        masked(built(chain), ids, ids.bool())
