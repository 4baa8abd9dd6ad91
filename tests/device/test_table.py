"""`devices()`: everything in one table, and nothing hides anything else."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from mlnb.device import graphics, libraries, processor
from mlnb.device.parts import Library, Part
from mlnb.device.table import Devices, devices


def test_the_table_tells_the_cpu_and_the_libraries():
    told = devices()
    assert told.parts[0].name == "CPU"
    assert {library.name for library in told.libraries} == {"torch", "onnxruntime"}
    assert told.problems == ()
    text = repr(told)
    assert text.startswith("CPU")
    assert "free" in text
    assert "\ntorch " in text
    assert "\nonnxruntime " in text


def test_columns_stand_below_each_other():
    rows = (
        Part("CPU", "a", 1_000, 2_000, ("2 cores",)),
        Part("GPU 10", "a long name", None, 141 * 10**9, ("driver 1", "compute capability 9.0")),
        Part("GPU 11", "b"),
    )
    assert repr(Devices(rows, ())).splitlines() == [
        "CPU     a            1 kB of 2 kB free  2 cores",
        "GPU 10  a long name  141 GB             driver 1 · compute capability 9.0",
        "GPU 11  b",
    ]


def test_reasons_stand_below_their_library():
    told = Devices((), (Library("torch", "2.11", ("cpu",), ("no cuda: none",)),), ("x: broken",))
    assert repr(told).strip().splitlines() == [
        "torch 2.11 uses cpu", "  no cuda: none", "", "x: broken",
    ]  # fmt: skip


def test_the_html_is_well_formed_and_shows_hostile_names_as_they_are():
    evil = "<img src=x onerror=alert(1)>\u202e"
    told = Devices(
        (Part(evil, evil, 1, 2, (evil,)),), (Library("torch", evil, (evil,), (evil,)),), (evil,)
    )
    page = told._repr_html_()
    assert not list(ET.fromstring(page).iter("img"))
    assert "\u202e" not in page + repr(told)


@pytest.mark.parametrize(
    ("module", "probe"),
    [
        (processor, "cpu"),
        (graphics, "gpus"),
        (libraries, "torch_library"),
        (libraries, "onnxruntime_library"),
    ],
)
def test_what_cannot_be_asked_hides_nothing_else(monkeypatch, module, probe):
    whole = devices()

    def broken(*_: object) -> None:
        raise OSError("libcudart.so.13: cannot open\nsecond line")

    monkeypatch.setattr(module, probe, broken)
    told = devices()
    (problem,) = told.problems
    assert problem.endswith("could not be asked: libcudart.so.13: cannot open")
    lost = len(whole.parts) + len(whole.libraries) - len(told.parts) - len(told.libraries)
    assert lost == (0 if probe == "gpus" else 1)
    assert problem in repr(told)
    assert problem in told._repr_html_()


def test_without_torch_there_is_still_a_table():
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['tensorflow'] = None\n"
        "from mlnb.device.table import devices\n"
        "told = devices(); print(told); assert not told.problems, told.problems"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "pip install 'mlnb[train]'" in ran.stdout


def test_tensorflow_is_not_asked():
    code = (
        "import sys; from mlnb.device.table import devices; devices()\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
