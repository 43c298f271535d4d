"""The tables of a synthetic dataset in nuScenes' layout, filled record by record."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.synth.files import write_bytes
from paintpipe.stages.synth.nuscenes_names import ATTRIBUTES, LIDARSEG_CATEGORIES, VISIBILITY, token
from paintpipe.stages.synth.rigs import Rig

VERSION = "v1.0-mini"
MAP_PATH = "maps/synthetic.png"

Record = dict[str, Any]

_NAMES = (
    "attribute",
    "calibrated_sensor",
    "category",
    "ego_pose",
    "instance",
    "log",
    "map",
    "sample",
    "sample_annotation",
    "sample_data",
    "scene",
    "sensor",
    "visibility",
    "lidarseg",
)


@dataclass
class Tables:
    """Records by table, and the writing of them."""

    records: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in _NAMES})

    def add(self, table: str, record_token: str, **values: Any) -> Record:
        """One record more; returns it, so that `next` can be set later."""
        record = {"token": record_token, **values}
        self.records[table].append(record)
        return record

    def chain(self, table: str, record: Record, previous: Record | None) -> None:
        """Tie a record to the one before it: `prev` here and `next` there."""
        record["prev"], record["next"] = previous["token"] if previous else "", ""
        if previous is not None:
            previous["next"] = record["token"]

    def write(self, root: Path) -> None:
        """All tables as JSON, one record after the other."""
        for name, records in self.records.items():
            write_bytes(root / VERSION / f"{name}.json", (json.dumps(records, indent=0) + "\n").encode())


def fixed_tables() -> Tables:
    """Tables with what every scene shares: categories, attributes, visibility, the map."""
    tables = Tables()
    for index, name in enumerate(LIDARSEG_CATEGORIES):
        tables.add("category", token("category", name), name=name, description=name, index=index)
    for name in ATTRIBUTES:
        tables.add("attribute", token("attribute", name), name=name, description=name)
    for visibility_token, level, _ in VISIBILITY:
        text = f"visibility of whole object is {level.removeprefix('v')}%"
        tables.add("visibility", visibility_token, level=level, description=text)
    tables.add("map", token("map"), log_tokens=[], category="semantic_prior", filename=MAP_PATH)
    return tables


def add_sensors(tables: Tables, scene: str, rig: Rig) -> None:
    """A scene's calibrated sensors, and the sensors themselves where they are not there yet."""
    channels: dict[str, tuple[str, Float64, list[list[float]]]] = {"LIDAR_TOP": ("lidar", rig.ego_SE3_lidar, [])}
    for camera, mount in rig.mounts.items():
        channels[camera] = ("camera", mount.ego_SE3_camera, mount.pinhole.K.tolist())
    present = {record["channel"] for record in tables.records["sensor"]}
    for channel, (modality, ego_SE3_sensor, intrinsic) in channels.items():
        if channel not in present:
            tables.add("sensor", token("sensor", channel), channel=channel, modality=modality)
        tables.add(
            "calibrated_sensor",
            token("calibrated_sensor", scene, channel),
            sensor_token=token("sensor", channel),
            **pose_values(ego_SE3_sensor),
            camera_intrinsic=intrinsic,
        )


def pose_values(dst_SE3_src: Float64) -> Record:
    """`translation` and `rotation` (w, x, y, z) of a (4, 4) transform."""
    return {
        "translation": [float(value) for value in dst_SE3_src[:3, 3]],
        "rotation": quaternion_wxyz(dst_SE3_src[:3, :3]),
    }


def quaternion_wxyz(rotation: Float64) -> list[float]:
    """The unit quaternion of a (3, 3) rotation: the eigenvector of Bar-Itzhack's matrix (2000), w ≥ 0."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    symmetric = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    x, y, z, w = np.linalg.eigh(symmetric)[1][:, -1]
    sign = -1.0 if w < 0 else 1.0
    return [float(sign * value) for value in (w, x, y, z)]
