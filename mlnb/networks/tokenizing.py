"""`Tokenizer`: texts to the numbers that a network takes, by the `tokenizers` library.

It is its file: the bytes of a `tokenizer.json`, which a saved model and an exported one carry with
them. A vocabulary of one's own data makes such a file too.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlnb.cache import write_whole
from mlnb.data.text import clean
from mlnb.errors import CheckpointError, DataError, need
from mlnb.formatting import display_text, first_line

Array = np.ndarray[Any, np.dtype[Any]]

PAD, UNKNOWN, SEPARATOR = "[PAD]", "[UNK]", "[SEP]"
LEAST = 4
"""Tokens that a pair of texts needs for its special ones and one more."""
_AT_ONCE = 10_000
_CHARACTERS_A_TOKEN = 32


class Tokens(NamedTuple):
    """Texts as numbers.

    Args:
        ids: of the tokens of each text, int64.
        kinds: for each token 0 in the first text of a pair and 1 in the second; `None` without
            pairs.
    """

    ids: list[Array]
    kinds: list[Array] | None = None

    @property
    def lengths(self) -> Array:
        """How many tokens each text has."""
        return np.fromiter((len(one) for one in self.ids), np.int64, len(self.ids))


class Tokenizer:
    """What a `tokenizer.json` says, as a function of texts.

    >>> tokenizer = Tokenizer(Path("tokenizer.json").read_bytes())
    >>> tokenizer.encode(["a text", "another one"]).ids

    Args:
        content: of a `tokenizer.json`.
        pad_id: in place of what the file says of padding.

    Raises:
        CheckpointError: it is no such file.
    """

    def __init__(self, content: bytes, pad_id: int | None = None) -> None:
        self.content = bytes(content)
        self._lock = threading.Lock()
        with _telling("This is no tokenizer.json that can be read"):
            self._inner = need("tokenizers", "text").Tokenizer.from_buffer(self.content)
            self._words: dict[str, int] = self._inner.get_vocab(with_added_tokens=True)
            padding = self._inner.padding
            self._inner.no_padding()
            self._inner.encode("a", "a")  # what cannot be carried out shows here, not later
        if not self._words:
            raise CheckpointError("The tokenizer.json knows no words at all.")
        said = padding["pad_id"] if padding else self._words.get(PAD, self._words.get("<pad>", 0))
        self.pad_id = int(said if pad_id is None else pad_id)
        self.unknown_id = self._words.get(UNKNOWN, self._words.get("<unk>", 0))

    @classmethod
    def of_texts(cls, texts: Sequence[str], size: int = 20_000) -> Tokenizer:
        """A vocabulary of one's own: the most frequent words, in lower case.

        >>> Tokenizer.of_texts(["The soup was cold.", "the soup!"], size=4)

        Padding is 0 and whatever is not known 1; the two texts of a pair have a 2 between them.

        Args:
            texts: whose words are counted.
            size: the most words, these three and punctuation among them.
        """
        lib = need("tokenizers", "text")
        inner = lib.Tokenizer(lib.models.WordLevel({}, unk_token=UNKNOWN))
        inner.normalizer = lib.normalizers.BertNormalizer(strip_accents=False, lowercase=True)
        inner.pre_tokenizer = lib.pre_tokenizers.BertPreTokenizer()
        special = [PAD, UNKNOWN, SEPARATOR]
        trainer = lib.trainers.WordLevelTrainer(
            vocab_size=size, special_tokens=special, show_progress=False
        )
        inner.train_from_iterator(clean(texts), trainer)
        inner.post_processor = lib.processors.TemplateProcessing(
            single="$A", pair=f"$A {SEPARATOR} $B:1", special_tokens=[(SEPARATOR, 2)]
        )
        return cls(inner.to_str().encode(), pad_id=0)

    def __repr__(self) -> str:
        return f"Tokenizer({len(self._words):,} words, {self.sha256[:8]})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Its file is all there is to copy: a lock cannot be."""
        return Tokenizer, (self.content, self.pad_id)

    @property
    def sha256(self) -> str:
        """Of its file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """One more than the highest id."""
        return max(self._words.values()) + 1

    def encode(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, max_len: int = 128
    ) -> Tokens:
        """The tokens of each text, or of each pair of texts.

        >>> tokenizer.encode(["a text"], pairs=["another one"]).kinds

        Args:
            texts: as `clean` takes them; may be empty.
            pairs: a second text for each.
            max_len: tokens in a text or in a pair at most, the special ones among them; the rest
                is cut off, of the longer one of a pair first.

        Raises:
            DataError: something is no text, there are not as many pairs as texts, or `max_len` is
                no length.
        """
        length = checked_length(max_len)
        firsts, seconds = two_columns(texts, pairs)
        tokens = Tokens([], None if seconds is None else [])
        for start in range(0, len(firsts), _AT_ONCE):
            part = firsts[start : start + _AT_ONCE]
            if seconds is None:
                encoded = self._singles(part, length)
            else:
                both = zip(part, seconds[start : start + _AT_ONCE], strict=True)
                encoded = self._batch(list(both), length)
            for one in encoded:
                ids = one.ids or [self.unknown_id]
                tokens.ids.append(np.array(ids, np.int64))
                if tokens.kinds is not None:
                    tokens.kinds.append(np.array(one.type_ids or [0], np.int64))
        return tokens

    def spans(
        self, text: str, pair: str | None = None, max_len: int = 128
    ) -> list[tuple[int, int]]:
        """Where in the text each of its tokens begins and ends, in characters.

        A token that stands for nothing in the text, and all those of the second text, have (0, 0).
        """
        given: list[Any] = clean([text] if pair is None else [text, pair])
        if pair is not None:
            given = [tuple(given)]
        with self._cutting_at(checked_length(max_len)):
            found = self._inner.encode_batch(given)[0]
        return [
            (int(start), int(end)) if of == 0 else (0, 0)
            for (start, end), of in zip(found.offsets, found.sequence_ids, strict=True)
        ] or [(0, 0)]

    def save(self, path: str | Path) -> Path:
        """Write the file: the very bytes that it was made of."""
        write_whole(Path(path), self.content)
        return Path(path)

    def _singles(self, texts: list[str], max_len: int) -> list[Any]:
        """Of a long text its beginning is enough, unless that has too few words."""
        begun = [_beginning(text, max_len) for text in texts]
        encoded = self._batch(begun, max_len)
        short = [
            i for i, one in enumerate(encoded) if begun[i] is not texts[i] and len(one) < max_len
        ]
        for i, one in zip(short, self._batch([texts[i] for i in short], max_len), strict=True):
            encoded[i] = one
        return encoded

    def _batch(self, given: list[Any], max_len: int) -> list[Any]:
        with self._cutting_at(max_len):
            encoded: list[Any] = self._inner.encode_batch_fast(given)
        return encoded

    @contextmanager
    def _cutting_at(self, max_len: int) -> Iterator[None]:
        """The library keeps the length in the tokenizer, which several threads may use."""
        with self._lock, _telling("The tokenizer failed"):
            self._inner.enable_truncation(max_len)
            yield


def two_columns(
    texts: Sequence[str], pairs: Sequence[str] | None
) -> tuple[list[str], list[str] | None]:
    """Texts, and their second texts where there are some, as plain strings.

    Raises:
        DataError: something is no text, or there are not as many second ones.
    """
    firsts = clean(texts)
    seconds = None if pairs is None else clean(pairs, "second texts")
    if seconds is not None and len(seconds) != len(firsts):
        raise DataError(
            f"There should be a second text for each; received {len(firsts):,} texts and "
            f"{len(seconds):,} second ones"
        )
    return firsts, seconds


def checked_length(max_len: int) -> int:
    """The most tokens of a text, if it is such a number.

    Raises:
        DataError: it is no whole number from 4 on.
    """
    if isinstance(max_len, bool) or not isinstance(max_len, Integral) or max_len < LEAST:
        raise DataError(
            f"max_len should be a whole number of tokens from {LEAST} on; received "
            f"{display_text(repr(max_len), 60)}"
        )
    return int(max_len)


def _beginning(text: str, max_len: int) -> str:
    """As much of a text as will do for so many tokens, unless its words are long; whole words."""
    most = _CHARACTERS_A_TOKEN * max_len
    end = text.rfind(" ", 0, most) if len(text) > most else -1
    return text[:end] if end > 0 else text


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """The library's errors as ours; a panic of its Rust is no `Exception`."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            if isinstance(error, CheckpointError | ImportError | MemoryError):
                raise
            raise CheckpointError(f"{what}: {first_line(error)}") from error
        raise
