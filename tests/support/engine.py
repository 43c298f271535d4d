"""Small stores, shards and frames for the engine's tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline.parquet_store import ParquetStore
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import UNKNOWN_TIME_US, LayerTable, SequenceTable, Store, layer_table
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.painted import LAYER_MIN, ArraySpec

STORES: dict[str, Any] = {"zarr": ZarrStore, "parquet": ParquetStore}
CLASSES = ("road", "car", "person")


def make_store(kind: str, folder: Path, frames_per_shard: int = 2) -> Store:
    store: Store = STORES[kind](folder / f"painted.{kind}", frames_per_shard)
    return store


def make_sequence(sequence: str = "00", num_points: tuple[int, ...] = (5, 0, 3), **overrides: Any) -> SequenceTable:
    frames = len(num_points)
    fields: dict[str, Any] = {
        "frame_ids": tuple(f"{frame:06d}" for frame in range(frames)),
        "num_points": np.array(num_points, dtype=np.int64),
        "timestamps_us": np.array([1_000_000 + frame for frame in range(frames - 1)] + [UNKNOWN_TIME_US], np.int64),
        "global_SE3_lidar": np.full((frames, 4, 4), np.nan),
        "features": ("x", "y", "z", "intensity"),
    }
    return SequenceTable(sequence, **{**fields, **overrides})


def make_layer(layer: str = "net", specs: tuple[ArraySpec, ...] = LAYER_MIN, **attributes: Any) -> LayerTable:
    return layer_table(layer, specs, CLASSES, ("image_2", "image_3"), {"kind": "scores", **attributes})


def make_frame(
    specs: tuple[ArraySpec, ...], num_points: int, channels: Mapping[str, int], seed: int = 0
) -> dict[str, AnyArray]:
    """Seeded bytes of every dtype, NaN among the floats."""
    rng = np.random.default_rng([seed, num_points])
    arrays: dict[str, AnyArray] = {}
    for spec in specs:
        shape = (num_points, *(channels[dimension] for dimension in spec.dims[2:]))
        if np.dtype(spec.dtype).kind == "f":
            values = rng.random(shape)
            values[rng.random(shape) < 0.1] = np.nan
            arrays[spec.name] = values.astype(spec.dtype)
        else:
            arrays[spec.name] = rng.integers(0, 100, shape).astype(spec.dtype)
    return arrays


def layer_frames(table: LayerTable, sequence: SequenceTable, shard: Shard, seed: int = 0) -> list[dict[str, AnyArray]]:
    channels = {dimension: len(names) for dimension, names in table.coords.items()}
    return [
        make_frame(table.specs, int(sequence.num_points[frame]), channels, seed + frame)
        for frame in range(shard.start, shard.stop)
    ]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
