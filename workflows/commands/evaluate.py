"""`paintpipe evaluate`."""

from pathlib import Path
from typing import Any

import click

from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.workflows.commands import completion, options, output


@click.command(short_help="Compare painted layers with ground truth.")
@options.workspace
@options.network
@options.sequences
@options.limit
@options.quiet
@options.workers
@options.log_json
@output.as_json
@click.option(
    "--layer",
    "layers",
    multiple=True,
    help="A layer; may be given several times.  [default: all]",
    shell_complete=completion.layers,
)
@click.option(
    "--taxonomy",
    help="Judge in this taxonomy.  [default: that of the labels]",
    shell_complete=completion.taxonomies,
)
@click.option("--fill", metavar="nearest|CLASS", help="Label for unpainted points in the all-points scores.")
@click.option("--images", type=options.FOLDER, help="Judge a network on these images instead.")
@click.option("--labels", type=options.FOLDER, help="Their label images (Cityscapes layout).")
def evaluate(images: Path | None, labels: Path | None, as_json: bool, **given: Any) -> int:
    """Compare painted layers with ground truth; write Parquet, CSV and Markdown tables."""
    segment = options.segment_settings(given)
    network = {key: given.pop(key) for key in ("model", "weights", "trust_model")}
    if images or labels:
        from paintpipe.workflows.evaluate_images import ImagesRequest, evaluate_images

        if not (images and labels and network["model"]):
            raise click.UsageError("--images needs --labels and --model.")
        options.refuse(
            ("layers", "limit", "sequences", "fill", "taxonomy", "log_json", *options.OF_WORKERS),
            "with --images: it goes with painted layers",
        )
        request = ImagesRequest(given["workspace"], images, labels, segment=segment, quiet=given["quiet"], **network)
        return output.show(evaluate_images(request), as_json)
    from paintpipe.workflows import evaluate as job

    of_images = ("model", "threads_per_worker", *options.OF_A_NETWORK)
    options.refuse(of_images, "without --images: layers are judged as they were painted")
    spread = options.worker_options(given)
    result = job.evaluate(job.EvaluateRequest(spread=spread, **given))
    return output.show(result, as_json, PARTIAL_FAILURE if result.problems else 0)
