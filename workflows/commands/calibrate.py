"""`paintpipe calibrate`."""

from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output
from paintpipe.workflows.option_values import names


@click.command(short_help="Fit a temperature to a layer's scores.")
@options.workspace
@click.option("--layer", help="A layer.  [default: the one painted last]", shell_complete=completion.layers)
@click.option(
    "--taxonomy",
    help="Compare scores and labels in this taxonomy.  [default: that of the labels]",
    shell_complete=completion.taxonomies,
)
@options.sequences
@click.option("--split", help="Fit on frames of this split only.")
@click.option(
    "--held-out",
    callback=options.read(names),
    metavar="A,B,…",
    help="Sequences or splits that are not fitted on, and on which the temperature is tried.",
    shell_complete=completion.sequences,
)
@options.limit
@options.workers
@options.quiet
@options.log_json
@output.as_json
def calibrate(as_json: bool, **given: Any) -> int:
    """Fit a temperature to a layer's scores, so that they say how often it is right; `repaint` applies it."""
    from paintpipe.workflows import calibrate as job

    spread = options.worker_options(given)
    result = job.calibrate(job.CalibrateRequest(spread=spread, **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.problems else 0)
