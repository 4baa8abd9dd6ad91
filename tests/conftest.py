"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mlnb_data() -> Path:
    """The folder of real models and photographs, where this machine has one."""
    folder = os.environ.get("MLNB_DATA")
    if not folder:
        pytest.skip("MLNB_DATA is not set: no real models and photographs on this machine")
    return Path(folder).resolve(strict=True)
