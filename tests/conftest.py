"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real frames and weights; tests that need it are skipped where PAINTPIPE_REAL_DATA is unset."""
    folder = os.environ.get("PAINTPIPE_REAL_DATA", "")
    if not folder:
        pytest.skip("PAINTPIPE_REAL_DATA is not set: no real frames or weights to test on")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.skip(f"PAINTPIPE_REAL_DATA={folder} is no folder")
    return path
