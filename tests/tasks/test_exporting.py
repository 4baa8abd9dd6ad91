"""What the export of any classifier shares."""

from __future__ import annotations

import numpy as np
import pytest

from mlnb.errors import ExportError
from mlnb.tasks.exporting import difference, require_close


class Runs:
    """An exported file that answers what it is told to."""

    def __init__(self, answer: list[list[float]]) -> None:
        self.answer = answer

    def run(self, outputs: None, fed: dict[str, np.ndarray]) -> list[list[list[float]]]:
        return [self.answer]


WANTED = np.array([[0.25, 0.75]], np.float32)


def test_the_largest_difference_of_a_probability_counts() -> None:
    assert difference(Runs([[0.25, 0.5]]), {}, WANTED) == 0.25
    assert require_close(0.25, 0.25) == 0.25


def test_a_file_that_answers_nan_is_never_close() -> None:
    largest = max(0.0, difference(Runs([[float("nan"), 0.75]]), {}, WANTED))
    with pytest.raises(ExportError, match="by up to inf of a probability; it was not written"):
        require_close(largest, 1.0)


def test_a_file_that_fails_is_told_in_one_line() -> None:
    class Fails:
        def run(self, outputs: None, fed: dict[str, np.ndarray]) -> None:
            raise RuntimeError("no such input\nat node 3")

    with pytest.raises(ExportError, match=r"on the exported file: no such input$"):
        difference(Fails(), {}, WANTED)
