"""The options that say what to paint and how, of `paintpipe paint`, `plan` and `bench`."""

from typing import TYPE_CHECKING, Any, get_args

import click

from paintpipe.schemas.settings import Edges, Occlusion, Overlap, Projection, Provenance, StoreFormat
from paintpipe.workflows.commands import completion, options
from paintpipe.workflows.option_values import names

if TYPE_CHECKING:
    from paintpipe.workflows.paint_request import PaintRequest

how_to_paint = options.together(
    click.option(
        "--taxonomy",
        help="Map the scores to this taxonomy (masks, predictions: the one they are in).",
        shell_complete=completion.taxonomies,
    ),
    click.option(
        "--cameras",
        callback=options.read(names),
        metavar="A,B,…|all",
        help="From these.  [default: KITTI image_2, else all]",
        shell_complete=completion.cameras,
    ),
    options.choice("--projection", get_args(Projection), "Which points a camera sees."),
    options.choice("--overlap", get_args(Overlap), "For points that two cameras see."),
    options.choice("--occlusion", get_args(Occlusion), "For points that a camera can't see past others."),
    options.choice("--edges", get_args(Edges), "For points on a depth edge; smooth: ask the points around them."),
    click.option("--temperature", type=float, default=1.0, show_default=True, help="Of the scores; see `calibrate`."),
    options.choice("--provenance", get_args(Provenance), "full: also pixel, depth, time difference and margin."),
    options.choice("--format", get_args(StoreFormat), "Of the store.  [default: zarr]", show=False),
    click.option("--points/--no-points", default=True, help="Copy the points into the store as well."),
    options.count("--frames-per-shard", 4096, "Unit of work and resume.  [default: 16]"),
    options.workers,
    options.on_gpus,
)
what_to_paint = options.together(
    options.workspace,
    options.network,
    options.sequences,
    options.limit,
    options.quiet,
    options.flag("--oracle", "Paint the ground truth: labels where there are any, else boxes."),
    click.option("--from-masks", type=options.FOLDER, help="Label maps or scores."),
    click.option("--from-predictions", type=options.FOLDER, help="Per-point .label, .bin or .npy of a LiDAR network."),
    click.option("--layer", help="Name of the layer.  [default: the model's name]", shell_complete=completion.layers),
    click.option("--store", metavar="URL|DIR", help="Where store and marks lie.  [default: where they lay last]"),
    how_to_paint,
    options.flag("--overwrite", "Paint shards again that were made with other inputs."),
)


def paint_request(given: dict[str, Any]) -> "PaintRequest":
    """The request among these options and others that are fields of it. Raises UsageError for what does nothing."""
    from paintpipe.workflows.paint_request import PaintRequest

    if given["oracle"] or given["from_masks"] or given["from_predictions"]:
        options.refuse(options.OF_A_NETWORK, "without a network: it goes with --model, not with --oracle or --from-…")
    segment, spread = options.segment_settings(given), options.worker_options(given)
    return PaintRequest(segment=segment, spread=spread, store_format=given.pop("format"), **given)
