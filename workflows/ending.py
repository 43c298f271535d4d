"""How the command ends: an exit code, and one line for what went wrong."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from paintpipe.schemas.errors import USER_MISTAKE, PaintpipeError

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


class _Interrupt:
    """Raises KeyboardInterrupt on Ctrl-C, and remembers it: a library that is being imported may swallow the error."""

    seen = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt


def exit_code(command: Callable[[], Any], debug: bool = False) -> int:
    """Run a click command (not standalone) and say on stderr why it failed or that it was stopped.

    Args:
        command: returns an exit code, or anything else for 0.
        debug: raise errors instead of telling them in a line.
    """
    interrupt = _Interrupt()
    usual = signal.getsignal(signal.SIGINT)
    # Not where a shell has it ignored for a job in the background, and Python allows it on the main thread alone.
    ours = usual is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, interrupt)
    try:
        code = _run(command, debug)
    except BaseException:
        if not interrupt.seen:
            raise
        code = STOPPED  # whatever a library has made of the interrupt
    finally:
        if ours:
            signal.signal(signal.SIGINT, usual)
    if interrupt.seen or code == STOPPED:
        click.echo("paintpipe: stopped; run the same command again to go on where it stopped", err=True)
        return STOPPED
    return code


def _run(command: Callable[[], Any], debug: bool) -> int:
    try:
        code = command()
    except click.ClickException as error:
        error.show()
        return USER_MISTAKE
    except (click.Abort, KeyboardInterrupt):
        return STOPPED
    except PaintpipeError as error:
        if debug:
            raise
        click.echo(f"paintpipe: {error.line()}", err=True)
        return error.exit_code
    except OSError as error:
        if debug:
            raise
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"paintpipe: {where}{error.strerror or error}", err=True)
        return USER_MISTAKE
    return code if isinstance(code, int) else 0


def _drop_output() -> None:
    """Where the output can't be written (its disk is full), let Python not complain of it again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
