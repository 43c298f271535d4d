"""How the command ends: an exit code, and one line for what went wrong."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from paintpipe.schemas.errors import USER_MISTAKE, PaintpipeError
from paintpipe.workflows.interrupt import STOPPED, STOPPED_LINE, stop_at_once


class _Interrupt:
    """Raises KeyboardInterrupt on Ctrl-C, and remembers it: a library that is being imported may swallow the error."""

    seen = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt


def exit_code(command: Callable[[], Any], debug: bool = False, as_json: bool = False) -> int:
    """Run a click command (not standalone) and say on stderr why it failed or that it was stopped.

    Args:
        command: returns an exit code, or anything else for 0.
        debug: raise errors instead of telling them in a line.
        as_json: also print an error as a JSON object on standard output.
    """
    interrupt = _Interrupt()
    usual = signal.getsignal(signal.SIGINT)
    # Not where a shell has it ignored for a job in the background, and Python allows it on the main thread alone.
    ours = usual in (signal.default_int_handler, stop_at_once)
    ours = ours and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, interrupt)
    try:
        code = _run(command, debug, as_json)
    except BaseException:
        if not interrupt.seen:
            raise
        code = STOPPED  # whatever a library has made of the interrupt
    finally:
        if ours:
            signal.signal(signal.SIGINT, usual)
    if interrupt.seen or code == STOPPED:
        click.echo(STOPPED_LINE, err=True)
        return STOPPED
    return code


class _OnStderr(logging.Handler):
    """Writes to what standard error is at that time."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


def warn_on_stderr() -> None:
    """Show the warnings that paintpipe itself logs."""
    log = logging.getLogger("paintpipe")
    if not log.handlers:
        log.addHandler(_OnStderr(logging.WARNING))


def _run(command: Callable[[], Any], debug: bool, as_json: bool) -> int:
    tell = _print_json if as_json else _print_nothing
    try:
        code = command()
    except click.ClickException as error:
        error.show()
        tell({"kind": "UsageError", "what": error.format_message()}, USER_MISTAKE)
        return USER_MISTAKE
    except (click.Abort, KeyboardInterrupt):
        return STOPPED
    except PaintpipeError as error:
        if debug:
            raise
        click.echo(f"paintpipe: {error.line()}", err=True)
        parts = {name: getattr(error, name) for name in ("what", "where", "expected", "todo")}
        tell({"kind": type(error).__name__, **parts, "line": error.line()}, error.exit_code)
        return error.exit_code
    except OSError as error:
        if debug:
            raise
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"paintpipe: {where}{error.strerror or error}", err=True)
        return USER_MISTAKE
    return code if isinstance(code, int) else 0


def _print_json(error: dict[str, str], code: int) -> None:
    click.echo(json.dumps({"error": error, "exit_code": code}))


def _print_nothing(_error: dict[str, str], _code: int) -> None:
    pass


def _drop_output() -> None:
    """Where the output can't be written (its disk is full), let Python not complain of it again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
