"""The JSON beside a Parquet store: per-frame tables and what each layer holds."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from paintpipe.pipeline.seal import seal
from paintpipe.pipeline.store import STORE_FORMAT, LayerTable, SequenceTable
from paintpipe.schemas.painted import POINTS, ArraySpec


def encode_sequence(table: SequenceTable, frames_per_shard: int) -> bytes:
    """A sequence's tables; an unknown pose is null."""
    return _dump(
        {
            "store_format": STORE_FORMAT,
            "frames_per_shard": frames_per_shard,
            "sequence": table.sequence,
            "frame_id": list(table.frame_ids),
            "num_points": table.num_points.tolist(),
            "timestamp_us": table.timestamps_us.tolist(),
            "global_SE3_lidar": [_or_null(value) for value in table.global_SE3_lidar.reshape(-1).tolist()],
            "feature": list(table.features),
        }
    )


def decode_sequence(content: bytes) -> SequenceTable:
    """What `encode_sequence` wrote; raises ValueError, KeyError, TypeError for anything else."""
    values = json.loads(content)
    poses = np.array([_or_nan(value) for value in values["global_SE3_lidar"]], dtype=np.float64)
    return SequenceTable(
        values["sequence"],
        tuple(values["frame_id"]),
        np.array(values["num_points"], dtype=np.int64),
        np.array(values["timestamp_us"], dtype=np.int64),
        poses.reshape(-1, 4, 4),
        tuple(values["feature"]),
    )


def encode_points(table: SequenceTable) -> bytes:
    """That a sequence's points are kept, and how."""
    return _dump({"arrays": [_spec_to_dict(spec) for spec in POINTS], "feature": list(table.features)})


def encode_layer(table: LayerTable) -> bytes:
    """What a layer holds."""
    return _dump(
        {
            "layer": table.layer,
            "arrays": [_spec_to_dict(spec) for spec in table.specs],
            "coords": [[dimension, list(names)] for dimension, names in table.coords.items()],
            "attributes": dict(table.attributes),
        }
    )


def decode_layer(content: bytes) -> LayerTable:
    """What `encode_layer` wrote; raises ValueError, KeyError, TypeError for anything else."""
    values = json.loads(content)
    coords = {dimension: tuple(names) for dimension, names in values["coords"]}
    return LayerTable(values["layer"], tuple(map(_spec_from_dict, values["arrays"])), coords, values["attributes"])


def _spec_to_dict(spec: ArraySpec) -> dict[str, Any]:
    return {**asdict(spec), "fill": _or_null(spec.fill)}


def _spec_from_dict(values: dict[str, Any]) -> ArraySpec:
    attributes = tuple((key, value) for key, value in values["attributes"])
    return ArraySpec(values["name"], tuple(values["dims"]), values["dtype"], _or_nan(values["fill"]), attributes)


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _dump(value: dict[str, Any]) -> bytes:
    return seal(json.dumps(value, sort_keys=True, allow_nan=False).encode())
