"""sample_data and ego_pose: which files the LiDAR and the six cameras wrote, when, and where the car was then.

Of the millions of records of each table, only the files that become rows (keyframes, and the frames between them where
they are asked for) and the LiDAR's chain of sweeps are kept, as columns.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.ingest.nuscenes.calibration import CAMERAS, LIDAR, Calibration
from paintpipe.stages.ingest.nuscenes.columns import TEXT, Columns, as_list
from paintpipe.stages.ingest.nuscenes.records import EgoPose, SampleData
from paintpipe.stages.ingest.nuscenes.samples import NOT_SELECTED, Samples
from paintpipe.stages.ingest.nuscenes.tables import Tables

UNUSED = -1
"""The pose of a file that is kept for its place in the LiDAR's chain only."""
_KINDS: dict[str, str | tuple[str, int]] = {
    "token": TEXT,
    "prev": TEXT,
    "sample": "i4",
    "timestamp_us": "i8",
    "is_keyframe": "?",
    "path": TEXT,
    "size_px": ("i4", 2),
    "calibration_token": TEXT,
    "pose_token": TEXT,
    "pose": "i4",
}


class SensorFile(NamedTuple):
    """One sample_data record.

    Attributes:
        sample: its sample's place in `Samples`.
        size_px: [width, height] as the table says, 0 where it does not.
        pose: its row in `SensorFiles.pose_rotation_wxyz`, or UNUSED.
    """

    token: str
    prev: str
    sample: int
    timestamp_us: int
    is_keyframe: bool
    path: str
    size_px: list[int]
    calibration_token: str
    pose_token: str
    pose: int


@dataclass(frozen=True)
class SensorFiles:
    """The files of the selected scenes, sorted by scene and time.

    Attributes:
        columns: the fields of SensorFile.
        scene: (F,) index of each file's scene.
        pose_translation_m: (P, 3) of the ego poses that are used, NaN where ego_pose lacks one.
        pose_rotation_wxyz: (P, 4) likewise.
    """

    columns: dict[str, Any]
    scene: Int64
    pose_translation_m: Float64
    pose_rotation_wxyz: Float64

    def of_scene(self, index: int) -> list[SensorFile]:
        """The files of one scene, by time."""
        low, high = (int(place) for place in np.searchsorted(self.scene, [index, index + 1]))
        values = (as_list(self.columns[name], low, high) for name in SensorFile._fields)
        return list(map(SensorFile, *values))


def read_sensor_files(
    tables: Tables, samples: Samples, calibrations: dict[str, Calibration], sweeps: bool
) -> SensorFiles:
    """Read both tables; records that name others which are not there are rejected."""
    chosen = _Chooser(tables, samples.number, calibrations, sweeps)
    columns = Columns(_KINDS)
    pose_of: dict[str, int] = {}
    for piece in tables.stream("sample_data", SampleData):
        columns.extend(_rows([record for record in piece if chosen.keeps(record)], samples.number, pose_of, sweeps))
    translation_m, rotation_wxyz = _read_poses(tables, pose_of)
    scene = samples.scene[columns.peek("sample")]
    order = np.lexsort((columns.peek("timestamp_us"), scene))
    return SensorFiles(columns.finish(order), scene[order], translation_m, rotation_wxyz)


@dataclass(frozen=True)
class _Chooser:
    tables: Tables
    sample_number: dict[str, int]
    calibrations: dict[str, Calibration]
    sweeps: bool

    def keeps(self, record: SampleData) -> bool:
        needed = record.is_key_frame or self.sweeps
        calibration = self.calibrations.get(record.calibrated_sensor_token)
        if calibration is None:
            if needed:
                other = record.calibrated_sensor_token
                self.tables.reject_dangling("sample_data", record.token, "calibrated_sensor", other)
            return False
        if calibration.channel != LIDAR and not (needed and calibration.channel in CAMERAS):
            return False
        number = self.sample_number.get(record.sample_token)
        if number is None:
            self.tables.reject_dangling("sample_data", record.token, "sample", record.sample_token)
        return number is not None and number != NOT_SELECTED


def _rows(
    records: list[SampleData], sample_number: dict[str, int], pose_of: dict[str, int], sweeps: bool
) -> dict[str, list[Any]]:
    return {
        "token": [record.token for record in records],
        "prev": [record.prev for record in records],
        "sample": [sample_number[record.sample_token] for record in records],
        "timestamp_us": [record.timestamp for record in records],
        "is_keyframe": [record.is_key_frame for record in records],
        "path": [record.filename if record.is_key_frame or sweeps else "" for record in records],
        "size_px": [(record.width, record.height) for record in records],
        "calibration_token": [record.calibrated_sensor_token for record in records],
        "pose_token": [record.ego_pose_token for record in records],
        "pose": [
            pose_of.setdefault(record.ego_pose_token, len(pose_of)) if record.is_key_frame or sweeps else UNUSED
            for record in records
        ],
    }


def _read_poses(tables: Tables, pose_of: dict[str, int]) -> tuple[Float64, Float64]:
    """(P, 3) translations and (P, 4) rotations by the places in `pose_of`, NaN for what ego_pose lacks."""
    translation_m = np.full((len(pose_of), 3), np.nan)
    rotation_wxyz = np.full((len(pose_of), 4), np.nan)
    for piece in tables.stream("ego_pose", EgoPose):
        used = [(place, record) for record in piece if (place := pose_of.get(record.token)) is not None]
        if used:
            places = [place for place, _ in used]
            translation_m[places] = [record.translation for _, record in used]
            rotation_wxyz[places] = [record.rotation for _, record in used]
    return translation_m, rotation_wxyz
