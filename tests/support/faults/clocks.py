"""Clocks that are wrong or jump, and files whose times are."""

import datetime as dt
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.command import paintpipe
from support.faults import tiny
from support.faults.forks import in_child, parallel

DAY_S = 86_400.0
YEAR_S = 365.25 * DAY_S
CLOCKS: dict[str, Callable[[random.Random], float]] = {
    "3 days slow": lambda _: -3 * DAY_S,
    "1 day slow": lambda _: -DAY_S,
    "1 hour slow": lambda _: -3600.0,
    "1 s slow": lambda _: -1.0,
    "1 s fast": lambda _: 1.0,
    "1 hour fast": lambda _: 3600.0,
    "1 day fast": lambda _: DAY_S,
    "1 month fast": lambda _: 30 * DAY_S,
    "1 year fast": lambda _: YEAR_S,
    "10 years fast": lambda _: 10 * YEAR_S,
    "jumping by days": lambda draw: draw.uniform(-3, 3) * DAY_S,
    "jumping by years": lambda draw: draw.uniform(-3 * DAY_S, 10 * YEAR_S),
}
"""Seconds that a clock is off each time that it is asked."""


def all_clocks(folder: Path) -> dict[str, Any]:
    """Under each clock: a run that is killed, its status, a run beside another that is refused, and one to the end."""
    whole = tiny.reference(folder)
    faults = [fault for found in parallel(lambda name: _try(folder, name, whole), list(CLOCKS)) for fault in found]
    return {"tries": len(CLOCKS), "faults": faults}


def _try(folder: Path, name: str, whole: dict[str, bytes]) -> list[str]:
    workspace = tiny.fresh_workspace(folder, "clock-" + name.replace(" ", "-"))
    _touch(workspace, name)
    killed = in_child(_paint, workspace, name, kill_after_s=0.12)
    faults = [killed.error] if killed.error else []
    faults += tiny.false_marks(workspace)
    for step in (_told, _refused, _finished):
        ended = in_child(step, workspace, name, whole)
        faults += ended.value if ended.good else [ended.last_words]
    return [f"{name}: {fault}" for fault in faults]


def _paint(workspace: Path, name: str) -> None:
    _set_clock(name)
    tiny.paint(workspace)


def _told(workspace: Path, name: str, _: dict[str, bytes]) -> list[str]:
    """A killed run is told as such, whatever the time."""
    _set_clock(name)
    done = paintpipe("status", "-w", workspace)
    lock = workspace / "ledger" / "lock"
    locked = lock.exists() and lock.stat().st_size > 0  # else it was killed before it said who it is
    wrong = [f"status: {done}"] if done.code or (locked and "was killed" not in done.out) else []
    return wrong + (["status takes a killed run for one at work"] if "at work" in done.out else [])


def _refused(workspace: Path, name: str, _: dict[str, bytes]) -> list[str]:
    """While another process holds the lock, under its own clock, a run is refused."""
    from paintpipe.pipeline.lock import workspace_lock

    with workspace_lock(workspace / "ledger"):
        ended = in_child(_second, workspace, name)
    done = ended.or_raise()
    told = f"process {os.getpid()}"
    return [] if done["code"] == 2 and told in done["err"] else [f"not refused: {done}"]


def _second(workspace: Path, name: str) -> dict[str, Any]:
    _set_clock(name)
    return paintpipe(*tiny.paint_words(workspace))._asdict()


def _finished(workspace: Path, name: str, whole: dict[str, bytes]) -> list[str]:
    _touch(workspace, name)
    _set_clock(name)
    tiny.paint(workspace)
    faults = tiny.faults_left(workspace, whole)
    status = paintpipe("status", "-w", workspace)
    before = sorted((workspace / "ledger" / "runs").glob("2*.json"))
    tiny.paint(workspace)  # nothing is left to do, and nothing is done again
    again = tiny.faults_left(workspace, whole)
    reports = sorted((workspace / "ledger" / "runs").glob("2*.json"))
    faults += ["a report was written over"] if len(reports) <= len(before) else []
    return faults + again + ([f"status: {status}"] if status.code or "no run works here" not in status.out else [])


def _touch(workspace: Path, name: str) -> None:
    """Times of files are as wrong as the clock."""
    draw = random.Random(name)
    for path in workspace.rglob("*"):
        when = time.time() + CLOCKS[name](draw)
        os.utime(path, (when, when))


def _set_clock(name: str) -> None:
    """From now on this process reads another clock."""
    draw, real = random.Random(name), time.time
    time.time = lambda: real() + CLOCKS[name](draw)  # type: ignore[assignment]
    time.time_ns = lambda: int(time.time() * 1e9)  # type: ignore[assignment]

    class Moved(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Moved":
            return cls.fromtimestamp(time.time(), tz)

    for name_of, module in list(sys.modules.items()):
        if name_of.startswith("paintpipe.") and getattr(module, "datetime", None) is dt.datetime:
            module.datetime = Moved  # type: ignore[attr-defined]
