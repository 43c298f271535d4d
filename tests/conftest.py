"""Fixtures that every room's tests share."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.dask_cluster import Cluster, dask_cluster
from support.object_servers import moto, moto_port, new_place, seaweedfs_port

__all__ = ["moto", "moto_port", "new_place", "real_data", "seaweedfs_port"]


def pytest_configure() -> None:
    """Workers of pytest-xdist ignore Ctrl-C, and so would every command that a test starts and then interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A dask scheduler and two workers that all tests share; nobody kills the scheduler."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as started:
        yield started
