"""Workers that are killed, frozen and woken, drivers killed over them, and a scheduler that dies and comes back."""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.command import paintpipe
from support.dask_cluster import Cluster, dask_cluster
from support.faults import tiny
from support.faults.forks import in_child, parallel

_TAG = "PAINTPIPE_FAULTS_TRY"
_SILENCE_S = 2.0
"""How long a frozen worker is waited for, instead of a minute."""


def lost(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """`count` runs whose workers or scheduler are lost at a random instant; a second run for a scheduler's loss alone.

    Kinds by turns: a process killed, a process frozen and woken, a dask worker killed, a dask worker frozen and woken
    once it is replaced, a scheduler killed.
    """
    folder = tiny.long_folder(folder)
    whole, tries = tiny.reference(folder), [(number, _KINDS[number % len(_KINDS)], seed) for number in range(count)]
    results = parallel(lambda item: _lost(folder, *item, whole), tries)
    return _summary(results)


def drivers_killed(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """kill -9 of the driver over processes and dask at a random instant, its workers left to themselves; a resume.

    One cluster serves all tries over dask, each with what the drivers before it left behind.
    """
    folder = tiny.long_folder(folder)
    whole = tiny.reference(folder)

    def lane(item: tuple[int, str]) -> list[dict[str, Any]]:
        first, executor = item
        with _spread(folder, f"drivers-{seed}", executor) as options:
            results = [
                _driver_killed(folder, number, executor, options, seed, whole) for number in range(first, count, 2)
            ]
        return [_settled(folder, result, whole) for result in results]  # whatever came late did no harm

    return _summary([result for found in parallel(lane, [(0, "processes"), (1, "dask")]) for result in found])


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    kinds = sorted({result["kind"] for result in results})
    return {
        "tries": len(results),
        "attempts_lost": sum(result["attempts_lost"] for result in results),
        "in_time": {kind: sum(result["hit"] for result in results if result["kind"] == kind) for kind in kinds},
        "faults": [fault for result in results for fault in result["faults"]],
    }


def _driver_killed(
    folder: Path, number: int, executor: str, options: tuple[object, ...], seed: int, whole: dict[str, bytes]
) -> dict[str, Any]:
    draw, tag = random.Random(f"{seed} {number}"), f"driver-{seed}-{number}"
    workspace = tiny.fresh_workspace(folder, tag)
    after_s = draw.uniform(0.0, 5.0)
    killed = in_child(_paint, workspace, tag, options, kill_after_s=after_s, kill_others=False)
    faults = [killed.error] if killed.error else []
    faults += [f"falsely marked: {fault}" for fault in tiny.false_marks(workspace)]
    faults += _resumed(workspace, whole, "serial")
    if executor == "processes":
        _until(lambda: not _tagged(tag), "workers outlive their driver")
    what = f"{number}: {executor}, driver killed after {after_s:.2f} s"
    hit = killed.signal == 9
    return {"kind": executor, "hit": hit, "attempts_lost": 0, "tag": tag, "what": what, "faults": faults}


def _settled(folder: Path, result: dict[str, Any], whole: dict[str, bytes]) -> dict[str, Any]:
    """The result of a try with what is wrong in its workspace once no worker lives any more."""
    workspace = folder / result["tag"]
    faults = result["faults"] + in_child(tiny.faults_left, workspace, whole).or_raise()
    shutil.rmtree(workspace)
    return {**result, "faults": [f"{result['what']}: {fault}" for fault in faults]}


def _lost(folder: Path, number: int, kind: str, seed: int, whole: dict[str, bytes]) -> dict[str, Any]:
    draw, tag = random.Random(f"{seed} {number}"), f"lost-{seed}-{number}"
    workspace = tiny.fresh_workspace(folder, tag)
    executor, what = kind.split()
    with _spread(folder, tag, executor, ttl=what == "frozen") as options:
        ended = in_child(_beside, workspace, tag, options, what, draw.uniform(0.0, 0.3), timeout_s=300)
        told = ended.value if ended.good else {"code": -1, "hit": False, "err": ended.last_words}
        faults = [f"falsely marked: {fault}" for fault in tiny.false_marks(workspace)]
    expected = (0, 1, 2) if what == "scheduler" else (0,)  # 0 where the run was over already
    lines = [line for line in told["err"].splitlines() if "another one takes it up" not in line]
    if told["code"] not in expected or len(lines) != bool(told["code"]):
        faults.append(f"ended as {told}")
    if told["code"]:
        faults += _resumed(workspace, whole, "serial")
    faults += in_child(tiny.faults_left, workspace, whole).or_raise()
    attempts_lost = sum(
        json.loads(path.read_text())["attempts_lost"] for path in (workspace / "ledger/runs").glob("2*")
    )
    shutil.rmtree(workspace)
    return {
        "kind": kind,
        "hit": told["hit"],
        "attempts_lost": attempts_lost,
        "faults": [f"{number}: {kind}: {fault}" for fault in faults],
    }


def _beside(workspace: Path, tag: str, options: tuple[object, ...], what: str, after_s: float) -> dict[str, Any]:
    """Paint, and meanwhile, in a child, do the harm once shards are being painted; says how both ended."""
    os.environ[_TAG] = tag
    _lose_patience()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _harm(workspace, tag, what, after_s) else 1)
    done = paintpipe(*tiny.paint_words(workspace)[:-2], *options)
    for other in set(_tagged(tag)) - {os.getpid()}:
        _signal(other, signal.SIGCONT)
    hit = os.waitpid(pid, 0)[1] == 0
    return {"code": done.code, "err": done.err, "hit": hit}


def _harm(workspace: Path, tag: str, what: str, after_s: float) -> bool:
    """Kill or freeze one worker or the scheduler, soon after the first mark; False where that came too late."""
    until = time.monotonic() + 200
    while not (marked := tiny.marks(workspace)) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(after_s)
    role = "scheduler" if what == "scheduler" else "worker"
    own = {os.getpid(), os.getppid()}
    found = sorted(pid for pid in _tagged(tag) if pid not in own and _role(pid) == role)
    if not found or not marked:
        return False
    victim = found[-1]
    hit = _signal(victim, signal.SIGSTOP if what == "frozen" else signal.SIGKILL)
    if what == "frozen":
        time.sleep(3 * _SILENCE_S)
        _signal(victim, signal.SIGCONT)
    return hit


def _role(pid: int) -> str:
    """What works on tasks is our own worker, or the process below dask's `worker`, which is its nanny."""
    line = b" ".join(_words(pid, "cmdline"))
    if b"dask scheduler" in line:
        return "scheduler"
    return "worker" if b"executors.worker" in line or b"spawn_main" in line else ""


def _tagged(tag: str) -> list[int]:
    """Processes that were started for a try, zombies left out."""
    mark = f"{_TAG}={tag}".encode()
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if mark in _words(int(path.name), "environ")]


def _words(pid: int, name: str) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().split(b"\0")
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _until(true: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def _paint(workspace: Path, tag: str, options: tuple[object, ...]) -> None:
    os.environ[_TAG] = tag
    done = paintpipe(*tiny.paint_words(workspace)[:-2], *options)
    assert done.code == 0, done


def _lose_patience() -> None:
    """In this process a frozen worker is replaced within seconds."""
    from paintpipe.pipeline.executors.processes import ProcessesExecutor

    usual = ProcessesExecutor.__init__

    def impatient(self: ProcessesExecutor, settings: Any) -> None:
        usual(self, replace(settings, silence_s=_SILENCE_S))

    ProcessesExecutor.__init__ = impatient  # type: ignore[method-assign]


def _resumed(workspace: Path, whole: dict[str, bytes], executor: str) -> list[str]:
    def again() -> list[str]:
        tiny.paint(workspace, executor)
        return tiny.faults_left(workspace, whole)

    ended = in_child(again)
    return ended.value if ended.good else [ended.last_words]


@contextmanager
def _spread(folder: Path, tag: str, executor: str, ttl: bool = False) -> Iterator[tuple[object, ...]]:
    """The options of an executor, with a cluster of its own where it needs one."""
    if executor == "processes":
        yield ("--executor", "processes", "--workers", 2)
        return
    place = folder / f"cluster-{tag}"
    place.mkdir()
    os.environ[_TAG] = tag
    if ttl:
        os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = f"{_SILENCE_S}s"
    cluster: Cluster
    with dask_cluster(place) as cluster:
        yield ("--scheduler-file", cluster.file)


_KINDS = ("processes killed", "processes frozen", "dask killed", "dask frozen", "dask scheduler")
