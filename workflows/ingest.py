"""`paintpipe ingest`: from a dataset as downloaded to a catalog."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.publish import publish_file, remove_folder
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.tables import write_json, write_parquet
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import DatasetInfo, RejectedRow, SequenceRows, rows_to_table
from paintpipe.schemas.errors import ConfigError, InputFileError, WorkspaceError
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset
from paintpipe.workflows.catalog import OLD, TABLES, info_json, open_catalog, tables_digest


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
    quiet: bool = False


@dataclass(frozen=True)
class IngestResult:
    """What a run of ingest found."""

    info: DatasetInfo
    workspace: Path
    rejected: list[RejectedRow] = field(default_factory=list)
    unchanged: bool = False

    def text(self) -> str:
        """The summary that the command prints."""
        counts = self.info.counts
        found = ", ".join(f"{counts[name]:,} {name}" for name in ("sequences", "frames", "points", "images", "boxes"))
        lines = [f"{self.info.dataset} {self.info.version}".strip() + f": {found}", *_rejects_text(self.rejected)]
        lines.append(f"catalog {'unchanged' if self.unchanged else 'written'}: {self.workspace / 'catalog'}")
        synthetic = "" if self.info.synthetic else " --model NAME --weights FILE"
        lines.append(
            f"next: paintpipe paint{synthetic}" + ("" if synthetic == "" else "   (`paintpipe models` lists them)")
        )
        return "\n".join(lines)


def _rejects_text(rejected: list[RejectedRow], most: int = 5) -> list[str]:
    if not rejected:
        return []
    lines = [f"{len(rejected):,} files or records could not be used (all of them in catalog/rejected.parquet):"]
    lines += [f"  {row.path}: {row.reason}" for row in rejected[:most]]
    return lines + ([f"  … and {len(rejected) - most:,} more"] if len(rejected) > most else [])


def ingest(request: IngestRequest) -> IngestResult:
    """Read the dataset and write the catalog; the same files give the same catalog.

    Raises:
        ConfigError: an unknown dataset, split or sequence.
        InputFileError: the root holds no such dataset, or nothing of it can be used.
    """
    reader, root = _open(request)
    workspace = Workspace(request.workspace)
    with workspace_lock(workspace.ledger):
        _restore(workspace.catalog)
        tables = _read_all(reader, request)
        rejected = [RejectedRow(**row) for row in tables["rejected"].to_pylist()]
        if not tables["frames"].num_rows:
            raise InputFileError(_why_empty(rejected), where=root, todo="see `paintpipe ingest --help`")
        info = _describe(request, reader, root, tables)
        unchanged = _same_as_before(workspace.catalog, info)
        if not unchanged:
            _write(workspace.catalog, tables, info)
        workspace.update_config({"dataset": {"name": info.dataset, "version": info.version, "root": root}})
    return IngestResult(info, request.workspace, rejected, unchanged)


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
    folder = Path(request.root).resolve()
    return open_dataset(request.dataset, LocalRoot(folder), options), str(folder)


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
    folder = (spec.parent / spec_root(text)).resolve()
    return open_custom(text, LocalRoot(folder), options), str(folder)


def _read_all(reader: Reader, request: IngestRequest) -> dict[str, pa.Table]:
    """The four tables over all sequences, in order, up to the limit; rows become Arrow sequence by sequence."""
    parts = [_tables(SequenceRows(rejected=list(reader.rejected)))]
    frames = 0
    for sequence in track(reader.sequences(), "ingest", "sequence", quiet=request.quiet):
        left = None if request.limit is None else request.limit - frames
        if left is not None and left <= 0:
            break
        rows = reader.read(sequence, left)
        frames += len(rows.frames)
        parts.append(_tables(rows))
    return {name: pa.concat_tables([part[name] for part in parts]) for name in TABLES}


def _tables(rows: SequenceRows) -> dict[str, pa.Table]:
    return {name: rows_to_table(getattr(rows, name), schema) for name, schema in TABLES.items()}


def _why_empty(rejected: list[RejectedRow]) -> str:
    if not rejected:
        return "no frame of the dataset is here"
    path, reason = rejected[0].path, rejected[0].reason
    return f"no usable frame; {len(rejected)} files or records were rejected, the first: {path}: {reason}"


def _describe(request: IngestRequest, reader: Reader, root: str, tables: dict[str, pa.Table]) -> DatasetInfo:
    counts = {name: tables[name].num_rows for name in TABLES}
    counts["sequences"] = len(tables["frames"].column("sequence").unique())
    counts["points"] = sum(tables["frames"].column("num_points").to_numpy().tolist())
    return DatasetInfo(
        dataset=request.dataset,
        version=reader.version,
        root=root,
        labels_taxonomy=reader.labels_taxonomy,
        boxes_taxonomy=reader.boxes_taxonomy if counts["boxes"] else None,
        synthetic=reader.synthetic,
        counts=counts,
        digest=tables_digest(tables),
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
        return info_json(open_catalog(folder).info) == info_json(info)
    except WorkspaceError:
        return False


def _restore(folder: Path) -> None:
    """Bring back the old catalog where an ingest was killed between the two renames of `_write`."""
    old = folder.with_name(OLD)
    if old.exists() and not folder.exists():
        _rename(old, folder)


def _write(folder: Path, tables: dict[str, pa.Table], info: DatasetInfo) -> None:
    """Write and sync beside, then swap: whoever looks sees the old catalog, the new one, or none for an instant.

    The old one is deleted only when the renames are on disk; without an old one, writing `paintpipe.toml` next syncs
    the folder that they were made in.
    """
    fresh, old = folder.with_name("catalog.partial"), folder.with_name(OLD)
    _remove(fresh)
    _remove(old)
    for name, table in tables.items():
        write_parquet(fresh / f"{name}.parquet", table)
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
