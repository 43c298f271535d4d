"""The painted store of a workspace, wherever it lies: found and opened in its format."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paintpipe.pipeline import parquet_store, zarr_store
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.ledger import Ledger, Mark, missing_files
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.parquet_store import ParquetStore
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import Store
from paintpipe.pipeline.workspace import Workspace
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import StoreError, WorkspaceError
from paintpipe.schemas.settings import StoreFormat

DEFAULT_FRAMES_PER_SHARD = 16
_KINDS: dict[str, tuple[Callable[[Folder, int], Store], Callable[[Folder], int | None]]] = {
    "zarr": (ZarrStore, zarr_store.stored_length),
    "parquet": (ParquetStore, parquet_store.stored_length),
}


@dataclass(frozen=True)
class OpenStore:
    """A store and the marks that say what of it is done."""

    store: Store
    ledger: Ledger
    store_format: StoreFormat

    def mark(self, target: str, sequence: str, frame: int) -> Mark | None:
        """The mark of the shard that holds a frame, None where that is not done.

        Raises:
            StoreError: a file that the mark names is gone or cut short.
        """
        index, length = frame // self.store.frames_per_shard, self.store.frames_per_shard
        count = len(self.store.sequence_table(sequence).frame_ids)
        shard = Shard(sequence, index, index * length, min((index + 1) * length, count))
        mark = self.ledger.done(target, shard)
        if mark is not None:
            self.check_whole([mark])
        return mark

    def check_whole(self, marks: Iterable[Mark]) -> None:
        """Raises StoreError where a file that the marks name is gone or cut short."""
        for _, name in missing_files(self.store.root, marks):
            todo = "see what `paintpipe verify` says, then run again what made it (paint, repaint or fuse)"
            raise StoreError("painted, but now gone or cut short", where=self.store.root.where(name), todo=todo)


def store_base(workspace: Workspace, url: str | None = None) -> Folder:
    """Where the painted stores and their marks lie: at `url`, else where they lay last, else in the workspace.

    Raises:
        ConfigError: a URL that can't be opened.
        MissingExtraError: the URL of an object store, and obstore is not installed.
    """
    base = open_folder(url or workspace.read_config().get("store", {}).get("url") or workspace.path)
    return LocalFolder(base.path.resolve()) if url and isinstance(base, LocalFolder) else base


def base_to_remember(workspace: Workspace, base: Folder) -> str | None:
    """What `[store] url` is to say; None for the workspace itself."""
    return None if base in (LocalFolder(workspace.path), LocalFolder(workspace.path.resolve())) else base.url


def store_lock(workspace: Workspace, base: Folder) -> AbstractContextManager[object]:
    """The lock of a store that lies elsewhere: other workspaces may paint into it too. Raises WorkspaceLockedError."""
    return workspace_lock(base.folder("ledger")) if base_to_remember(workspace, base) else nullcontext()


def open_store(
    workspace: Workspace,
    store_format: StoreFormat | None = None,
    frames_per_shard: int | None = None,
    base: Folder | None = None,
) -> OpenStore:
    """The workspace's store; format and shard length are those that are there unless given, else zarr and 16.

    Args:
        workspace: where `paintpipe.toml` lies.
        store_format: zarr or parquet.
        frames_per_shard: shard length.
        base: from `store_base`, by default where the store lay last.

    Raises:
        WorkspaceError: a shard length other than that of the store that is there.
        StoreError: damaged metadata, or a service that does not answer.
    """
    known = workspace.read_config().get("store", {})
    return open_at(base or store_base(workspace), store_format, frames_per_shard, known)


def open_at(
    base: Folder,
    store_format: StoreFormat | None = None,
    frames_per_shard: int | None = None,
    known: Mapping[str, Any] | None = None,
) -> OpenStore:
    """`open_store` without a workspace; `known` is what one remembers of its store."""
    known = known or {}
    kind: StoreFormat = store_format or _usual_format(base, known.get("format", "zarr"))
    make, stored_length = _KINDS[kind]
    root, stored = base.folder(f"painted.{kind}"), None
    try:
        stored = stored_length(root)
    except StoreError:
        raise  # a service that does not answer: nothing is known to be damaged
    except (OSError, ValueError, LookupError, TypeError) as error:
        todo = "delete the store and paint again"
        raise StoreError(f"damaged metadata ({error})", where=root.url, todo=todo) from error
    if stored and frames_per_shard not in (None, stored):
        what = f"this store has {stored} frames a shard, not {frames_per_shard}"
        raise WorkspaceError(what, where=root.url, todo="use another workspace for another length")
    length = frames_per_shard or stored or known.get(f"{kind}_frames_per_shard") or DEFAULT_FRAMES_PER_SHARD
    # A place may hold both formats, so Parquet's marks lie apart.
    return OpenStore(make(root, length), Ledger(base.folder("ledger" if kind == "zarr" else f"ledger/{kind}")), kind)


def _usual_format(base: Folder, remembered: StoreFormat) -> StoreFormat:
    """The format painted last, as far as it is there; else the one that is."""
    formats: tuple[StoreFormat, StoreFormat] = ("zarr", "parquet")
    there = [kind for kind in formats if base.folder(f"painted.{kind}").exists()]
    return there[0] if there and remembered not in there else remembered


def existing_store(path: Path, store_format: StoreFormat | None = None) -> OpenStore:
    """The store of a workspace that has been painted.

    Raises:
        WorkspaceError: nothing is painted there.
    """
    workspace = Workspace(path)
    base = store_base(workspace)
    return check_painted_at(base, open_store(workspace, store_format, base=base))


def check_painted_at(base: Folder, opened: OpenStore) -> OpenStore:
    """The store, if anything is painted there; raises WorkspaceError."""
    if not opened.store.root.exists():
        where = str(base.path.resolve()) if isinstance(base, LocalFolder) else base.url
        raise WorkspaceError("nothing is painted here", where=where, todo="run `paintpipe paint` first")
    return opened
