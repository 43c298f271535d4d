"""sample_data and ego_pose: which files the LiDAR and the six cameras wrote, when, and where the car was then.

Of the millions of records of each table, only the files that become rows (keyframes, and the frames between them where
they are asked for) and the links of the LiDAR's chain of sweeps are kept, as columns.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.stages.ingest.nuscenes.calibration import CAMERAS, LIDAR, Calibration
from paintpipe.stages.ingest.nuscenes.columns import TEXT, Columns, as_list
from paintpipe.stages.ingest.nuscenes.ego_poses import PoseTable, read_poses
from paintpipe.stages.ingest.nuscenes.records import SampleData
from paintpipe.stages.ingest.nuscenes.samples import NOT_SELECTED, Samples
from paintpipe.stages.ingest.nuscenes.tables import Tables

_FILE: dict[str, str | tuple[str, int]] = {
    "token": TEXT,
    "sample": "i4",
    "timestamp_us": "i8",
    "is_keyframe": "?",
    "path": TEXT,
    "size_px": ("i4", 2),
    "calibration_token": TEXT,
    "pose_token": TEXT,
    "pose": "i4",
}
_LINK: dict[str, str | tuple[str, int]] = {"token": TEXT, "prev": TEXT, "sample": "i4"}


class SensorFile(NamedTuple):
    """One sample_data record.

    Attributes:
        sample: its sample's place in `Samples`.
        size_px: [width, height] as the table says, 0 where it does not.
        pose: its row in the table of poses.
    """

    token: str
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
    """The files of the selected scenes.

    Attributes:
        files: the fields of SensorFile, sorted by scene and time.
        file_scene: (F,) index of each file's scene.
        links: token and prev of every LIDAR_TOP file, sorted by scene.
        link_scene: (L,) index of each link's scene.
        poses: the ego poses that the files name.
    """

    files: dict[str, Any]
    file_scene: Int64
    links: dict[str, Any]
    link_scene: Int64
    poses: PoseTable

    def of_scene(self, index: int) -> list[SensorFile]:
        """The files of one scene, by time."""
        low, high = np.searchsorted(self.file_scene, [index, index + 1]).tolist()
        return list(map(SensorFile, *(as_list(self.files[name], low, high) for name in SensorFile._fields)))

    def links_of_scene(self, index: int) -> dict[str, str]:
        """Token of each LIDAR_TOP file of one scene → the token before it, "" at the start."""
        low, high = np.searchsorted(self.link_scene, [index, index + 1]).tolist()
        return dict(zip(as_list(self.links["token"], low, high), as_list(self.links["prev"], low, high), strict=True))


def read_sensor_files(
    tables: Tables, samples: Samples, calibrations: dict[str, Calibration], sweeps: bool
) -> SensorFiles:
    """Read both tables; records that repeat a token, or name others which are not there, are rejected."""
    chosen = _Chooser(tables, samples.number, calibrations, sweeps)
    lidars = {token for token, calibration in calibrations.items() if calibration.channel == LIDAR}
    files, links = Columns(_FILE), Columns(_LINK)
    pose_of: dict[str, int] = {}
    for piece in tables.stream("sample_data", SampleData):
        likely = [item for item in piece if item.is_key_frame or sweeps or item.calibrated_sensor_token in lidars]
        kept = [item for item in likely if chosen.keeps(item)]
        links.extend(_links([item for item in kept if item.calibrated_sensor_token in lidars], samples.number))
        files.extend(_files([item for item in kept if item.is_key_frame or sweeps], samples.number, pose_of))
    again = files.repeated(), links.repeated()
    tables.reject_repeated("sample_data", files.keys(again[0]) + links.keys(again[1]))
    file_scene, link_scene = samples.scene[files.peek("sample")], samples.scene[links.peek("sample")]
    by_time = np.lexsort((files.peek("timestamp_us"), file_scene))
    by_time = by_time[~again[0][by_time]]
    by_scene = np.argsort(link_scene, kind="stable")
    by_scene = by_scene[~again[1][by_scene]]
    return SensorFiles(
        files=files.finish(by_time),
        file_scene=file_scene[by_time],
        links=links.finish(by_scene),
        link_scene=link_scene[by_scene],
        poses=read_poses(tables, pose_of),
    )


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
            other = record.calibrated_sensor_token
            self.tables.reject_dangling("sample_data", record.token, "calibrated_sensor", other)
            return False
        if calibration.channel != LIDAR and not (needed and calibration.channel in CAMERAS):
            return False
        number = self.sample_number.get(record.sample_token)
        if number is None:
            self.tables.reject_dangling("sample_data", record.token, "sample", record.sample_token)
        return number is not None and number != NOT_SELECTED


def _links(records: list[SampleData], sample_number: dict[str, int]) -> dict[str, list[Any]]:
    return {
        "token": [record.token for record in records],
        "prev": [record.prev for record in records],
        "sample": [sample_number[record.sample_token] for record in records],
    }


def _files(records: list[SampleData], sample_number: dict[str, int], pose_of: dict[str, int]) -> dict[str, list[Any]]:
    """Columns of files; each ego pose that is named for the first time gets the next place in `pose_of`."""
    return {
        "token": [record.token for record in records],
        "sample": [sample_number[record.sample_token] for record in records],
        "timestamp_us": [record.timestamp for record in records],
        "is_keyframe": [record.is_key_frame for record in records],
        "path": [record.filename for record in records],
        "size_px": [(record.width, record.height) for record in records],
        "calibration_token": [record.calibrated_sensor_token for record in records],
        "pose_token": [record.ego_pose_token for record in records],
        "pose": [pose_of.setdefault(record.ego_pose_token, len(pose_of)) for record in records],
    }
