"""The watchers see the harm that they are there to see."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hostile.watch import children, harmless, left_over, markup_faults, openings, peak_memory


def test_a_process_that_was_left_over_is_seen_and_so_is_a_zombie():
    before = children()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert left_over(before, 0) == {process.pid}
    process.kill()
    assert left_over(before, 0.2) == {process.pid}
    process.communicate()
    assert left_over(before) == set()


def test_memory_that_was_given_back_is_seen():
    with peak_memory() as taken:
        assert np.ones(30_000_000).nbytes == 240_000_000
    assert 230_000_000 < taken[0] < 300_000_000


def test_a_file_that_another_process_opened_is_seen(tmp_path):
    (tmp_path / "secret").write_text("x")
    with openings(tmp_path / "secret") as seen:
        subprocess.run(["cat", tmp_path / "secret"], check=True, capture_output=True)
    assert len(seen) == 1
    with openings(tmp_path / "secret") as seen:
        (tmp_path / "secret").stat()
    assert seen == []


def test_control_characters_and_foreign_markup_are_seen():
    assert harmless("größe \\u202e\nnext line")
    assert not any(map(harmless, ("\x1b[31m", "a\u202eb", "\x00", "a\rb")))
    assert markup_faults("<p title='<b>'><img src='data:image/svg+xml;base64,xx'></p>") == []
    for markup in ("<script>", "<img src=x>", "<p onclick=a>", "<a href='javascript:a'>", "<form>"):
        assert markup_faults(markup)
