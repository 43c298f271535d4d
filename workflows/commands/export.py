"""`paintpipe export`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output
from paintpipe.workflows.option_values import named_values, names

_OF_SETTINGS = ("taxonomy", "classes", "splits", "one_hot", "background", "pad_channels", "fov_only", "fill", "sweeps")

_BACKGROUNDS = ("auto", "keep", "drop")
"""Of `schemas.export.Background`, which loads Arrow."""


@click.command(short_help="Write files that detectors and viewers read.")
@options.workspace
@click.option("--to", metavar="TARGET", help="The format; without it, the targets are listed.")
@click.option("--out", type=options.NEW_FOLDER, help="A new folder, or that of the same export, which is carried on.")
@click.option(
    "--layer", help="A layer.  [default: the only one, or the one painted last]", shell_complete=completion.layers
)
@click.option("--taxonomy", help="Of the scores.  [default: the target's]", shell_complete=completion.taxonomies)
@click.option(
    "--classes", callback=options.read(names), metavar="A,B,…", help="Only these score columns, in this order."
)
@click.option("--split", "splits", callback=options.read(names), metavar="A,B,…", help="Only these splits.")
@options.flag("--one-hot", "1 for a point's best class and 0 elsewhere, instead of scores.")
@options.choice("--background", _BACKGROUNDS, "Whether its score column stays; auto: as the target has it.")
@options.count("--pad-channels", 256, "Score columns in all, those behind the classes 0.", default=0, least=0)
@options.flag("--fov-only", "Only points that some camera sees.")
@click.option("--fill", metavar="nearest|CLASS", default="", help="Label for unpainted points.")
@options.count("--sweeps", 100, "Earlier sweeps with each keyframe.  [default: the target's]", least=0)
@click.option("--option", "target_options", multiple=True, metavar="NAME=VALUE", help="What one target alone knows.")
@options.sequences
@options.limit
@options.flag("--overwrite", "Write again what was made from other paint or settings, or is damaged.")
@options.flag("--check", "Only read back what is exported, all of it, and compare it with the store.")
@options.flag("--partial", "Exit 0 even where frames are not painted, or could not be used.")
@options.quiet
@options.workers
@options.log_json
@output.as_json
def export(
    to: str | None, out: Path | None, partial: bool, target_options: tuple[str, ...], as_json: bool, **given: Any
) -> int:
    """Write a painted layer as files that detectors and viewers read, and read them back."""
    from paintpipe.schemas.export import ExportSettings
    from paintpipe.workflows import export as job

    if to is None:
        if out is not None:
            raise click.UsageError("--out needs --to TARGET.")
        return output.show(job.list_targets(), as_json)
    if out is None:
        raise click.UsageError("--to needs --out FOLDER.")
    if given["classes"]:
        options.refuse(("background",), "with --classes, which names the columns")
    if given["check"]:
        options.refuse(("overwrite",), "with --check, which writes nothing")
    own = {name: given.pop(name) for name in _OF_SETTINGS}
    settings = ExportSettings(**own, options=named_values("--option", target_options))
    spread = options.worker_options(given)
    result = job.export(job.ExportRequest(to=to, out=out, settings=settings, spread=spread, **given))
    failed = result.faults or (result.left_out and not partial)
    return output.show(result, as_json, PARTIAL_FAILURE if failed else 0)
