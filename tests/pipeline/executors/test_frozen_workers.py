"""Workers of a dask cluster that freeze (SIGSTOP): nothing waits long for their answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.dask_cluster import Cluster
from support.toy_jobs import Toy

from paintpipe.pipeline.events import Event, Warned
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import USER_MISTAKE, ClusterError


def workers(cluster: Cluster) -> dict[str, int]:
    """Process ids by address."""
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(2)
        return dict(client.run(os.getpid))


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def settings(cluster: Cluster) -> ExecutorSettings:
    return ExecutorSettings("dask", scheduler=cluster.address, answer_s=3, grace_s=3)


def test_a_worker_that_is_frozen_before_the_run_is_named(cluster: Cluster, tmp_path: Path) -> None:
    address, pid = next(iter(workers(cluster).items()))
    begin = time.monotonic()
    with frozen(pid), pytest.raises(ClusterError) as caught:
        list(executor(settings(cluster)).run(range(3), Toy(tmp_path), lambda event: None))
    assert time.monotonic() - begin < 30, "dask itself would wait for minutes"
    assert "no answer from worker" in caught.value.what
    assert address in caught.value.what
    assert caught.value.exit_code == USER_MISTAKE
    assert Toy(tmp_path).noted("start") == []
    assert len(list(executor(settings(cluster)).run(range(3), Toy(tmp_path), lambda event: None))) == 3


def test_a_run_ends_soon_though_a_worker_is_frozen_and_names_it(cluster: Cluster, tmp_path: Path) -> None:
    toy, told = Toy(tmp_path, sleep_s=60, quick=(0,)), list[Event]()
    by_address = workers(cluster)
    results = executor(settings(cluster)).run(range(4), toy, told.append)
    next(results)
    until = time.monotonic() + 20
    while len(toy.noted("start")) < 3:  # of the quick task, and one at work on each worker
        assert time.monotonic() < until
        time.sleep(0.02)
    address, pid = next(iter(by_address.items()))
    with frozen(pid):
        begin = time.monotonic()
        results.close()
        assert time.monotonic() - begin < 20
        awake = set(by_address.values()) - {pid}
        (warned,) = [event.message for event in told if isinstance(event, Warned)]
        assert address in warned
        assert warned.endswith("left as it is")
    assert toy.noted("end") == ["0"]
    assert awake <= toy.pids()
    fresh = Toy(tmp_path / "fresh")
    fresh.folder.mkdir()
    assert len(list(executor(settings(cluster)).run(range(6), fresh, told.append))) == 6, "both work again"
