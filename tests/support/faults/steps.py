"""kill -9 before every call that changes the disk."""

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from support.engine import tree
from support.faults import storage, tiny
from support.faults.calls import Call, watched
from support.faults.forks import in_child, parallel


def storage_steps(folder: Path, kind: str, every: int = 1) -> dict[str, Any]:
    """Of a shard, a mark and metadata of the engine alone, in one format of store."""
    base = folder / f"steps-{kind}"
    in_child(partial(storage.run, base / "whole", kind)).or_raise()
    whole = tree(base / "whole")

    def again(place: Path) -> list[str]:
        storage.run(place, kind)
        return storage.faults_left(place, whole, kind)

    return _all_steps(base, partial(storage.run, kind=kind), partial(storage.false_marks, kind=kind), again, every)


def paint_steps(folder: Path, executor: str, every: int = 1) -> dict[str, Any]:
    """Of a whole run of paint; of `every` calls one."""
    whole = tiny.reference(folder)

    def again(place: Path) -> list[str]:
        tiny.paint(place, executor)
        return tiny.faults_left(place, whole)

    return _all_steps(
        folder / f"paint-{executor}",
        partial(tiny.paint, executor=executor),
        tiny.false_marks,
        again,
        every,
        tiny.ingested(folder),
    )


def _all_steps(
    base: Path,
    run: Callable[[Path], None],
    false_marks: Callable[[Path], list[str]],
    again: Callable[[Path], list[str]],
    every: int = 1,
    start: Path | None = None,
) -> dict[str, Any]:
    def place_of(step: int) -> Path:
        place = base / f"step{step}"
        if start is not None:
            shutil.copytree(start, place)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def one(step: int) -> list[str]:
        place = place_of(step)
        killed = in_child(_dying, place, run, step)
        wrong = [] if killed.signal == signal.SIGKILL else [f"not killed: {killed.error}"]
        wrong += [f"falsely marked: {fault}" for fault in false_marks(place)]
        resumed = in_child(again, place)
        wrong += resumed.value if resumed.good else [resumed.last_words]
        shutil.rmtree(place)
        return [f"killed before call {step}: {fault}" for fault in wrong]

    kinds = in_child(_counted, place_of(-1), run).or_raise()
    steps = range(0, len(kinds), every)
    faults = [fault for found in parallel(one, steps) for fault in found]
    return {"calls": len(kinds), "tries": len(steps), "kinds": sorted(set(kinds)), "faults": faults}


def _counted(place: Path, run: Callable[[Path], None]) -> list[str]:
    kinds: list[str] = []
    with watched(place, lambda call: kinds.append(call.kind)):
        run(place)
    return kinds


def _dying(place: Path, run: Callable[[Path], None], step: int) -> None:
    left = step

    def hook(_: Call) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with watched(place, hook):
        run(place)
