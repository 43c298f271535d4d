"""`paintpipe verify`."""

from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import options


@click.command()
@options.workspace
@options.quiet
@options.flag("--inputs", "Also hash the dataset's files again and compare.")
def verify(**given: Any) -> int:
    """Check every shard against the ledger, the catalog and the store's contract."""
    from paintpipe.workflows import verify as job

    problems, text = job.verify(**given)
    click.echo(text)
    return PARTIAL_FAILURE if problems else 0
