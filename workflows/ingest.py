"""`paintpipe ingest`: from a dataset as downloaded to a catalog."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import Bus, RunStarted, ShardDone
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.ordered import in_order
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.store import check_name
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import DatasetInfo, RejectedRow, SequenceRows
from paintpipe.schemas.errors import ConfigError, InputFileError, WorkspaceError, printable
from paintpipe.stages.ingest.reader import IngestOptions, Reader
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.catalog_files import info_json, tables_digest
from paintpipe.workflows.catalog_swap import remove, replace_by, restore
from paintpipe.workflows.catalog_writer import CatalogWriter
from paintpipe.workflows.counted import counted
from paintpipe.workflows.ingest_job import ReadHere, ReadJob, ReadTask, Source, open_source
from paintpipe.workflows.workers import WorkerOptions, elsewhere, executor_settings


@dataclass(frozen=True)
class IngestRequest:
    """What to ingest, and into which workspace."""

    dataset: str
    root: str
    workspace: Path
    sequences: tuple[str, ...] = ()
    split: str | None = None
    limit: int | None = None
    sweeps: bool = False
    version: str | None = None
    spread: WorkerOptions = field(default_factory=lambda: WorkerOptions(executor="serial"))
    quiet: bool = False
    log_json: Path | None = None


@dataclass(frozen=True)
class IngestResult:
    """What a run of ingest found; of the rejected files, the first."""

    info: DatasetInfo
    workspace: Path
    rejected: list[RejectedRow] = field(default_factory=list)
    unchanged: bool = False

    def text(self) -> str:
        """The summary that the command prints."""
        counts = self.info.counts
        found = ", ".join(counted(counts[f"{noun}s"], noun) for noun in ("sequence", "frame", "point", "image"))
        found += f", {counts['boxes']:,} box" + ("" if counts["boxes"] == 1 else "es")
        lines = [
            f"{self.info.dataset} {self.info.version}".strip() + f": {found}",
            *_rejects_text(self.rejected, counts["rejected"]),
        ]
        lines.append(f"catalog {'unchanged' if self.unchanged else 'written'}: {self.workspace / 'catalog'}")
        needs = "" if self.info.synthetic else " --model NAME --weights FILE   (`paintpipe models` lists them)"
        lines.append(f"next: paintpipe paint{needs}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The same for programs; of the rejected files the first few."""
        info = self.info
        return {
            **{name: getattr(info, name) for name in ("dataset", "version", "root", "synthetic", "counts", "digest")},
            "labels_taxonomy": info.labels_taxonomy,
            "boxes_taxonomy": info.boxes_taxonomy,
            "catalog": self.workspace / "catalog",
            "unchanged": self.unchanged,
            "num_rejected": info.counts["rejected"],
            "rejected": [asdict(row) for row in self.rejected],
        }


def _rejects_text(rejected: list[RejectedRow], count: int, most: int = 5) -> list[str]:
    if not count:
        return []
    found = "1 file or record" if count == 1 else f"{count:,} files or records"
    lines = [f"{found} could not be used (all of them in catalog/rejected.parquet):"]
    lines += [f"  {row.path}: {row.reason}" for row in rejected[:most]]
    return lines + ([f"  … and {count - most:,} more"] if count > most else [])


def ingest(request: IngestRequest) -> IngestResult:
    """Read the dataset and write the catalog; the same files give the same catalog.

    Raises:
        ConfigError: an unknown dataset, split or sequence.
        InputFileError: the root holds no such dataset, or nothing of it can be used.
    """
    options = IngestOptions(request.sequences, request.split, request.sweeps, request.version)
    source = Source(request.dataset, request.root, options)
    reader, root = open_source(source)
    workspace = Workspace(request.workspace)
    log = listened(workspace.runs, quiet=True, log_json=request.log_json)
    with workspace_lock(workspace.ledger), log as bus:
        restore(workspace.catalog)
        workspace.clean_staging()
        fresh = workspace.catalog.with_name("catalog.partial")
        remove(fresh)
        try:
            writer = _read_all(reader, source, request, fresh, bus)
            if not writer.counts["frames"]:
                raise InputFileError(_why_empty(writer), where=root, todo="see `paintpipe ingest --help`")
            info = _describe(request, reader, root, writer)
            unchanged = _same_as_before(workspace.catalog, info)
            if not unchanged:
                replace_by(workspace.catalog, fresh, info)
        finally:
            remove(fresh)
        workspace.update_config({"dataset": {"name": info.dataset, "version": info.version, "root": root}})
    return IngestResult(info, request.workspace, writer.rejected, unchanged)


def write_custom_spec(path: Path) -> str:
    """Write a commented specification for `paintpipe ingest custom`; says where."""
    from paintpipe.stages.ingest.custom import write_spec

    if path.exists():
        raise ConfigError("the file exists", where=str(path), todo="name another one")
    publish_file(path, write_spec().encode())
    return f"wrote {path}: edit it, then run `paintpipe ingest custom {path}`"


def _read_all(reader: Reader, source: Source, request: IngestRequest, folder: Path, bus: Bus) -> CatalogWriter:
    """Write the rows of all sequences, in order, up to the limit; for the events, a sequence is a shard."""
    faults = {name: _name_fault(name) for name in reader.sequences()}
    names = [name for name, fault in faults.items() if not fault]
    unusable = [RejectedRow(printable(name), "ingest", fault) for name, fault in faults.items() if fault]
    bus.emit(RunStarted("ingest", 0, len(names), {"dataset": request.dataset}))
    with (
        ended(bus),
        CatalogWriter(folder) as writer,
        closing(_rows(reader, source, names, request, writer, bus.emit)) as found,
    ):
        writer.add(SequenceRows(rejected=[*reader.rejected, *unusable]))
        shown = track(found, "ingest", "sequence", quiet=request.quiet, total=len(names))
        for number, (rows, name) in enumerate(zip(shown, names, strict=False)):  # a limit may leave the last out
            writer.add(rows)
            bus.emit(ShardDone("catalog", name, number, len(rows.frames), 0))
    return writer


def _name_fault(sequence: str) -> str:
    """Why nothing can be painted of a sequence of this name, "" where all is well."""
    try:
        check_name(sequence, "sequence")
    except ConfigError as error:
        return error.line()
    return ""


def _rows(
    reader: Reader, source: Source, names: list[str], request: IngestRequest, writer: CatalogWriter, emit: Emit
) -> Generator[SequenceRows, None, None]:
    """The rows of each sequence, in order; with a limit one after the other, since each says what the next may read."""
    if request.limit is not None:
        for name in names:
            left = request.limit - writer.counts["frames"]
            if left <= 0:
                return
            yield reader.read(name, left)
        return
    job = ReadJob(source) if elsewhere(request.spread) else ReadHere(reader)
    tasks = (ReadTask(number, name) for number, name in enumerate(names))
    with closing(executor(executor_settings(request.spread, threads=1)).run(tasks, job, emit)) as done:
        yield from in_order(done)


def _why_empty(writer: CatalogWriter) -> str:
    if not writer.rejected:
        return "no frame of the dataset is here"
    path, reason = writer.rejected[0].path, writer.rejected[0].reason
    count = writer.counts["rejected"]
    return f"no usable frame; {count} files or records were rejected, the first: {path}: {reason}"


def _describe(request: IngestRequest, reader: Reader, root: str, writer: CatalogWriter) -> DatasetInfo:
    return DatasetInfo(
        dataset=request.dataset,
        version=reader.version,
        root=root,
        labels_taxonomy=reader.labels_taxonomy,
        boxes_taxonomy=reader.boxes_taxonomy if writer.counts["boxes"] else None,
        synthetic=reader.synthetic,
        counts=writer.counts,
        digest=tables_digest(writer.tables()),
        options={
            "sequences": list(request.sequences),
            "split": request.split,
            "limit": request.limit,
            "sweeps": request.sweeps,
        },
    )


def _same_as_before(folder: Path, info: DatasetInfo) -> bool:
    """Whether a catalog is there that says the same; a damaged one is written again."""
    try:
        there = open_catalog(folder)
        if info_json(there.info) != info_json(info):
            return False
        there.check()
    except WorkspaceError:
        return False
    return True
