"""`paintpipe ingest`: from a dataset as downloaded to a catalog."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from paintpipe.pipeline.events import Bus, RunStarted, ShardDone
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.ordered import in_order
from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.folders.urls import is_url
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.publish import publish_file, remove_folder
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.store import check_name
from paintpipe.pipeline.tables import write_json
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import DatasetInfo, RejectedRow, SequenceRows
from paintpipe.schemas.errors import ConfigError, InputFileError, WorkspaceError, printable
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.catalog_files import OLD, info_json, tables_digest
from paintpipe.workflows.catalog_writer import CatalogWriter
from paintpipe.workflows.counted import counted
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
        synthetic = "" if self.info.synthetic else " --model NAME --weights FILE"
        lines.append(
            f"next: paintpipe paint{synthetic}" + ("" if synthetic == "" else "   (`paintpipe models` lists them)")
        )
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
    reader, root = _open(request)
    workspace = Workspace(request.workspace)
    log = listened(workspace.runs, quiet=True, log_json=request.log_json)
    with workspace_lock(workspace.ledger), log as bus:
        _restore(workspace.catalog)
        workspace.clean_staging()
        fresh = workspace.catalog.with_name("catalog.partial")
        _remove(fresh)
        try:
            writer = _read_all(reader, request, fresh, bus)
            if not writer.counts["frames"]:
                raise InputFileError(_why_empty(writer), where=root, todo="see `paintpipe ingest --help`")
            info = _describe(request, reader, root, writer)
            unchanged = _same_as_before(workspace.catalog, info)
            if not unchanged:
                _replace(workspace.catalog, fresh, info)
        finally:
            _remove(fresh)
        workspace.update_config({"dataset": {"name": info.dataset, "version": info.version, "root": root}})
    return IngestResult(info, request.workspace, writer.rejected, unchanged)


def write_custom_spec(path: Path) -> str:
    """Write a commented specification for `paintpipe ingest custom`; says where."""
    from paintpipe.stages.ingest.custom import write_spec

    if path.exists():
        raise ConfigError("the file exists", where=str(path), todo="name another one")
    publish_file(path, write_spec().encode())
    return f"wrote {path}: edit it, then run `paintpipe ingest custom {path}`"


def _open(request: IngestRequest) -> tuple[Reader, str]:
    options = IngestOptions(request.sequences, request.split, request.sweeps, request.version)
    if request.dataset == "custom":
        return _open_custom(Path(request.root), options)
    root = open_root(request.root)
    return open_dataset(request.dataset, root, options), root.url


def _open_custom(spec: Path, options: IngestOptions) -> tuple[Reader, str]:
    from paintpipe.stages.ingest.custom import open_custom, spec_root

    if not spec.is_file():
        todo = "write one with `paintpipe ingest custom --write-spec my.toml`"
        raise ConfigError("no such specification", where=str(spec), todo=todo)
    try:
        text = spec.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "not a text file" if isinstance(error, UnicodeDecodeError) else f"can't be read ({error.strerror})"
        raise ConfigError(what, where=str(spec), expected="a specification in TOML") from error
    named = spec_root(text)
    root = open_root(named if is_url(named) else str(spec.parent / named))
    return open_custom(text, root, options), root.url


def _read_all(reader: Reader, request: IngestRequest, folder: Path, bus: Bus) -> CatalogWriter:
    """Write the rows of all sequences, in order, up to the limit; for the events, a sequence is a shard."""
    faults = {name: _name_fault(name) for name in reader.sequences()}
    names = [name for name, fault in faults.items() if not fault]
    unusable = [RejectedRow(printable(name), "ingest", fault) for name, fault in faults.items() if fault]
    bus.emit(RunStarted("ingest", 0, len(names), {"dataset": request.dataset}))
    with (
        ended(bus),
        CatalogWriter(folder) as writer,
        closing(_rows(reader, names, request, writer, bus.emit)) as found,
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
    reader: Reader, names: list[str], request: IngestRequest, writer: CatalogWriter, emit: Emit
) -> Generator[SequenceRows, None, None]:
    """The rows of each sequence, in order; with a limit one after the other, since each says what the next may read."""
    if request.limit is not None:
        for name in names:
            left = request.limit - writer.counts["frames"]
            if left <= 0:
                return
            yield reader.read(name, left)
        return
    job = ReadJob(request) if elsewhere(request.spread) else ReadHere(reader)
    tasks = (ReadTask(number, name) for number, name in enumerate(names))
    with closing(executor(executor_settings(request.spread, threads=1)).run(tasks, job, emit)) as done:
        yield from in_order(done)


class ReadTask(NamedTuple):
    """A sequence, numbered in the catalog's order."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"sequence {self.name}"


@dataclass(frozen=True)
class ReadJob:
    """Reading sequences in workers elsewhere: each opens the dataset itself."""

    request: IngestRequest

    def setup(self, emit: Emit) -> Callable[[ReadTask], SequenceRows]:
        """See `Job.setup`."""
        return ReadHere(_open(self.request)[0]).setup(emit)


@dataclass(frozen=True)
class ReadHere:
    """Reading sequences in this process, with the dataset that is already open."""

    reader: Reader

    def setup(self, _emit: Emit) -> Callable[[ReadTask], SequenceRows]:
        """See `Job.setup`."""
        return lambda task: self.reader.read(task.name, None)


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


def _restore(folder: Path) -> None:
    """Bring back the old catalog where an ingest was killed between the two renames of `_write`."""
    old = folder.with_name(OLD)
    if old.exists() and not folder.exists():
        _rename(old, folder)


def _replace(folder: Path, fresh: Path, info: DatasetInfo) -> None:
    """Finish what was written beside, then swap: who looks sees the old catalog, the new one, or none for an instant.

    The old one is deleted only when the renames are on disk; without an old one, writing `paintpipe.toml` next syncs
    the folder that they were made in.
    """
    old = folder.with_name(OLD)
    _remove(old)
    write_json(fresh / "dataset.json", info_json(info))
    if folder.exists():
        _rename(folder, old)
    _rename(fresh, folder)
    _remove(old)


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise write_error(error, target) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_folder(path.parent, path.name)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, path) from error
