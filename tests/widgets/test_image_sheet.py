"""Pictures side by side: one PNG, one display, and the last state always."""

from __future__ import annotations

import base64
import re
from io import BytesIO

import numpy as np
import pytest

pytest.importorskip("PIL")
from PIL import Image

from mlnb.errors import DataError
from mlnb.widgets import base, image_sheet
from mlnb.widgets.image_sheet import ImageSheet


def pixels(grid: ImageSheet) -> np.ndarray:
    """The PNG, red, green, blue and how solid it is."""
    return np.asarray(Image.open(BytesIO(grid.png)).convert("RGBA"))


class Screen:
    """What is displayed, as a notebook keeps it: by display id."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}
        self.changes = 0

    def display(self, bundle, *, raw, display_id):
        self.kept[display_id] = bundle

    def update(self, bundle, *, raw, display_id):
        assert display_id in self.kept
        self.kept[display_id] = bundle
        self.changes += 1


@pytest.fixture
def screen(monkeypatch):
    shown = Screen()
    monkeypatch.setattr(image_sheet, "display", shown.display)
    monkeypatch.setattr(image_sheet, "update_display", shown.update)
    monkeypatch.setattr(base, "has_front_end", lambda: True)
    return shown


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = [0.0]
    monkeypatch.setattr(image_sheet.time, "monotonic", lambda: now[0])
    return now


def test_pictures_stand_in_rows_and_are_enlarged_pixel_by_pixel():
    images = np.zeros((5, 8, 8))
    images[1, 0, 0] = 1.0
    sheet = pixels(ImageSheet(images, columns=3))
    assert sheet.shape == (2 * 40 + 4, 3 * 40 + 2 * 4, 4)
    assert (sheet[:5, 44:49, :3] == 255).all()  # one pixel is five wide
    assert (sheet[:5, 49:54, :3] == 0).all()
    assert (sheet[:, 40:44, 3] == 0).all()  # the ground shows between them
    assert (sheet[44:, 88:, 3] == 0).all()  # and where there is no sixth


@pytest.mark.parametrize(
    "shape", [(2, 8, 6), (2, 1, 8, 6), (2, 8, 6, 1), (2, 3, 8, 6), (2, 8, 6, 3), (2, 200, 150)]
)
def test_every_shape_of_pictures_is_taken(shape):
    sheet = pixels(ImageSheet(np.random.default_rng(0).random(shape)))
    height, width = (128, 96) if 200 in shape else (40, 30)
    assert sheet.shape[:2] == (height, 2 * width + 4)


def test_channels_in_front_are_red_green_and_blue():
    images = np.zeros((1, 3, 4, 4))
    images[:, 0] = 1.0
    assert (pixels(ImageSheet(images))[0, 0] == [255, 0, 0, 255]).all()


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([0, 128, 255], np.uint8), [0, 128, 255]),
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([-1.0, 0.0, 1.0]), [0, 128, 255]),
        (np.array([-9.0, np.nan, 9.0]), [0, 128, 255]),
        (np.array([np.inf, np.nan, -np.inf], np.float16), [128, 128, 128]),
        (np.array([False, True, True]), [0, 255, 255]),
    ],
)
def test_what_is_black_and_what_is_white(values, shown):
    sheet = pixels(ImageSheet(values.reshape(1, 1, 3)))
    assert list(sheet[0, [0, 19, 38], 0]) == shown


def test_a_span_says_it_otherwise():
    sheet = pixels(ImageSheet(np.array([[[0, 8, 16]]], np.uint8), span=(0, 16)))
    assert list(sheet[0, [0, 19, 38], 0]) == [0, 128, 255]


def test_tensors_are_taken_from_the_middle_of_a_training():
    torch = pytest.importorskip("torch")
    made = torch.zeros(2, 1, 8, 8, requires_grad=True) * 2
    assert repr(ImageSheet(made)) == "ImageSheet(2 pictures of 8 × 8)"


def test_what_changes_later_does_not_change_the_picture():
    images = np.zeros((1, 8, 8))
    grid = ImageSheet(images)
    images[:] = 1.0
    assert pixels(grid)[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((8, 8)), "one alone is images[None]"),
        (np.zeros(64), "received [64]"),
        (np.zeros((2, 5, 8, 8)), "received [2, 5, 8, 8]"),
        (np.zeros((0, 8, 8)), "received [0, 8, 8]"),
        ([["a"]], "pictures are numbers"),
        ([], "received [0]"),
    ],
)
def test_what_are_no_pictures_is_told(images, says):
    with pytest.raises(DataError, match=re.escape(says)):
        ImageSheet(images)


def test_labels_stand_below_and_there_is_one_for_each():
    plain, labelled = (ImageSheet(np.zeros((2, 8, 8)), labels=words) for words in (None, [3, "ä"]))
    assert pixels(labelled).shape[0] > pixels(plain).shape[0]
    assert (pixels(labelled)[42:, :, 3] > 0).any()
    with pytest.raises(DataError, match="2 pictures and 1 label"):
        ImageSheet(np.zeros((2, 8, 8)), labels=[1])
    with pytest.raises(DataError, match="at least 1"):
        ImageSheet(np.zeros((2, 8, 8)), columns=0)


def test_a_great_many_are_a_small_picture():
    grid = ImageSheet(np.random.default_rng(0).random((5_000, 8, 8)))
    assert repr(grid).startswith("ImageSheet(256 pictures")
    assert len(grid._repr_html_()) < 60_000


def test_the_html_is_one_picture_that_a_stranger_may_see():
    page = ImageSheet(np.zeros((1, 8, 8)), labels=['"><script>alert(1)</script>'])._repr_html_()
    assert page.count("<") == 1
    assert page.startswith('<img src="data:image/png;base64,')
    base64.b64decode(re.search(r"base64,([^\"]+)", page)[1], validate=True)


# ------------------------------------------------------------------------------------ live


def last(screen: Screen) -> str:
    (bundle,) = screen.kept.values()
    return bundle["text/html"]


def test_it_is_one_display_that_changes(screen, clock):
    grid = ImageSheet(np.zeros((1, 8, 8)))
    grid._ipython_display_()
    first = last(screen)
    clock[0] = 1.5
    grid.update(np.ones((1, 8, 8)))
    assert last(screen) != first
    assert screen.changes == 1


def test_it_changes_at_most_once_a_second_and_the_last_is_never_lost(screen, clock):
    grid = ImageSheet(np.zeros((1, 8, 8)))
    grid._ipython_display_()
    for at in range(1, 1001):
        clock[0] = at / 100
        grid.update(np.full((1, 8, 8), at / 2000))
    assert screen.changes <= 10
    grid.update(np.ones((1, 8, 8)))
    assert last(screen) != ImageSheet(np.ones((1, 8, 8)))._repr_html_()
    grid.close()
    assert last(screen) == ImageSheet(np.ones((1, 8, 8)))._repr_html_()
    changes = screen.changes
    grid.close()
    assert screen.changes == changes


def test_labels_stay_unless_there_are_others(screen):
    grid = ImageSheet(np.zeros((2, 8, 8)), labels=["a", "b"])
    grid.update(np.zeros((2, 8, 8)))
    assert "a, b" in grid._repr_html_()
    grid.update(np.zeros((3, 8, 8)), labels=[1, 2, 3])
    assert "1, 2, 3" in grid._repr_html_()


def test_what_is_not_shown_is_not_updated(screen):
    grid = ImageSheet(np.zeros((1, 8, 8)))
    grid.update(np.ones((1, 8, 8)))
    grid.close()
    assert (screen.kept, screen.changes) == ({}, 0)
    grid._ipython_display_()
    assert last(screen) == ImageSheet(np.ones((1, 8, 8)))._repr_html_()


def test_a_terminal_prints_a_line(monkeypatch):
    monkeypatch.setattr(base, "has_front_end", lambda: False)
    with pytest.raises(NotImplementedError):
        ImageSheet(np.zeros((1, 8, 8)))._ipython_display_()
