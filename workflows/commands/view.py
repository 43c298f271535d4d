"""`paintpipe view`."""

from typing import Any

import click

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.commands import completion, options, output


@click.command()
@options.workspace
@options.model
@options.quiet
@output.as_json
@click.option("--layer", help="Which layer.  [default: the last one painted]", shell_complete=completion.layers)
@click.option("--frame", metavar="SEQUENCE/ID", help="Which frame.  [default: the first painted]")
@click.option("--sequence", help="With --video: which sequence.")
@options.flag("--video", "An MP4 of the sequence, image and bird's-eye view side by side.")
@options.flag("--charts", "Confusion matrix and per-class bars of the last evaluation.")
@options.flag("--single", "One PNG a picture instead of one sheet.")
@click.option("--out", type=options.NEW_FOLDER, help="Folder.  [default: figures/]")
def view(device: str, as_json: bool, **given: Any) -> int:
    """Draw a frame, a sequence or a layer's scores."""
    from paintpipe.workflows import view as job

    if given["charts"] or given["video"]:
        options.refuse(("frame", "single"), "with --charts or --video")
    if given["charts"] or not given["video"]:
        options.refuse(("sequence", "video"), "here: --video goes with --sequence, and without --charts")
    paths = job.view(job.ViewRequest(segment=SegmentSettings(device, backend="auto"), **given))
    return output.show(output.Said("\n".join(map(str, paths)), {"files": paths}), as_json)
