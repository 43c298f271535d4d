"""`paintpipe paint`: plan the shards, paint those that are not done, mark each when it is safe on disk."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from paintpipe.pipeline.events import AttemptLost, Bus, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.ledger import MARKS_AT_ONCE
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, monitored
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.choose_painter import AnyPainter, settled
from paintpipe.workflows.counted import FIRST_REJECTS, FirstRows, counted
from paintpipe.workflows.paint_job import PaintHere, PaintJob
from paintpipe.workflows.paint_prepare import Prepared, prepare
from paintpipe.workflows.paint_request import PaintRequest, with_memory
from paintpipe.workflows.paint_shard import ShardTask
from paintpipe.workflows.paint_tasks import Groups, Waiting, balanced, forget, shard_tasks, waiting_shards
from paintpipe.workflows.stores import OpenStore, base_to_remember, store_base, store_lock
from paintpipe.workflows.terms import Terms, library_versions, some_file_sizes, store_token

__all__ = ["PaintRequest", "PaintResult", "paint"]


@dataclass(frozen=True)
class PaintResult:
    """What a run of paint did; of the rejected files the first few, so that memory stays bounded."""

    layer: str
    store: str
    report: dict[str, Any]
    planned_shards: int
    rejected: list[RejectedRow] = field(default_factory=list)
    num_rejected: int = 0

    def text(self) -> str:
        """The summary that the command prints."""
        counts = self.report["counts"]
        painted, skipped = counts.get("frames", 0), self.planned_shards - self.report["planned"]["shards"]
        were = f"{counted(skipped, 'shard')} {'was' if skipped == 1 else 'were'} done already"
        lines = [f"layer {self.layer}: {counted(painted, 'frame')} painted in {self.report['wall_s']:.1f} s"]
        lines[0] += f"; {were}" if skipped else ""
        if painted:
            spent = sorted(self.report["stages"].items(), key=lambda item: -item[1]["seconds"])
            lines.append("seconds a stage: " + ", ".join(f"{name} {stage['seconds']:.1f}" for name, stage in spent))
        if self.rejected:
            found = f"{counted(self.num_rejected, 'file')} could not be used"
            lines.append(f"{found}; their frames or cameras are unpainted:")
            lines += [f"  {row.reason}" for row in self.rejected[:5]]
            lines += [f"  … and {self.num_rejected - 5:,} more"] if self.num_rejected > 5 else []
        return "\n".join([*lines, f"store: {self.store}", "next: paintpipe evaluate, paintpipe view"])

    def to_json(self) -> dict[str, Any]:
        """The same for programs: the run report, and of the rejected files the first few."""
        return {
            "layer": self.layer,
            "store": self.store,
            "shards": {"planned": self.planned_shards, "to_do": self.report["planned"]["shards"]},
            "frames_painted": self.report["counts"].get("frames", 0),
            "num_rejected": self.num_rejected,
            "rejected": [asdict(row) for row in self.rejected[:FIRST_REJECTS]],
            "report": self.report,
        }


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
    base = store_base(workspace, request.store)
    with workspace_lock(workspace.ledger), store_lock(workspace, base):
        return _paint(prepare(with_memory(request, workspace), workspace, catalog), workspace)


def _paint(run: Prepared, workspace: Workspace) -> PaintResult:
    request, catalog, opened = run.request, run.catalog, run.opened
    _clean(workspace, opened)
    _remember(workspace, request, run.layer, opened)
    groups = Groups(opened, catalog, run.description, request.points, request.overwrite)
    groups.settle(run.sequences)
    waiting = waiting_shards(
        opened, run.targets, run.shards, run.inputs, overwrite=request.overwrite, quiet=request.quiet
    )
    if request.overwrite:
        forget(opened, waiting)
    ordered = balanced(waiting, catalog, max(1, run.spread.workers) * run.spread.in_flight)
    segmented = () if request.from_layers else run.plan.camera_names
    tasks = shard_tasks(ordered, catalog, groups, segmented)
    with (
        monitored(workspace.runs, quiet=request.quiet, log_json=request.log_json) as (bus, report),
        store_token(opened.ledger) if run.away and waiting else nullcontext(b"") as token,
    ):
        lost = list[AttemptLost]()
        bus.subscribe(lambda event: lost.append(event) if isinstance(event, AttemptLost) else None)
        rejects = _run(_job(run, token), tasks, waiting, run, bus)
    if lost or run.spread.name == "dask":  # a cluster hands a dead worker's task on without a word
        _clean(workspace, opened)  # what dead workers left
    _add_known(rejects, opened, layer_target(run.layer), [shard for shard in run.shards if shard not in waiting])
    store, shards = opened.store.root.url, len(run.shards)
    return PaintResult(run.layer, store, report.content(), shards, rejects.first, rejects.count)


def _job(run: Prepared, token: bytes) -> PaintJob | PaintHere:
    if not run.away:
        painter = cast("AnyPainter", run.painter)  # not away: it is built
        return PaintHere(painter, run.root, run.plan, run.opened)
    sizes = some_file_sizes(run.catalog, run.root)
    terms = Terms(sizes, token, run.painter.identity, libraries=library_versions())
    return PaintJob(
        choice=settled(run.choice, run.painter),
        info=run.catalog.info,
        root=run.root,
        plan=run.plan,
        opened=run.opened,
        terms=terms,
        threads=None if run.spread.name == "dask" or run.on_gpu else run.spread.threads,
    )


def _remember(workspace: Workspace, request: PaintRequest, layer: str, opened: OpenStore) -> None:
    kind = opened.store_format
    store: dict[str, Any] = {"format": kind, f"{kind}_frames_per_shard": opened.store.frames_per_shard}
    store["url"] = base_to_remember(workspace, store_base(workspace, request.store))
    model = str(Path(request.model).resolve()) if request.model and Path(request.model).is_file() else request.model
    facts = {"model": model, "taxonomy": request.taxonomy, "layer": layer, "oracle": request.oracle or None}
    paths = {"weights": request.weights, "from_masks": request.from_masks, "from_predictions": request.from_predictions}
    facts |= {name: None if path is None else str(path.resolve()) for name, path in paths.items()}
    changes: dict[str, Any] = {"store": store, "last": {"layer": layer}, "layers": {layer: facts}}
    if request.model:
        changes["network"] = {key: facts[key] for key in ("model", "weights", "taxonomy", "layer")}
    workspace.update_config(changes)


def _clean(workspace: Workspace, opened: OpenStore) -> None:
    """Delete what a killed run left; this run holds the lock."""
    workspace.clean_staging()
    for folder in (opened.store.root, opened.ledger.root, LocalFolder(workspace.ledger)):
        folder.clean_staging()


def _add_known(rejects: FirstRows, opened: OpenStore, target: str, done: list[Shard]) -> None:
    """Add what earlier runs could not use in the shards that were done before this one."""
    for start in range(0, len(done), MARKS_AT_ONCE):
        for mark in opened.ledger.find(target, done[start : start + MARKS_AT_ONCE]):
            if mark is not None:
                place = f"{mark.shard.sequence}, shard {mark.shard.index}"
                rejects.add([RejectedRow(place, "paint", reason) for reason in mark.rejects.values()])


def _run(job: PaintJob | PaintHere, tasks: Iterator[ShardTask], waiting: Waiting, run: Prepared, bus: Bus) -> FirstRows:
    bus.emit(RunStarted("paint", sum(map(len, waiting)), len(waiting), run.settings_json))
    rejects = FirstRows()
    with ended(bus), closing(executor(run.spread).run(tasks, job, bus.emit)) as done:
        for _, rows in done:
            rejects.add(rows)
    return rejects
