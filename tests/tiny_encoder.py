"""A BERT of 2 layers and 16 numbers, made here, in a folder laid out as encoders' folders are.

Its weights are random but always the same, so what it embeds can be told apart by a head, and says
nothing about the world. `tiny_texts` makes sentences for it that anyone can tell apart.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

GOOD = ["good", "great", "lovely", "fresh", "warm", "friendly", "best", "happy", "tasty", "quick"]
BAD = ["bad", "awful", "cold", "rude", "stale", "slow", "worst", "sad", "bland", "dirty"]
THINGS = [
    "food",
    "soup",
    "service",
    "waiter",
    "place",
    "table",
    "bread",
    "coffee",
    "dinner",
    "room",
]
OTHERS = [
    "the",
    "a",
    "was",
    "is",
    "were",
    "and",
    "not",
    "never",
    "very",
    "so",
    "we",
    "i",
    "it",
    "had",
    "here",
    "again",
    "!",
    ".",
    ",",
    "?",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789'-"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, *OTHERS, *GOOD, *BAD, *THINGS, *LETTERS.replace("a", "").replace("i", "")]
WORDS += [f"##{letter}" for letter in LETTERS]

WIDTH, DEPTH, HEADS, LONGEST = 16, 2, 4, 64


def tiny_encoder(folder: Path, *, seed: int = 0, depth: int = DEPTH, **config: Any) -> Path:
    """The folder, with `config.json`, `model.safetensors` and `tokenizer.json` in it.

    Args:
        folder: is made.
        seed: of its weights.
        depth: how many layers.
        config: in place of what `config.json` says otherwise; `model_type="roberta"`.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(tiny_config(depth) | config))
    save_file(tiny_weights(seed, depth), folder / "model.safetensors")
    (folder / "tokenizer.json").write_bytes(tiny_tokenizer())
    return folder


def tiny_config(depth: int = DEPTH) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": len(WORDS),
        "hidden_size": WIDTH,
        "num_hidden_layers": depth,
        "num_attention_heads": HEADS,
        "intermediate_size": 32,
        "max_position_embeddings": LONGEST,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
    }


def tiny_weights(seed: int = 0, depth: int = DEPTH) -> dict[str, np.ndarray]:
    """Under the names that the transformers library has for them."""
    numbers = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return numbers.normal(0, 0.5 if shape[0] > WIDTH else 0.3, shape).astype(np.float32)

    def linear(name: str, out: int, into: int) -> dict[str, np.ndarray]:
        return {f"{name}.weight": drawn(out, into), f"{name}.bias": 0.1 * drawn(out)}

    def norm(name: str) -> dict[str, np.ndarray]:
        return {f"{name}.weight": 1 + 0.1 * drawn(WIDTH), f"{name}.bias": 0.1 * drawn(WIDTH)}

    made = {
        "embeddings.word_embeddings.weight": drawn(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": 0.2 * drawn(LONGEST, WIDTH),
        "embeddings.token_type_embeddings.weight": drawn(2, WIDTH),
        **norm("embeddings.LayerNorm"),
    }
    for layer in range(depth):
        name = f"encoder.layer.{layer}"
        for one in ("attention.self.query", "attention.self.key", "attention.self.value"):
            made |= linear(f"{name}.{one}", WIDTH, WIDTH)
        made |= linear(f"{name}.attention.output.dense", WIDTH, WIDTH)
        made |= norm(f"{name}.attention.output.LayerNorm")
        made |= linear(f"{name}.intermediate.dense", 32, WIDTH)
        made |= linear(f"{name}.output.dense", WIDTH, 32)
        made |= norm(f"{name}.output.LayerNorm")
    return made


def tiny_tokenizer() -> bytes:
    """A `tokenizer.json`: words and letters in lower case, `[CLS]` before and `[SEP]` after."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(SPECIAL)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])],
    )
    return made.to_str().encode()


def tiny_texts(count: int = 60) -> tuple[list[str], list[int]]:
    """So many different sentences and their labels, in turn 0 and 1."""
    both = [
        (f"the {thing} was {very}{word}{end}", label)
        for very, thing, end, words in itertools.product(
            ("", "very ", "so "), THINGS, (".", "!"), zip(BAD, GOOD, strict=True)
        )
        for label, word in enumerate(words)
    ]
    return [text for text, _ in both[:count]], [label for _, label in both[:count]]
