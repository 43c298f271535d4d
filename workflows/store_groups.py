"""Groups of a painted store for a catalog's sequences and layers: created once, and held against what is there."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from paintpipe.pipeline.changes import explain_change
from paintpipe.pipeline.store import POINTS_TARGET, UNKNOWN_TIME_US, LayerTable, SequenceTable, layer_target
from paintpipe.schemas.errors import ChangedInputError, StoreError
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.stores import OpenStore


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
    there = name in opened.store.sequences()
    if not (there and _fits(opened, table)) and not _begun(opened, name):
        opened.store.drop_sequence(name)  # what a creation that was cut short has left
    elif there and not _fits(opened, table):
        if not overwrite:
            what = "was painted from another catalog: its frames differ from those ingested since"
            todo = "ingest as before, use another workspace, or --overwrite to drop it with all its layers"
            raise ChangedInputError(what, where=f"sequence {name}", todo=todo)
        for target in opened.ledger.targets():
            opened.ledger.forget_sequence(target, name)
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
        begin_layer(opened, sequence, table)


def begin_layer(opened: OpenStore, sequence: str, table: LayerTable) -> None:
    """Create a layer in one sequence, once `create_layer` has held it against all that is there."""
    if table.layer not in opened.store.layers(sequence) and not _begun(opened, sequence, layer_target(table.layer)):
        opened.store.drop(sequence, layer_target(table.layer))  # what a creation that was cut short has left
    opened.store.create_layer(sequence, table)


def _settle(opened: OpenStore, sequence: str, table: LayerTable, overwrite: bool) -> None:
    target = layer_target(table.layer)
    try:
        there = opened.store.layer_table(sequence, table.layer)
        changes = explain_change(_description(there), _description(table))
    except StoreError:
        if _begun(opened, sequence, target):
            raise
        changes = "unfinished"  # a run was killed while it created the layer
    if not changes:
        return
    if not overwrite and _begun(opened, sequence, target):
        what = f"was made with other settings: {changes}"
        todo = "use another --layer, or --overwrite to drop it and paint it again"
        raise ChangedInputError(what, where=f"layer {table.layer} of {sequence}", todo=todo)
    opened.ledger.forget_sequence(target, sequence)
    opened.store.drop(sequence, target)


def _begun(opened: OpenStore, sequence: str, *targets: str) -> bool:
    """Whether any shard of a sequence is marked, in these targets or, where none is named, in any."""
    ledger = opened.ledger.root
    every = (POINTS_TARGET, *map(layer_target, ledger.names("layers").folders))
    return any(ledger.names(f"{target}/{sequence}").files for target in targets or every)


def _fits(opened: OpenStore, table: SequenceTable) -> bool:
    """Whether the store's tables of a sequence list these frames; False also where a part of them is absent."""
    try:
        return same_frames(opened.store.sequence_table(table.sequence), table)
    except StoreError:
        if _begun(opened, table.sequence):
            raise
        return False


def _description(table: LayerTable) -> Mapping[str, Any]:
    attributes = {key: value for key, value in table.attributes.items() if key != "versions"}
    coords = {name: list(values) for name, values in table.coords.items()}
    return {**attributes, **coords, "arrays": [spec.name for spec in table.specs]}
