"""Synthetic scenes in nuScenes' layout (Caesar et al., 2020): LiDAR 20 Hz, six cameras 12 Hz, keyframes 2 Hz.

The world is rendered at each sensor's own time: a camera fires when the spin before the LiDAR's stamp sweeps it.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from paintpipe.schemas.arrays import Float64, UInt8
from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.synth.files import seed_of, sequence_names, write_bytes, write_picture
from paintpipe.stages.synth.nuscenes_boxes import BoxWriter
from paintpipe.stages.synth.nuscenes_names import LIDARSEG_INDEX, token
from paintpipe.stages.synth.nuscenes_tables import (
    MAP_PATH,
    VERSION,
    Record,
    Tables,
    add_sensors,
    fixed_tables,
    pose_values,
)
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.rigs import Rig, nuscenes_rig
from paintpipe.stages.synth.sensing import Picture, Sweep, photograph, sweep
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.world import World

_KEYFRAME_US = 500_000
_PER_KEYFRAME = {"lidar": 10, "camera": 6}
_EPOCH_US = 1_600_000_000_000_000


def write_scenes(root: Path, settings: SynthSettings, on_frame: Callable[[int, int], None] | None) -> None:
    """All scenes: tables, `samples`, `sweeps`, `lidarseg`, `maps`, and the masks."""
    names = sequence_names("nuscenes", settings)
    rig, tables = nuscenes_rig(settings), fixed_tables()
    total = len(names) * (10 * settings.keyframes + 1 + len(rig.mounts) * (6 * settings.keyframes + 1))
    progress = _Progress(total, on_frame)
    for name in names:
        scene = _open_scene(root, settings, name, rig, tables, progress)
        sweeps = _write_lidar(scene)
        pictures = {camera: _write_camera(scene, camera) for camera in rig.mounts}
        for index in range(settings.keyframes):
            shots = {camera: keyframes[index] for camera, keyframes in pictures.items()}
            scene.boxes.add_keyframe(scene.sample_tokens[index], scene.seconds(index), sweeps[index], shots)
    tables.write(root)


@dataclass
class _Progress:
    total: int
    on_frame: Callable[[int, int], None] | None
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.on_frame is not None:
            self.on_frame(self.done, self.total)


@dataclass(frozen=True)
class _Scene:
    """One scene while it is written; its first keyframe comes half a second after the world's time 0."""

    root: Path
    name: str
    world: World
    rig: Rig
    seed: list[int]
    keyframes: int
    start_us: int
    global_SE3_world: Float64
    tables: Tables
    boxes: BoxWriter
    progress: _Progress
    sample_tokens: list[str] = field(default_factory=list)

    def seconds(self, keyframe: int) -> float:
        """World time of a keyframe's LiDAR stamp."""
        return (keyframe + 1) * _KEYFRAME_US / 1e6


def _open_scene(
    root: Path, settings: SynthSettings, name: str, rig: Rig, tables: Tables, progress: _Progress
) -> _Scene:
    seed = seed_of(settings, name)
    world = build_world(seed, (settings.keyframes + 1) * _KEYFRAME_US / 1e6)
    start_us = _EPOCH_US + zlib.crc32(f"{settings.seed}/{name}".encode()) * 1000
    yaw = np.random.default_rng(seed).uniform(0, np.pi)
    global_SE3_world = se3_from_quaternion([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)], [650.0, 1210.0, 0.0])
    add_sensors(tables, name, rig)
    boxes = BoxWriter(tables, name, world, rig, global_SE3_world)
    scene = _Scene(
        root, name, world, rig, seed, settings.keyframes, start_us, global_SE3_world, tables, boxes, progress
    )
    _add_samples(scene)
    return scene


def _add_samples(scene: _Scene) -> None:
    """The scene's log, its samples in a chain, and the map that goes with the log."""
    log_token, scene_token = token("log", scene.name), token("scene", scene.name)
    log = {"logfile": f"synthetic-{scene.name}", "vehicle": "synthetic", "date_captured": "2020-09-13"}
    scene.tables.add("log", log_token, **log, location="synthetic-street")
    scene.tables.records["map"][0]["log_tokens"].append(log_token)
    white = np.full((8, 8), 255, dtype=np.uint8)
    _write_map(scene.root, white)
    previous: Record | None = None
    for index in range(scene.keyframes):
        stamp = scene.start_us + (index + 1) * _KEYFRAME_US
        record = scene.tables.add(
            "sample", token("sample", scene.name, index), timestamp=stamp, scene_token=scene_token
        )
        scene.tables.chain("sample", record, previous)
        scene.sample_tokens.append(record["token"])
        previous = record
    scene.tables.add(
        "scene",
        scene_token,
        log_token=log_token,
        nbr_samples=scene.keyframes,
        first_sample_token=scene.sample_tokens[0],
        last_sample_token=scene.sample_tokens[-1],
        name=scene.name,
        description="Synthetic street",
    )


def _write_map(root: Path, pixels: UInt8) -> None:
    import cv2

    write_bytes(root / MAP_PATH, cv2.imencode(".png", pixels)[1].tobytes())


def _write_lidar(scene: _Scene) -> list[Sweep]:
    """All sweeps of a scene, with lidarseg labels at keyframes; returns the keyframes' sweeps."""
    kept: list[Sweep] = []
    previous: Record | None = None
    for index in range(10 * scene.keyframes + 1):
        time_us, seed = index * _KEYFRAME_US // 10, [*scene.seed, 100, index]
        world_SE3_ego = scene.world.ego_pose(time_us / 1e6)
        world_SE3_ray = world_SE3_ego @ scene.rig.ego_SE3_lidar @ np.linalg.inv(scene.rig.ray_SE3_lidar)
        turn = sweep(scene.world, scene.rig.lidar, world_SE3_ray, time_us / 1e6, seed)
        record = _add_data(scene, "LIDAR_TOP", index, time_us, 10, (0, 0))
        scene.tables.chain("sample_data", record, previous)
        previous = record
        points = turn.points_m @ scene.rig.ray_SE3_lidar[:3, :3].astype(np.float32)
        columns = np.column_stack([points, np.rint(255 * turn.intensity), turn.ring]).astype("<f4")
        write_bytes(scene.root / record["filename"], columns.tobytes())
        if record["is_key_frame"]:
            kept.append(turn)
            path = f"lidarseg/{VERSION}/{record['token']}_lidarseg.bin"
            write_bytes(scene.root / path, LIDARSEG_INDEX[turn.labels].tobytes())
            scene.tables.add("lidarseg", record["token"], sample_data_token=record["token"], filename=path)
        scene.progress.step()
    return kept


def _write_camera(scene: _Scene, camera: str) -> list[Picture]:
    """All images of one camera; returns the keyframes' pictures."""
    mount, kept = scene.rig.mounts[camera], []
    number = list(scene.rig.mounts).index(camera)
    previous: Record | None = None
    for index in range(6 * scene.keyframes + 1):
        time_us = index * _KEYFRAME_US // 6 + mount.delay_us
        world_SE3_camera = scene.world.ego_pose(time_us / 1e6) @ mount.ego_SE3_camera
        seed = [*scene.seed, number, index]
        picture = photograph(scene.world, mount.pinhole, world_SE3_camera, time_us / 1e6, seed)
        record = _add_data(scene, camera, index, time_us, 6, picture.labels.shape)
        scene.tables.chain("sample_data", record, previous)
        previous = record
        write_picture(scene.root, record["filename"], picture.image_bgr, picture.labels)
        if record["is_key_frame"]:
            kept.append(picture)
        scene.progress.step()
    return kept


def _add_data(
    scene: _Scene, channel: str, index: int, time_us: int, per_keyframe: int, size_px: tuple[int, ...]
) -> Record:
    """A sample_data record with its ego pose. Data before a keyframe belong to that keyframe's sample."""
    keyframe = index > 0 and index % per_keyframe == 0
    stamp = scene.start_us + time_us
    suffix = "pcd.bin" if channel == "LIDAR_TOP" else "jpg"
    name = f"synthetic-{scene.name}__{channel}__{stamp}.{suffix}"
    data_token, pose_token = token("data", scene.name, channel, index), token("pose", scene.name, channel, index)
    pose = scene.global_SE3_world @ scene.world.ego_pose(time_us / 1e6)
    scene.tables.add("ego_pose", pose_token, timestamp=stamp, **pose_values(pose))
    return scene.tables.add(
        "sample_data",
        data_token,
        sample_token=scene.sample_tokens[max(0, (index - 1) // per_keyframe)],
        ego_pose_token=pose_token,
        calibrated_sensor_token=token("calibrated_sensor", scene.name, channel),
        timestamp=stamp,
        fileformat=suffix.removesuffix(".bin"),
        is_key_frame=keyframe,
        height=int(size_px[0]),
        width=int(size_px[1]),
        filename=f"{'samples' if keyframe else 'sweeps'}/{channel}/{name}",
    )
