"""Power loss after every call that changes the disk."""

import pickle
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from support.engine import tree
from support.faults import storage, tiny
from support.faults.calls import Call, watched
from support.faults.disk import DAMAGES, Disk
from support.faults.forks import in_child, parallel

Run = Callable[[Path], None]


def storage_losses(
    folder: Path,
    kind: str,
    damages: int = 1,
    overwrite: bool = False,
    ignored: tuple[str, ...] = (),
    of: tuple[str, ...] = DAMAGES,
    every: int = 1,
) -> dict[str, Any]:
    """While the engine alone publishes shards, marks and metadata, or overwrites older ones.

    Args:
        folder: to work in.
        kind: format of the store.
        damages: how many damages are tried at each call, taken in turn.
        overwrite: whether a store of an older version is there.
        ignored: syncs that the disk does not honour.
        of: some of DAMAGES.
        every: try after one of so many calls.
    """
    base = folder / "-".join(["power", kind, "again" if overwrite else "new", *ignored])
    start, finished = base / "start", base / "whole"
    start.mkdir(parents=True)
    if overwrite:
        in_child(partial(storage.run, start, kind, version=1)).or_raise()
    run = partial(storage.run, kind=kind, version=2 if overwrite else 1, overwrite=overwrite)
    shutil.copytree(start, finished)
    in_child(run, finished).or_raise()
    whole = tree(finished)

    def again(place: Path) -> list[str]:
        run(place)
        return storage.faults_left(place, whole, kind)

    return _losses(
        base, start, run, partial(storage.false_marks, kind=kind), again, (damages, every), tuple(ignored), tuple(of)
    )


def paint_losses(folder: Path, damages: int = 1, every: int = 1) -> dict[str, Any]:
    """While `paintpipe paint` works; see `storage_losses`."""
    whole = tiny.reference(folder)

    def again(place: Path) -> list[str]:
        tiny.paint(place)
        return tiny.faults_left(place, whole)

    base = folder / "power-paint"
    base.mkdir()
    return _losses(base, tiny.ingested(folder), tiny.paint, tiny.false_marks, again, (damages, every))


def _losses(
    base: Path,
    start: Path,
    run: Run,
    false_marks: Callable[[Path], list[str]],
    again: Callable[[Path], list[str]],
    density: tuple[int, int],
    ignored: tuple[str, ...] = (),
    of: tuple[str, ...] = DAMAGES,
) -> dict[str, Any]:
    """Run once and record; then, in two lanes, follow the record and judge what each loss of power leaves."""
    place, record = base / "recorded", base / "calls.pickle"
    shutil.copytree(start, place)
    in_child(_record, place, run, record).or_raise()
    calls: list[Call] = pickle.loads(record.read_bytes())
    damages, every = density
    tries = [(step, step // every + turn) for step in range(0, len(calls), every) for turn in range(damages)]

    def lane(chosen: list[tuple[int, int]]) -> list[str]:
        disk, done, faults = Disk(start, place, ignored), 0, []
        for step, turn in chosen:
            for call in calls[done : step + 1]:
                disk.apply(call)
            done = step + 1
            state = base / f"state{step}-{turn}"
            state.mkdir()
            damage = of[turn % len(of)]
            disk.after_power_loss(damage, random.Random(turn), state)
            found = [f"falsely marked: {fault}" for fault in false_marks(state)]
            resumed = in_child(again, state)
            found += resumed.value if resumed.good else [resumed.last_words]
            shutil.rmtree(state)
            faults += [f"after call {step} ({calls[step].kind}), {damage}: {fault}" for fault in found]
        return faults

    faults = [fault for found in parallel(lane, [tries[0::2], tries[1::2]]) for fault in found]
    return {"calls": len(calls), "tries": len(tries), "faults": faults}


def _record(place: Path, run: Run, record: Path) -> None:
    calls: list[Call] = []
    with watched(place, calls.append):
        run(place)
    record.write_bytes(pickle.dumps(calls))
