"""A solid's window must never cut off rays that meet it: held against tracing every ray with every solid."""

import numpy as np
import pytest

from paintpipe.schemas.geometry import se3
from paintpipe.stages.synth.pinhole import Pinhole
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.primitives import BALL, BLOCK, Primitive, stack, upright
from paintpipe.stages.synth.rigs import kitti_rig, nuscenes_rig
from paintpipe.stages.synth.settings import CAR, SynthSettings
from paintpipe.stages.synth.spinner import Spinner
from paintpipe.stages.synth.trace import trace

SETTINGS = SynthSettings(image_size_px=(48, 96), beams=16, azimuths=120)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("camera", ["CAM_FRONT", "CAM_BACK_LEFT", "CAM_BACK"])
def test_camera_windows_lose_no_hit(seed: int, camera: str) -> None:
    world, mount = build_world([seed], 4.0), nuscenes_rig(SETTINGS).mounts[camera]
    pose = world.ego_pose(3.0) @ mount.ego_SE3_camera
    assert_same(world.solids_at(3.0), mount.pinhole, pose, world.street, (48, 96))


@pytest.mark.parametrize("seed", [1, 2])
def test_lidar_windows_lose_no_hit(seed: int) -> None:
    world, rig = build_world([seed], 4.0), kitti_rig(SETTINGS)[0]
    pose = world.ego_pose(2.0) @ rig.ego_SE3_lidar
    assert_same(world.solids_at(2.0), rig.lidar, pose, world.street, (16, 120))


def assert_same(solids, sensor, pose, street, shape) -> None:
    rays = sensor.rays(pose)
    everywhere = np.tile([0, shape[0], 0, shape[1]], (len(solids.kind), 1))
    windows = sensor.windows(solids, pose)
    swift, whole = trace(rays, solids, windows, street), trace(rays, solids, everywhere, street)
    # a LiDAR need not look beyond its reach
    near = whole.distance_m < getattr(sensor, "reach_m", np.inf)
    assert near.mean() > 0.5
    assert np.array_equal(swift.distance_m[near], whole.distance_m[near])
    assert np.array_equal(swift.winner[near], whole.winner[near])
    assert (swift.distance_m[~near] >= whole.distance_m[~near]).all()
    area = (windows[:, 1] - windows[:, 0]) * (windows[:, 3] - windows[:, 2])
    assert area.sum() < 0.2 * everywhere.shape[0] * shape[0] * shape[1]


def test_camera_and_lidar_meet_one_surface_where_they_should() -> None:
    # a box 10 m ahead and a ball in front of it
    parts = [
        Primitive(BLOCK, CAR, (1, 1, 1), upright((12.0, 0.0, 2.0), (2.0, 3.0, 2.0))),
        Primitive(BALL, CAR, (1, 1, 1), upright((5.0, 0.0, 1.5), (0.5, 0.5, 0.5))),
    ]
    solids, street = stack(parts, [0, 1]), build_world([1], 1.0).street
    camera_pose = se3(np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]]), [0.0, 0.0, 1.5])
    camera = Pinhole(np.array([[50.0, 0, 50.5], [0, 50.0, 30.5], [0, 0, 1]]), 101, 61)
    seen = trace(camera.rays(camera_pose), solids, camera.windows(solids, camera_pose), street)
    assert seen.distance_m[30, 50] == pytest.approx(4.5)
    assert seen.winner[30, 50] == 1
    assert seen.winner[30, 40] == 0
    assert seen.distance_m[30, 40] == pytest.approx(10.0 * np.hypot(1, 0.2))
    lidar = Spinner(np.zeros(1), 360, 80.0)
    lidar_pose = se3(np.eye(3), [0.0, 0.0, 1.5])
    met = trace(lidar.rays(lidar_pose), solids, lidar.windows(solids, lidar_pose), street)
    assert met.distance_m[0, 0] == pytest.approx(4.5)
    assert met.distance_m[0, 359] == pytest.approx(met.distance_m[0, 1])
    assert met.winner[0, 10] == 0
    assert met.winner[0, 180] < 0


def test_ray_through_a_pixel_s_centre_projects_back_to_it() -> None:
    camera = Pinhole(np.array([[50.0, 0, 48.3], [0, 50.0, 30.1], [0, 0, 1]]), 96, 61)
    pose = se3(np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]]), [1.0, 2.0, 1.5])
    rays = camera.rays(pose)
    in_camera = (rays.direction * 7.0) @ pose[:3, :3]
    pixels = in_camera @ camera.K.T
    u, v = pixels[..., 0] / pixels[..., 2], pixels[..., 1] / pixels[..., 2]
    assert np.allclose(u, np.arange(96) + 0.5)
    assert np.allclose(v, (np.arange(61) + 0.5)[:, None])
