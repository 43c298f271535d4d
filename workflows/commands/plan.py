"""`paintpipe plan`."""

from typing import Any

import click

from paintpipe.workflows.commands import options, output
from paintpipe.workflows.commands.painting import paint_request, what_to_paint


@click.command(short_help="What `paint` would do, how long, what would fail.")
@what_to_paint
@options.count("--frames", 1000, "Frames to time; 0 for none, without bytes and hours.", least=0, default=4)
@output.as_json
def plan(frames: int, as_json: bool, **given: Any) -> int:
    """Say what `paint` with these options would do, how long it takes, and what would fail; writes nothing.

    Exits with 0 where paint would run, with 1 where some frames would stay unpainted, with 2 where it would not start.
    """
    from paintpipe.workflows import plan as job

    result = job.plan(paint_request(given), frames)
    return output.show(result, as_json, result.exit_code)
