"""kill -9 at random instants of a whole run, then a second run to the end."""

import random
import shutil
from pathlib import Path
from typing import Any

from support.faults import tiny
from support.faults.forks import in_child, parallel


def random_instants(folder: Path, count: int, executors: list[str], seed: int = 0) -> dict[str, Any]:
    """Kill `count` runs, spread over the executors, and take each up again.

    Returns:
        tries, how many were killed in mid-run, marks that stood then, and a line for each fault found.
    """
    whole = tiny.reference(folder)
    whole_s = {executor: _duration_s(folder, executor) for executor in executors}
    draw = random.Random(seed)
    tries = [(number, executors[number % len(executors)], draw.uniform(0.0, 1.05)) for number in range(count)]

    def one(item: tuple[int, str, float]) -> dict[str, Any]:
        number, executor, share = item
        return _try(folder, number, executor, share, whole_s[executor], whole)

    results = parallel(one, tries)
    return {
        "tries": len(results),
        "killed": sum(result["killed"] for result in results),
        "marks_at_kill": sorted({result["marks"] for result in results}),
        "faults": [fault for result in results for fault in result["faults"]],
    }


def _duration_s(folder: Path, executor: str) -> float:
    """Of a whole run while another one runs beside it, as the tries do."""

    def timed(number: int) -> float:
        workspace = tiny.fresh_workspace(folder, f"timed-{executor}-{number}")
        ended = in_child(lambda: tiny.paint(workspace, executor))
        ended.or_raise()
        shutil.rmtree(workspace)
        return ended.seconds

    return min(parallel(timed, range(2)))


def _try(
    folder: Path, number: int, executor: str, share: float, whole_s: float, whole: dict[str, bytes]
) -> dict[str, Any]:
    """Kill a run after a share of its time; one that was over before, on a machine less busy by now, is run again."""
    for left in (3, 2, 1, 0):
        workspace, after_s = tiny.fresh_workspace(folder, f"kill{number}"), share * whole_s
        killed = in_child(lambda: tiny.paint(workspace, executor), kill_after_s=after_s)  # noqa: B023
        if killed.signal == 9 or killed.error or share > 1.0 or not left:
            break
        whole_s = killed.seconds
        shutil.rmtree(workspace)
    faults = [killed.error] if killed.error else []
    faults += [f"falsely marked: {fault}" for fault in tiny.false_marks(workspace)]
    marks = tiny.marks(workspace)

    def again() -> list[str]:
        tiny.paint(workspace, executor)
        return tiny.faults_left(workspace, whole)

    ended = in_child(again)
    faults += ended.value if ended.good else [ended.last_words]
    shutil.rmtree(workspace)
    found = [f"seed {number}, {executor}, killed after {after_s:.4f} s: {fault}" for fault in faults]
    return {"killed": killed.signal == 9, "marks": marks, "faults": found}
