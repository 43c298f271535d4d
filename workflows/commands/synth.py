"""`paintpipe synth` and `paintpipe demo`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.workflows.commands import options
from paintpipe.workflows.option_values import names


@click.command()
@click.argument("root", type=options.NEW_FOLDER)
@options.choice("--layout", ("semantickitti", "nuscenes"), "Whose file formats.")
@options.seed
@options.count("--frames", 100_000, "Frames a sequence (nuScenes: keyframes).")
@click.option(
    "--sequences", callback=options.read(names), metavar="A,B,…", help="Names: 08; scene-0103.  [default: one]"
)
@options.quiet
def synth(**given: Any) -> None:
    """Write a synthetic drive with exact labels below ROOT, in an official layout."""
    from paintpipe.workflows import synth as job

    click.echo(job.synth(**given))


@click.command()
@click.option("--out", type=options.NEW_FOLDER, default=Path("paintpipe-demo"), show_default=True, help="Folder.")
@options.seed
@options.quiet
def demo(**given: Any) -> None:
    """The whole job on synthetic streets: no download, no GPU, about two minutes."""
    from paintpipe.workflows import demo as job

    click.echo(job.demo(**given))
