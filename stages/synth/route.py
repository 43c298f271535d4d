"""Places along a winding street: distance along its centre line and offset to the left of it."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.synth.ground import Street

_STEP_M = 0.25


@dataclass(frozen=True)
class Route:
    """The centre line, measured: x (m) at each arc length s (m), s = 0 at x = 0."""

    street: Street
    s_m: Float64
    x_m: Float64

    def pose(self, s_m: float, left_m: float, turn_rad: float = 0.0) -> Float64:
        """(4, 4) `world_SE3_object` at a place at height 0, x along the street, turned by `turn_rad` about z."""
        x = float(np.interp(s_m, self.s_m, self.x_m))
        y, slope = center_line_at(self.street, np.array([x]))
        heading = float(np.arctan(slope[0]))
        c, s = np.cos(heading + turn_rad), np.sin(heading + turn_rad)
        place = (x - left_m * np.sin(heading), float(y[0]) + left_m * np.cos(heading), 0.0)
        pose = np.eye(4)
        pose[:3, :3] = [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]
        pose[:3, 3] = place
        return pose

    def beside(self, x_m: float, left_m: float) -> float:
        """Arc length (m) at which a place `left_m` off the centre line has this x, to a centimetre or so."""
        s_m = float(np.interp(x_m, self.x_m, self.s_m))
        for _ in range(6):
            s_m += x_m - float(self.pose(s_m, left_m)[0, 3])
        return s_m


def center_line_at(street: Street, x_m: Float64) -> tuple[Float64, Float64]:
    """The centre line's y and dy/dx at (N,) x."""
    angle = x_m[:, None] / street.waves[:, 1] + street.waves[:, 2]
    y = (street.waves[:, 0] * (np.sin(angle) - np.sin(street.waves[:, 2]))).sum(axis=1)
    slope: Float64 = (street.waves[:, 0] / street.waves[:, 1] * np.cos(angle)).sum(axis=1)
    return y, slope


def measure(street: Street, start_m: float, end_m: float) -> Route:
    """The route between two values of x; `start_m` is negative."""
    x = np.arange(start_m, end_m, _STEP_M)
    _, slope = center_line_at(street, x)
    s = np.concatenate([[0.0], np.cumsum(np.sqrt(1 + ((slope[1:] + slope[:-1]) / 2) ** 2) * _STEP_M)])
    return Route(street, s - float(np.interp(0.0, x, s)), x)
