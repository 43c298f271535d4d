"""The matrices of a scene: where the car was for each file, and how LiDAR points reach an image."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.ingest.nuscenes.calibration import Calibration
from paintpipe.stages.ingest.nuscenes.ego_poses import PoseTable
from paintpipe.stages.ingest.nuscenes.poses import invert_rigid, se3_batch, usable_quaternions
from paintpipe.stages.ingest.nuscenes.sensor_files import SensorFile
from paintpipe.stages.ingest.nuscenes.tables import dangling


@dataclass(frozen=True)
class EgoPoses:
    """The ego poses of one scene's files.

    Attributes:
        row: ego_pose token → its row below.
        global_SE3_ego: (P, 4, 4).
        rotation_wxyz: (P, 4) as published.
        problem: ego_pose token → why it can't be used, for those that can't.
    """

    row: dict[str, int]
    global_SE3_ego: Float64
    rotation_wxyz: Float64
    problem: dict[str, str]

    def of(self, file: SensorFile) -> Float64:
        """(4, 4) global_SE3_ego at the time of a file."""
        pose: Float64 = self.global_SE3_ego[self.row[file.pose_token]]
        return pose


def ego_poses(table: PoseTable, scene_files: list[SensorFile]) -> EgoPoses:
    """The poses that a scene's files name."""
    place = {file.pose_token: file.pose for file in scene_files}
    rows = np.array(list(place.values()), dtype=np.int64)
    rotation_wxyz, translation_m = table.rotation_wxyz[rows], table.translation_m[rows]
    tokens = list(place)
    usable = usable_quaternions(rotation_wxyz) & np.isfinite(translation_m).all(axis=1)
    problem = {}
    for number in np.flatnonzero(~usable):
        absent = bool(np.isnan(rotation_wxyz[number]).all())
        values = f"ego_pose {tokens[number]}: rotation {rotation_wxyz[number].tolist()} is no quaternion"
        problem[tokens[number]] = dangling("ego_pose", tokens[number]) if absent else values
    row = dict(zip(tokens, range(len(tokens)), strict=True))
    return EgoPoses(row, se3_batch(rotation_wxyz, translation_m), rotation_wxyz, problem)


def camera_SE3_lidar(
    lidar: list[SensorFile], image: list[SensorFile], poses: EgoPoses, calibrations: dict[str, Calibration]
) -> Float64:
    """(N, 4, 4) for N pairs of a sweep and an image: camera ← ego(t_c) ← global ← ego(t_l) ← lidar."""
    global_SE3_camera = _global_SE3_sensor(image, poses, calibrations)
    moved: Float64 = invert_rigid(global_SE3_camera) @ _global_SE3_sensor(lidar, poses, calibrations)
    return moved


def _global_SE3_sensor(files: list[SensorFile], poses: EgoPoses, calibrations: dict[str, Calibration]) -> Float64:
    global_SE3_ego = poses.global_SE3_ego[[poses.row[file.pose_token] for file in files]]
    ego_SE3_sensor = [calibrations[file.calibration_token].ego_SE3_sensor for file in files]
    product: Float64 = global_SE3_ego @ np.array(ego_SE3_sensor).reshape(-1, 4, 4)
    return product
