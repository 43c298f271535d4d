"""`paintpipe paint`."""

from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import options, output
from paintpipe.workflows.commands.painting import paint_request, what_to_paint


@click.command(short_help="Give every LiDAR point the class scores of its pixel.")
@what_to_paint
@options.allow_rejects
@options.log_json
@output.as_json
def paint(allow_rejects: bool, as_json: bool, **given: Any) -> int:
    """Give every LiDAR point the class scores of its pixel, and write a painted layer."""
    from paintpipe.workflows import paint as job

    result = job.paint(paint_request(given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.rejected and not allow_rejects else 0)
