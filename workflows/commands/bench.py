"""`paintpipe bench`."""

from typing import Any

import click

from paintpipe.workflows.commands import options
from paintpipe.workflows.commands.output import as_json, show
from paintpipe.workflows.commands.painting import how_to_paint


@click.command(short_help="Measure each stage of paint, and a whole run.")
@options.workspace
@options.network
@options.sequences
@options.quiet
@how_to_paint
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
