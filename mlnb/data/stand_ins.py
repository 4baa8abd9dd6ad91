"""Stand-ins: small made-up files in the place of a sample that cannot be had now.

They let a tutorial run without a network, and that is all: whatever one measures on them means
nothing. So the first line of each says that it is one. They have the layout of the real files and
are read by the same readers, and each time they come out the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.cache import STAND_INS, cache_folder, locked, put, writing
from mlnb.data.stand_in_models import chairs_model, mobilenet
from mlnb.data.stand_in_texts import write_lines, write_sick, write_yelp
from mlnb.tensor_stats import tensor_picture

if TYPE_CHECKING:
    import onnx

    from mlnb.data.official import Official
    from mlnb.data.sample import Sample

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

FIRST_LINE = "STAND-IN made up by mlnb, not the real {name}: its figures mean nothing"


def stand_in(official: Official) -> Sample:
    """Write what stands in for a sample, and describe it as what it is.

    >>> stand_in(OFFICIAL["yelp"]).description
    'STAND-IN made up by mlnb, not the real yelp: its figures mean nothing'

    Raises:
        DownloadError: the cache folder cannot be written to.
    """
    folder = cache_folder() / STAND_INS / official.name
    says = FIRST_LINE.format(name=official.name)
    with writing(folder.parent), locked(folder.with_name(f"{official.name}.lock")):
        if not folder.is_dir():
            new = folder.with_name(f".{official.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            (new / "README").write_text(f"{says}\n", encoding="utf-8")
            _MAKERS[official.name](new)
            put(new, folder)
    return official.stand_in(folder, says)


# ------------------------------------------------------------------------------------- pictures

# The strokes of each digit, as a clock radio draws them: o and u are the upper left and right,
# l and r the lower ones, t, m and d the top, the middle and the bottom.
_STROKES = ("tourld", "ur", "tumld", "tumrd", "oumr", "tomrd", "tomlrd", "tur", "toumlrd", "toumrd")
_WHERE = {
    "t": (slice(0, 1), slice(0, 4)),
    "m": (slice(3, 4), slice(0, 4)),
    "d": (slice(6, 7), slice(0, 4)),
    "o": (slice(0, 4), slice(0, 1)),
    "l": (slice(3, 7), slice(0, 1)),
    "u": (slice(0, 4), slice(3, 4)),
    "r": (slice(3, 7), slice(3, 4)),
}


def _digits(folder: Path) -> None:
    lines = []
    for ink, down, right, digit in product((10, 13, 16), (0, 1), (0, 1, 2, 3, 4), range(10)):
        picture = np.zeros((8, 8), np.int64)
        small = picture[down : down + 7, right : right + 4]
        for stroke in _STROKES[digit]:
            small[_WHERE[stroke]] = ink
        lines.append(",".join(map(str, [*picture.ravel(), digit])))
    write_lines(folder / "optdigits.tes", lines)


def _cats_vs_dogs(folder: Path) -> None:
    for kind, ears in (("Cat", _pointed), ("Dog", _hanging)):
        (folder / "PetImages" / kind).mkdir(parents=True)
        for number in range(20):
            file = folder / "PetImages" / kind / f"{number}.png"
            _save(file, _animal(number, ears))


def _animal(number: int, ears: Callable[[Pixels, int, int, int], None]) -> Pixels:
    """A head with two eyes and such ears, each in another place and colour."""
    picture = _plain(180 + number % 4 * 20, 200, 160 + number % 5 * 20)
    row, column, size = 44 + number % 5 * 2, 34 + number % 7 * 4, 18 + number % 3 * 3
    color = (120 + number * 5 % 100, 90 + number * 7 % 60, 60)
    ears(picture, row, column, size)
    down, right = np.ogrid[:96, :96]
    picture[(down - row) ** 2 + (right - column) ** 2 <= size**2] = color
    for side in (-1, 1):
        eye = column + side * size // 2
        picture[row - 4 : row, eye - 2 : eye + 2] = (20, 20, 20)
    return picture


def _pointed(picture: Pixels, row: int, column: int, size: int) -> None:
    for side, height in product((-1, 1), range(size)):
        middle, half = column + side * size // 2, (size - height) // 3
        picture[row - size // 2 - height, middle - half : middle + half + 1] = (90, 60, 40)


def _hanging(picture: Pixels, row: int, column: int, size: int) -> None:
    for side in (-1, 1):
        middle = column + side * size
        picture[row - size // 2 : row + size, middle - 5 : middle + 6] = (90, 60, 40)


def _detection(folder: Path) -> None:
    """A street with one car more in each."""
    for number in range(1, 5):
        picture = _plain(150, 190, 230)
        picture[60:] = (110, 110, 110)
        for car in range(number):
            left = 4 + 23 * car
            picture[58:70, left : left + 20] = (200 - 40 * car, 40 + 40 * car, 60)
            for wheel in (left + 3, left + 13):
                picture[69:74, wheel : wheel + 4] = (20, 20, 20)
        _save(folder / f"image{number}.png", picture)


def _plain(*color: int) -> Pixels:
    return np.full((96, 96, 3), color, np.uint8)


def _save(file: Path, picture: Pixels) -> None:
    png = tensor_picture(picture)
    assert png is not None
    file.write_bytes(png)


# --------------------------------------------------------------------------------------- models


def _mnist_8(folder: Path) -> None:
    _classifier(folder, "mnist-8", ("Input3", [1, 1, 28, 28]), ("Plus214_Output_0", [1, 10]))


def _squeezenet(folder: Path) -> None:
    output = ("squeezenet0_flatten0_reshape0", [1, 1000])
    _classifier(folder, "squeezenet1.1-7", ("data", [1, 3, 224, 224]), output)


def _mobilenet(folder: Path) -> None:
    output = ("mobilenetv20_output_flatten0_reshape0", [1, 1000])
    _classifier(folder, "mobilenetv2-7", ("data", [1, 3, 224, 224]), output)


def _tiny_yolo(folder: Path) -> None:
    """The detector's grid of 13 × 13 cells, from the mean colour of each."""
    from onnx import helper

    weights = _weights(125, 3, 1, 1)
    nodes = [
        helper.make_node(
            "AveragePool", ["image"], ["cells"], kernel_shape=[32, 32], strides=[32] * 2
        ),
        helper.make_node("Conv", ["cells", "weights"], ["grid"]),
    ]
    ends = (("image", ["None", 3, 416, 416]), ("grid", ["None", 125, 13, 13]))
    _save_model(folder, "tinyyolov2-7", nodes, ends, weights)


def _classifier(
    folder: Path, name: str, source: tuple[str, list[Any]], target: tuple[str, list[Any]]
) -> None:
    """One number a class, from the mean colour of the picture."""
    from onnx import helper

    nodes = [
        helper.make_node("GlobalAveragePool", [source[0]], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["color"]),
        helper.make_node("MatMul", ["color", "weights"], [target[0]]),
    ]
    _save_model(folder, name, nodes, (source, target), _weights(source[1][1], target[1][1]))


def _weights(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Values between -1 and 1 that repeat late; no random ones, whose makers change."""
    values: np.ndarray[Any, np.dtype[np.float32]]
    values = np.sin(np.arange(np.prod(shape)) * 2.399).astype(np.float32)
    return values.reshape(shape)


def _save_model(
    folder: Path,
    name: str,
    nodes: list[onnx.NodeProto],
    ends: tuple[tuple[str, list[Any]], tuple[str, list[Any]]],
    weights: np.ndarray[Any, np.dtype[np.float32]],
) -> None:
    from onnx import TensorProto, helper, numpy_helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in ends]
    stored = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "stand_in", values[:1], values[1:], stored)
    model = helper.make_model(
        graph, producer_name="mlnb stand-in", opset_imports=[helper.make_opsetid("", 13)]
    )
    model.ir_version = 8
    model.doc_string = FIRST_LINE.format(name=name)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


_MAKERS: dict[str, Callable[[Path], None]] = {
    "digits": _digits,
    "yelp": write_yelp,
    "cats_vs_dogs": _cats_vs_dogs,
    "sick": write_sick,
    "detection": _detection,
    "tinyyolov2-7": _tiny_yolo,
    "mnist-8": _mnist_8,
    "squeezenet1.1-7": _squeezenet,
    "mobilenetv2-7": _mobilenet,
    "chairs_model": chairs_model,
    "mobilenet_v1_0.25_224_float": mobilenet,
}
