"""`paintpipe doctor`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import options


@click.command()
@options.workspace
def doctor(workspace: Path) -> None:
    """Versions, devices, backends, space, and what is missing for which feature."""
    from paintpipe.workflows import doctor as job

    click.echo(job.doctor(workspace))
