"""`paintpipe fuse`."""

from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output
from paintpipe.workflows.option_values import names


@click.command(short_help="Make one layer from two or more.")
@options.workspace
@click.option(
    "--layers",
    required=True,
    callback=options.read(names),
    metavar="A,B,…",
    help="The layers to fuse, the one that settles ties first.",
    shell_complete=completion.several_layers,
)
@click.option("--layer", required=True, help="Name of the new layer.", shell_complete=completion.layers)
@options.choice("--rule", ("average", "product", "per-class"), "How scores become one.")
@click.option(
    "--class-layers",
    metavar="CLASS=LAYER,…|FILE",
    help="Of per-class, for others the first layer.  [default: the best by the last evaluate]",
)
@click.option(
    "--taxonomy", help="Bring all layers to this taxonomy.  [default: their own]", shell_complete=completion.taxonomies
)
@options.sequences
@options.limit
@options.workers
@options.flag("--overwrite", "Paint shards again that were made from other inputs.")
@options.quiet
@options.log_json
@options.allow_rejects
@output.as_json
def fuse(allow_rejects: bool, as_json: bool, **given: Any) -> int:
    """Make one layer from two or more, such as those of an image network and of a LiDAR network.

    A point that one layer alone paints keeps its scores.
    """
    from paintpipe.workflows import fuse as job

    spread = options.worker_options(given)
    result = job.fuse(job.FuseRequest(spread=spread, **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.rejected and not allow_rejects else 0)
