"""Workers that die, freeze or outlive their coordinator."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.dask_cluster import TESTS
from support.toy_jobs import Environment, Toy, ended

from paintpipe.pipeline.events import AttemptLost, Event, FrameDone
from paintpipe.pipeline.executors.contract import Executor
from paintpipe.pipeline.executors.process import WorkerProcess
from paintpipe.schemas.errors import PARTIAL_FAILURE, WorkerLostError

Make = Callable[..., Executor]
elsewhere = pytest.mark.parametrize("name", ["dask", "processes"])
SQUARES = [(task, task * task) for task in range(12)]


def quiet(_: Event) -> None:
    pass


@elsewhere
def test_a_task_whose_worker_is_killed_goes_to_another(name: str, make: Make, tmp_path: Path) -> None:
    toy, events = Toy(tmp_path, kills=(3, 7)), list[Event]()
    assert sorted(make(name).run(range(12), toy, events.append)) == SQUARES
    tried = {len(toy.noted("start-3")), len(toy.noted("start-7"))}
    assert tried <= ({2, 3} if name == "dask" else {2}), "a dask worker may die with the result of a task"
    frames = [event.frame for event in events if isinstance(event, FrameDone)]
    taken_back = [told.frame for event in events if isinstance(event, AttemptLost) for told in event.told]  # type: ignore[union-attr]
    for frame in taken_back:
        frames.remove(frame)
    assert sorted(frames) == list(range(12)), "each frame counts once"


@elsewhere
def test_a_task_that_kills_every_worker_is_one_clear_error(name: str, make: Make, tmp_path: Path) -> None:
    toy, results, events = Toy(tmp_path, kills=(5,), times=9, sleep_s=0.01), list[tuple[int, int]](), list[Event]()
    named = r"\d+" if name == "dask" else "5"  # dask suspects the tasks that waited at the worker as well
    with pytest.raises(WorkerLostError, match=rf"^{named}: its worker .*\(out of memory\?\)") as caught:
        results.extend(make(name).run(range(12), toy, events.append))
    assert caught.value.exit_code == PARTIAL_FAILURE
    lost = [event for event in events if isinstance(event, AttemptLost) and event.task == "5"]
    assert len(lost) == (0 if name == "dask" else 3), "what the last attempt told is taken back too"
    assert len(toy.noted("start-5")) in (3, 4)
    yielded, ended = {str(task) for task, _ in results}, set(toy.noted("end"))
    # dask may lose the result of a task that ended at a worker which then died; after a failure nothing starts again
    assert yielded <= ended if name == "dask" else yielded == ended
    assert len(yielded) == len(results)


def test_a_task_that_lost_a_worker_is_tried_alone(make: Make, tmp_path: Path) -> None:
    """Otherwise the innocent task beside it would lose as many workers."""
    toy = Toy(tmp_path, kills=(1,), times=2, sleep_s=0.05)
    assert sorted(make("processes", workers=1, in_flight=3).run(range(12), toy, quiet)) == SQUARES
    assert len(toy.noted("start-1")) == 3
    assert max(len(toy.noted(f"start-{task}")) for task in (0, 2)) == 2


def test_a_worker_that_dies_while_it_starts_is_one_clear_error(make: Make, tmp_path: Path) -> None:
    toy = Toy(tmp_path, kills=(-1,), times=9)
    with pytest.raises(WorkerLostError, match="starting a worker: the worker was killed by SIGKILL"):
        list(make("processes").run(range(12), toy, quiet))


def test_a_frozen_worker_is_replaced(make: Make, tmp_path: Path) -> None:
    toy, events = Toy(tmp_path, freezes=(3,)), list[Event]()
    begin = time.monotonic()
    assert sorted(make("processes", silence_s=1.0).run(range(12), toy, events.append)) == SQUARES
    assert time.monotonic() - begin < 15
    assert [event.reason for event in events if isinstance(event, AttemptLost)] == [
        "gave no sign of life for 1 s and was replaced"
    ]


def test_a_worker_that_can_not_be_killed_is_given_up(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that waits in the kernel for a mount that is gone."""
    monkeypatch.setattr(WorkerProcess, "kill", lambda _self: None)
    toy = Toy(tmp_path, freezes=(3,))
    assert sorted(make("processes", silence_s=1.0, grace_s=0.5).run(range(12), toy, quiet)) == SQUARES


def test_workers_end_with_a_run_that_goes_well(make: Make, tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    list(make("processes").run(range(4), toy, quiet))
    workers = toy.pids() - {os.getpid()}
    assert workers, "nobody else was at work"
    with ended(workers, within_s=1):
        pass


_KILLED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from support.toy_jobs import Toy
    from paintpipe.pipeline.executors import executor
    from paintpipe.pipeline.executors.settings import ExecutorSettings

    settings = ExecutorSettings("processes", workers=2)
    list(executor(settings).run(range(50), Toy(Path(sys.argv[1]), sleep_s=60, freezes=(1,)), lambda event: None))
    """
)


def test_a_killed_coordinator_leaves_no_process_behind(tmp_path: Path) -> None:
    """Not even a frozen one."""
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(tmp_path)], env={"PYTHONPATH": str(TESTS)})
    toy = Toy(tmp_path)
    while len(toy.noted("start")) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    with ended(toy.pids()):
        process.kill()
        process.wait()


def test_each_worker_has_its_own_environment_from_its_first_instruction(make: Make) -> None:
    environments = ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "5"})
    run = make("processes", threads=3, environments=environments).run(range(8), Environment(), quiet)
    found = {result for _, result in run}
    assert {seen["CUDA_VISIBLE_DEVICES"] for seen in map(dict, found)} <= {"0", "5"}
    for seen in map(dict, found):
        assert {seen[name] for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"3"}
        assert seen["OMP_WAIT_POLICY"] == "PASSIVE"
