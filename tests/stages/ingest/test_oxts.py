from math import cos, log, pi, radians, tan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest import oxts_line

from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest.oxts import EARTH_RADIUS_M, OxtsFrame, Packet, parse_packet

FIRST = Packet(49.0, 8.4, 112.0, 0.0, 0.0, 0.0)


def test_the_first_packet_is_the_origin() -> None:
    turned = Packet(49.0, 8.4, 112.0, 0.02, -0.01, 1.3)
    np.testing.assert_allclose(OxtsFrame.from_first(turned).global_SE3_imu(turned), np.eye(4), atol=1e-8)


def test_metres_east_and_north() -> None:
    """A small step on the Mercator map, scaled at the first latitude, is about R · dlat and R · cos(lat) · dlon."""
    frame = OxtsFrame.from_first(FIRST)
    step_deg = 1e-4
    east = frame.global_SE3_imu(Packet(49.0, 8.4 + step_deg, 112.0, 0.0, 0.0, 0.0))[:3, 3]
    north = frame.global_SE3_imu(Packet(49.0 + step_deg, 8.4, 113.5, 0.0, 0.0, 0.0))[:3, 3]
    np.testing.assert_allclose(east, [EARTH_RADIUS_M * cos(radians(49)) * radians(step_deg), 0, 0], atol=1e-6)
    np.testing.assert_allclose(north, [0, EARTH_RADIUS_M * radians(step_deg), 1.5], rtol=1e-4)


def test_heading_turns_the_global_frame() -> None:
    """Who heads north sees a step north ahead; the global frame is the first IMU's, as in the development kit."""
    frame = OxtsFrame.from_first(Packet(49.0, 8.4, 112.0, 0.0, 0.0, pi / 2))
    pose = frame.global_SE3_imu(Packet(49.0 + 1e-4, 8.4, 112.0, 0.0, 0.0, pi))
    ahead_m = cos(radians(49)) * EARTH_RADIUS_M * (log(tan(139.0001 * pi / 360)) - log(tan(139 * pi / 360)))
    np.testing.assert_allclose(pose[:3, 3], [ahead_m, 0, 0], atol=1e-6)
    np.testing.assert_allclose(pose[:3, :3], [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


@given(st.floats(-pi, pi), st.floats(-1.5, 1.5), st.floats(-pi, pi))
def test_roll_pitch_yaw(roll: float, pitch: float, yaw: float) -> None:
    """The IMU's x axis points along yaw and pitch (nose up is negative), and roll turns about it."""
    rotation = OxtsFrame.from_first(FIRST).global_SE3_imu(Packet(49.0, 8.4, 112.0, roll, pitch, yaw))[:3, :3]
    forward = [np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), -np.sin(pitch)]
    np.testing.assert_allclose(rotation[:, 0], forward, atol=1e-9)
    np.testing.assert_allclose(rotation[2, 1:], [np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll)], atol=1e-9)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_parsing() -> None:
    assert parse_packet(oxts_line(49.0, 8.4, 112.0, 0.1, 0.2, 0.3), "a.txt") == Packet(49.0, 8.4, 112.0, 0.1, 0.2, 0.3)
    for text in ("", "1 2 3", "a b c d e f", "49 8 112 0 0 nan", "90 8 112 0 0 0"):
        with pytest.raises(InputFileError, match=r"^a\.txt: .* expected latitude"):
            parse_packet(text, "a.txt")
