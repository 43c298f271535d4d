"""The painted store of a workspace: opened in its format, with groups for a catalog's sequences and layers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline import parquet_store, zarr_store
from paintpipe.pipeline.changes import explain_change
from paintpipe.pipeline.ledger import Ledger, Mark, missing_file
from paintpipe.pipeline.parquet_store import ParquetStore
from paintpipe.pipeline.publish import remove_file
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import UNKNOWN_TIME_US, LayerTable, SequenceTable, Store, layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import ChangedInputError, StoreError, WorkspaceError
from paintpipe.schemas.settings import StoreFormat
from paintpipe.workflows.catalog import Catalog

DEFAULT_FRAMES_PER_SHARD = 16
_KINDS: dict[str, tuple[Callable[[Path, int], Store], Callable[[Path], int | None]]] = {
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
            self.check_whole(mark)
        return mark

    def check_whole(self, mark: Mark) -> None:
        """Raises StoreError where a file that a mark names is gone or cut short."""
        name = missing_file(self.store.root, mark)
        if name:
            todo = "see what `paintpipe verify` says, then run `paintpipe paint` again"
            raise StoreError("painted, but now gone or cut short", where=str(self.store.root / name), todo=todo)


def open_store(
    workspace: Workspace, store_format: StoreFormat | None = None, frames_per_shard: int | None = None
) -> OpenStore:
    """The workspace's store; format and shard length are those that are there unless given, else zarr and 16.

    Raises:
        WorkspaceError: a shard length other than that of the store that is there.
    """
    kind: StoreFormat = store_format or _usual_format(workspace)
    make, stored_length = _KINDS[kind]
    root, stored = workspace.store(kind), None
    try:
        stored = stored_length(root)
    except (OSError, ValueError, LookupError, TypeError) as error:
        todo = "delete the store and paint again"
        raise StoreError(f"damaged metadata ({error})", where=str(root), todo=todo) from error
    if stored and frames_per_shard not in (None, stored):
        what = f"this store has {stored} frames a shard, not {frames_per_shard}"
        raise WorkspaceError(what, where=str(root), todo="use another workspace for another length")
    known = workspace.read_config().get("store", {}).get(f"{kind}_frames_per_shard")
    length = frames_per_shard or stored or known or DEFAULT_FRAMES_PER_SHARD
    return OpenStore(make(root, length), Ledger(workspace.marks(kind)), kind)


def _usual_format(workspace: Workspace) -> StoreFormat:
    """The format painted last, as far as it is there; else the one that is."""
    formats: tuple[StoreFormat, StoreFormat] = ("zarr", "parquet")
    there = [kind for kind in formats if workspace.store(kind).is_dir()]
    remembered = workspace.read_config().get("store", {}).get("format", "zarr")
    return there[0] if there and remembered not in there else remembered


def existing_store(path: Path, store_format: StoreFormat | None = None) -> OpenStore:
    """The store of a workspace that has been painted.

    Raises:
        WorkspaceError: nothing is painted there.
    """
    opened = open_store(Workspace(path), store_format)
    if not opened.store.root.is_dir():
        raise WorkspaceError("nothing is painted here", where=str(path.resolve()), todo="run `paintpipe paint` first")
    return opened


def sequence_table(catalog: Catalog, sequence: str) -> SequenceTable:
    """The per-frame tables of a sequence."""

    def column(name: str) -> list[Any]:
        return catalog.column("frames", sequence, name)

    times = [UNKNOWN_TIME_US if time is None else time for time in column("timestamp_us")]
    poses = [np.full(16, np.nan) if pose is None else pose for pose in column("global_SE3_lidar")]
    return SequenceTable(
        sequence=sequence,
        frame_ids=tuple(column("frame_id")),
        num_points=np.asarray(column("num_points"), dtype=np.int64),
        timestamps_us=np.asarray(times, dtype=np.int64),
        global_SE3_lidar=np.asarray(poses, dtype=np.float64).reshape(-1, 4, 4),
        features=tuple(column("point_features")[0]),
    )


def create_sequence(opened: OpenStore, table: SequenceTable, *, with_points: bool, overwrite: bool) -> None:
    """Create a sequence's tables; one that an earlier catalog made is dropped with `overwrite`, and an error without.

    Raises:
        ChangedInputError: the sequence is there with other frames.
    """
    name = table.sequence
    if name in opened.store.sequences() and not same_frames(opened.store.sequence_table(name), table):
        if not overwrite:
            what = "was painted from another catalog: its frames differ from those ingested since"
            todo = "ingest as before, use another workspace, or --overwrite to drop it with all its layers"
            raise ChangedInputError(what, where=f"sequence {name}", todo=todo)
        for target in opened.ledger.targets():
            _forget(opened, target, name)
        opened.store.drop_sequence(name)
    opened.store.create_sequence(table, with_points=with_points)


def same_frames(one: SequenceTable, other: SequenceTable) -> bool:
    """Whether two tables list the same frames, of as many points, with the same columns."""
    return (one.frame_ids, one.features, one.num_points.tolist()) == (
        other.frame_ids,
        other.features,
        other.num_points.tolist(),
    )


def create_layer(opened: OpenStore, sequences: Iterable[str], table: LayerTable, overwrite: bool) -> None:
    """Create a layer in each of the sequences.

    A layer is one thing: where any sequence of the store holds it with other settings, that is an error, or, with
    `overwrite`, the layer is dropped there.

    Raises:
        ChangedInputError: the layer is there, made with other settings.
    """
    for sequence in opened.store.sequences():
        if table.layer in opened.store.layers(sequence):
            _settle(opened, sequence, table, overwrite)
    for sequence in sequences:
        opened.store.create_layer(sequence, table)


def _settle(opened: OpenStore, sequence: str, table: LayerTable, overwrite: bool) -> None:
    there = opened.store.layer_table(sequence, table.layer)
    changes = explain_change(_description(there), _description(table))
    if not changes:
        return
    target = layer_target(table.layer)
    begun = any(path.parent.name == sequence for path in opened.ledger.mark_paths(target))
    if begun and not overwrite:
        what = f"was made with other settings: {changes}"
        todo = "use another --layer, or --overwrite to drop it and paint it again"
        raise ChangedInputError(what, where=f"layer {table.layer} of {sequence}", todo=todo)
    _forget(opened, target, sequence)
    opened.store.drop(sequence, target)


def _forget(opened: OpenStore, target: str, sequence: str) -> None:
    """Remove a target's marks of a sequence, readable or not."""
    for path in list(opened.ledger.mark_paths(target)):
        if path.parent.name == sequence:
            remove_file(path)


def _description(table: LayerTable) -> Mapping[str, Any]:
    attributes = {key: value for key, value in table.attributes.items() if key != "versions"}
    coords = {name: list(values) for name, values in table.coords.items()}
    return {**attributes, **coords, "arrays": [spec.name for spec in table.specs]}
