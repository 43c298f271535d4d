"""A small dataset in nuScenes' layout: tables as dicts that a test may spoil before they are written.

The car drives along a curve at 10 m/s, the LiDAR turns at 20 Hz and each camera takes an image every 1/12 s. Two scenes
of three keyframes; one box that moves at (1, 2, 0) m/s, and one that is seen once.
"""

import json
import math
from pathlib import Path
from typing import Any

from support.ingest import jpeg_bytes, points_bytes, write

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.stages.ingest.nuscenes.reader import NuScenesReader, open_nuscenes
from paintpipe.stages.ingest.reader import IngestOptions

VERSION = "v1.0-mini"
SCENES = ("scene-0061", "scene-0103")
KEYFRAME_US = 500_000
LIDAR_US = 50_000
CAMERA_US = 83_333
CAMERA_DT_US = {"CAM_FRONT": 20_000, "CAM_BACK": -30_000}
"""Image time minus sweep time at each keyframe."""
WIDTH_PX, HEIGHT_PX = 64, 48
K = [[50.0, 0.0, 32.0], [0.0, 50.0, 24.0], [0.0, 0.0, 1.0]]
_CAMERA_ROTATION = {"CAM_FRONT": [0.5, -0.5, 0.5, -0.5], "CAM_BACK": [0.5, -0.5, -0.5, 0.5]}

Record = dict[str, Any]
Tables = dict[str, list[Record]]


def make_tables(samples: int = 3) -> Tables:
    """The tables of the two scenes."""
    channels = ["LIDAR_TOP", *CAMERA_DT_US, "RADAR_FRONT"]
    tables: Tables = {name: [] for name in ("scene", "sample", "sample_data", "ego_pose", "calibrated_sensor")}
    tables["sensor"] = [{"token": f"sensor-{name}", "channel": name, "modality": "?"} for name in channels]
    tables["category"] = [{"token": "cat-car", "name": "vehicle.car"}, {"token": "cat-man", "name": "human.adult"}]
    tables["attribute"] = [{"token": "att-moving", "name": "vehicle.moving"}, {"token": "att-tall", "name": "tall"}]
    tables["visibility"] = [{"token": "4", "level": "v80-100"}]
    tables["log"] = [{"token": "log", "logfile": "", "vehicle": "", "date_captured": "", "location": ""}]
    tables["map"] = [{"token": "map", "log_tokens": ["log"], "category": "", "filename": "maps/blank.png"}]
    tables |= {"sample_annotation": [], "instance": []}
    for number, name in enumerate(SCENES):
        _add_scene(tables, name, 1_000_000_000 * (number + 1), samples)
    return tables


def _add_scene(tables: Tables, name: str, start_us: int, samples: int) -> None:
    tables["scene"].append({"token": name, "name": name, "log_token": "log", "description": 'a "}, {" in a string'})
    for number in range(samples):
        tables["sample"].append(
            {
                "token": f"{name}-s{number}",
                "timestamp": start_us + number * KEYFRAME_US,
                "scene_token": name,
                "prev": f"{name}-s{number - 1}" if number else "",
                "next": f"{name}-s{number + 1}" if number < samples - 1 else "",
            }
        )
    for channel in ("LIDAR_TOP", *CAMERA_DT_US, "RADAR_FRONT"):
        tables["calibrated_sensor"].append(
            {
                "token": f"{name}-{channel}",
                "sensor_token": f"sensor-{channel}",
                "translation": [1.5, 0.1, 1.6],
                "rotation": _CAMERA_ROTATION.get(channel, [0.9, 0.01, -0.02, 0.43]),
                "camera_intrinsic": K if channel in CAMERA_DT_US else [],
            }
        )
        _add_files(tables, name, channel, start_us, samples)
    _add_boxes(tables, name, samples)


def _add_files(tables: Tables, scene: str, channel: str, start_us: int, samples: int) -> None:
    """Files from the first keyframe to the last; the one nearest to a sample's time is its keyframe."""
    period_us, dt_us = (CAMERA_US, CAMERA_DT_US[channel]) if channel in CAMERA_DT_US else (LIDAR_US, 0)
    times = [start_us + dt_us + round(step * period_us) for step in range((samples - 1) * KEYFRAME_US // period_us + 1)]
    for number, when in enumerate(times):
        nearest = min(range(samples), key=lambda sample: abs(start_us + sample * KEYFRAME_US + dt_us - when))
        is_keyframe = abs(start_us + nearest * KEYFRAME_US + dt_us - when) < period_us / 2
        token = f"{scene}-{channel}-{number}"
        ending = "jpg" if channel in CAMERA_DT_US else "pcd.bin"
        tables["ego_pose"].append({"token": f"pose-{token}", "timestamp": when, **ego_pose((when - start_us) / 1e6)})
        tables["sample_data"].append(
            {
                "token": token,
                "sample_token": f"{scene}-s{nearest}",
                "ego_pose_token": f"pose-{token}",
                "calibrated_sensor_token": f"{scene}-{channel}",
                "timestamp": when,
                "fileformat": ending,
                "is_key_frame": is_keyframe,
                "height": HEIGHT_PX if channel in CAMERA_DT_US else 0,
                "width": WIDTH_PX if channel in CAMERA_DT_US else 0,
                "filename": f"{'samples' if is_keyframe else 'sweeps'}/{channel}/{token}.{ending}",
                "prev": f"{scene}-{channel}-{number - 1}" if number else "",
                "next": f"{scene}-{channel}-{number + 1}" if number < len(times) - 1 else "",
            }
        )


def ego_pose(time_s: float) -> Record:
    """Where the car is: 10 m/s and 0.3 rad/s to the left, on a slope."""
    yaw = 0.4 + 0.3 * time_s
    return {
        "translation": [400.0 + 10 * time_s, 1200.0 + time_s, 0.1 * time_s],
        "rotation": [math.cos(yaw / 2), 0.02, -0.01, math.sin(yaw / 2)],
    }


def _add_boxes(tables: Tables, scene: str, samples: int) -> None:
    for name, category in (("car", "cat-car"), ("man", "cat-man")):
        tables["instance"].append({"token": f"{scene}-{name}", "category_token": category, "nbr_annotations": 1})
    for number in range(samples):
        last = number == samples - 1
        tables["sample_annotation"].append(
            make_annotation(
                token=f"{scene}-car-{number}",
                sample_token=f"{scene}-s{number}",
                instance_token=f"{scene}-car",
                attribute_tokens=["att-moving"],
                translation=[420.0 + 0.5 * number, 1210.0 + number, 1.0],
                prev=f"{scene}-car-{number - 1}" if number else "",
                next="" if last else f"{scene}-car-{number + 1}",
            )
        )
    man = {"token": f"{scene}-man-0", "sample_token": f"{scene}-s0", "instance_token": f"{scene}-man"}
    tables["sample_annotation"].append(make_annotation(**man, attribute_tokens=["att-moving", "att-tall"]))


def make_annotation(**changed: Any) -> Record:
    """A box record; whatever is not named has a usual value."""
    return {
        "visibility_token": "4",
        "attribute_tokens": [],
        "translation": [410.0, 1190.0, 0.5],
        "size": [1.9, 4.5, 1.6],
        "rotation": [0.96, 0.01, -0.02, 0.28],
        "prev": "",
        "next": "",
        "num_lidar_pts": 7,
        "num_radar_pts": 0,
    } | changed


def find(tables: Tables, table: str, token: str) -> Record:
    """One record, to be changed in place."""
    return next(record for record in tables[table] if record["token"] == token)


def write_tables(root: Path, tables: Tables, version: str = VERSION) -> None:
    """Each table as JSON, one key a line, as the published ones are."""
    for name, records in tables.items():
        write(root / version / f"{name}.json", json.dumps(records, indent=0))


def write_files(root: Path, tables: Tables, num_points: int = 30) -> None:
    """A file for each sample_data record, below the root."""
    image, points = jpeg_bytes(WIDTH_PX, HEIGHT_PX), points_bytes(num_points, 5)
    for record in tables["sample_data"]:
        write(root / record["filename"], image if record["filename"].endswith("jpg") else points)
    write(root / "maps" / "blank.png", b"")


def write_dataset(root: Path, tables: Tables | None = None) -> Tables:
    """Tables and files of a whole dataset."""
    made = make_tables() if tables is None else tables
    write_files(root, made)
    write_tables(root, made)
    return made


def open_small(root: Path, **options: Any) -> NuScenesReader:
    """The reader of what was written."""
    return open_nuscenes(LocalRoot(root), IngestOptions(**options))


def reasons(rejected: list[RejectedRow]) -> str:
    """All rejected rows as text, for a test to look in."""
    return "\n".join(f"{row.path}: {row.reason}" for row in rejected)
