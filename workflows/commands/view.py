"""`paintpipe view`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.commands import completion, options, output


@click.command(short_help="Draw a frame, turn it around in 3-D, make a video.")
@options.workspace
@options.model
@options.quiet
@output.as_json
@click.option("--layer", help="Which layer.  [default: the last one painted]", shell_complete=completion.layers)
@click.option("--frame", metavar="SEQUENCE/ID", help="Which frame.  [default: the first painted]")
@click.option("--sequence", help="With --video: which sequence; with --3d: its first frame.")
@click.option("--3d", "three_d", is_flag=True, help="A page to turn the frame around in, with every point's scores.")
@options.flag("--video", "An MP4 of the sequence, image and bird's-eye view side by side.")
@options.flag("--charts", "Confusion matrix and per-class bars of the last evaluation.")
@options.flag("--single", "One PNG a picture instead of one sheet.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder, with --3d also FILE.html.  [default: figures/]")
def view(device: str, as_json: bool, **given: Any) -> int:
    """Draw a frame, a sequence or a layer's scores."""
    from paintpipe.workflows import view as job

    if given["charts"] or given["video"]:
        options.refuse(("frame", "single", "three_d"), "with --charts or --video")
    if given["three_d"]:
        options.refuse(("single", "model", "weights", "trust_model", "device"), "with --3d, which runs no network")
    elif given["charts"] or not given["video"]:
        options.refuse(("sequence", "video"), "here: --sequence goes with --video or --3d, --video without --charts")
    paths = job.view(job.ViewRequest(segment=SegmentSettings(device, backend="auto"), **given))
    return output.show(output.Said("\n".join(map(str, paths)), {"files": paths}), as_json)
