"""`paintpipe ingest`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import options


@click.command()
@click.argument("dataset")
@click.argument("root", required=False)
@options.workspace
@options.sequences
@options.limit
@options.quiet
@click.option("--split", help="Only this official split (train, valid, val, test, mini_train, …).")
@options.flag("--sweeps", "nuScenes: also the frames between keyframes.")
@click.option("--version", help="nuScenes: which version, where the root holds several.")
@options.allow_rejects
@options.flag("--write-spec", "custom: write a commented specification to ROOT and stop.")
def ingest(root: str | None, allow_rejects: bool, write_spec: bool, **given: Any) -> int:
    """Read DATASET (semantickitti, kitti, kitti-raw, nuscenes, custom) below ROOT into a catalog.

    For `custom`, ROOT is the specification file; `paintpipe ingest custom --write-spec my.toml` writes a commented one.
    """
    from paintpipe.workflows import ingest as job

    if write_spec:
        if given["dataset"] != "custom":
            raise click.UsageError("--write-spec is for the dataset `custom`: the others have a layout of their own.")
        click.echo(job.write_custom_spec(Path(root or "spec.toml")))
        return 0
    if root is None:
        raise click.UsageError("Missing argument 'ROOT': the folder that holds the dataset as downloaded.")
    result = job.ingest(job.IngestRequest(root=root, **given))
    click.echo(result.text())
    return PARTIAL_FAILURE if result.rejected and not allow_rejects else 0
