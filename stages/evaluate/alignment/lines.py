"""The scan lines of a sweep: which points one beam measured, in order of azimuth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int64

NEAREST_M = 2.5
"""Returns from nearer come from the car itself."""
_FEWEST_LINES = 8
_FLAT_RAD = 0.005
_AHEAD_RAD = 0.1
_BIN_RAD = 0.007
"""Where lines have to be guessed from elevation alone: about the spacing of 64 beams."""


@dataclass(frozen=True)
class ScanLines:
    """The M usable points of a sweep, by line and then by azimuth.

    Attributes:
        points_m: (M, 3) float64 in the LiDAR frame.
        range_m: (M,) float64.
        azimuth_rad: (M,) float64 in -pi to pi, rising within a line.
        elevation_rad: (M,) float64.
        starts: (L + 1,) int64, where each line begins and the last one ends; neighbouring lines are neighbours here.
        step_rad: median angle between neighbours of a line.
        spacing_rad: median angle between neighbouring lines.
    """

    points_m: Float64
    range_m: Float64
    azimuth_rad: Float64
    elevation_rad: Float64
    starts: Int64
    step_rad: float
    spacing_rad: float

    def __len__(self) -> int:
        return len(self.range_m)


def scan_lines(points: Float32, features: Sequence[str]) -> ScanLines:
    """The scan lines of a sweep.

    A line is what the column `ring` says. Without one, points are taken to lie in the file line by line, as KITTI's do,
    and a line ends where the azimuth has gone round once; where that gives no level lines, points of like elevation
    make a line.

    Args:
        points: (N, 3 or more) float32, x, y, z in metres first.
        features: names of the columns.
    """
    points_m = points[:, :3].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        range_m = np.linalg.norm(points_m, axis=1)
    usable = np.isfinite(range_m) & (range_m > NEAREST_M)
    points_m, range_m = points_m[usable], range_m[usable]
    azimuth_rad = np.arctan2(points_m[:, 1], points_m[:, 0])
    elevation_rad = np.arcsin(points_m[:, 2] / range_m)
    ring = points[usable, list(features).index("ring")] if "ring" in features else None
    line = _lines(None if ring is None else ring.astype(np.float64), azimuth_rad, elevation_rad)
    order = np.argsort(line * 8.0 + azimuth_rad, kind="stable")  # 8 is more than a turn; one key sorts faster than two
    azimuth_rad, elevation_rad, line = azimuth_rad[order], elevation_rad[order], line[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(line) != 0, [True]])) if len(line) else np.zeros(1, int)
    gaps = np.diff(azimuth_rad)[np.diff(line) == 0]
    gaps = gaps[gaps > 0]
    step_rad = float(np.median(gaps)) if len(gaps) else 0.0
    spacing_rad = _spacing(elevation_rad, starts)
    return ScanLines(
        points_m[order], range_m[order], azimuth_rad, elevation_rad, starts.astype(np.int64), step_rad, spacing_rad
    )


def _lines(ring: Float64 | None, azimuth_rad: Float64, elevation_rad: Float64) -> Int64:
    """(M,) number of each point's line."""
    if not len(azimuth_rad):
        return np.zeros(0, np.int64)
    if ring is not None and np.isfinite(ring).all() and len(np.unique(ring)) >= _FEWEST_LINES:
        return np.unique(ring, return_inverse=True)[1].astype(np.int64)
    turns = _turns(azimuth_rad)
    if _are_level(turns, elevation_rad):
        return turns
    return np.floor((elevation_rad - elevation_rad.min()) / _BIN_RAD).astype(np.int64)


def _turns(azimuth_rad: Float64) -> Int64:
    """(M,) how often the azimuth has gone round before each point, in the direction in which it mostly goes.

    Turns are counted from straight ahead, where KITTI's lines begin, or from the first point where that lies elsewhere;
    half a step sooner, since the first point of a line may lie a rounding error before its beginning.
    """
    steps = np.diff(azimuth_rad, prepend=azimuth_rad[0])
    steps = (steps + np.pi) % (2 * np.pi) - np.pi
    step = float(np.median(steps))
    gone = np.cumsum(steps) * (1.0 if step >= 0 else -1.0)
    first = float(azimuth_rad[0]) if step >= 0 else -float(azimuth_rad[0])
    begun = (first + _AHEAD_RAD) % (2 * np.pi) - _AHEAD_RAD
    gone += begun if abs(begun) < _AHEAD_RAD else 0.0
    turns = np.floor((gone + abs(step) / 2) / (2 * np.pi)).astype(np.int64)
    return turns - turns.min()


def _are_level(line: Int64, elevation_rad: Float64) -> bool:
    """Whether there are lines, and each keeps its elevation."""
    _, place = np.unique(line, return_inverse=True)
    counts = np.bincount(place)
    if len(counts) < _FEWEST_LINES:
        return False
    off = np.abs(elevation_rad - (np.bincount(place, elevation_rad) / counts)[place])
    return float(np.median(off)) < _FLAT_RAD


def _spacing(elevation_rad: Float64, starts: Int64) -> float:
    """Median angle between neighbouring lines, 0 where there are not two."""
    if len(starts) < 3:
        return 0.0
    middles = [float(np.median(elevation_rad[a:b])) for a, b in pairwise(starts)]
    return float(np.median(np.abs(np.diff(middles))))
