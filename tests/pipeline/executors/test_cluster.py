"""What can be wrong with a dask cluster, each as one clear line."""

import time
from pathlib import Path

import pytest
from support.dask_cluster import Cluster, dask_cluster
from support.toy_jobs import Toy

from paintpipe.pipeline.events import Event, Warned
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.cluster_calls import Connected
from paintpipe.pipeline.executors.cluster_connection import is_exposed
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import PARTIAL_FAILURE, USER_MISTAKE, ClusterError, WorkerLostError


def run(folder: Path, **settings: object) -> list[tuple[int, int]]:
    chosen = ExecutorSettings("dask", **{"start_s": 0.5, "grace_s": 2.0, **settings})  # type: ignore[arg-type]
    return list(executor(chosen).run(range(50), Toy(folder, sleep_s=0.05), lambda event: None))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://127.0.0.1:1", "refused"),
        ("nowhere", "missing port"),
        ("tls://127.0.0.1:1", "needs certificates"),
    ],
)
def test_no_scheduler_at_an_address(address: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=f"^{address}: no dask scheduler answers .*{why}") as caught:
        run(tmp_path, scheduler=address)
    assert caught.value.exit_code == USER_MISTAKE


@pytest.mark.parametrize("content", ["", "[]", '{"workers": {}}'])
def test_a_scheduler_file_that_is_none(content: str, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    with pytest.raises(ClusterError, match=f"^{file}: no dask scheduler answers"):
        run(tmp_path, scheduler_file=str(file))


def test_two_runs_of_one_job_keep_to_their_own_tasks(cluster: Cluster, tmp_path: Path) -> None:
    toy, settings = Toy(tmp_path, sleep_s=0.02), ExecutorSettings("dask", scheduler=cluster.address)
    first = executor(settings).run(range(30), toy, lambda event: None)
    next(first)
    second = list(executor(settings).run(range(100, 110), toy, lambda event: None))
    assert sorted(second) == [(task, task * task) for task in range(100, 110)]
    assert len(list(first)) == 29


def test_a_scheduler_that_goes_away_at_once_is_no_success(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connected, "lost", lambda _self: True)
    with pytest.raises((WorkerLostError, ClusterError), match="went away"):
        run(tmp_path, scheduler=cluster.address)


def test_no_worker_that_offers_a_gpu(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no worker offering GPU=1; start some with `dask worker --resources"):
        run(tmp_path, scheduler=cluster.address, resources={"GPU": 1})


def test_a_cluster_with_the_resource_works_until_its_scheduler_is_killed(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, "--resources", "GPU=1", workers=1) as gpu:
        toy = Toy(tmp_path / "notes", sleep_s=0)
        toy.folder.mkdir()
        settings = ExecutorSettings("dask", scheduler=gpu.address, resources={"GPU": 1}, start_s=20)
        assert len(list(executor(settings).run(range(5), toy, lambda event: None))) == 5
        _kill_scheduler(gpu, tmp_path)


def _kill_scheduler(gpu: Cluster, folder: Path) -> None:
    toy = Toy(folder / "killed", sleep_s=0.2)
    toy.folder.mkdir()
    settings = ExecutorSettings("dask", scheduler_file=str(gpu.file), start_s=20, grace_s=2)
    results = executor(settings).run(range(50), toy, lambda event: None)
    next(results)
    gpu.scheduler.kill()
    begin = time.monotonic()
    with pytest.raises(
        WorkerLostError, match="scheduler went away during the run; what was finished is kept"
    ) as caught:
        list(results)
    assert caught.value.exit_code == PARTIAL_FAILURE
    assert time.monotonic() - begin < 15


@pytest.mark.parametrize(
    ("address", "exposed"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("tls://10.0.0.7:8786", False),
        ("tcp://10.0.0.7:8786", True),
        ("tcp://0.0.0.0:8786", True),
        ("tcp://head-node:8786", True),
    ],
)
def test_a_scheduler_that_others_reach_in_the_clear(address: str, exposed: bool) -> None:
    assert is_exposed(address) == exposed


def test_the_shared_cluster_is_not_exposed(cluster: Cluster, tmp_path: Path) -> None:
    events = list[Event]()
    settings = ExecutorSettings("dask", scheduler_file=str(cluster.file))
    list(executor(settings).run(range(2), Toy(tmp_path), events.append))
    assert not [event for event in events if isinstance(event, Warned)]
