"""The painted store of a workspace: opened in its format, with groups for a catalog's sequences and layers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline.changes import explain_change
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.parquet_store import ParquetStore
from paintpipe.pipeline.store import UNKNOWN_TIME_US, LayerTable, SequenceTable, Store, layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import ChangedInputError, WorkspaceError
from paintpipe.schemas.settings import StoreFormat
from paintpipe.workflows.catalog import Catalog

DEFAULT_FRAMES_PER_SHARD = 16


@dataclass(frozen=True)
class OpenStore:
    """A store and the marks that say what of it is done."""

    store: Store
    ledger: Ledger
    store_format: StoreFormat


def open_store(
    workspace: Workspace, store_format: StoreFormat | None = None, frames_per_shard: int | None = None
) -> OpenStore:
    """The workspace's store; format and shard length are the remembered ones unless given, else zarr and 16.

    Raises:
        WorkspaceError: a shard length other than that of the store that is there.
    """
    known = workspace.read_config().get("store", {})
    kind: StoreFormat = store_format or known.get("format", "zarr")
    stored = known.get(f"{kind}_frames_per_shard")
    if stored and frames_per_shard not in (None, stored) and workspace.store(kind).exists():
        what = f"this store has {stored} frames a shard, not {frames_per_shard}"
        raise WorkspaceError(what, where=str(workspace.store(kind)), todo="use another workspace for another length")
    length = frames_per_shard or stored or DEFAULT_FRAMES_PER_SHARD
    store: Store = (ZarrStore if kind == "zarr" else ParquetStore)(workspace.store(kind), length)
    return OpenStore(store, Ledger(workspace.marks(kind)), kind)


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


def create_layer(opened: OpenStore, sequences: Iterable[str], table: LayerTable, overwrite: bool) -> None:
    """Create a layer in each sequence; one that differs is dropped with `overwrite`, and an error without.

    Raises:
        ChangedInputError: the layer is there, made with other settings.
    """
    for sequence in sequences:
        if table.layer in opened.store.layers(sequence):
            _settle(opened, sequence, table, overwrite)
        opened.store.create_layer(sequence, table)


def _settle(opened: OpenStore, sequence: str, table: LayerTable, overwrite: bool) -> None:
    there = opened.store.layer_table(sequence, table.layer)
    changes = explain_change(_description(there), _description(table))
    if not changes:
        return
    if not overwrite:
        what = f"was made with other settings: {changes}"
        todo = "use another --layer, or --overwrite to paint it again"
        raise ChangedInputError(what, where=f"layer {table.layer} of {sequence}", todo=todo)
    target = layer_target(table.layer)
    for path in opened.ledger.mark_paths(target):
        if path.parent.name == sequence:
            path.unlink()
    opened.store.drop(sequence, target)


def _description(table: LayerTable) -> Mapping[str, Any]:
    attributes = {key: value for key, value in table.attributes.items() if key != "versions"}
    coords = {name: list(values) for name, values in table.coords.items()}
    return {**attributes, **coords, "arrays": [spec.name for spec in table.specs]}
