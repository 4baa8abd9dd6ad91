"""`Tokenizer`: texts to numbers and back to places, whatever the texts and the file are like."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import WORDS, tiny_tokenizer

pytest.importorskip("tokenizers")

from mlnb.errors import CheckpointError, DataError
from mlnb.networks.tokenizing import Tokenizer

HOSTILE = [
    "",
    " \t\n",
    "\x00\x07\x1b[31m",
    "a\ud800b",
    "\udc00",
    "\u202eabc\u2066",
    "😀👩‍👩‍👧",
    "<script>alert(1)</script>",
    "[CLS] [SEP] [PAD]",
    "e\u0301" * 100,
    "中文字",
    "x" * 10_000,
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(tiny_tokenizer())


def words(tokenizer: Tokenizer, ids: np.ndarray) -> list[str]:
    return [WORDS[number] for number in ids]


def test_a_text_becomes_numbers_with_the_special_ones_around(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(["The SOUP was qi!", ""])
    assert words(tokenizer, tokens.ids[0])[1:-1] == ["the", "soup", "was", "q", "##i", "!"]
    assert words(tokenizer, tokens.ids[1]) == ["[CLS]", "[SEP]"]
    assert tokens.ids[0].dtype == np.int64
    assert tokens.kinds is None
    assert tokens.lengths.tolist() == [8, 2]


def test_a_pair_tells_its_texts_apart(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(["the soup"], ["was cold"])
    assert words(tokenizer, tokens.ids[0])[1:] == ["the", "soup", "[SEP]", "was", "cold", "[SEP]"]
    assert tokens.kinds is not None
    assert tokens.kinds[0].tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_texts_are_cut_at_the_length_and_the_longer_of_a_pair_first(tokenizer: Tokenizer) -> None:
    cut = tokenizer.encode(["the soup was cold", "the"], max_len=4)
    assert words(tokenizer, cut.ids[0]) == ["[CLS]", "the", "soup", "[SEP]"]
    assert len(cut.ids[1]) == 3
    pair = tokenizer.encode(["the " * 50], ["cold"], max_len=8)
    assert words(tokenizer, pair.ids[0])[-3:] == ["[SEP]", "cold", "[SEP]"]
    assert len(pair.ids[0]) == 8


def test_nothing_is_padded_whatever_the_file_says() -> None:
    said = json.loads(tiny_tokenizer())
    said["padding"] = {
        "strategy": {"Fixed": 50},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 7,
        "pad_type_id": 0,
        "pad_token": "x",
    }
    said["truncation"] = {"max_length": 3, "strategy": "LongestFirst", "stride": 0}
    made = Tokenizer(json.dumps(said).encode())
    assert len(made.encode(["the soup was cold"]).ids[0]) == 6
    assert made.pad_id == 7
    assert Tokenizer(made.content, pad_id=3).pad_id == 3


def test_no_texts_give_no_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([]) == ([], None)
    assert tokenizer.encode([], []) == ([], [])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_become_numbers_that_the_network_knows(
    tokenizer: Tokenizer, text: str
) -> None:
    own = Tokenizer.of_texts([text, "a word"])
    for one in (tokenizer, own):
        for tokens in (one.encode([text]), one.encode([text], [text])):
            assert 1 <= len(tokens.ids[0]) <= 128
            assert 0 <= tokens.ids[0].min() <= tokens.ids[0].max() < one.size
        assert len(one.spans(text)) == len(one.encode([text]).ids[0])


def test_a_long_text_costs_little_and_reads_the_same(tokenizer: Tokenizer) -> None:
    text = "The soup was cold, qi. " * 10_000
    whole = tokenizer._batch([text], 128)[0].ids
    begun = time.perf_counter()
    found = tokenizer.encode([text] * 20)
    assert time.perf_counter() - begun < 2
    assert [ids.tolist() for ids in found.ids] == [whole] * 20


@pytest.mark.parametrize(
    "text",
    [
        " " * 200_000 + "the soup",
        "the" + " " * 200_000 + "soup",
        "x" * 200_000,
        "the " * 40 + "x" * 9_000,
    ],
)
def test_a_text_whose_beginning_says_little_is_read_on(tokenizer: Tokenizer, text: str) -> None:
    found = tokenizer.encode([text], max_len=64).ids[0].tolist()
    assert found == tokenizer._batch([text], 64)[0].ids


def test_the_place_of_every_token_is_told(tokenizer: Tokenizer) -> None:
    text = "The soup, qi"
    places = tokenizer.spans(text)
    assert [text[start:end] for start, end in places] == ["", "The", "soup", ",", "q", "i", ""]
    both = tokenizer.spans("the soup", "cold")
    assert both == [(0, 0), (0, 3), (4, 8), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("max_len", [3, 0, -1, True, 12.5, "128", None])
def test_a_length_that_is_none_is_refused(tokenizer: Tokenizer, max_len: object) -> None:
    with pytest.raises(DataError, match="max_len should be a whole number"):
        tokenizer.encode(["a"], max_len=max_len)  # type: ignore[arg-type]
    assert tokenizer.encode(["a"], max_len=np.int64(8)).lengths.tolist() == [3]  # type: ignore[arg-type]


def test_what_is_no_text_is_refused_and_a_missing_one_is_empty(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([None]).lengths.tolist() == [2]  # type: ignore[list-item]
    for wrong in (["a", 5], [b"a"], "a"):
        with pytest.raises(DataError):
            tokenizer.encode(wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="2 texts and 1 second"):
        tokenizer.encode(["a", "b"], ["c"])


def test_a_vocabulary_of_ones_own_holds_the_most_frequent_words() -> None:
    texts = ["The soup was cold.", "the soup!", "The bread"]
    made = Tokenizer.of_texts(texts, size=5)
    assert made.size == 5
    assert (made.pad_id, made.unknown_id) == (0, 1)
    found = made.encode(["the SOUP bread", "", "soup"], ["the", "", "the"])
    assert [ids.tolist() for ids in found.ids] == [[3, 4, 1, 2, 3], [2], [4, 2, 3]]
    assert made.encode([""]).ids[0].tolist() == [1]  # nothing would make a mean of nothing
    assert Tokenizer.of_texts(texts, size=5).content == made.content


def test_a_vocabulary_of_no_texts_knows_the_special_words_only() -> None:
    made = Tokenizer.of_texts([])
    assert made.size == 3
    assert made.encode(["a word"]).ids[0].tolist() == [1, 1]


def test_it_is_its_file(tokenizer: Tokenizer, tmp_path: Path) -> None:
    read = Tokenizer(tokenizer.save(tmp_path / "tokenizer.json").read_bytes())
    assert read.sha256 == tokenizer.sha256
    for same in (read, copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert (
            same.encode(["the soup"]).ids[0].tolist()
            == tokenizer.encode(["the soup"]).ids[0].tolist()
        )
        assert same.pad_id == tokenizer.pad_id
    assert repr(tokenizer) == f"Tokenizer({len(WORDS)} words, {tokenizer.sha256[:8]})"


def test_threads_with_different_lengths_do_not_disturb_each_other(tokenizer: Tokenizer) -> None:
    wrong: list[int] = []

    def work(length: int) -> None:
        for _ in range(200):
            wrong.extend(set(tokenizer.encode(["the " * 50], max_len=length).lengths) - {length})

    threads = [threading.Thread(target=work, args=(length,)) for length in (5, 9, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def damaged() -> dict[str, bytes]:
    good = json.loads(tiny_tokenizer())
    forgetful = good["post_processor"] | {"special_tokens": {}}
    return {
        "nothing": b"",
        "no JSON": b"\xff\xfe{",
        "other JSON": b'{"a": [1]}',
        "deep JSON": b'{"model":' + b"[" * 200_000,
        "half": tiny_tokenizer()[:2_000],
        "another model": json.dumps(good | {"model": {"type": "Oracle"}}).encode(),
        "no words": json.dumps(good | {"model": {"type": "WordPiece", "vocab": []}}).encode(),
        "a panic": json.dumps(good | {"post_processor": forgetful}).encode(),
        "a negative id": tiny_tokenizer().replace(b'"[UNK]":1', b'"[UNK]":-1'),
    }


@pytest.mark.parametrize("which", damaged())
def test_a_damaged_file_is_refused_in_words(which: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        Tokenizer(damaged()[which])
    assert len(str(raised.value)) < 400


def test_a_panic_of_the_library_is_an_error_like_others(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):
        pass

    class Inner:
        def __getattr__(self, name: str):
            raise PanicException("index out of bounds")

    broken = copy.deepcopy(tokenizer)
    monkeypatch.setattr(broken, "_inner", Inner())
    with pytest.raises(CheckpointError, match="index out of bounds"):
        broken._batch(["a"], 8)
    monkeypatch.setattr(Inner, "__getattr__", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        broken._batch(["a"], 8)
