"""`paintpipe synth` and `paintpipe demo`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.workflows.commands import options, output
from paintpipe.workflows.option_values import names


@click.command(short_help="Write a synthetic dataset with exact labels.")
@click.argument("root", type=options.NEW_FOLDER)
@options.choice("--layout", ("semantickitti", "nuscenes"), "Whose file formats.")
@options.seed
@options.count("--frames", 100_000, "Frames a sequence (nuScenes: keyframes).")
@click.option(
    "--sequences", callback=options.read(names), metavar="A,B,…", help="Names: 08; scene-0103.  [default: one]"
)
@options.quiet
@output.as_json
def synth(as_json: bool, **given: Any) -> int:
    """Write a synthetic drive with exact labels below ROOT, in an official layout."""
    from paintpipe.workflows import synth as job

    content = {name: given[name] for name in ("root", "layout", "seed")} | {"masks": given["root"] / "masks"}
    return output.show(output.Said(job.synth(**given), content), as_json)


@click.command(short_help="The whole job on synthetic streets, in two minutes.")
@click.option("--out", type=options.NEW_FOLDER, default=Path("paintpipe-demo"), show_default=True, help="Folder.")
@options.seed
@options.quiet
@output.as_json
def demo(as_json: bool, **given: Any) -> int:
    """The whole job on synthetic streets: no download, no GPU, about two minutes."""
    from paintpipe.workflows import demo as job
    from paintpipe.workflows.report import NAME as REPORT

    out = given["out"]
    content = {"page": out / "index.html", "data": out / "data", "workspaces": [out / name for name in job.layouts()]}
    content |= {"reports": [out / name / REPORT for name in job.layouts()]}
    content |= {"scenes": [out / name / job.SCENE for name in job.layouts()]}
    return output.show(output.Said(job.demo(**given), content), as_json)
