"""Synthetic drives in SemanticKITTI's layout (Behley et al., 2019; KITTI odometry's calibration and poses)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from paintpipe.schemas.arrays import Float64, UInt32
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.synth.files import seed_of, sequence_names, write_bytes, write_picture
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.rigs import KittiCalibration, Rig, kitti_rig
from paintpipe.stages.synth.sensing import Sweep, photograph, sweep
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.world import World

_PERIOD_S = 0.1
_STILL_ID = np.array([40, 48, 50, 80, 81, 70, 10, 30, 31, 0], dtype=np.uint32)
_MOVING_ID = np.array([40, 48, 50, 80, 81, 70, 252, 254, 253, 0], dtype=np.uint32)
"""SemanticKITTI's ids in the order of CLASSES; what moves has its own."""


def write_sequences(root: Path, settings: SynthSettings, on_frame: Callable[[int, int], None] | None) -> None:
    """All sequences: `velodyne`, `labels`, `image_2`, `calib.txt`, `poses.txt`, `times.txt`, and the masks."""
    names = sequence_names("semantickitti", settings)
    rig, calibration = kitti_rig(settings)
    for number, name in enumerate(names):
        seed = seed_of(settings, name)
        world = build_world(seed, settings.frames * _PERIOD_S)
        _write_tables(root / "sequences" / name, world, rig, calibration, settings.frames)
        for index in range(settings.frames):
            _write_frame(root, f"sequences/{name}", world, rig, index, [*seed, index])
            if on_frame is not None:
                on_frame(number * settings.frames + index + 1, len(names) * settings.frames)


def _write_frame(root: Path, folder: str, world: World, rig: Rig, index: int, seed: list[int]) -> None:
    time_s, mount = index * _PERIOD_S, rig.mounts["image_2"]
    world_SE3_ego = world.ego_pose(time_s)
    picture = photograph(world, mount.pinhole, world_SE3_ego @ mount.ego_SE3_camera, time_s, [*seed, 0])
    write_picture(root, f"{folder}/image_2/{index:06d}.png", picture.image_bgr, picture.labels)
    turn = sweep(world, rig.lidar, world_SE3_ego @ rig.ego_SE3_lidar, time_s, [*seed, 1])
    points = np.column_stack([turn.points_m, turn.intensity]).astype("<f4")
    write_bytes(root / folder / "velodyne" / f"{index:06d}.bin", points.tobytes())
    write_bytes(root / folder / "labels" / f"{index:06d}.label", point_ids(world, turn).astype("<u4").tobytes())


def point_ids(world: World, turn: Sweep) -> UInt32:
    """(N,) SemanticKITTI labels: the class in the low 16 bits, the instance in the high ones."""
    known = turn.things >= 0
    thing = np.maximum(turn.things, 0)
    moving = known & (world.moving[thing] == 1)
    instance = np.where(known, world.instances[thing], 0).astype(np.uint32)
    return np.where(moving, _MOVING_ID[turn.labels], _STILL_ID[turn.labels]) | (instance << np.uint32(16))


def _write_tables(folder: Path, world: World, rig: Rig, calibration: KittiCalibration, frames: int) -> None:
    rows = [f"P{index}: {_numbers(P)}" for index, P in enumerate(calibration.P)]
    rows.append(f"Tr: {_numbers(calibration.cam0_SE3_velo[:3])}")
    ego_SE3_cam0 = rig.ego_SE3_lidar @ invert_se3(calibration.cam0_SE3_velo)
    times = [index * _PERIOD_S for index in range(frames)]
    cameras = [world.ego_pose(time_s) @ ego_SE3_cam0 for time_s in times]
    poses = [_numbers((invert_se3(cameras[0]) @ camera)[:3]) for camera in cameras]
    for name, lines in (("calib", rows), ("poses", poses), ("times", [f"{time_s:.6e}" for time_s in times])):
        write_bytes(folder / f"{name}.txt", ("\n".join(lines) + "\n").encode())


def _numbers(matrix: Float64) -> str:
    return " ".join(f"{value:.12e}" for value in matrix.reshape(-1))
