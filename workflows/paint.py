"""`paintpipe paint`: plan the shards, paint those that are not done, mark each when it is safe on disk."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from paintpipe.pipeline.changes import digest_of
from paintpipe.pipeline.events import Bus, RunEnded, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.progress import ProgressBar
from paintpipe.pipeline.publish import clean_staging
from paintpipe.pipeline.report import RunReport
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import POINTS_TARGET, check_name, layer_target
from paintpipe.pipeline.verify import verify_mark
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import ConfigError, PaintpipeError
from paintpipe.schemas.settings import Overlap, PaintSettings, Projection, Provenance, SegmentSettings, StoreFormat
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.choose_painter import PainterChoice, choose_painter
from paintpipe.workflows.paint_inputs import PaintInputs, layer_description, paint_plan
from paintpipe.workflows.paint_shard import ShardPainter, ShardTask
from paintpipe.workflows.stores import OpenStore, create_layer, create_sequence, open_store, sequence_table


@dataclass(frozen=True)
class PaintRequest:
    """What to paint, with what, and where to; the fields are the options of `paintpipe paint`."""

    workspace: Path
    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    oracle: bool = False
    from_masks: Path | None = None
    from_predictions: Path | None = None
    taxonomy: str | None = None
    layer: str | None = None
    cameras: tuple[str, ...] = ()
    projection: Projection = "default"
    overlap: Overlap = "margin"
    provenance: Provenance = "min"
    store_format: StoreFormat | None = None
    points: bool = True
    frames_per_shard: int | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    executor: str = "threads"
    workers: int = 2
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class PaintResult:
    """What a run of paint did."""

    layer: str
    store: Path
    report: dict[str, Any]
    planned_shards: int
    rejected: list[RejectedRow] = field(default_factory=list)

    def text(self) -> str:
        """The summary that the command prints."""
        counts = self.report["counts"]
        painted, skipped = counts.get("frames", 0), self.planned_shards - self.report["planned"]["shards"]
        already = f"; {skipped} shards were done already" if skipped else ""
        lines = [f"layer {self.layer}: {painted} frames painted in {self.report['wall_s']:.1f} s{already}"]
        if painted:
            spent = sorted(self.report["stages"].items(), key=lambda item: -item[1]["seconds"])
            lines.append("seconds a stage: " + ", ".join(f"{name} {stage['seconds']:.1f}" for name, stage in spent))
        if self.rejected:
            lines.append(f"{len(self.rejected)} files could not be used; their frames or cameras are unpainted:")
            lines += [f"  {row.reason}" for row in self.rejected[:5]]
            lines += [f"  … and {len(self.rejected) - 5} more"] if len(self.rejected) > 5 else []
        return "\n".join([*lines, f"store: {self.store}", "next: paintpipe evaluate, paintpipe view"])


def paint(request: PaintRequest) -> PaintResult:
    """Paint what is not painted yet; killed at any instant and started again, it ends with the same bytes.

    Raises:
        WorkspaceError: no catalog.
        WorkspaceLockedError: another run works here.
        ChangedInputError: finished shards were made with other inputs or settings.
        PaintpipeError: the painter can't be built, or the store can't be written.
    """
    workspace = Workspace(request.workspace)
    catalog = open_catalog(workspace.catalog)
    with workspace_lock(workspace.ledger):
        return _paint(_with_memory(request, workspace), workspace, catalog)


def _paint(request: PaintRequest, workspace: Workspace, catalog: Catalog) -> PaintResult:
    choice = _choice(request)
    painter = choose_painter(choice, catalog.info)
    layer = check_name(request.layer or painter.name, "layer")
    plan = paint_plan(catalog, painter, _settings(request, choice))
    opened = open_store(workspace, request.store_format, request.frames_per_shard)
    _clean(workspace, opened)
    _remember(workspace, request, layer, opened)
    root = LocalRoot(catalog.info.root)
    inputs = PaintInputs(catalog, root, painter, plan)
    shards = plan_shards(_selected(catalog, request.sequences), opened.store.frames_per_shard, request.limit)
    targets = ((POINTS_TARGET,) if request.points else ()) + (layer_target(layer),)
    for sequence in dict.fromkeys(shard.sequence for shard in shards):
        table = sequence_table(catalog, sequence)
        create_sequence(opened, table, with_points=request.points, overwrite=request.overwrite)
    names = list(dict.fromkeys(shard.sequence for shard in shards))
    create_layer(opened, names, layer_description(layer, painter, plan), request.overwrite)
    tasks = _tasks(opened, targets, shards, inputs, request.overwrite)
    bus, report = Bus(), RunReport(workspace.runs)
    bus.subscribe(ProgressBar(quiet=request.quiet))
    bus.subscribe(report)
    worker = ShardPainter(catalog, root, painter, plan, opened, inputs, bus)
    rejected = _known_rejects(opened, layer_target(layer), shards, tasks) + _run(worker, tasks, request, bus)
    return PaintResult(layer, opened.store.root, report.content(), len(shards), rejected)


def _with_memory(request: PaintRequest, workspace: Workspace) -> PaintRequest:
    """The request, with model, weights, taxonomy and layer of the last network where the user names no painter."""
    if request.model or request.oracle or request.from_masks or request.from_predictions:
        return request
    known = workspace.read_config().get("network")
    if not known:
        return request
    weights = Path(known["weights"]) if known.get("weights") else None
    return replace(
        request,
        model=known["model"],
        weights=request.weights or weights,
        taxonomy=request.taxonomy or known.get("taxonomy"),
        layer=request.layer or known.get("layer"),
    )


def _remember(workspace: Workspace, request: PaintRequest, layer: str, opened: OpenStore) -> None:
    kind = opened.store_format
    store = {"format": kind, f"{kind}_frames_per_shard": opened.store.frames_per_shard}
    model = str(Path(request.model).resolve()) if request.model and Path(request.model).is_file() else request.model
    facts = {"model": model, "taxonomy": request.taxonomy, "layer": layer, "oracle": request.oracle or None}
    paths = {"weights": request.weights, "from_masks": request.from_masks, "from_predictions": request.from_predictions}
    facts |= {name: None if path is None else str(path.resolve()) for name, path in paths.items()}
    changes: dict[str, Any] = {"store": store, "last": {"layer": layer}, "layers": {layer: facts}}
    if request.model:
        changes["network"] = {key: facts[key] for key in ("model", "weights", "taxonomy", "layer")}
    workspace.update_config(changes)


def _choice(request: PaintRequest) -> PainterChoice:
    return PainterChoice(
        model=request.model,
        weights=request.weights,
        trust_model=request.trust_model,
        oracle=request.oracle,
        from_masks=request.from_masks,
        from_predictions=request.from_predictions,
        taxonomy=request.taxonomy,
        segment=request.segment,
    )


def _settings(request: PaintRequest, choice: PainterChoice) -> PaintSettings:
    return PaintSettings(
        projection=request.projection,
        overlap=request.overlap,
        provenance=request.provenance,
        cameras=request.cameras,
        taxonomy=None if choice.takes_taxonomy else request.taxonomy,
    )


def _clean(workspace: Workspace, opened: OpenStore) -> None:
    """Delete what a killed run left; this run holds the lock."""
    for folder in (opened.store.root, workspace.ledger):
        if folder.is_dir():
            clean_staging(folder)


def _selected(catalog: Catalog, wanted: tuple[str, ...]) -> dict[str, int]:
    counts = catalog.frame_counts()
    unknown = [name for name in wanted if name not in counts]
    if unknown:
        raise ConfigError(f"no sequence {unknown[0]!r} in the catalog", expected="some of " + ", ".join(counts))
    return {name: count for name, count in counts.items() if not wanted or name in wanted}


def _tasks(
    opened: OpenStore, targets: tuple[str, ...], shards: list[Shard], inputs: PaintInputs, overwrite: bool
) -> list[ShardTask]:
    """Shards with a target that is not done, each with those targets."""
    waiting: dict[Shard, list[str]] = {}
    for target in targets:
        if overwrite:
            pending = [shard for shard in shards if not _same(opened, target, shard, inputs)]
        else:
            pending = opened.ledger.pending(target, shards, partial(inputs, target), opened.store.root)
        for shard in pending:
            waiting.setdefault(shard, []).append(target)
    return [ShardTask(shard, tuple(waiting[shard])) for shard in shards if shard in waiting]


def _same(opened: OpenStore, target: str, shard: Shard, inputs: PaintInputs) -> bool:
    """Whether a shard is whole and overwriting would write the same bytes again; removes the mark where not."""
    mark = opened.ledger.done(target, shard)
    if mark is not None and not mark.rejects and mark.digest == digest_of(inputs(target, shard)):
        whole = next(verify_mark(opened.store.root, mark), None) is None
        if whole:
            return True
    opened.ledger.forget(target, shard)
    return False


def _known_rejects(opened: OpenStore, target: str, shards: list[Shard], tasks: list[ShardTask]) -> list[RejectedRow]:
    """What earlier runs could not use in the shards that are done."""
    todo = {task.shard for task in tasks}
    marks = [opened.ledger.done(target, shard) for shard in shards if shard not in todo]
    found = [(mark, reason) for mark in marks if mark for reason in mark.rejects.values()]
    return [RejectedRow(f"{mark.shard.sequence}, shard {mark.shard.index}", "paint", why) for mark, why in found]


def _run(worker: ShardPainter, tasks: list[ShardTask], request: PaintRequest, bus: Bus) -> list[RejectedRow]:
    frames = sum(len(task.shard) for task in tasks)
    bus.emit(RunStarted("paint", frames, len(tasks), {"executor": request.executor, "workers": request.workers}))
    rejected: list[RejectedRow] = []
    try:
        for _, rows in executor(request.executor, request.workers).run(tasks, worker):
            rejected += rows
    except BaseException as error:
        bus.emit(RunEnded(error.line() if isinstance(error, PaintpipeError) else type(error).__name__))
        raise
    bus.emit(RunEnded())
    return rejected
