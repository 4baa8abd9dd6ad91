from __future__ import annotations

import inspect

import pytest

from mlnb import errors
from mlnb.errors import MissingExtra, MlnbError, UnknownName, need, unknown

CLASSES = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_has_the_one_root_and_says_what_it_means(error):
    assert issubclass(error, MlnbError)
    assert error.__doc__


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ModelFormatError", ValueError),
        ("LimitExceeded", ValueError),
        ("InputError", ValueError),
        ("ModelTimeout", TimeoutError),
        ("UnknownName", LookupError),
        ("SampleMissing", FileNotFoundError),
        ("MissingExtra", ImportError),
    ],
)
def test_ordinary_python_code_catches_them_too(name, builtin):
    assert issubclass(getattr(errors, name), builtin)


def test_an_unknown_name_lists_the_closest_and_those_that_exist():
    error = unknown("input", "dta", ["data", "mask"])
    assert isinstance(error, UnknownName)
    assert str(error) == "no input 'dta'; did you mean 'data'? Known: data, mask"


def test_an_unknown_name_far_from_all_gets_no_guess():
    assert str(unknown("node", "zzz", ["conv"])) == "no node 'zzz'. Known: conv"
    assert str(unknown("node", "x", [])) == "no node 'x'. Known: none"


def test_of_many_names_a_dozen_is_listed():
    names = [f"node{i}" for i in range(100)]
    assert str(unknown("node", "x", names)).endswith(", node11 and 88 more")
    assert str(unknown("node", "nde7", names)) == (
        "no node 'nde7'; did you mean 'node7'? Close too: node97, node87"
    )
    assert str(unknown("node", "ab", ["abc", *"xyzuvwrstopqk"])) == (
        "no node 'ab'; did you mean 'abc'?"
    )


def test_names_of_strangers_are_made_visible_and_clipped():
    text = str(unknown("input", "\u202ex", ["a\u202eb" + "x" * 10_000]))
    assert "\u202e" not in text
    assert len(text) < 400


def test_a_missing_package_is_answered_with_the_line_that_installs_it():
    with pytest.raises(MissingExtra, match=r"run: pip install 'mlnb\[train\]'") as caught:
        need("no_such_package_at_all.part", "train")
    assert isinstance(caught.value.__cause__, ImportError)
    assert need("json", "train").__name__ == "json"


def test_a_package_that_is_there_but_broken_says_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import something_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_it_needs"):
        need("broken_package", "train")
