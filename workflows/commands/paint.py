"""`paintpipe paint`."""

from typing import Any, get_args

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.schemas.settings import Overlap, Projection, Provenance, StoreFormat
from paintpipe.workflows.commands import options
from paintpipe.workflows.option_values import names


@click.command()
@options.workspace
@options.network
@options.sequences
@options.limit
@options.quiet
@options.flag("--oracle", "Paint the ground truth: labels where there are any, else boxes.")
@click.option("--from-masks", type=options.FOLDER, help="Label maps or scores.")
@click.option("--from-predictions", type=options.FOLDER, help="Per-point .label, .bin or .npy of a LiDAR network.")
@click.option("--taxonomy", help="Map the scores to this taxonomy (masks, predictions: the one they are in).")
@click.option("--layer", help="Name of the layer.  [default: the model's name]")
@click.option(
    "--cameras",
    callback=options.read(names),
    metavar="A,B,…|all",
    help="From these.  [default: KITTI image_2, else all]",
)
@options.choice("--projection", get_args(Projection), "Which points a camera sees.")
@options.choice("--overlap", get_args(Overlap), "For points that two cameras see.")
@options.choice("--provenance", get_args(Provenance), "full: also pixel, depth, time difference and margin.")
@options.choice("--format", get_args(StoreFormat), "Of the store.  [default: zarr]", show=False)
@click.option("--points/--no-points", default=True, help="Copy the points into the store as well.")
@options.count("--frames-per-shard", 4096, "Unit of work and resume.  [default: 16]")
@options.choice("--executor", ("threads", "serial"), "How shards are run.")
@options.count("--workers", 256, "Shards in flight (threads).", default=2)
@options.flag("--overwrite", "Paint shards again that were made with other inputs.")
@options.allow_rejects
def paint(allow_rejects: bool, **given: Any) -> int:
    """Give every LiDAR point the class scores of its pixel, and write a painted layer."""
    from paintpipe.workflows import paint as job

    if given["oracle"] or given["from_masks"] or given["from_predictions"]:
        options.refuse(options.OF_A_NETWORK, "without a network: it goes with --model, not with --oracle or --from-…")
    result = job.paint(
        job.PaintRequest(segment=options.segment_settings(given), store_format=given.pop("format"), **given)
    )
    click.echo(result.text())
    return PARTIAL_FAILURE if result.rejected and not allow_rejects else 0
