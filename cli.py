"""The command line: parses, calls a workflow, turns errors into exit codes and one clear line."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

import click

from paintpipe import __version__
from paintpipe.schemas.errors import PARTIAL_FAILURE
from paintpipe.schemas.settings import Overlap, Precision, Projection, Provenance, SegmentSettings, StoreFormat
from paintpipe.workflows.ending import exit_code
from paintpipe.workflows.option_values import names, scales, size_px

Command = Callable[..., Any]


def _options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def _read(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    return lambda _context, _parameter, value: parse(value or "")


def _refuse(parameters: Iterable[str], why: str) -> None:
    """Raise UsageError where the user gave one of the options of these parameters, which would do nothing."""
    context = click.get_current_context()
    usual = (click.core.ParameterSource.DEFAULT, click.core.ParameterSource.DEFAULT_MAP)
    for parameter in context.command.params:
        if parameter.name in parameters and context.get_parameter_source(parameter.name) not in usual:
            raise click.UsageError(f"{parameter.opts[0]} does nothing {why}.")


def _choice(option: str, values: tuple[str, ...], text: str = "", *, show: bool = True) -> Callable[[Command], Command]:
    """An option whose default is the first value, or None unless `show`."""
    default = values[0] if show else None
    return click.option(option, type=click.Choice(values), default=default, show_default=show, help=text)


def _count(option: str, most: int, text: str, *, least: int = 1, default: int | None = None) -> Callable[..., Command]:
    kind = click.IntRange(least, most)
    return click.option(option, type=kind, default=default, show_default=default is not None, help=text)


def _flag(option: str, text: str) -> Callable[[Command], Command]:
    return click.option(option, is_flag=True, help=text)


_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_new_folder = click.Path(file_okay=False, path_type=Path)
_workspace = click.option(
    "--workspace",
    "-w",
    type=_new_folder,
    envvar="PAINTPIPE_WORKSPACE",
    default=Path(),
    help="Folder of the catalog, the painted store and the tables.  [default: this folder]",
)
_quiet = click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
_sequences = click.option("--sequences", callback=_read(names), metavar="A,B,…", help="Only these sequences.")
_limit = _count("--limit", 10**9, "Only the first N frames.")
_seed = _count("--seed", 2**32 - 1, "Of everything that is made.", least=0, default=7)
_allow_rejects = _flag("--allow-rejects", "Exit 0 even where some files could not be used.")
_model = _options(
    click.option("--model", metavar="NAME|CARD", help="A network of `paintpipe models`, or a model card (TOML, JSON)."),
    click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Its weights, as published."),
    click.option("--trust-model", metavar="SHA256", default="", help="Vouch for a model file that may run code."),
    click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="Where it runs."),
)
_network = _options(
    _model,
    _count("--batch-size", 4096, "Images a pass.", default=1),
    _choice("--precision", get_args(Precision), "Of the forward pass."),
    click.option("--input-size", callback=_read(size_px), metavar="WxH", help="Network input.  [default: the card's]"),
    click.option("--tta", callback=_read(scales), metavar="SCALES[,flip]", help="Augmentation: 0.75,1,1.25,flip."),
    _count("--threads", 256, "CPU threads a worker.", default=2),
)
_OF_A_NETWORK = ("weights", "trust_model", "device", "batch_size", "precision", "input_size", "tta")


def _segment(given: dict[str, Any]) -> SegmentSettings:
    """The SegmentSettings among the options of `_network`; takes its own out of `given`."""
    tta_scales, flip = given.pop("tta")
    kept = {name: given.pop(name) for name in ("device", "precision", "batch_size", "threads")}
    return SegmentSettings(input_size_px=given.pop("input_size"), tta_scales=tta_scales, tta_flip=flip, **kept)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="paintpipe")
@_flag("--debug", "Show the traceback of an error.")
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
@_flag("--sweeps", "nuScenes: also the frames between keyframes.")
@click.option("--version", help="nuScenes: which version, where the root holds several.")
@_allow_rejects
@_flag("--write-spec", "custom: write a commented specification to ROOT and stop.")
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


@cli.command()
@_workspace
@_network
@_sequences
@_limit
@_quiet
@_flag("--oracle", "Paint the ground truth: labels where there are any, else boxes.")
@click.option("--from-masks", type=_folder, help="Label maps or scores.")
@click.option("--from-predictions", type=_folder, help="Per-point .label, .bin or .npy of a LiDAR network.")
@click.option("--taxonomy", help="Map the scores to this taxonomy (masks, predictions: the one they are in).")
@click.option("--layer", help="Name of the layer.  [default: the model's name]")
@click.option(
    "--cameras", callback=_read(names), metavar="A,B,…|all", help="From these.  [default: KITTI image_2, else all]"
)
@_choice("--projection", get_args(Projection), "Which points a camera sees.")
@_choice("--overlap", get_args(Overlap), "For points that two cameras see.")
@_choice("--provenance", get_args(Provenance), "full: also pixel, depth, time difference and margin.")
@_choice("--format", get_args(StoreFormat), "Of the store.  [default: zarr]", show=False)
@click.option("--points/--no-points", default=True, help="Copy the points into the store as well.")
@_count("--frames-per-shard", 4096, "Unit of work and resume.  [default: 16]")
@_choice("--executor", ("threads", "serial"), "How shards are run.")
@_count("--workers", 256, "Shards in flight (threads).", default=2)
@_flag("--overwrite", "Paint shards again that were made with other inputs.")
@_allow_rejects
def paint(allow_rejects: bool, **given: Any) -> int:
    """Give every LiDAR point the class scores of its pixel, and write a painted layer."""
    from paintpipe.workflows import paint as job

    if given["oracle"] or given["from_masks"] or given["from_predictions"]:
        _refuse(_OF_A_NETWORK, "without a network: it goes with --model, not with --oracle or --from-…")
    result = job.paint(job.PaintRequest(segment=_segment(given), store_format=given.pop("format"), **given))
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
@click.option("--images", type=_folder, help="Judge a network on these images instead.")
@click.option("--labels", type=_folder, help="Their label images (Cityscapes layout).")
def evaluate(images: Path | None, labels: Path | None, **given: Any) -> int:
    """Compare painted layers with ground truth; write Parquet, CSV and Markdown tables."""
    segment = _segment(given)
    network = {key: given.pop(key) for key in ("model", "weights", "trust_model")}
    if images or labels:
        from paintpipe.workflows.evaluate_images import ImagesRequest, evaluate_images

        if not (images and labels and network["model"]):
            raise click.UsageError("--images needs --labels and --model.")
        _refuse(("layers", "limit", "sequences", "fill", "taxonomy"), "with --images: it goes with painted layers")
        request = ImagesRequest(given["workspace"], images, labels, segment=segment, quiet=given["quiet"], **network)
        click.echo(evaluate_images(request))
        return 0
    from paintpipe.workflows import evaluate as job

    _refuse(("model", "threads", *_OF_A_NETWORK), "without --images: layers are judged as they were painted")
    result = job.evaluate(job.EvaluateRequest(**given))
    click.echo(result.text)
    return PARTIAL_FAILURE if result.problems else 0


@cli.command()
@_workspace
@_model
@_quiet
@click.option("--layer", help="Which layer.  [default: the last one painted]")
@click.option("--frame", metavar="SEQUENCE/ID", help="Which frame.  [default: the first painted]")
@click.option("--sequence", help="With --video: which sequence.")
@_flag("--video", "An MP4 of the sequence, image and bird's-eye view side by side.")
@_flag("--charts", "Confusion matrix and per-class bars of the last evaluation.")
@_flag("--single", "One PNG a picture instead of one sheet.")
@click.option("--out", type=_new_folder, help="Folder.  [default: figures/]")
def view(device: str, **given: Any) -> int:
    """Draw a frame, a sequence or a layer's scores."""
    from paintpipe.workflows import view as job

    if given["charts"] or given["video"]:
        _refuse(("frame", "single"), "with --charts or --video")
    if given["charts"] or not given["video"]:
        _refuse(("sequence", "video"), "here: --video goes with --sequence, and without --charts")
    for path in job.view(job.ViewRequest(segment=SegmentSettings(device), **given)):
        click.echo(path)
    return 0


@cli.command()
@_workspace
@_quiet
@_flag("--inputs", "Also hash the dataset's files again and compare.")
def verify(**given: Any) -> int:
    """Check every shard against the ledger, the catalog and the store's contract."""
    from paintpipe.workflows import verify as job

    problems, text = job.verify(**given)
    click.echo(text)
    return PARTIAL_FAILURE if problems else 0


@cli.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the networks, with licence, source and what each was trained on."""
    if context.invoked_subcommand is None:
        from paintpipe.workflows import models as job

        click.echo(job.list_text())


@models.command()
@click.argument("name")
@click.option("--to", type=_new_folder, help="Folder.  [default: the user's cache]")
@_quiet
def fetch(name: str, to: Path | None, quiet: bool) -> None:
    """Download the weights of network NAME from their published address."""
    from paintpipe.workflows import models as job

    click.echo(job.fetch(name, to, quiet))


@cli.command()
@click.argument("root", type=_new_folder)
@_choice("--layout", ("semantickitti", "nuscenes"), "Whose file formats.")
@_seed
@_count("--frames", 100_000, "Frames a sequence (nuScenes: keyframes).")
@click.option("--sequences", callback=_read(names), metavar="A,B,…", help="Names: 08; scene-0103.  [default: one]")
@_quiet
def synth(**given: Any) -> None:
    """Write a synthetic drive with exact labels below ROOT, in an official layout."""
    from paintpipe.workflows import synth as job

    click.echo(job.synth(**given))


@cli.command()
@click.option("--out", type=_new_folder, default=Path("paintpipe-demo"), show_default=True, help="Folder.")
@_seed
@_quiet
def demo(**given: Any) -> None:
    """The whole job on synthetic streets: no download, no GPU, about two minutes."""
    from paintpipe.workflows import demo as job

    click.echo(job.demo(**given))


@cli.command()
@_workspace
def doctor(workspace: Path) -> None:
    """Versions, devices, backends, space, and what is missing for which feature."""
    from paintpipe.workflows import doctor as job

    click.echo(job.doctor(workspace))


def main() -> None:
    """Entry point of the `paintpipe` command."""
    # OpenMP threads that spin while they wait take several times as long where another program holds a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(exit_code(lambda: cli.main(standalone_mode=False), debug="--debug" in sys.argv[1:]))
