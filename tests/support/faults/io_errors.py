"""The disk refuses: one kind of call fails, once or from then on."""

import errno
import os
import random
import shutil
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

from support.command import paintpipe
from support.faults import tiny
from support.faults.calls import Call, watched
from support.faults.forks import in_child, parallel

FAILING = ("open", "write", "fsync", "close", "rename", "mkdir")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT)
EXECUTORS = ("serial", "threads")


def paint_errors(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """`count` runs of paint, each with another call, error and moment; then a second run with a healthy disk."""
    whole = tiny.reference(folder)
    calls = in_child(_count, tiny.fresh_workspace(folder, "io-count")).or_raise()
    draw = random.Random(seed)
    kinds = list(product(FAILING, ERRORS, (True, False)))
    draw.shuffle(kinds)
    tries = [(number, *kinds[number % len(kinds)]) for number in range(count)]

    def one(item: tuple[int, str, int, bool]) -> dict[str, Any]:
        number, kind, code, for_good = item
        at = random.Random(seed * 1_000_003 + number).randrange(calls[kind])
        executor = EXECUTORS[number % len(EXECUTORS)]
        workspace = tiny.fresh_workspace(folder, f"io{number}")
        first = in_child(_refused, workspace, executor, kind, code, at, for_good).or_raise()
        wrong = _judge(first, workspace)
        second = in_child(_again, workspace, executor, whole)
        wrong += second.value if second.good else [second.last_words]
        shutil.rmtree(workspace)
        what = f"{number}: {executor}, {errno.errorcode[code]} on {kind} {at}, {'for good' if for_good else 'once'}"
        return {"code": str(first["code"]), "faults": [f"{what}: {fault}" for fault in wrong]}

    results = parallel(one, tries)
    codes = Counter(result["code"] for result in results)
    faults = [fault for result in results for fault in result["faults"]]
    return {"tries": len(results), "calls": calls, "exit_codes": dict(sorted(codes.items())), "faults": faults}


def _count(workspace: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()

    def hook(call: Call) -> None:
        counts[call.kind] += 1

    with watched(workspace, hook):
        tiny.paint(workspace)
    return dict(counts)


def _refused(workspace: Path, executor: str, kind: str, code: int, at: int, for_good: bool) -> dict[str, Any]:
    seen = 0

    def hook(call: Call) -> None:
        nonlocal seen
        if call.kind != kind:
            return
        seen += 1
        if seen == at + 1 or (for_good and seen > at):
            raise OSError(code, os.strerror(code), call.path)

    with watched(workspace, hook):
        done = paintpipe(*tiny.paint_words(workspace, executor))
    return {"code": done.code, "out": done.out, "err": done.err, "hit": seen > at}


def _judge(done: dict[str, Any], workspace: Path) -> list[str]:
    """One clear line and the right exit code; marks that hold."""
    lines = done["err"].splitlines()
    wrong = [f"falsely marked: {fault}" for fault in tiny.false_marks(workspace)]
    if not done["hit"] and done["code"]:  # threads share a few calls or not, so that the last ones may never come
        wrong.append(f"no call failed, and yet exit code {done['code']}")
    if done["code"] not in (0, 1, 2):
        wrong.append(f"exit code {done['code']}")
    if done["code"] and (len(lines) != 1 or not lines[0].startswith("paintpipe: ") or "Traceback" in done["err"]):
        wrong.append(f"not one clear line: {done['err']!r}")
    return wrong


def _again(workspace: Path, executor: str, whole: dict[str, bytes]) -> list[str]:
    tiny.paint(workspace, executor)
    return tiny.faults_left(workspace, whole)
