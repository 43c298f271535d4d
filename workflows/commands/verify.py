"""`paintpipe verify`."""

from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import options, output


@click.command(short_help="Check every shard against ledger and catalog.")
@options.workspace
@options.quiet
@output.as_json
@options.flag("--inputs", "Also hash the dataset's files again and compare.")
def verify(as_json: bool, **given: Any) -> int:
    """Check every shard against the ledger, the catalog and the store's contract."""
    from paintpipe.workflows import verify as job

    result = job.verify(**given)
    return output.show(result, as_json, PARTIAL_FAILURE if result.problems else 0)
