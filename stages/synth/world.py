"""A whole drive: a street, what stands and moves on it, the light, and the car that carries the sensors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.synth.ground import Street, is_road
from paintpipe.stages.synth.primitives import Primitive, Solids, place, select, stack
from paintpipe.stages.synth.route import Route
from paintpipe.stages.synth.sun import Weather

_SIGHT_M = 170.0


@dataclass(frozen=True)
class Thing:
    """One object: its solids and how it moves along the street.

    Attributes:
        parts: solids in the object's own frame.
        label: class index; of a tree or a house, any of its parts'.
        s_m: place along the street at time 0; left_m: offset to the left. It stands on the ground there.
        turn_rad: heading relative to the street.
        speed_mps: along the street, negative towards smaller s.
        instance: 1 and up for cars, pedestrians and cyclists, 0 for what has no instances.
    """

    parts: tuple[Primitive, ...]
    label: int
    s_m: float
    left_m: float
    turn_rad: float
    speed_mps: float = 0.0
    instance: int = 0

    @property
    def moves(self) -> bool:
        """Whether it has a speed."""
        return self.speed_mps != 0.0

    @cached_property
    def extent_m(self) -> Float64:
        """(2, 3) lowest and highest corner of the box that just holds its parts, in its own frame."""
        matrices = np.array([part.frame_from_unit for part in self.parts])
        reach = np.abs(matrices[:, :, :3]).sum(axis=2)
        return np.stack([(matrices[:, :, 3] - reach).min(axis=0), (matrices[:, :, 3] + reach).max(axis=0)])


@dataclass(frozen=True)
class World:
    """All of a drive.

    Attributes:
        ego_left_m, ego_speed_mps: the sensor car's lane and speed; it starts at s = 0.
    """

    street: Street
    route: Route
    things: tuple[Thing, ...]
    weather: Weather
    ego_left_m: float
    ego_speed_mps: float

    @cached_property
    def _solids(self) -> Solids:
        owners = [index for index, thing in enumerate(self.things) for _ in thing.parts]
        return stack([part for thing in self.things for part in thing.parts], owners)

    @cached_property
    def instances(self) -> Int64:
        """(M,) instance of each thing."""
        return np.array([thing.instance for thing in self.things], dtype=np.int64)

    @cached_property
    def moving(self) -> Int64:
        """(M,) 1 where a thing moves."""
        return np.array([thing.moves for thing in self.things], dtype=np.int64)

    def pose_of(self, thing: Thing, time_s: float) -> Float64:
        """(4, 4) `world_SE3_thing` at a time."""
        pose = self.route.pose(thing.s_m + thing.speed_mps * time_s, thing.left_m, thing.turn_rad)
        pose[2, 3] = 0.0 if is_road(self.street, pose[0, 3], pose[1, 3]) else self.street.kerb_m
        return pose

    def ego_pose(self, time_s: float) -> Float64:
        """(4, 4) `world_SE3_ego` at a time; the ego's origin is on the road under its rear axle."""
        return self.route.pose(self.ego_speed_mps * time_s, self.ego_left_m)

    def solids_at(self, time_s: float) -> Solids:
        """All solids within sight of the ego at a time, in the world."""
        placed = place(self._solids, self._poses_at(time_s))
        away = placed.world_from_unit[:, :2, 3] - self.ego_pose(time_s)[:2, 3]
        return select(placed, np.flatnonzero((away**2).sum(axis=1) < _SIGHT_M**2))

    @cached_property
    def _rest_poses(self) -> Float64:
        return np.array([self.pose_of(thing, 0.0) for thing in self.things])

    def _poses_at(self, time_s: float) -> Float64:
        poses = self._rest_poses.copy()
        for index in np.flatnonzero(self.moving):
            poses[index] = self.pose_of(self.things[int(index)], time_s)
        return poses
