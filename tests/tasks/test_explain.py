"""Where a network looks, and which words count: on networks and texts whose reason is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import DataError, ModelRunError, UnknownName
from mlnb.tasks.explain import grad_cam, occlusion, overlay
from mlnb.tasks.word_shares import words


class RedOrBlue(nn.Module):
    """Scores how much red and how much blue there is, by one convolution."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.AvgPool2d(4), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.ReLU(inplace)
        )
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            self.body[1].weight[:] = torch.tensor([[1.0, -1, -1], [-1, -1, 1]])[..., None, None]
            self.body[1].bias.zero_()
            self.head.weight[:] = torch.eye(2) * 5
            self.head.bias[:] = torch.tensor([0.0, 0.1])

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def red_above_blue() -> np.ndarray:
    """A red patch above on the left, a blue one below on the right."""
    image = np.zeros((3, 32, 48), np.float32)
    image[0, 4:12, 4:16] = 1
    image[2, 20:28, 28:44] = 1
    return image


def picture_of(image: np.ndarray) -> np.ndarray:
    return (image.transpose(1, 2, 0) * 255).astype(np.uint8)


def about(seen: np.ndarray) -> tuple[float, float]:
    """Where the map lies: its centre of gravity, down and right."""
    ys, xs = np.mgrid[: seen.shape[0], : seen.shape[1]]
    return float((seen * ys).sum() / seen.sum()), float((seen * xs).sum() / seen.sum())


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("layer", [None, "body.1", "body.2", "body.3"])
@pytest.mark.parametrize(("target", "place"), [(0, (7.5, 9.5)), (1, (23.5, 35.5))])
def test_grad_cam_looks_where_the_class_is(inplace: bool, layer, target: int, place) -> None:
    seen = grad_cam(RedOrBlue(inplace), red_above_blue(), target, layer)
    assert seen.shape == (32, 48)
    assert seen.dtype == np.float32
    assert (seen.min(), seen.max()) == (0, 1)
    assert np.allclose(about(seen), place, atol=1.5)


def test_the_largest_output_is_explained_where_none_is_named() -> None:
    largest = grad_cam(RedOrBlue(), red_above_blue())
    assert np.array_equal(largest, grad_cam(RedOrBlue(), red_above_blue(), 1))
    assert not np.array_equal(largest, grad_cam(RedOrBlue(), red_above_blue(), 0))


def test_tensors_batches_of_one_and_half_precision_do_as_well() -> None:
    image = torch.from_numpy(red_above_blue())
    one = grad_cam(RedOrBlue(), image)
    assert np.array_equal(one, grad_cam(RedOrBlue(), image[None]))
    assert np.array_equal(one, grad_cam(RedOrBlue(), image.double()))


def test_grad_cam_leaves_the_module_as_it_was() -> None:
    module = RedOrBlue().train()
    module.body[1].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with torch.no_grad():
        grad_cam(module, red_above_blue())
    assert module.training
    assert module.body.training
    assert not module.body[1].weight.requires_grad
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not any(one._forward_hooks for one in module.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_frozen_backbone_is_looked_into_and_stays_frozen(monkeypatch) -> None:
    from mlnb.networks.backbones import Backbone

    body = nn.Sequential(RedOrBlue().body, nn.AdaptiveAvgPool2d(1))
    made = Backbone("colours", body, lambda picture: picture, (3, 32, 48), "by hand").freeze()
    module = nn.Sequential(made, RedOrBlue().head)
    seen = grad_cam(module, red_above_blue(), 0)
    assert np.allclose(about(seen), (7.5, 9.5), atol=1.5)
    assert made.frozen


def test_a_sequential_of_ours_is_a_module_too() -> None:
    from mlnb.networks.sequential import Sequential

    torch.manual_seed(0)
    net = Sequential(input_shape=(3, 16, 16)).conv2d(4, 3, "relu").flatten().dense(2)
    assert grad_cam(net, np.random.default_rng(0).random((3, 16, 16), np.float32)).shape == (16, 16)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1", "densenet121"])
@pytest.mark.slow
def test_torchvisions_networks_have_maps_of_the_size_of_their_last_convolution(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    module = models.get_model(name, weights=None).eval()
    seen = grad_cam(module, torch.randn(3, 96, 96))
    assert seen.shape == (96, 96)
    assert 0 <= seen.min() <= seen.max() <= 1


def refusals() -> list:
    image = red_above_blue()
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 48, 2))
    return [
        pytest.param(
            (len, image), {}, DataError, "needs gradients, and so a torch module", id="len"
        ),
        pytest.param((dense, image), {}, DataError, "no convolution with maps", id="dense"),
        pytest.param((RedOrBlue(), image), {"target": 7}, DataError, "target is 7", id="target"),
        pytest.param(
            (RedOrBlue(), image), {"layer": "body.l"}, UnknownName, "did you mean 'body", id="name"
        ),
        pytest.param(
            (RedOrBlue(), image), {"layer": "head"}, DataError, r"maps are \[n, channels", id="head"
        ),
        pytest.param(
            (RedOrBlue(), image),
            {"layer": nn.Conv2d(3, 3, 1)},
            DataError,
            "takes no part",
            id="other",
        ),
        pytest.param((RedOrBlue(), image[0]), {}, DataError, r"\[32, 48\]", id="grey"),
        pytest.param((RedOrBlue(), np.stack([image] * 2)), {}, DataError, "one picture", id="two"),
        pytest.param(
            (RedOrBlue(), (image * 255).astype(np.uint8)), {}, DataError, "uint8", id="bytes"
        ),
        pytest.param((RedOrBlue(), image[:2]), {}, ModelRunError, "does not take", id="channels"),
        pytest.param((RedOrBlue().body, image), {}, DataError, "expected scores", id="no scores"),
    ]


@pytest.mark.parametrize(("given", "options", "error", "told"), refusals())
def test_what_grad_cam_cannot_explain_is_told(given, options, error, told: str) -> None:
    with pytest.raises(error, match=told):
        grad_cam(*given, **options)


# -------------------------------------------------------------------------------------- occlusion


def red_and_blue(pictures: np.ndarray) -> np.ndarray:
    """Probabilities by how much red and blue there is."""
    means = pictures.astype(float).mean(axis=(1, 2))
    return np.stack([means[:, 0] - means[:, 1], means[:, 2] - means[:, 1]], axis=1) / 255


@pytest.mark.parametrize(("target", "place"), [(0, (7.5, 9.5)), (1, (23.5, 35.5)), (None, None)])
def test_occlusion_finds_what_must_not_be_covered(target, place) -> None:
    seen = occlusion(red_and_blue, picture_of(red_above_blue()), size=6, stride=2, target=target)
    assert seen.shape == (32, 48)
    assert seen.dtype == np.float32
    assert (seen.min(), seen.max()) == (0, 1)
    assert np.allclose(about(seen), place or (23.5, 35.5), atol=1.5)


@pytest.mark.parametrize("size", [1, 5, 32, 100])
@pytest.mark.parametrize("stride", [None, 1, 7])
def test_any_square_and_stride_give_a_map_of_the_picture(size: int, stride) -> None:
    picture = picture_of(red_above_blue())[:9, :11]
    seen = occlusion(lambda given: np.full((len(given), 2), 0.5), picture, size, stride)
    assert seen.shape == (9, 11)
    assert np.array_equal(seen, np.zeros((9, 11)))


def test_squares_go_out_in_batches() -> None:
    sizes = []

    def predict(given: np.ndarray) -> np.ndarray:
        sizes.append(len(given))
        return red_and_blue(given)

    occlusion(predict, picture_of(red_above_blue()), size=4, stride=2)
    assert max(sizes) == 32
    assert sizes[0] == 1


@pytest.mark.parametrize(
    ("image", "options", "told"),
    [
        (np.zeros((3, 8, 8), np.uint8), {}, r"uint8 \[height, width, 3\]"),
        (np.zeros((8, 8, 3), np.float32), {}, "float32"),
        (np.zeros((8, 8, 3), np.uint8), {"target": 2}, "target is 2; .* 0 to 1"),
        (np.zeros((8, 8, 3), np.uint8), {"stride": -1}, "1 or more"),
    ],
)
def test_what_occlusion_cannot_explain_is_told(image, options, told: str) -> None:
    with pytest.raises(DataError, match=told):
        occlusion(red_and_blue, image, **options)


def test_a_model_that_answers_something_else_is_told() -> None:
    with pytest.raises(DataError, match=r"expected probabilities, \[1, classes\]"):
        occlusion(lambda given: np.zeros((3, 2)), np.zeros((8, 8, 3), np.uint8))


# ------------------------------------------------------------------------------------------ words

_GOOD = {"great": 3.0, "good": 1.5, "awful": -3.0, "don't": -1.0}


def likes(texts: list[str]) -> np.ndarray:
    """Probabilities of bad and good, by the words that are known."""
    sums = np.array(
        [sum(_GOOD.get(word.strip(".,!").lower(), 0) for word in t.split()) for t in texts]
    )
    good = 1 / (1 + np.exp(-sums))
    return np.stack([1 - good, good], axis=1)


def test_words_have_the_share_that_they_have() -> None:
    text = "Great food, but I don't like the awful, awful chairs."
    found = {word.start: word for word in words(likes, text, target=1)}
    assert found[0].text == "Great"
    assert found[0].share > 0
    shares = {word.text: word.share for word in found.values()}
    assert shares["don't"] < 0
    assert shares["awful"] < shares["don't"]
    assert shares["food"] == shares["chairs"] == 0
    assert max(abs(share) for share in shares.values()) == 1
    assert all(text[word.start : word.end] == word.text for word in found.values())


def test_the_likeliest_class_is_explained_and_the_other_one_the_other_way_round() -> None:
    bad = {word.text: word.share for word in words(likes, "awful but good")}
    good = {word.text: word.share for word in words(likes, "awful but good", target=1)}
    assert bad["awful"] == 1
    assert good["awful"] == -1
    assert bad["good"] == pytest.approx(-good["good"])


def test_texts_without_words_or_without_reason_have_no_shares() -> None:
    assert words(likes, "") == []
    assert words(likes, "… !?") == []
    assert [word.share for word in words(likes, "Куда мы идём")] == [0, 0, 0]


def test_a_long_text_goes_out_in_batches() -> None:
    sizes = []

    def predict(texts: list[str]) -> np.ndarray:
        sizes.append(len(texts))
        return likes(texts)

    assert len(words(predict, "so good " * 50)) == 100
    assert max(sizes) == 32


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it isn't well-made – really", ["it", "isn't", "well-made", "really"]),
        ("好吃。very 好", ["好", "吃", "very", "好"]),
        ("so 😋!", ["so", "😋"]),
        ("हिन्दी naïve", ["हिन्दी", "naïve"]),
        ("a_b c/d (e) «f»", ["a", "b", "c", "d", "e", "f"]),
    ],
)
def test_words_of_other_scripts(text: str, found: list[str]) -> None:
    assert [word.text for word in words(likes, text)] == found


def test_what_a_model_does_not_read_has_no_share_and_a_note_says_so() -> None:
    text = "great food and awful chairs"
    found = words(likes, text, until=len("great food an"))
    assert [word.text for word in found] == ["great", "food", "and"]
    assert found.note == "The model reads 3 words; what is behind has no share."
    assert words(likes, text, until=len(text)).note == ""
    most = words(likes, "good " * 600)
    assert len(most) == 512
    assert most.note.startswith("The first 512 words")


def test_the_text_is_shown_with_its_words_coloured() -> None:
    page = words(likes, "great <b>x</b> awful " + "x " * 600, target=1)._repr_html_()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
    assert page.index("46,158,91") < page.index("224,96,63")
    assert "The first 512 words" in page


def test_what_is_no_text_is_told() -> None:
    with pytest.raises(DataError, match="expected a text; received list"):
        words(likes, ["good"])
    with pytest.raises(DataError, match="target is 5"):
        words(likes, "good", target=5)


# ---------------------------------------------------------------------------------------- overlay


def test_an_overlay_changes_what_is_seen_and_leaves_the_rest() -> None:
    picture = picture_of(red_above_blue())
    seen = np.zeros((32, 48), np.float32)
    seen[:16] = 1
    shown = overlay(picture, seen)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown[16:], picture[16:])
    assert (shown[:16] != picture[:16]).any(axis=2).all()
    assert np.array_equal(overlay(picture, seen, strength=0), picture)


def test_a_small_map_is_stretched_over_the_picture() -> None:
    picture = picture_of(red_above_blue())
    shown = overlay(picture, np.array([[1.0, 0.0]]))
    assert (shown[:, :8] != picture[:, :8]).any()
    assert np.array_equal(shown[:, -8:], picture[:, -8:])


def test_a_real_network_looks_at_the_broccoli_and_not_beside_it(mlnb_data: Path) -> None:
    """A broccoli beside grey: what the network names it by lies on the broccoli's half."""
    models = pytest.importorskip("torchvision.models")
    from PIL import Image

    from mlnb.data.images import read_image, resize
    from mlnb.networks.weights import put_weights, read_weights
    from mlnb.tasks.pipeline import CONVENTIONS, ExtractPixels

    module = models.squeezenet1_1(weights=None)
    path = mlnb_data / "models" / "derived" / "squeezenet1_1_torchvision.pth"
    put_weights(module, read_weights(path), path, "squeezenet1_1")
    half = resize(read_image(mlnb_data / "images" / "broccoli.jpg"), 224)
    picture = np.concatenate([half, np.full_like(half, 128)], axis=1)
    pixels = ExtractPixels(**CONVENTIONS["BGR minus mean"]).pixels(picture)
    seen = grad_cam(module, pixels, 937)
    assert seen[:, :224].sum() > 3 * seen[:, 224:].sum()

    def predict(given: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(ExtractPixels(**CONVENTIONS["BGR minus mean"]).pixels(given))
        with torch.no_grad():
            return module.eval()(batch).softmax(1).numpy()

    small = np.asarray(Image.fromarray(picture).resize((224, 112)))
    covered = occlusion(predict, small, size=28, stride=28, target=937)
    assert covered[:, :112].sum() > 3 * covered[:, 112:].sum()
