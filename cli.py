"""The command line: parses, calls a workflow, turns errors into exit codes and one clear line."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from paintpipe import __version__
from paintpipe.schemas.errors import PARTIAL_FAILURE, USER_MISTAKE, PaintpipeError

Command = Callable[..., Any]


def _options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


def _scales(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[tuple[float, ...], bool]:
    """`0.5,1,1.5,flip` → ((0.5, 1.0, 1.5), True)."""
    words = [word.strip() for word in (value or "").split(",") if word.strip()]
    try:
        scales = tuple(float(word) for word in words if word != "flip")
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of scales and 'flip', such as 0.75,1,1.25,flip") from None
    if any(not 0.1 <= scale <= 4.0 for scale in scales):
        raise click.BadParameter("a scale lies between 0.1 and 4")
    return scales or (1.0,), "flip" in words


def _size(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """`WIDTHxHEIGHT` → (height, width)."""
    if value is None:
        return None
    width, _, height = value.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) >= 32 and int(height) >= 32):
        raise click.BadParameter(f"{value!r} is not WIDTHxHEIGHT in pixels, such as 1024x512, both at least 32")
    return int(height), int(width)


def _choice(name: str, *values: str, help: str) -> Callable[[Command], Command]:  # noqa: A002
    return click.option(name, type=click.Choice(values), default=values[0], show_default=True, help=help)


_workspace = click.option(
    "--workspace",
    "-w",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="PAINTPIPE_WORKSPACE",
    default=Path(),
    help="Folder of the catalog, the painted store and the tables.  [default: this folder]",
)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_quiet = click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
_sequences = click.option("--sequences", callback=_names, metavar="A,B,…", help="Only these sequences.")
_limit = click.option("--limit", type=click.IntRange(min=1), help="Only the first N frames.")
_network = _options(
    click.option("--model", metavar="NAME|CARD", help="A network of `paintpipe models`, or a model card (TOML, JSON)."),
    click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Its weights, as published."),
    click.option("--trust-model", metavar="SHA256", default="", help="Vouch for a model file that may run code."),
    click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="Where it runs."),
    click.option("--batch-size", type=click.IntRange(min=1), default=1, show_default=True, help="Images a pass."),
    click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True),
    click.option("--input-size", callback=_size, metavar="WxH", help="Network input, else what the card says."),
    click.option("--tta", callback=_scales, metavar="SCALES[,flip]", help="Test-time augmentation: 0.75,1,1.25,flip."),
    click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True, help="CPU threads a worker."),
)


def _segment(given: dict[str, Any]) -> Any:
    """The SegmentSettings among the options of `_network`; takes its own out of `given`."""
    from paintpipe.schemas.settings import SegmentSettings

    scales, flip = given.pop("tta")
    return SegmentSettings(
        device=given.pop("device"),
        precision=given.pop("precision"),
        batch_size=given.pop("batch_size"),
        input_size_px=given.pop("input_size"),
        tta_scales=scales,
        tta_flip=flip,
        threads=given.pop("threads"),
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="paintpipe")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Paint LiDAR points with image segmentation, in bulk.

    Three commands do the job: `paintpipe ingest DATASET ROOT`, `paintpipe paint --model NAME --weights FILE`,
    `paintpipe evaluate`. Try `paintpipe demo` first: it needs no data and no GPU.
    """


@cli.command()
@click.argument("dataset")
@click.argument("root", required=False)
@_workspace
@_sequences
@_limit
@_quiet
@click.option("--split", help="Only this official split (train, valid, val, test, mini_train, …).")
@click.option("--sweeps", is_flag=True, help="nuScenes: also the frames between keyframes.")
@click.option("--version", help="nuScenes: which version, where the root holds several.")
@click.option("--allow-rejects", is_flag=True, help="Exit 0 even where some files could not be used.")
@click.option("--write-spec", is_flag=True, help="custom: write a commented specification to ROOT and stop.")
def ingest(root: str | None, allow_rejects: bool, write_spec: bool, **given: Any) -> int:
    """Read DATASET (semantickitti, kitti, kitti-raw, nuscenes, custom) below ROOT into a catalog.

    For `custom`, ROOT is the specification file; `paintpipe ingest custom --write-spec my.toml` writes a commented one.
    """
    from paintpipe.workflows.ingest import IngestRequest, write_custom_spec
    from paintpipe.workflows.ingest import ingest as run

    if write_spec:
        click.echo(write_custom_spec(Path(root or "spec.toml")))
        return 0
    if root is None:
        raise click.UsageError("Missing argument 'ROOT': the folder that holds the dataset as downloaded.")
    result = run(IngestRequest(root=root, **given))
    click.echo(result.text())
    return PARTIAL_FAILURE if result.rejected and not allow_rejects else 0


@cli.command()
@_workspace
@_network
@_sequences
@_limit
@_quiet
@click.option("--oracle", is_flag=True, help="Paint the ground truth: labels where there are any, else boxes.")
@click.option(
    "--from-masks", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Label maps or scores."
)
@click.option(
    "--from-predictions",
    type=_folder,
    help="Per-point .label, .bin or .npy of a LiDAR network.",
)
@click.option("--taxonomy", help="Map the scores to this taxonomy (masks, predictions: the one they are in).")
@click.option("--layer", help="Name of the layer.  [default: the model's name]")
@click.option("--cameras", callback=_names, metavar="A,B,…|all", help="From these.  [default: KITTI image_2, else all]")
@click.option(
    "--projection", type=click.Choice(["default", "nuscenes-devkit", "openpcdet"]), default="default", show_default=True
)
@click.option(
    "--overlap", type=click.Choice(["margin", "random", "mean", "max", "first"]), default="margin", show_default=True
)
@click.option("--provenance", type=click.Choice(["min", "full"]), default="min", show_default=True)
@click.option("--format", "store_format", type=click.Choice(["zarr", "parquet"]), help="Of the store.  [default: zarr]")
@click.option("--points/--no-points", default=True, help="Copy the points into the store as well.")
@click.option("--frames-per-shard", type=click.IntRange(1, 4096), help="Unit of work and resume.  [default: 16]")
@_choice("--executor", "threads", "serial", help="How shards are run.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Shards in flight (threads).")
@click.option("--overwrite", is_flag=True, help="Paint shards again that were made with other inputs.")
@click.option("--allow-rejects", is_flag=True, help="Exit 0 even where some files could not be used.")
def paint(allow_rejects: bool, **given: Any) -> int:
    """Give every LiDAR point the class scores of its pixel, and write a painted layer."""
    from paintpipe.workflows.paint import PaintRequest
    from paintpipe.workflows.paint import paint as run

    result = run(PaintRequest(segment=_segment(given), **given))
    click.echo(result.text())
    return PARTIAL_FAILURE if result.rejected and not allow_rejects else 0


@cli.command()
@_workspace
@_network
@_sequences
@_limit
@_quiet
@click.option("--layer", "layers", multiple=True, help="A layer; may be given several times.  [default: all]")
@click.option("--taxonomy", help="Judge in this taxonomy.  [default: that of the labels]")
@click.option("--fill", metavar="nearest|CLASS", help="Label for unpainted points in the all-points scores.")
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Judge a network on these images instead.")
@click.option("--labels", type=click.Path(exists=True, path_type=Path), help="Their label images (Cityscapes layout).")
def evaluate(images: Path | None, labels: Path | None, **given: Any) -> int:
    """Compare painted layers with ground truth; write Parquet, CSV and Markdown tables."""
    from paintpipe.workflows.evaluate import EvaluateRequest
    from paintpipe.workflows.evaluate import evaluate as run
    from paintpipe.workflows.evaluate_images import ImagesRequest, evaluate_images

    segment = _segment(given)
    network = {key: given.pop(key) for key in ("model", "weights", "trust_model")}
    if images or labels:
        if not (images and labels and network["model"]):
            raise click.UsageError("--images needs --labels and --model.")
        request = ImagesRequest(given["workspace"], images, labels, segment=segment, quiet=given["quiet"], **network)
        click.echo(evaluate_images(request))
        return 0
    result = run(EvaluateRequest(**given))
    click.echo(result.text)
    return PARTIAL_FAILURE if result.problems else 0


@cli.command()
@_workspace
@_network
@_quiet
@click.option("--layer", help="Which layer.  [default: the last one painted]")
@click.option("--frame", "frame", metavar="SEQUENCE/ID", help="Which frame.  [default: the first painted]")
@click.option("--sequence", help="With --video: which sequence.")
@click.option("--video", is_flag=True, help="An MP4 of the sequence, image and bird's-eye view side by side.")
@click.option("--charts", is_flag=True, help="Confusion matrix and per-class bars of the last evaluation.")
@click.option("--single", is_flag=True, help="One PNG a picture instead of one sheet.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder.  [default: figures/]")
def view(**given: Any) -> int:
    """Draw a frame, a sequence or a layer's scores."""
    from paintpipe.workflows.view import ViewRequest
    from paintpipe.workflows.view import view as run

    for path in run(ViewRequest(segment=_segment(given), **given)):
        click.echo(path)
    return 0


@cli.command()
@_workspace
@_quiet
@click.option("--inputs", is_flag=True, help="Also hash the dataset's files again and compare.")
def verify(**given: Any) -> int:
    """Check every shard against the ledger, the catalog and the store's contract."""
    from paintpipe.workflows.verify import verify as run

    problems, text = run(**given)
    click.echo(text)
    return PARTIAL_FAILURE if problems else 0


@cli.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> int:
    """List the networks, with licence, source and what each was trained on."""
    if context.invoked_subcommand is None:
        from paintpipe.workflows.models import list_text

        click.echo(list_text())
    return 0


@models.command()
@click.argument("name")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder.  [default: the user's cache]")
@_quiet
def fetch(name: str, to: Path | None, quiet: bool) -> int:
    """Download the weights of network NAME from their published address."""
    from paintpipe.workflows.models import fetch as run

    click.echo(run(name, to, quiet))
    return 0


@cli.command()
@click.argument("root", type=click.Path(file_okay=False, path_type=Path))
@click.option("--layout", type=click.Choice(["semantickitti", "nuscenes"]), default="semantickitti", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@click.option("--frames", type=click.IntRange(min=1), help="Frames a sequence (nuScenes: keyframes).")
@click.option("--sequences", callback=_names, metavar="A,B,…", help="Names: 08; scene-0103.  [default: one]")
@_quiet
def synth(**given: Any) -> int:
    """Write a synthetic drive with exact labels below ROOT, in an official layout."""
    from paintpipe.workflows.synth import synth as run

    click.echo(run(**given))
    return 0


@cli.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("paintpipe-demo"), show_default=True
)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@_quiet
def demo(**given: Any) -> int:
    """The whole job on synthetic streets: no download, no GPU, about two minutes."""
    from paintpipe.workflows.demo import demo as run

    click.echo(run(**given))
    return 0


@cli.command()
@_workspace
def doctor(workspace: Path) -> int:
    """Versions, devices, backends, space, and what is missing for which feature."""
    from paintpipe.workflows.doctor import doctor as run

    click.echo(run(workspace))
    return 0


def main() -> None:
    """Entry point of the `paintpipe` command."""
    debug = "--debug" in sys.argv[1:]
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = USER_MISTAKE
    except (click.Abort, KeyboardInterrupt):
        click.echo("paintpipe: stopped; run the same command again to go on where it stopped", err=True)
        code = 130
    except PaintpipeError as error:
        if debug:
            raise
        click.echo(f"paintpipe: {error.line()}", err=True)
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)
