"""A model that asks for more memory than it may take gets an error, and nobody else does."""

from __future__ import annotations

import pytest

from mlnb.child.client import Child
from mlnb.errors import ModelCrashed, ModelRunError


@pytest.fixture(scope="module")
def one():
    made = Child("onnxruntime")
    yield made
    made.close()


def test_what_stays_below_the_cap_runs(one):
    assert one.call("child.acts:capped", 200_000_000, 50_000_000) == 50_000_000


def test_what_goes_over_the_cap_is_told_how_to_raise_it(one):
    pid = one.call("os:getpid")
    with pytest.raises(ModelRunError) as caught:
        one.call("child.acts:capped", 100_000_000, 6 * 2**30)
    message = str(caught.value)
    assert message.startswith("ran out of memory: it may take 100 MB")
    assert "Limits(run_bytes=134217728)" in message
    assert one.call("os:getpid") == pid


def test_the_cap_ends_with_the_call(one):
    with pytest.raises(ModelRunError):
        one.call("child.acts:capped", 1_000_000, 100_000_000)
    assert one.call("child.acts:capped", 300_000_000, 100_000_000) == 100_000_000


def test_a_machine_that_is_full_is_told_apart_from_a_cap(one):
    with pytest.raises(ModelRunError, match=r"ran out of memory: this machine has .* left"):
        one.call("child.acts:capped", 2**60, 2**46)


def test_where_the_cap_is_watched_the_process_ends_over_it(one):
    with pytest.raises(ModelCrashed, match="onnxruntime ran out of memory on this model"):
        one.call("child.acts:watched", 50_000_000, 300_000_000)
