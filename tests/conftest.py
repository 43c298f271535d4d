"""Fixtures that every room's tests share."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.dask_cluster import Cluster, dask_cluster
from support.object_servers import moto, moto_port, new_place, seaweedfs_port

__all__ = ["moto", "moto_port", "new_place", "real_data", "seaweedfs_port"]

FIRST = (
    "faults/test_workers.py",
    "faults/test_kills.py",
    "faults/test_power_loss.py",
    "faults/test_mutated_inputs.py",
    "faults/test_io_errors.py",
    "faults/test_flipped_bits.py",
    "faults/test_clocks.py",
    "workflows/test_executors.py",
    "stages/segment/test_espnetv2.py",
    "stages/segment/test_backends.py",
    "workflows/test_repaint.py",
    "workflows/test_check_calibration.py",
)
"""The longest files, and those that wait the most: begun last, they would leave one worker of two without work."""


def pytest_configure(config: pytest.Config) -> None:
    """What every process of the tests, and all that they start, is to have.

    Workers of pytest-xdist ignore Ctrl-C, and so would every command that a test starts and then interrupts. Several
    processes share the cores, so none of them is to keep threads that spin while they wait. Bytecode is kept: a
    hundred processes are started.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # files are handed out as they are listed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; a file's tests stay together and in their order."""
    tests = Path(__file__).parent
    ranks = {tests / name: rank for rank, name in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(FIRST)))


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
