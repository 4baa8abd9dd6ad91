"""TorchScript: its tensors and its class names, and what it is said to be."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from models_made import weights_models

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.torch.torchscript import TorchScriptFile


def test_a_traced_network_gives_the_tensors_of_its_state_dict_and_of_its_code() -> None:
    file = open_model_file(weights_models.scripted())
    assert isinstance(file, TorchScriptFile)
    state = weights_models.net().state_dict()
    assert [tensor.name for tensor in file.tensors] == [*state, "CONSTANTS.c0"]
    for name, tensor in state.items():
        np.testing.assert_array_equal(file.tensor(name), tensor.numpy())
    np.testing.assert_array_equal(file.tensor("CONSTANTS.c0"), [1, 2])


def test_the_classes_that_were_compiled_are_named() -> None:
    metadata = open_model_file(weights_models.scripted()).metadata
    assert metadata["class"].endswith("weights_models.Net")
    assert "torch.nn.modules.conv.Conv2d" in metadata["classes inside"]
    assert "file" in metadata["code, not read"]


def test_files_that_were_added_are_named() -> None:
    content = weights_models.scripted(_extra_files={"labels.txt": b"cat"})
    assert open_model_file(content).metadata["files added"] == "labels.txt"


def test_the_advice_says_that_it_is_a_program() -> None:
    advice = open_model_file(weights_models.scripted()).advice
    assert advice.startswith("it is a program")
    assert ".pt2" in advice
    assert "load_state_dict" in advice
    assert "jit.load" not in advice


def test_a_name_of_an_attack_in_its_pickle_is_refused() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(weights_models.scripted())) as old,
        zipfile.ZipFile(buffer, "w") as new,
    ):
        for name in old.namelist():
            evil = name.endswith("/constants.pkl")
            new.writestr(name, b"cos\nsystem\n(Vid\ntR." if evil else old.read(name))
    with pytest.raises(ModelFormatError, match=r"is refused.*os\.system"):
        open_model_file(buffer.getvalue())


def test_it_cut_off_anywhere_is_an_error() -> None:
    content = weights_models.scripted()
    for i in range(200):
        with pytest.raises(ModelFormatError):
            open_model_file(content[: int(i * len(content) / 200)])
