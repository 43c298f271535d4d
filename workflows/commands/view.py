"""`paintpipe view`."""

from typing import Any

import click

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.commands import options


@click.command()
@options.workspace
@options.model
@options.quiet
@click.option("--layer", help="Which layer.  [default: the last one painted]")
@click.option("--frame", metavar="SEQUENCE/ID", help="Which frame.  [default: the first painted]")
@click.option("--sequence", help="With --video: which sequence.")
@options.flag("--video", "An MP4 of the sequence, image and bird's-eye view side by side.")
@options.flag("--charts", "Confusion matrix and per-class bars of the last evaluation.")
@options.flag("--single", "One PNG a picture instead of one sheet.")
@click.option("--out", type=options.NEW_FOLDER, help="Folder.  [default: figures/]")
def view(device: str, **given: Any) -> int:
    """Draw a frame, a sequence or a layer's scores."""
    from paintpipe.workflows import view as job

    if given["charts"] or given["video"]:
        options.refuse(("frame", "single"), "with --charts or --video")
    if given["charts"] or not given["video"]:
        options.refuse(("sequence", "video"), "here: --video goes with --sequence, and without --charts")
    for path in job.view(job.ViewRequest(segment=SegmentSettings(device), **given)):
        click.echo(path)
    return 0
