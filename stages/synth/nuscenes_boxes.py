"""The boxes of a synthetic scene: one annotation per keyframe of each thing that the LiDAR meets."""

from dataclasses import dataclass, field

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.schemas.geometry import se3
from paintpipe.stages.synth.nuscenes_names import VISIBILITY, token
from paintpipe.stages.synth.nuscenes_tables import Record, Tables, pose_values
from paintpipe.stages.synth.primitives import select
from paintpipe.stages.synth.rigs import Rig
from paintpipe.stages.synth.sensing import Picture, Sweep
from paintpipe.stages.synth.settings import CAR, CYCLIST, PEDESTRIAN
from paintpipe.stages.synth.trace import trace_solids
from paintpipe.stages.synth.world import Thing, World

_CATEGORY = {CAR: "vehicle.car", PEDESTRIAN: "human.pedestrian.adult", CYCLIST: "vehicle.bicycle"}


@dataclass
class BoxWriter:
    """Adds instances and annotations of one scene to the tables."""

    tables: Tables
    scene: str
    world: World
    rig: Rig
    global_SE3_world: Float64
    instances: dict[int, tuple[Record, Record]] = field(default_factory=dict)

    def add_keyframe(self, sample_token: str, time_s: float, turn: Sweep, shots: dict[str, Picture]) -> None:
        """Annotate each car, pedestrian and cyclist with at least one LiDAR point, as nuScenes does."""
        met = np.bincount(turn.things[turn.things >= 0], minlength=len(self.world.things))
        shares = self._visible_shares(np.flatnonzero(met * self.world.instances), time_s, shots)
        for index, share in shares.items():
            thing = self.world.things[index]
            low, high = thing.extent_m
            center = se3(np.eye(3), ((low + high) / 2).tolist())
            length, width, height = (float(size) for size in high - low)
            record = self.tables.add(
                "sample_annotation",
                token("annotation", sample_token, index),
                sample_token=sample_token,
                instance_token=token("instance", self.scene, index),
                visibility_token=next(level for level, _, below in VISIBILITY if share < below),
                attribute_tokens=[token("attribute", attribute_of(thing))],
                **pose_values(self.global_SE3_world @ self.world.pose_of(thing, time_s) @ center),
                size=[width, length, height],
                num_lidar_pts=int(met[index]),
                num_radar_pts=0,
            )
            self._tie(index, thing, record)

    def _tie(self, index: int, thing: Thing, record: Record) -> None:
        """Chain an annotation to its instance's last one; make the instance where this is its first."""
        if index in self.instances:
            instance, previous = self.instances[index]
            self.tables.chain("sample_annotation", record, previous)
        else:
            category = token("category", _CATEGORY[thing.label])
            instance = self.tables.add("instance", record["instance_token"], category_token=category)
            instance |= {"nbr_annotations": 0, "first_annotation_token": record["token"]}
            self.tables.chain("sample_annotation", record, None)
        instance["nbr_annotations"] += 1
        instance["last_annotation_token"] = record["token"]
        self.instances[index] = (instance, record)

    def _visible_shares(self, things: Int64, time_s: float, shots: dict[str, Picture]) -> dict[int, float]:
        """Visible pixels of each thing over those that it would cover alone, all cameras together."""
        seen, alone = dict.fromkeys(map(int, things), 0), dict.fromkeys(map(int, things), 0)
        for camera, picture in shots.items():
            mount = self.rig.mounts[camera]
            shot_s = time_s + mount.delay_us / 1e6
            world_SE3_camera = self.world.ego_pose(shot_s) @ mount.ego_SE3_camera
            solids, rays = self.world.solids_at(shot_s), mount.pinhole.rays(world_SE3_camera)
            windows = mount.pinhole.windows(solids, world_SE3_camera)
            counts = np.bincount(picture.things[picture.things >= 0], minlength=len(self.world.things))
            in_view = (windows[:, 1] > windows[:, 0]) & (windows[:, 3] > windows[:, 2])
            for index in seen:
                rows = np.flatnonzero((solids.owner == index) & in_view)
                if len(rows):
                    alone[index] += int(np.isfinite(trace_solids(rays, select(solids, rows), windows[rows])).sum())
                    seen[index] += int(counts[index])
        return {index: seen[index] / alone[index] if alone[index] else 0.0 for index in seen}


def attribute_of(thing: Thing) -> str:
    """The attribute that nuScenes gives a thing."""
    if thing.label == PEDESTRIAN:
        return "pedestrian.moving" if thing.moves else "pedestrian.standing"
    if thing.label == CYCLIST:
        return "cycle.with_rider"
    return "vehicle.moving" if thing.moves else "vehicle.parked"
