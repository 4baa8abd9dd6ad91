"""Files to batches of pixels: the same as Pillow's and torchvision's, in order, whatever is bad."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hostile.watch import peak_memory
from PIL import Image, ImageFilter

from mlnb.data import decoding
from mlnb.data.decoding import Fit, decode
from mlnb.data.images import read_image
from mlnb.errors import DataError, UnknownName

RED = (200, 30, 40)


def photograph(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Shapes with edges, texture and noise: what a camera sees, more or less."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
    soft = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.int16)
    edges = np.asarray(coarse.resize(size, Image.Resampling.NEAREST), np.int16)
    noise = rng.normal(0, 12, soft.shape).astype(np.int16)
    mixed = Image.fromarray(((soft + edges) // 2 + noise).clip(0, 255).astype(np.uint8))
    return mixed.filter(ImageFilter.GaussianBlur(0.7))


def saved(path: Path, picture: Image.Image, **options) -> Path:
    picture.save(path, **options)
    return path


def one(path: Path, *args, **words) -> np.ndarray:
    ((_, images, reasons),) = decode([path], *args, **words)
    assert reasons == {}
    return images[0]


def torchvision_pixels(
    path: Path, resize: int, size: tuple[int, int], interpolation: str = "bilinear"
) -> np.ndarray:
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    scaled = Resize(resize, InterpolationMode(interpolation))
    fitted = Compose([scaled, CenterCrop(size)])(Image.fromarray(read_image(path)))
    return np.asarray(fitted).astype(int)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int))


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("mlnb-decode")]


@pytest.mark.parametrize("size", [(500, 375), (375, 499), (300, 301), (257, 991), (80, 99)])
def test_pixels_are_those_of_torchvision(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(tmp_path / "a.png", photograph(size))
    difference = apart(one(path, (224, 224), resize=256), torchvision_pixels(path, 256, (224, 224)))
    assert difference.max() == 0
    path = saved(tmp_path / "a.jpg", photograph(size), quality=95)
    difference = apart(one(path, (224, 224), resize=256), torchvision_pixels(path, 256, (224, 224)))
    assert difference.max() == 0


@pytest.mark.parametrize("size", [(500, 375), (257, 391), (80, 99), (2000, 1500)])
def test_bicubic_pixels_are_those_of_torchvision(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(tmp_path / "a.jpg", photograph(size), quality=95)
    came = one(path, (224, 224), resize=256, interpolation="bicubic")
    difference = apart(came, torchvision_pixels(path, 256, (224, 224), "bicubic"))
    assert difference.max() == 0 if max(size) < 1000 else difference.mean() < 1
    assert apart(came, one(path, (224, 224), resize=256)).mean() > 0.05


def test_another_interpolation_is_unknown() -> None:
    with pytest.raises(UnknownName, match="bicubic"):
        Fit((8, 8), interpolation="cubic")


def test_a_long_strip_is_not_scaled_as_a_whole(tmp_path: Path) -> None:
    path = saved(tmp_path / "strip.png", Image.new("RGB", (4, 200_000), RED))
    with peak_memory() as taken:
        image = one(path, (224, 224), resize=256)
    assert (image == RED).all()
    assert taken[0] < 100 * 2**20


@pytest.mark.parametrize("size", [(2000, 1500), (1501, 2003), (4000, 3000)])
def test_a_large_jpeg_is_decoded_in_part_to_nearly_the_same_pixels(tmp_path, size) -> None:
    path = saved(tmp_path / "large.jpg", photograph(size), quality=92)
    start = time.thread_time()
    with Image.open(path) as picture:
        _, by = decoding._draft(picture, Fit((224, 224), resize=256))
        assert by == (4 if min(size) >= 2048 else 2)
        assert picture.size == (-(-size[0] // by), -(-size[1] // by))
    assert time.thread_time() - start < 0.1
    difference = apart(one(path, (224, 224), resize=256), torchvision_pixels(path, 256, (224, 224)))
    assert difference.mean() < 1


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("size", [(1200, 800), (1201, 803)])
def test_a_turned_picture_is_upright_and_in_its_place(tmp_path, turned, size) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    path = saved(tmp_path / "turned.jpg", photograph(size), exif=exif, quality=92)
    difference = apart(one(path, (96, 96), resize=110), torchvision_pixels(path, 110, (96, 96)))
    assert difference.mean() < 1


def test_a_frame_of_another_shape_is_covered(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", photograph((400, 300)))
    image = one(path, (100, 200))
    assert image.shape == (100, 200, 3)
    whole = Image.fromarray(read_image(path)).resize((200, 150), Image.Resampling.BILINEAR)
    assert apart(image, np.asarray(whole)[25:125]).max() <= 1


def test_pad_shows_all_of_it_on_black(tmp_path: Path) -> None:
    path = saved(tmp_path / "wide.png", Image.new("RGB", (300, 100), RED))
    image = one(path, (60, 60), "pad")
    assert (image[20:40] == RED).all()
    assert (image[:20] == 0).all()
    assert (image[40:] == 0).all()


def test_stretch_scales_each_side_by_itself(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", photograph((300, 200)))
    expected = Image.fromarray(read_image(path)).resize((50, 90), Image.Resampling.BILINEAR)
    assert apart(one(path, (90, 50), "stretch"), np.asarray(expected)).max() == 0


def test_without_antialias_two_neighbours_are_mixed_as_torch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = saved(tmp_path / "a.jpg", photograph((640, 480)), quality=95)
    pixels = torch.from_numpy(read_image(path)).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(pixels, (100, 120), mode="bilinear")
    image = one(path, (100, 120), "stretch", antialias=False)
    assert apart(image, expected[0].permute(1, 2, 0).numpy()).max() <= 1


def test_one_array_is_fitted_as_a_file_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", photograph((300, 200)))
    for mode in ("crop", "pad", "stretch"):
        assert (Fit((64, 48), mode)(read_image(path)) == one(path, (64, 48), mode)).all()


def test_batches_come_in_order_and_bad_files_are_black_with_a_reason(tmp_path: Path) -> None:
    paths = []
    for number in range(25):
        path = tmp_path / f"{number}.png"
        saved(path, Image.new("RGB", (8, 8), (number, 0, 0)))
        paths.append(path)
    paths[7].write_bytes(b"junk")
    paths[20] = tmp_path / "nowhere.png"
    batches = list(decode(paths, (4, 4), batch=10, workers=3))
    assert [(rows.start, rows.stop) for rows, _, _ in batches] == [(0, 10), (10, 20), (20, 25)]
    images = np.concatenate([images for _, images, _ in batches])
    assert images.dtype == np.uint8
    assert images.shape == (25, 4, 4, 3)
    expected = [0 if number in (7, 20) else number for number in range(25)]
    assert images[:, 0, 0, 0].tolist() == expected
    reasons = {index: reason for _, _, reasons in batches for index, reason in reasons.items()}
    assert "7.png is no picture" in reasons[7]
    assert "no picture at" in reasons[20]
    assert list(reasons) == [7, 20]


def test_no_files_give_no_batches() -> None:
    assert list(decode([])) == []


def test_one_thread_and_many_give_the_same(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{n}.jpg", photograph((90, 70), n)) for n in range(12)]
    results = [
        np.concatenate([images for _, images, _ in decode(paths, (32, 32), workers=n, batch=5)])
        for n in (1, 2, 7)
    ]
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "1", "LA"])
def test_odd_pictures_follow_the_rules_of_read_image(tmp_path: Path, mode: str) -> None:
    path = saved(tmp_path / "odd.tiff", photograph((60, 40)).convert(mode))
    assert apart(one(path, (40, 60)), read_image(path)).max() == 0


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (30, 30)).astype(np.uint16)
    path = saved(tmp_path / "deep.png", Image.fromarray(deep))
    assert abs(one(path, (30, 30)).mean() - deep.mean() / 257) < 1


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2)])
def test_the_thinnest_pictures_are_fitted(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(tmp_path / "thin.png", Image.new("RGB", size, RED))
    for mode in ("crop", "stretch"):
        assert (one(path, (16, 16), mode) == RED).all()
    assert (one(path, (16, 16), "pad") == RED).any()


def test_words_that_do_not_fit_are_refused_before_a_file_is_opened() -> None:
    with pytest.raises(UnknownName, match="no mode 'corp'; did you mean 'crop'"):
        decode(["a.png"], mode="corp")
    with pytest.raises(DataError, match=r"resize=200 leaves less than .* at least 224"):
        decode(["a.png"], (224, 224), resize=200)
    with pytest.raises(DataError, match="a height and a width of at least 1"):
        decode(["a.png"], (0, 224))


def test_at_most_two_batches_are_held(tmp_path: Path, monkeypatch) -> None:
    opened: list[str] = []
    read = decoding._read_into

    def counted(image, path, *rest):
        opened.append(path)
        return read(image, path, *rest)

    monkeypatch.setattr(decoding, "_read_into", counted)
    path = saved(tmp_path / "a.png", photograph((20, 20)))
    batches = decode([path] * 1000, (8, 8), batch=10)
    next(batches)
    time.sleep(0.1)
    assert len(opened) <= 20
    batches.close()


def test_closing_early_leaves_no_thread_behind(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", photograph((20, 20)))
    batches = decode([path] * 500, (8, 8), batch=8)
    next(batches)
    assert threads()
    batches.close()
    for thread in threads():
        thread.join(10)
    assert not threads()


def test_an_interrupt_ends_it_and_the_next_call_works(tmp_path: Path, monkeypatch) -> None:
    path = saved(tmp_path / "a.png", photograph((20, 20)))
    read = decoding._read_into

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(decoding, "_read_into", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(decode([path] * 100, (8, 8)))
    monkeypatch.setattr(decoding, "_read_into", read)
    for thread in threads():
        thread.join(10)
    assert not threads()
    assert len(list(decode([path] * 100, (8, 8), batch=50))) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
def test_a_process_that_is_interrupted_ends_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", photograph((600, 400)))
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from mlnb.data.decoding import decode\n"
        "try:\n"
        "    for rows, images, reasons in decode([sys.argv[1]] * 100_000):\n"
        "        print(rows.start, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(2)
        rest, _ = process.communicate(timeout=30)
    assert rest.splitlines()[-1] == "interrupted"
    assert process.returncode == 0


def test_no_warning_of_pillow_reaches_the_caller_and_his_own_still_do(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    photograph((30, 30)).save(buffer, "TIFF")
    (tmp_path / "cut.tiff").write_bytes(buffer.getvalue()[:-3])
    wide = saved(tmp_path / "wide.png", Image.new("1", (9_500, 9_500)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in decode([wide, tmp_path / "cut.tiff"] * 3, (8, 8), batch=1):
            warnings.warn("mine", UserWarning, stacklevel=1)
    assert {str(warning.message) for warning in caught} == {"mine"}


@pytest.mark.skipif(sys.platform == "win32", reason="resource is of Unix")
def test_a_bomb_among_photographs_costs_no_memory(tmp_path: Path) -> None:
    good = saved(tmp_path / "a.png", photograph((20, 20)))
    bomb = saved(tmp_path / "bomb.png", Image.new("1", (12_000, 12_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ((_, images, reasons),) = decode([good, bomb], (8, 8))
    assert "12,000 × 12,000 pixels" in reasons[1]
    assert images[0].any()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_paths_of_every_kind_are_taken(tmp_path: Path) -> None:
    import pandas as pd

    path = saved(tmp_path / "a.png", photograph((20, 20)))
    for paths in ([str(path)], [path], pd.Series([str(path)], index=[5]), (os.fspath(path),)):
        ((rows, images, _),) = decode(paths, (8, 8))
        assert rows == slice(0, 1)
        assert images.any()


def test_real_photographs_are_those_of_torchvision(mlnb_data: Path) -> None:
    paths = sorted((mlnb_data / "cats_vs_dogs").glob("*/*.jpg"))[::25]
    for rows, images, reasons in decode(paths, (224, 224), resize=256):
        assert reasons == {}
        for path, image in zip(paths[rows], images, strict=True):
            assert apart(image, torchvision_pixels(path, 256, (224, 224))).max() == 0
