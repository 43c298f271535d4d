"""`paintpipe repaint`."""

from typing import Any, get_args

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.schemas.settings import Edges, Occlusion, Overlap
from paintpipe.workflows.commands import completion, options, output
from paintpipe.workflows.option_values import temperature


@click.command(short_help="Make a layer from another one, with other policies.")
@options.workspace
@click.option("--from", "source", required=True, help="The layer to repaint.", shell_complete=completion.layers)
@click.option("--layer", required=True, help="Name of the new layer.", shell_complete=completion.layers)
@options.choice("--overlap", get_args(Overlap), "For points that two cameras see.", show=False)
@options.choice("--occlusion", get_args(Occlusion), "For points that a camera can't see past others.", show=False)
@options.choice("--edges", get_args(Edges), "For points on a depth edge.", show=False)
@click.option(
    "--temperature",
    callback=options.read(temperature),
    metavar="T|fitted",
    help="Of the scores; fitted: what `calibrate` found.",
)
@click.option("--taxonomy", help="Map the scores to this taxonomy.", shell_complete=completion.taxonomies)
@options.sequences
@options.limit
@options.workers
@options.flag("--overwrite", "Paint shards again that were made from other inputs.")
@options.quiet
@options.log_json
@options.allow_rejects
@output.as_json
def repaint(allow_rejects: bool, as_json: bool, **given: Any) -> int:
    """Make a layer from another one, with other policies or another temperature, without running the network again.

    What is not said stays as the layer was painted. Other policies need a layer that was painted with
    --provenance full; temperature and taxonomy alone do not.
    """
    from paintpipe.workflows import repaint as job

    spread = options.worker_options(given)
    result = job.repaint(job.RepaintRequest(spread=spread, **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.rejected and not allow_rejects else 0)
