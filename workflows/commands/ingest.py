"""`paintpipe ingest`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output


@click.command(short_help="Read a dataset into a catalog.")
@click.argument("dataset", shell_complete=completion.datasets)
@click.argument("root", required=False)
@options.workspace
@options.sequences
@options.limit
@options.quiet
@options.workers
@options.log_json
@output.as_json
@click.option("--split", help="Only this official split (train, valid, val, test, mini_train, …).")
@options.flag("--sweeps", "nuScenes: also the frames between keyframes.")
@click.option("--version", help="nuScenes: which version, where the root holds several.")
@options.allow_rejects
@options.flag("--write-spec", "custom: write a commented specification to ROOT and stop.")
def ingest(root: str | None, allow_rejects: bool, write_spec: bool, as_json: bool, **given: Any) -> int:
    """Read DATASET (semantickitti, kitti, kitti-raw, nuscenes, custom) below ROOT into a catalog.

    For `custom`, ROOT is the specification file; `paintpipe ingest custom --write-spec my.toml` writes a commented one.
    """
    from paintpipe.workflows import ingest as job

    if write_spec:
        if given["dataset"] != "custom":
            raise click.UsageError("--write-spec is for the dataset `custom`: the others have a layout of their own.")
        spec = Path(root or "spec.toml")
        return output.show(output.Said(job.write_custom_spec(spec), {"spec": spec}), as_json)
    if root is None:
        raise click.UsageError("Missing argument 'ROOT': the folder that holds the dataset as downloaded.")
    result = job.ingest(job.IngestRequest(root=root, spread=options.worker_options(given), **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.rejected and not allow_rejects else 0)
