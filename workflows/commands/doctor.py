"""`paintpipe doctor`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import options, output


@click.command(short_help="What is installed, and what is missing.")
@options.workspace
@output.as_json
def doctor(workspace: Path, as_json: bool) -> int:
    """Versions, devices, backends, space, and what is missing for which feature."""
    from paintpipe.workflows import doctor as job

    return output.show(job.doctor(workspace), as_json)
