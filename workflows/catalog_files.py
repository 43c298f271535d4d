"""The files of a catalog: what each must be, and one clear line where it is not."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from paintpipe.pipeline.row_groups import RowGroups, Rows
from paintpipe.pipeline.tables import read_json
from paintpipe.schemas.catalog import BOXES, CATALOG_FORMAT, FRAMES, IMAGES, REJECTED, DatasetInfo
from paintpipe.schemas.errors import PaintpipeError, StoreError, WorkspaceError

TABLES = {"frames": FRAMES, "images": IMAGES, "boxes": BOXES, "rejected": REJECTED}
OLD = "catalog.old.partial"
"""Where ingest puts the catalog that it replaces, beside it, until the new one is in place."""
AGAIN = "run `paintpipe ingest` again"


class CatalogTable(RowGroups):
    """A table of a catalog on disk; what is damaged raises WorkspaceError."""

    def read_group(self, group: int, columns: list[str] | None = None) -> pa.Table:
        """See `RowGroups.read_group`."""
        try:
            return super().read_group(group, columns)
        except StoreError as error:
            raise _damaged(self.path, error) from error


def tables_digest(tables: Mapping[str, Rows]) -> str:
    """sha256 over the content of the tables, in the order of their names; needs memory for one row group.

    It depends on how long row groups are, so that it compares catalogs that were written alike.
    """
    digest = hashlib.sha256()
    for name in sorted(tables):
        empty = [] if tables[name].num_rows else [tables[name].schema.empty_table()]
        for rows in empty or tables[name].scan():
            with pa.ipc.new_stream(pa.PythonFile(_Hashing(digest), mode="w"), rows.schema) as stream:
                stream.write_table(rows.combine_chunks())
    return digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file that keeps nothing of what is written but its hash."""

    def __init__(self, digest: "hashlib._Hash") -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)


def info_json(info: DatasetInfo) -> dict[str, Any]:
    """What `dataset.json` holds."""
    return asdict(info)


def absent(folder: Path) -> WorkspaceError:
    """What to say where there is no catalog."""
    where = str(folder.parent.resolve())
    if folder.with_name(OLD).exists():
        return WorkspaceError("ingest was stopped while it replaced the catalog", where=where, todo=AGAIN)
    todo = "run `paintpipe ingest DATASET ROOT` first, or name the folder with --workspace"
    return WorkspaceError("no catalog here", where=where, todo=todo)


def read_info(path: Path) -> DatasetInfo:
    """What `dataset.json` says.

    Raises:
        WorkspaceError: it is absent, damaged, or of another version.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    version = found.get("catalog_format") if isinstance(found, dict) else None
    if isinstance(version, int) and version != CATALOG_FORMAT:
        what = f"catalog format {version}"
        raise WorkspaceError(what, where=str(path), expected=str(CATALOG_FORMAT), todo=AGAIN)
    if not isinstance(found, dict) or not _describes(found):
        what, expected = "the catalog is damaged (other fields)", "what `paintpipe ingest` wrote"
        raise WorkspaceError(what, where=str(path), expected=expected, todo=AGAIN)
    return DatasetInfo(**found)


def _describes(found: dict[str, Any]) -> bool:
    """Whether these are the fields of a DatasetInfo, each of its type."""
    kinds: dict[str, Any] = dict.fromkeys(("dataset", "version", "root", "digest"), str)
    kinds |= dict.fromkeys(("labels_taxonomy", "boxes_taxonomy"), str | None)
    kinds |= {"synthetic": bool, "counts": dict, "options": dict, "catalog_format": int}
    if found.keys() != {item.name for item in fields(DatasetInfo)}:
        return False
    counts = found["counts"]
    return all(isinstance(found[name], kind) for name, kind in kinds.items()) and all(
        isinstance(counts.get(name), int) for name in (*TABLES, "sequences", "points")
    )


def table_path(folder: Path, name: str) -> Path:
    """Where a table lies in a catalog's folder."""
    return folder / f"{name}.parquet"


def open_table(path: Path, schema: pa.Schema) -> CatalogTable:
    """A table with these columns.

    Raises:
        WorkspaceError: it is absent, its footer is damaged, or it has other columns.
    """
    try:
        table = CatalogTable(path)
    except OSError as error:
        raise _damaged(path, error) from error
    if not table.schema.equals(schema, check_metadata=False):
        what, expected = "the catalog is damaged (other columns)", f"the table of {path.stem}"
        raise WorkspaceError(what, where=str(path), expected=expected, todo=AGAIN)
    return table


def _reason(error: Exception) -> str:
    if isinstance(error, PaintpipeError):
        return error.what
    return "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", None) or str(error)


def _damaged(path: Path, error: Exception) -> WorkspaceError:
    return WorkspaceError(f"the catalog is damaged ({_reason(error)})", where=str(path), todo=AGAIN)
