"""Running `paintpipe` as a user does: in this process for speed, or as the installed command."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from paintpipe.cli import main

COMMAND = Path(sys.executable).parent / "paintpipe"


class Done(NamedTuple):
    code: int
    out: str
    err: str


def paintpipe(*arguments: object) -> Done:
    """The command's exit code and what it printed."""
    words = ["paintpipe", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with mock.patch.object(sys, "argv", words), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            return Done(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command returned instead of exiting")


def succeed(*arguments: object) -> str:
    """What the command printed; fails unless it exits with 0."""
    done = paintpipe(*arguments)
    assert done.code == 0, done
    return done.out


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The installed command as a process of its own."""
    return subprocess.Popen(
        [str(COMMAND), *map(str, arguments)],
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def content(*folders: Path) -> dict[str, bytes]:
    """Every file below the folders, run reports and the lock aside."""
    files = [(folder, path) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = [(folder, path) for folder, path in files if "runs" not in path.parts and path.name != "lock"]
    return {f"{folder.name}/{path.relative_to(folder)}": path.read_bytes() for folder, path in kept}
