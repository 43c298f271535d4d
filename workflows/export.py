"""`paintpipe export`: a painted layer as files that detectors and viewers read, each read back and compared."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import Bus, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.export import ExportSettings
from paintpipe.workflows.counted import counted
from paintpipe.workflows.export_finish import Finisher, encode_card, write_card
from paintpipe.workflows.export_job import ExportJob
from paintpipe.workflows.export_names import check_names
from paintpipe.workflows.export_out import Out, check_place, open_out
from paintpipe.workflows.export_plan import Plan
from paintpipe.workflows.export_prepare import Prepared, prepare
from paintpipe.workflows.export_targets import ABOUT, by_sequence, load_target, target_names
from paintpipe.workflows.export_tasks import ExportTask, PartDone
from paintpipe.workflows.terms import Terms, library_versions, some_file_sizes, store_token
from paintpipe.workflows.workers import WorkerOptions, elsewhere, executor_settings

_SHOWN = 5


@dataclass(frozen=True)
class ExportRequest:
    """What to export; the fields are the options of `paintpipe export`."""

    workspace: Path
    to: str
    out: Path
    layer: str | None = None
    settings: ExportSettings = field(default_factory=ExportSettings)
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    overwrite: bool = False
    check: bool = False
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    quiet: bool = False
    log_json: Path | None = None


@dataclass(frozen=True)
class ExportResult:
    """What an export did.

    Attributes:
        target: the format.
        layer: that was exported.
        out: where to.
        frames: in the folder now.
        now: of them exported (or, with --check, read back) in this run.
        num_unpainted: frames asked for that the layer does not hold.
        rejects: frame → why it is left out.
        faults: what does not read back as it should, a line each.
        notes: what the user should know, a line each.
        checked: whether nothing was written.
    """

    target: str
    layer: str
    out: Path
    frames: int
    now: int
    num_unpainted: int = 0
    rejects: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: bool = False

    @property
    def left_out(self) -> int:
        """Frames that were asked for and are not exported."""
        return self.num_unpainted + len(self.rejects)

    def text(self) -> str:
        """What the command prints."""
        lines = [f"{self.target} of layer {self.layer}: {counted(self.frames, 'frame')} in {self.out} ({self._now()})"]
        if self.num_unpainted:
            were = "is" if self.num_unpainted == 1 else "are"
            what = f"{counted(self.num_unpainted, 'frame')} {were} not painted in layer {self.layer}, and left out"
            lines.append(f"{what}: run `paintpipe paint`, then this again; --partial where that is meant")
        if self.rejects:
            lines.append(f"{counted(len(self.rejects), 'frame')} could not be used, and left out:")
            lines += [f"  {frame}: {reason}" for frame, reason in list(self.rejects.items())[:_SHOWN]]
            lines += [f"  … and {len(self.rejects) - _SHOWN:,} more"] if len(self.rejects) > _SHOWN else []
        lines += self.notes
        lines += self.faults
        if self.faults:
            lines.append("not as it should be: write it again with --overwrite; if it stays so, please report this")
        return "\n".join(lines)

    def _now(self) -> str:
        done = (
            f"{self.now:,} of them read back, as the store has them" if not self.faults else f"{self.now:,} read back"
        )
        if self.checked:
            return done
        return done.replace("of them", "exported and") if self.now else "all there already; --check reads them back"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        names = ("target", "layer", "out", "frames", "num_unpainted", "rejects", "faults", "notes", "checked")
        return {**{name: getattr(self, name) for name in names}, "frames_now": self.now, "left_out": self.left_out}


@dataclass(frozen=True)
class TargetList:
    """What `paintpipe export` prints where no target is named."""

    targets: dict[str, str]

    def text(self) -> str:
        """A line for each target."""
        width = max(map(len, self.targets))
        lines = [f"{name:{width}}  {about}" for name, about in self.targets.items()]
        return "\n".join([*lines, "", "next: paintpipe export --to TARGET --out FOLDER"])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"targets": [{"name": name, "about": about} for name, about in self.targets.items()]}


def list_targets() -> TargetList:
    """Every target with a line about it."""
    return TargetList({name: ABOUT.get(name, "") for name in target_names()})


def export(request: ExportRequest) -> ExportResult:
    """Export what is not exported yet; killed at any instant and started again, it ends with the same bytes.

    Raises:
        ConfigError: settings that the target has no room for, or a folder that holds something else, or nothing to
            check.
        WorkspaceError: nothing that was asked for is painted.
        WorkspaceLockedError: another export writes into this folder.
        ChangedInputError: frames were exported from other paint or with other settings.
        ExportError: two frames would share a file.
    """
    run = prepare(request.workspace, load_target(request.to), request.layer, request.settings, request.sequences)
    check_place(request.out, request.workspace, run.opened)
    with open_out(request.out, run.target.name, overwrite=request.overwrite, new=not request.check) as out:
        plan = out.plan(run, request.limit)
        if not any(part.frames for part in plan.parts):
            raise _nothing(run, plan)
        if request.check:
            out.check_exported()
            out.check_card(run)
            out.check_whole_sequences(run, plan)
        else:
            check_names(run, plan.parts)
        todo = out.marked(plan) if request.check else out.waiting(run, plan, overwrite=request.overwrite)
        with listened(out.runs, quiet=request.quiet, log_json=request.log_json) as bus:
            done = _run(run, out, plan, todo, request, bus)
        return _finished(run, out, plan, done, request)


def _run(run: Prepared, out: Out, plan: Plan, todo: list[Shard], request: ExportRequest, bus: Bus) -> list[PartDone]:
    parts = plan.by_shard()
    verb = "check" if request.check else "export"
    bus.emit(RunStarted(f"{verb} {run.target.name}", sum(len(parts[shard].frames) for shard in todo), len(todo)))
    away = elsewhere(request.spread)
    with store_token(out.ledger) if away and todo else nullcontext(b"") as token:
        sizes = some_file_sizes(run.catalog, run.source.root) if away and run.source.root else {}
        terms = Terms(sizes, token, libraries=library_versions()) if away else None
        job = ExportJob(run.target, run.source, out.folder, out.ledger, terms, check_only=request.check)
        spread = executor_settings(request.spread, threads=1)
        tasks = _tasks(run, plan, todo)
        with ended(bus), closing(executor(spread).run(tasks, job, bus.emit)) as done:
            return [part for _, part in done]


def _tasks(run: Prepared, plan: Plan, todo: list[Shard]) -> Iterator[ExportTask]:
    parts = plan.by_shard()
    for shard in todo:
        part = parts[shard]
        rows = run.catalog.part(shard.sequence, part.first, shard.stop)
        yield ExportTask(part, run.inputs(part), rows)


def _finished(run: Prepared, out: Out, plan: Plan, done: list[PartDone], request: ExportRequest) -> ExportResult:
    faults = [line for part in done for line in part.faults]
    rejects = {frame: reason for part in done for frame, reason in part.rejects.items()}
    marked = set(out.marked(plan))
    parts = tuple(part for part in plan.parts if part.shard in marked)
    rejects |= out.rejects(run.catalog, parts)
    frames, notes = out.num_frames(parts), list(run.notes)
    card = encode_card(run.source.facts, parts, frames, plan.num_unpainted + len(rejects))
    if frames and not by_sequence(run.target):
        finisher = Finisher(run.target, run.source, run.catalog, out.folder, out.ledger, parts)
        faults += finisher.check() if request.check else finisher.finish(card)
        notes += finisher.notes()
    elif not request.check:
        write_card(out.folder, card)
    return ExportResult(
        target=run.target.name,
        layer=run.source.layer.name,
        out=request.out,
        frames=frames,
        now=sum(part.frames for part in done),
        num_unpainted=plan.num_unpainted,
        rejects=dict(sorted(rejects.items())),
        faults=faults,
        notes=notes,
        checked=request.check,
    )


def _nothing(run: Prepared, plan: Plan) -> WorkspaceError:
    layer = run.source.layer.name
    reasons = [reason for part in plan.parts for reason in part.rejects.values()]
    if reasons:
        what = f"no frame of layer {layer} can be exported: {reasons[0]}"
    elif plan.num_unpainted:
        what = f"none of the {plan.num_unpainted:,} frames asked for is painted in layer {layer}"
    else:
        what = "no frame of the catalog is asked for"
    todo = "run `paintpipe paint`" if plan.num_unpainted else "see --split and --sequences"
    return WorkspaceError(what, todo=todo)
