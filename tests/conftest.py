"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Before torch is imported, and before a test sends a signal."""
    # The networks of tests are tiny; on a busy machine their threads wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # What a shell starts in the background ignores SIGINT, and half a hundred tests send one.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mlnb_data() -> Path:
    """The folder of real models and photographs, where this machine has one."""
    folder = os.environ.get("MLNB_DATA")
    if not folder:
        pytest.skip("MLNB_DATA is not set: no real models and photographs on this machine")
    return Path(folder).resolve(strict=True)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test asks the network for anything, nor touches what its user has downloaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLNB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MLNB_OFFLINE", "1")
        patch.setenv("no_proxy", "127.0.0.1")
        yield
