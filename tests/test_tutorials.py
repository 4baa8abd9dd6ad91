"""The tutorials reach a reader's own folder, whole, and nothing of theirs is written over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlnb.__main__ import main
from mlnb._version import __version__
from mlnb.errors import MlnbError, UnknownName
from mlnb.tutorials import copy_tutorials, tutorials

FIRST = "01_look_into_a_model"


def test_every_tutorial_of_the_checkout_is_there_in_reading_order():
    notebooks = Path(__file__).parents[1] / "notebooks"
    assert list(tutorials()) == sorted(path.stem for path in notebooks.glob("*.ipynb"))
    assert next(iter(tutorials())) == FIRST


def test_copies_are_whole_and_lie_in_a_folder_made_for_them(tmp_path: Path):
    copies = copy_tutorials(tmp_path / "new" / "folder")
    assert [path.name for path in copies] == [path.name for path in tutorials().values()]
    assert copies[0].parent == tmp_path / "new" / "folder"
    assert copies[0].read_bytes() == tutorials()[FIRST].read_bytes()


def test_what_a_reader_wrote_into_a_copy_stays(tmp_path: Path):
    (tmp_path / f"{FIRST}.ipynb").write_text("my notes")
    assert f"{FIRST}.ipynb" not in [path.name for path in copy_tutorials(tmp_path)]
    assert (tmp_path / f"{FIRST}.ipynb").read_text() == "my notes"


@pytest.mark.parametrize("name", [FIRST, f"{FIRST}.ipynb"])
def test_one_is_copied_by_its_name(tmp_path: Path, name: str):
    assert copy_tutorials(tmp_path, [name]) == [tmp_path / f"{FIRST}.ipynb"]


def test_a_wrong_name_gets_the_closest_and_nothing_is_made(tmp_path: Path):
    with pytest.raises(UnknownName, match=f"did you mean '{FIRST}'"):
        copy_tutorials(tmp_path / "new", [FIRST, "01_look_into_model"])
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_folders_place_is_one_line(tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(MlnbError, match="name another folder"):
        copy_tutorials(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"


def test_without_a_command_the_help_says_the_version_and_how_to_begin(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"mlnb {__version__}")
    assert "python -m mlnb tutorials DIR" in said
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == said


def test_the_version_alone_is_for_scripts(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_an_unknown_command_gets_the_closest_and_a_code(capsys):
    assert main(["tutorial", "x"]) == 2
    assert "no command 'tutorial'; did you mean 'tutorials'?" in capsys.readouterr().err


def test_an_option_is_never_taken_for_a_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["tutorials", "--force"]) == 2
    assert "python -m mlnb tutorials DIR" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_second_copy_says_what_it_left_alone(tmp_path: Path, capsys):
    assert main(["tutorials", str(tmp_path), FIRST]) == 0
    assert capsys.readouterr().out == f"{tmp_path / FIRST}.ipynb\n"
    assert main(["tutorials", str(tmp_path), FIRST]) == 0
    assert capsys.readouterr().out == "left as they are, since they are there already: 1\n"


def test_the_command_runs_without_a_notebook_or_numpy():
    program = "import sys, mlnb.__main__ as m; m.main(['tutorials']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    first, *_, modules = ran.stdout.splitlines()
    assert first == FIRST
    assert not {"numpy", "IPython", "onnx", "torch"} & set(modules.split())
