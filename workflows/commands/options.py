"""Options that several commands share, and the small words that make them."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import click

from paintpipe.schemas.settings import Backend, Decode, Precision, SegmentSettings
from paintpipe.workflows.commands import completion
from paintpipe.workflows.option_values import gpus, names, scales, size_px
from paintpipe.workflows.workers import WorkerOptions

Command = Callable[..., Any]


def together(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in this order in the help."""

    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def read(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """A click callback that hands the option's text ("" where it is not given) to `parse`."""
    return lambda _context, _parameter, value: parse(value or "")


def refuse(parameters: Iterable[str], why: str) -> None:
    """Raise UsageError where the user gave one of the options of these parameters, which would do nothing."""
    context = click.get_current_context()
    usual = (click.core.ParameterSource.DEFAULT, click.core.ParameterSource.DEFAULT_MAP)
    for parameter in context.command.params:
        if parameter.name in parameters and context.get_parameter_source(parameter.name) not in usual:
            raise click.UsageError(f"{parameter.opts[0]} does nothing {why}.")


def choice(option: str, values: tuple[str, ...], text: str = "", *, show: bool = True) -> Callable[[Command], Command]:
    """An option whose default is the first value, or None unless `show`."""
    default = values[0] if show else None
    return click.option(option, type=click.Choice(values), default=default, show_default=show, help=text)


def count(option: str, most: int, text: str, *, least: int = 1, default: int | None = None) -> Callable[..., Command]:
    """An option that takes a whole number from `least` to `most`."""
    kind = click.IntRange(least, most)
    return click.option(option, type=kind, default=default, show_default=default is not None, help=text)


def flag(option: str, text: str) -> Callable[[Command], Command]:
    """An option without a value."""
    return click.option(option, is_flag=True, help=text)


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
workspace = click.option(
    "--workspace",
    "-w",
    type=NEW_FOLDER,
    envvar="PAINTPIPE_WORKSPACE",
    default=Path(),
    help="Folder of the catalog, the painted store and the tables.  [default: this folder]",
)
quiet = click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
log_json = click.option(
    "--log-json", type=NEW_FILE, metavar="FILE", help="Append every event of the run to FILE, one JSON object a line."
)
sequences = click.option(
    "--sequences",
    callback=read(names),
    metavar="A,B,…",
    help="Only these sequences.",
    shell_complete=completion.sequences,
)
limit = count("--limit", 10**9, "Only the first N frames.")
seed = count("--seed", 2**32 - 1, "Of everything that is made.", least=0, default=7)
allow_rejects = flag("--allow-rejects", "Exit 0 even where some files could not be used.")
model = together(
    click.option(
        "--model",
        metavar="NAME|CARD",
        help="A network of `paintpipe models`, or a model card (TOML, JSON).",
        shell_complete=completion.models,
    ),
    click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Its weights, as published."),
    click.option("--trust-model", metavar="SHA256", default="", help="Vouch for a model file that may run code."),
    click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="Where it runs."),
)
network = together(
    model,
    count("--batch-size", 4096, "Images a pass.", default=1),
    choice("--precision", get_args(Precision), "Of the forward pass."),
    choice("--backend", get_args(Backend), "What runs it; auto: the fastest here that agrees with PyTorch."),
    choice("--decode", get_args(Decode), "reduced: JPEGs at 1/2, 1/4 or 1/8 where the input is so small."),
    click.option("--input-size", callback=read(size_px), metavar="WxH", help="Network input.  [default: the card's]"),
    click.option("--tta", callback=read(scales), metavar="SCALES[,flip]", help="Augmentation: 0.75,1,1.25,flip."),
    count("--threads-per-worker", 256, "CPU threads of a worker's network; a setting of the bytes.", default=2),
)
OF_A_NETWORK = (
    "weights",
    "trust_model",
    "device",
    "batch_size",
    "precision",
    "backend",
    "decode",
    "input_size",
    "tta",
)


def segment_settings(given: dict[str, Any]) -> SegmentSettings:
    """The SegmentSettings among the options of `network`; takes its own out of `given`."""
    tta_scales, flip = given.pop("tta")
    kept = {name: given.pop(name) for name in ("device", "precision", "backend", "decode", "batch_size")}
    kept |= {"input_size_px": given.pop("input_size"), "threads": given.pop("threads_per_worker")}
    return SegmentSettings(tta_scales=tta_scales, tta_flip=flip, **kept)


EXECUTORS = ("serial", "threads", "processes", "dask")
workers = together(
    choice(
        "--executor", ("serial", "threads", "processes", "dask"), "How work is spread.  [default: threads]", show=False
    ),
    count("--workers", 1024, "Processes (with --executor threads: threads) at work.  [default: cores / threads]"),
    click.option("--scheduler", default="", metavar="ADDRESS", help="Work on this dask cluster."),
    click.option("--scheduler-file", type=FILE, help="The same, by the file that its scheduler wrote."),
)
on_gpus = together(
    click.option("--gpus", callback=read(gpus), metavar="0,1,…|all", help="A process for each of these GPUs."),
    count("--in-flight", 64, "Shards under way in each process.  [default: 2, on a GPU 2 to 8]"),
)

OF_WORKERS = ("executor", "workers", "scheduler", "scheduler_file")


def worker_options(given: dict[str, Any]) -> WorkerOptions:
    """The WorkerOptions among the options of `workers` and `on_gpus`; takes its own out of `given`."""
    found = {field.name: given.pop(field.name) for field in fields(WorkerOptions) if field.name in given}
    return WorkerOptions(**found)
