"""`paintpipe status`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import options, output


@click.command(short_help="How far each layer is, and who works here now.")
@options.workspace
@output.as_json
def status(workspace: Path, as_json: bool) -> int:
    """Say how far each layer is, who works here now and how the last run ended; disturbs no run."""
    from paintpipe.workflows import status as job

    return output.show(job.status(workspace), as_json)
