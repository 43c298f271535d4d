import numpy as np
import pytest

from paintpipe.stages.synth.ground import is_road
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.rigs import kitti_rig
from paintpipe.stages.synth.sensing import photograph, sweep
from paintpipe.stages.synth.settings import CAR, CLASSES, CYCLIST, PEDESTRIAN, SKY, SynthSettings


def test_same_seed_same_world_other_seed_other_world() -> None:
    first, again, other = (build_world([seed], 2.0) for seed in (5, 5, 6))
    assert np.array_equal(first.solids_at(1.0).world_from_unit, again.solids_at(1.0).world_from_unit)
    assert first.street.half_road_m != other.street.half_road_m


def test_what_moves_moves_at_its_pace_and_the_rest_stands() -> None:
    world = build_world([5], 2.0)
    for thing in world.things:
        step = np.linalg.norm(world.pose_of(thing, 1.5)[:3, 3] - world.pose_of(thing, 0.5)[:3, 3])
        # on the outside of a bend a thing covers more ground than its place along the centre line
        assert step == pytest.approx(abs(thing.speed_mps), rel=0.12)
        forward = world.pose_of(thing, 0.5)[:2, 0]
        if thing.moves:
            assert forward @ (world.pose_of(thing, 1.5)[:2, 3] - world.pose_of(thing, 0.5)[:2, 3]) > 0


def test_only_traffic_stands_on_the_road() -> None:
    world = build_world([5], 2.0)
    for thing in world.things:
        pose = world.pose_of(thing, 1.0)
        on_road = is_road(world.street, pose[0, 3], pose[1, 3])
        assert pose[2, 3] == (0.0 if on_road else world.street.kerb_m)
        if thing.label in (CAR, CYCLIST):
            assert on_road
        elif thing.label != PEDESTRIAN and abs(thing.left_m) < 40:
            assert not on_road


def test_ego_turns_gently() -> None:
    world = build_world([5], 10.0)
    headings = [np.arctan2(*world.ego_pose(t)[1::-1, 0]) for t in np.arange(0, 10, 0.1)]
    assert np.ptp(headings) > 0.02
    assert np.abs(np.diff(headings)).max() < np.deg2rad(2.0)


@pytest.mark.parametrize("seed", range(4))
def test_no_two_vehicles_ever_overlap(seed: int) -> None:
    world = build_world([seed], 6.0)
    vehicles = [thing for thing in world.things if thing.label in (CAR, CYCLIST)]
    for time_s in (0.0, 3.0, 6.0):
        ego = world.ego_pose(time_s)
        poses = np.array([world.pose_of(thing, time_s) for thing in vehicles])
        along = np.einsum("i,nij->nj", ego[:3, 0], poses[:, :3, 3:])[:, 0] - ego[:3, 3] @ ego[:3, 0]
        near = np.flatnonzero((np.linalg.norm(poses[:, :2, 3] - ego[:2, 3], axis=1) < 5.0) & (abs(along) < 3.5))
        across = (poses[near, :3, 3] - ego[:3, 3]) @ ego[:3, 1]
        assert (abs(across) > 1.4).all()
        for one in range(len(vehicles)):
            gap = (poses[one + 1 :, :3, 3] - poses[one, :3, 3]) @ poses[one, :3, :2]
            touching = (abs(gap[:, 0]) < 1.8) & (abs(gap[:, 1]) < 0.9)
            assert not touching.any()


def test_every_class_is_seen_by_both_sensors() -> None:
    rig, _ = kitti_rig(SynthSettings())
    pixels, points = np.zeros(len(CLASSES), dtype=int), np.zeros(len(CLASSES), dtype=int)
    for seed in (1, 2):
        world = build_world([seed], 1.0)
        ego, mount = world.ego_pose(0.5), rig.mounts["image_2"]
        shot = photograph(world, mount.pinhole, ego @ mount.ego_SE3_camera, 0.5, [0])
        turn = sweep(world, rig.lidar, ego @ rig.ego_SE3_lidar, 0.5, [1])
        pixels += np.bincount(shot.labels.reshape(-1), minlength=len(CLASSES))
        points += np.bincount(turn.labels, minlength=len(CLASSES))
        assert shot.image_bgr.std() > 25
        assert np.array_equal(shot.things >= 0, ~np.isin(shot.labels, (0, 1, SKY)))
        assert np.isfinite(turn.points_m).all()
        assert np.linalg.norm(turn.points_m, axis=1).max() < 81
    assert (pixels > 20).all()
    assert (points[:SKY] > 20).all()
    assert points[SKY] == 0
