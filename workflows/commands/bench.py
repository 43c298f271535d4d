"""`paintpipe bench`."""

from typing import Any, get_args

import click

from paintpipe.schemas.settings import Overlap, Projection, Provenance, StoreFormat
from paintpipe.workflows.commands import options
from paintpipe.workflows.commands.output import as_json, show
from paintpipe.workflows.option_values import names


@click.command()
@options.workspace
@options.network
@options.sequences
@options.quiet
@click.option("--taxonomy", help="Map the scores to this taxonomy.")
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
@options.count("--frames-per-shard", 4096, "Unit of work.  [default: 16, fewer where the network is slow]")
@options.workers
@options.count("--frames", 10**6, "Of the run, rounded up to whole shards.  [default: half a minute's]")
@options.flag("--compare", "Also run the plain loop of benchmarks/plain_loop.py (in a source checkout).")
@as_json
def bench(as_json: bool, compare: bool, frames: int | None, **given: Any) -> int:
    """Measure each stage of paint alone, a whole run, and the run over what it could reach at best."""
    from paintpipe.workflows import bench as job
    from paintpipe.workflows.paint import PaintRequest

    segment, spread = options.segment_settings(given), options.worker_options(given)
    request = PaintRequest(segment=segment, spread=spread, store_format=given.pop("format"), **given)
    return show(job.bench(job.BenchRequest(request, frames, compare)), as_json)
