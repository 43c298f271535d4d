"""Putting a new catalog in the place of the old one, so that a kill leaves one of them."""

from pathlib import Path

from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.publish import remove_folder
from paintpipe.pipeline.tables import write_json
from paintpipe.schemas.catalog import DatasetInfo
from paintpipe.workflows.catalog_files import OLD, info_json


def restore(folder: Path) -> None:
    """Bring the old catalog back where `replace_by` was killed between its renames; raises StoreError."""
    old = folder.with_name(OLD)
    if old.exists() and not folder.exists():
        _rename(old, folder)


def replace_by(folder: Path, fresh: Path, info: DatasetInfo) -> None:
    """Finish what was written beside, then swap: who looks sees the old catalog, the new one, or none for an instant.

    The old one is deleted only when the renames are on disk; without an old one, writing `paintpipe.toml` next syncs
    the folder that they were made in.

    Raises:
        StoreError: the disk refuses.
    """
    old = folder.with_name(OLD)
    remove(old)
    write_json(fresh / "dataset.json", info_json(info))
    if folder.exists():
        _rename(folder, old)
    _rename(fresh, folder)
    remove(old)


def remove(path: Path) -> None:
    """Delete a catalog, or whatever lies in its place; raises StoreError."""
    if path.is_dir() and not path.is_symlink():
        remove_folder(path.parent, path.name)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, path) from error


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise write_error(error, target) from error
