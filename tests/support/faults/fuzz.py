"""Mutated files into every reader and parser: only our errors come out, in under 5 s (of computing) and 1 GB."""

import mmap
import os
import random
import resource
import signal
import struct
import time
import warnings
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from support.faults.forks import in_child, parallel
from support.faults.mutate import mutated
from support.faults.targets import TARGETS, Target

from paintpipe.schemas.errors import PaintpipeError

MOST_S = 5.0
MOST_BYTES = 1_000_000_000
_SHOWN = 12
"""Findings that a target may have before it is left."""


def parsers(folder: Path, count: int, only: tuple[str, ...] = (), seed: int = 0) -> dict[str, Any]:
    """`count` mutated files for each target."""
    names = [name for name in TARGETS if not only or name in only]
    for name in names:
        for module in TARGETS[name].imports:
            import_module(module)

    def one(name: str) -> dict[str, Any]:
        place = folder / "fuzz" / name
        place.mkdir(parents=True, exist_ok=True)
        return _fuzz(TARGETS[name], place, round(count * TARGETS[name].share), seed)

    results = parallel(one, names)
    return {
        "tries": {name: result["tries"] for name, result in zip(names, results, strict=True)},
        "accepted": {name: result["accepted"] for name, result in zip(names, results, strict=True)},
        "slowest_s": max((result["slowest_s"] for result in results), default=0.0),
        "most_mb": max((result["most_mb"] for result in results), default=0),
        "seconds": {name: round(result["seconds"], 2) for name, result in zip(names, results, strict=True)},
        "faults": [
            f"{name}: {fault}" for name, result in zip(names, results, strict=True) for fault in result["faults"]
        ],
    }


def replay(folder: Path, name: str, number: int, seed: int = 0) -> str:
    """The mutated file of one finding, written into the folder; for a person."""
    target = TARGETS[name]
    data = _input(target, target.seeds(folder), number, seed)
    (folder / f"{name}-{number}").write_bytes(data)
    return str(folder / f"{name}-{number}")


def _fuzz(target: Target, place: Path, count: int, seed: int) -> dict[str, Any]:
    """Children take the numbers in turn; one that dies is a finding, and the next goes on behind it."""
    shared = mmap.mmap(-1, 16)
    seeds = in_child(lambda: [data.hex() for data in target.seeds(place)]).or_raise()
    files = [bytes.fromhex(text) for text in seeds]
    total: dict[str, Any] = {"tries": 0, "accepted": 0, "slowest_s": 0.0, "most_mb": 0, "seconds": 0.0, "faults": []}
    start = 0
    while start < count and len(total["faults"]) < _SHOWN:
        limit = MOST_BYTES if target.limited else None
        ended = in_child(
            _run, target, place, files, (start, count, seed), shared, most_bytes=limit, timeout_s=60 + count / 4
        )
        total["seconds"] += ended.seconds
        stopped = struct.unpack("q", shared[:8])[0]
        total["tries"] += stopped + 1 - start
        start = stopped + 1
        if ended.good:
            total["accepted"] += ended.value["accepted"]
            total["slowest_s"] = max(total["slowest_s"], ended.value["slowest_s"])
            total["most_mb"] = max(total["most_mb"], ended.value["most_mb"])
            total["faults"] += ended.value["faults"]
        else:
            total["faults"].append(f"{stopped}: the process died: {ended.last_words}")
    return total


def _input(target: Target, files: list[bytes], number: int, seed: int) -> bytes:
    return mutated(files, random.Random(f"{target.name} {seed} {number}"))


def _run(
    target: Target, place: Path, files: list[bytes], numbers: tuple[int, int, int], shared: mmap.mmap
) -> dict[str, Any]:
    start, count, seed = numbers
    signal.signal(signal.SIGPROF, _too_slow)
    warnings.simplefilter("error")  # a warning is a line on the user's screen that says nothing of the file
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # OpenCV and libpng tell theirs there
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    accepted, slowest_s, faults = 0, 0.0, []
    for number in range(start, count):
        shared[:8] = struct.pack("q", number)
        data = _input(target, files, number, seed)
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, MOST_S)
        try:
            target.parse(data, place)
            accepted += 1
        except PaintpipeError as error:
            if "\n" in error.line() or len(error.line()) > 2000:
                faults.append(f"{number}: no line of an error: {error.line()[:200]!r}")
        except Exception as error:
            faults.append(f"{number}: {type(error).__name__}: {str(error)[:160]}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        took_s = time.process_time() - begin
        slowest_s = max(slowest_s, took_s)
        if took_s > MOST_S:
            faults.append(f"{number}: took {took_s:.1f} s")
        if len(faults) >= _SHOWN:
            break
    most_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    if most_kb * 1024 > MOST_BYTES:
        faults.append(f"up to number {number}: {most_kb // 1024} MB")
    return {"accepted": accepted, "slowest_s": slowest_s, "most_mb": most_kb // 1024, "faults": faults}


class TooSlowError(Exception):
    pass


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlowError(f"more than {MOST_S} s")
