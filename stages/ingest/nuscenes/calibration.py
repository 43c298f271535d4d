"""Where each sensor sits on the car, and what the cameras' intrinsics are."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import CalibrationError
from paintpipe.schemas.geometry import determinant, se3_from_quaternion
from paintpipe.stages.ingest.nuscenes.records import CalibratedSensor, Sensor
from paintpipe.stages.ingest.nuscenes.tables import Tables

LIDAR = "LIDAR_TOP"
CAMERAS = ("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT", "CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT")
_MIN_DETERMINANT = 1e-6


@dataclass(frozen=True)
class Calibration:
    """One sensor of one scene.

    Attributes:
        token: of the calibrated_sensor record.
        channel: the sensor's name.
        rotation_wxyz: (4,) as published.
        ego_SE3_sensor: (4, 4).
        K: (3, 3) intrinsics, or a 3x3 identity for a sensor that is no camera.
        problem: why the sensor's files can't be used, "" where they can.
    """

    token: str
    channel: str
    rotation_wxyz: Float64
    ego_SE3_sensor: Float64
    K: Float64
    problem: str = ""


def read_calibrations(tables: Tables) -> dict[str, Calibration]:
    """Every calibrated sensor by token; one whose sensor is absent is rejected."""
    channels = {sensor.token: sensor.channel for sensor in tables.read("sensor", Sensor)}
    calibrations = {}
    for record in tables.read("calibrated_sensor", CalibratedSensor):
        channel = channels.get(record.sensor_token)
        if channel is None:
            tables.reject_dangling("calibrated_sensor", record.token, "sensor", record.sensor_token)
        else:
            calibrations[record.token] = _calibration(record, channel)
    return calibrations


def _calibration(record: CalibratedSensor, channel: str) -> Calibration:
    rotation_wxyz = np.array(record.rotation)
    try:
        ego_SE3_sensor = se3_from_quaternion(record.rotation, record.translation)
        K = _intrinsics(record) if channel in CAMERAS else np.eye(3)
    except CalibrationError as error:
        problem = f"calibrated_sensor {record.token}: {error}"
        return Calibration(record.token, channel, rotation_wxyz, np.eye(4), np.eye(3), problem)
    return Calibration(record.token, channel, rotation_wxyz, ego_SE3_sensor, K)


def _intrinsics(record: CalibratedSensor) -> Float64:
    """(3, 3) K.

    Raises:
        CalibrationError: K has another shape, is not finite, or is singular.
    """
    rows = record.camera_intrinsic
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise CalibrationError("camera_intrinsic is no 3x3 matrix", expected="fx 0 cx, 0 fy cy, 0 0 1")
    K = np.array(rows, dtype=np.float64)
    if not np.isfinite(K).all() or not _MIN_DETERMINANT <= abs(determinant(K)) < np.inf:
        raise CalibrationError(f"singular camera_intrinsic {rows}", expected="fx 0 cx, 0 fy cy, 0 0 1")
    return K
