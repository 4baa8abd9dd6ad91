"""Mutants of small good files of every other format; `mutants` has those of ONNX.

`python -m hostile.format_mutants FORMAT FIRST LAST` looks at some in a process of its own, whose
death can be counted.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib import import_module

from hostile.changes import changed, changed_inside, flipped
from hostile.survey import Survey, survey, view

from mlnb.errors import MlnbError

FORMATS = {
    "GraphDef": ("tensorflow_models", "good_graphdef"),
    "GraphDef as text": ("tensorflow_models", "good_pbtxt"),
    "SavedModel": ("tensorflow_models", "good_saved_model"),
    "TFLite": ("tflite_models", "good_tflite"),
    "Keras": ("keras_models", "good_keras"),
    "Keras HDF5": ("keras_models", "good_keras_h5"),
    "PyTorch checkpoint": ("weights_models", "good_checkpoint"),
    "TorchScript": ("weights_models", "good_torchscript"),
    "safetensors": ("weights_models", "good_safetensors"),
    "GGUF": ("weights_models", "good_gguf"),
    "ExportedProgram": ("exported_program_models", "good_exported_program"),
}
"""Module of `models_made`, and the function in it that gives a few small good files."""


@cache
def good(name: str) -> tuple[bytes, ...]:
    """Good files of a format."""
    module, function = FORMATS[name]
    return tuple(getattr(import_module(f"models_made.{module}"), function)())


def mutant(name: str, number: int) -> bytes:
    """The mutant of that number, the same one on every machine."""
    chance = random.Random(f"{name} {number}")
    files = good(name)
    content = files[number % len(files)]
    if content.startswith(b"PK\x03\x04") and chance.random() < 0.67:
        return changed_inside(content, chance)
    if chance.random() < 0.5:
        return flipped(content, chance)
    return changed(content, chance, files)


def cut(name: str, number: int, of: int = 200) -> bytes:
    """One of the `of` truncations, which are spread evenly over each of the good files."""
    files = good(name)
    content = files[number % len(files)]
    return content[: len(content) * number // of]


def looked_at(name: str, numbers: Iterable[int], made: Callable[[str, int], bytes]) -> Survey:
    """A survey that looks at files of a format and does no more."""
    return survey(numbers, partial(made, name), ())


def runnable(name: str, count: int) -> list[int]:
    """The numbers of the first mutants that can be looked at, so that running them is tried."""
    found = []
    for number in range(20 * count):
        try:
            model = view(mutant(name, number))
        except MlnbError:
            continue
        if model.outputs and len(found) < count:
            found.append(number)
    return found


if __name__ == "__main__":
    numbers = range(int(sys.argv[2]), int(sys.argv[3]))
    for content in good(sys.argv[1]):  # what is imported for the first of them makes none late
        view(content)
    print(json.dumps(vars(looked_at(sys.argv[1], numbers, mutant))))
