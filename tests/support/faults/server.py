"""A process that has imported everything, runs no thread, and runs the suites of faults by forking.

A suite is a function `support.faults.NAME:function(folder, **options)` with a JSON-ready result. One interpreter start
for all of them: a cold start a try would cost a second each.
"""

import json
import os
import subprocess
import sys
import traceback
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[2]
_PRELOADED = (
    "support.faults.tiny",
    "paintpipe.stages.paint.oracle",
    "paintpipe.workflows.ingest",
    "paintpipe.workflows.paint",
    "paintpipe.workflows.verify",
    "paintpipe.workflows.doctor",
    "paintpipe.pipeline.executors.processes",
    "paintpipe.pipeline.executors.cluster",
    "distributed",
)
"""What the commands import late, so that no child has to."""


class Server:
    """The process, seen from the tests.

    Args:
        folder: where the suites work.
    """

    def __init__(self, folder: Path) -> None:
        paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_TESTS))))
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.faults.server", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=folder,
        )

    def run(self, suite: str, **options: Any) -> Any:
        """What `support.faults.SUITE` (`module:function`) returned; raises AssertionError where it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([suite, options]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the server of faults died"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _warm_up(folder: Path) -> None:
    """Paint once here, so that no child has to load compiled kernels, and end the threads that this started."""
    from support.faults import tiny
    from zarr.core.sync import cleanup_resources

    tiny.paint(tiny.fresh_workspace(folder, "reference"))
    cleanup_resources()


def _serve(folder: Path) -> None:
    os.fsync = lambda _: None  # a killed process needs no sync; what a loss of power needs is simulated
    metadata.version = cache(metadata.version)  # a fifth of a short run: every run tells what it ran on
    for name in _PRELOADED:
        import_module(name)
    _warm_up(folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    for line in sys.stdin:
        suite, options = json.loads(line)
        module, _, function = suite.partition(":")
        try:
            answer = {"value": getattr(import_module(f"support.faults.{module}"), function)(folder, **options)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
