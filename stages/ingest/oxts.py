"""KITTI raw's GPS/IMU packets as poses.

A packet is one line of numbers that begin with latitude, longitude (degrees), altitude (m), roll, pitch, yaw (rad); the
KITTI raw development kit's readme.txt names them all. Positions are projected by a Mercator projection whose scale is
taken at the drive's first latitude, as the development kit does (Geiger et al., Vision meets Robotics: The KITTI
Dataset, IJRR 2013, section 3), and are given relative to the drive's first packet.
"""

from dataclasses import dataclass
from math import cos, log, pi, radians, sin, tan

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import invert_se3, se3
from paintpipe.stages.ingest.kitti_text import MAX_NUMBER

EARTH_RADIUS_M = 6378137.0
_FIELDS = 6


@dataclass(frozen=True)
class Packet:
    """Where the IMU was, and how it stood: x forward, y left, z up against east, north, up."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    roll_rad: float
    pitch_rad: float
    yaw_rad: float


def parse_packet(text: str, where: str) -> Packet:
    """The first six numbers of a packet; raises InputFileError."""
    expected = "latitude, longitude, altitude, roll, pitch, yaw and more, all on one line"
    try:
        numbers = [float(word) for word in text.split(None, _FIELDS)[:_FIELDS]]
    except ValueError as error:
        raise InputFileError(str(error), where=where, expected=expected) from None
    if (
        len(numbers) < _FIELDS
        or not np.isfinite(numbers).all()
        or max(map(abs, numbers)) > MAX_NUMBER
        or abs(numbers[0]) >= 90
    ):
        raise InputFileError("not a GPS/IMU packet", where=where, expected=expected)
    return Packet(*numbers)


@dataclass(frozen=True)
class OxtsFrame:
    """The drive's own global frame: the IMU at the first packet."""

    scale: float
    first_SE3_earth: Float64

    @classmethod
    def from_first(cls, packet: Packet) -> "OxtsFrame":
        """The frame that a drive's first packet sets."""
        scale = cos(radians(packet.latitude_deg))
        return cls(scale, invert_se3(_earth_SE3_imu(packet, scale)))

    def global_SE3_imu(self, packet: Packet) -> Float64:
        """(4, 4) pose of a packet of the same drive."""
        pose: Float64 = self.first_SE3_earth @ _earth_SE3_imu(packet, self.scale)
        return pose


def _earth_SE3_imu(packet: Packet, scale: float) -> Float64:
    """(4, 4) pose on the Mercator map: x east, y north, z up, in metres."""
    east_m = scale * EARTH_RADIUS_M * radians(packet.longitude_deg)
    north_m = scale * EARTH_RADIUS_M * log(tan((90.0 + packet.latitude_deg) * pi / 360.0))
    rotation = _rotation_z(packet.yaw_rad) @ _rotation_y(packet.pitch_rad) @ _rotation_x(packet.roll_rad)
    return se3(rotation, (east_m, north_m, packet.altitude_m))


def _rotation_x(angle_rad: float) -> Float64:
    c, s = cos(angle_rad), sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _rotation_y(angle_rad: float) -> Float64:
    c, s = cos(angle_rad), sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _rotation_z(angle_rad: float) -> Float64:
    c, s = cos(angle_rad), sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
