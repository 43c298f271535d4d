"""Ctrl-C while the command is still being imported: the command line imports this before anything that takes time."""

import os
import signal
import sys
from types import FrameType

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""
STOPPED_LINE = "paintpipe: stopped; run the same command again to go on where it stopped"


def stop_at_once(_number: int, _frame: FrameType | None) -> None:
    """End the process: nothing has begun that would have to be ended first, and Python would print a traceback."""
    os.write(2, (STOPPED_LINE + "\n").encode())
    os._exit(STOPPED)


def _is_command() -> bool:
    return sys.argv[0].rpartition(os.sep)[2] in ("paintpipe", "paintpipe.exe")


# Not for those who import the command line as a library, nor where a shell has it ignored for a job in the background.
if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, stop_at_once)
