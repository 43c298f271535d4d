"""`paintpipe unlock`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import options


@click.command(short_help="Remove the lock of a run that is surely over.")
@options.workspace
@options.flag("--yes", "Don't ask.")
def unlock(workspace: Path, yes: bool) -> None:
    """Remove the lock of a run on another host that is surely over.

    A lock that a killed run left on this host needs no such help: the next run takes it over.
    """
    from paintpipe.workflows import unlock as job

    click.echo(job.unlock(workspace, lambda text: yes or click.confirm(f"{text}\nIs that run over? Remove its lock?")))
