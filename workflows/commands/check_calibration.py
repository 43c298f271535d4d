"""`paintpipe check-calibration`."""

from functools import partial
from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output
from paintpipe.workflows.option_values import angles_deg, names


@click.command("check-calibration", short_help="Is the projection right? Points against image edges.")
@options.workspace
@click.option(
    "--cameras",
    callback=options.read(names),
    metavar="A,B,…|all",
    help="Look at these.  [default: all]",
    shell_complete=completion.cameras,
)
@options.sequences
@options.count("--limit", 1000, "Look at N frames, spread evenly.", default=30)
@click.option(
    "--max-angle",
    type=click.FloatRange(0.2, 10.0),
    default=1.0,
    show_default=True,
    metavar="DEGREES",
    help="Try rotations so far to either side.",
)
@click.option(
    "--rotate",
    callback=options.read(angles_deg),
    metavar="ROLL,PITCH,YAW",
    help="Turn every projection first, in degrees about the camera's axes.",
)
@click.option(
    "--rotate-lidar",
    callback=options.read(partial(angles_deg, option="--rotate-lidar")),
    metavar="ROLL,PITCH,YAW",
    help="Turn the LiDAR first, as seen by a camera that looks straight ahead.",
)
@click.option(
    "--shift-ms",
    type=click.FloatRange(-1000.0, 1000.0),
    default=0.0,
    metavar="MS",
    help="Take images as that much later than told.",
)
@options.quiet
@options.workers
@options.log_json
@output.as_json
def check_calibration(as_json: bool, **given: Any) -> int:
    """Is the projection right? Hold depth jumps of the LiDAR against edges of the images.

    Needs the catalog alone. Tells for each camera which small rotation and which shift in time would fit best, how
    sure that is, and what follows; for all cameras together, how the LiDAR would have to turn. Draws the curves. Exits
    with 1 where a camera or the LiDAR looks off or a file can't be used.
    """
    from paintpipe.workflows import check_calibration as job

    spread = options.worker_options(given)
    result = job.check_calibration(job.CheckRequest(spread=spread, **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.off or result.rejected else 0)
