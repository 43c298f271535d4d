"""What a command prints: text for people, or one JSON object for programs."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click

from paintpipe import __version__

JSON_OUTPUT = 1
"""Raised when a key of docs/json.md goes or changes its meaning; new keys may come at any time."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text (docs/json.md).")


class Result(Protocol):
    """What a job hands back to its command."""

    def text(self) -> str:
        """For people."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The same for programs, JSON-ready; paths, tuples and numbers that are not finite are mended here."""
        ...


@dataclass(frozen=True)
class Said:
    """A result of a job that has no record of its own."""

    words: str
    content: dict[str, Any]

    def text(self) -> str:
        """For people."""
        return self.words

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return self.content


def show(result: Result, as_json: bool, exit_code: int = 0) -> int:
    """Print a result in the form asked for; returns the exit code, which is part of the object."""
    if as_json:
        click.echo(json_text({**_head(), "exit_code": exit_code, **result.to_json()}))
    else:
        click.echo(result.text())
    return exit_code


def json_text(content: dict[str, Any]) -> str:
    """One line of JSON; a number that is not finite is null, since JSON has none."""
    return json.dumps(_plain(content), allow_nan=False)


def _head() -> dict[str, Any]:
    context, names = click.get_current_context(), list[str]()
    while context.parent is not None:  # the outermost is the program, whose own name may hold spaces
        names.insert(0, context.info_name or "")
        context = context.parent
    command = " ".join(names)
    return {"json_output": JSON_OUTPUT, "paintpipe": __version__, "command": command}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value
