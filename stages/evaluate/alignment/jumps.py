"""Depth jumps: directions in which the LiDAR's view passes from something near to something far behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int8, Int32, Int64
from paintpipe.stages.evaluate.alignment.lines import ScanLines, scan_lines
from paintpipe.stages.paint.kernel import kernel

STEP_M = 0.5
STEP_RATIO = 0.05
"""A jump is more than the larger of STEP_M and STEP_RATIO of the nearer range."""
LARGEST_M = 5.0
"""A larger jump counts as this one: it is no surer."""
_SHARP_RAD = 0.007
"""An edge between two rays further apart is known less well, and counts less by as much."""
_REACH = 3.5
_REACH_ACROSS = 2.5
_SIDEWAYS = 1.5
"""How many usual steps neighbours may lie apart: along a line, across lines, and aside when looking across."""


@dataclass(frozen=True)
class DepthJumps:
    """The M jumps of a sweep.

    Attributes:
        points_m: (M, 3) float64 in the LiDAR frame: at the nearer range, half way between the two rays, since the
            object's rim lies anywhere between them.
        weight: (M,) float64.
        across: (M,) int8, 0 for a jump along a scan line (a rim that stands), 1 for one between lines (that lies).
        spacing_rad: median angle between neighbouring scan lines.
    """

    points_m: Float64
    weight: Float64
    across: Int8
    spacing_rad: float = 0.0

    def __len__(self) -> int:
        return len(self.weight)


def depth_jumps(points: Float32, features: Sequence[str]) -> DepthJumps:
    """The jumps of a sweep, along its scan lines and between neighbouring ones.

    Ranges along a slanted plane grow ever faster too. So the far point must lie behind the *continuation* of the near
    surface: along neighbouring rays the inverse range of a plane changes by equal amounts (to first order in the
    angle), which the point on the other side of the near one tells. The weight is the root of the jump, as in Levinson
    and Thrun's paper.

    Args:
        points: (N, 3 or more) float32, x, y, z in metres first.
        features: names of the columns.
    """
    lines = scan_lines(points, features)
    if not len(lines) or lines.step_rad <= 0.0:
        return DepthJumps(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int8))
    near, far, jump_m, across = _find(
        lines.azimuth_rad,
        lines.elevation_rad,
        1.0 / lines.range_m,
        lines.starts,
        _REACH * lines.step_rad,
        _REACH_ACROSS * lines.spacing_rad,
        _SIDEWAYS * lines.step_rad,
    )
    return DepthJumps(*_halfway(lines, near, far, jump_m), across, lines.spacing_rad)


def _halfway(lines: ScanLines, near: Int32, far: Int32, jump_m: Float64) -> tuple[Float64, Float64]:
    """(M, 3) points and (M,) weights of jumps."""
    one = lines.points_m[near] / lines.range_m[near, None]
    other = lines.points_m[far] / lines.range_m[far, None]
    middle: Float64 = (one + other) / np.linalg.norm(one + other, axis=1, keepdims=True)
    gap_rad = np.linalg.norm(one - other, axis=1)
    weight = np.sqrt(np.minimum(jump_m, LARGEST_M)) * np.minimum(1.0, _SHARP_RAD / np.maximum(gap_rad, 1e-9))
    return middle * lines.range_m[near, None], weight


@kernel
def _find(
    azimuth: Float64, elevation: Float64, inverse: Float64, starts: Int64, along: float, over: float, aside: float
) -> Any:
    """Rows of the near and the far point, size in metres, and kind of every jump."""
    most = 4 * azimuth.shape[0]
    near, far = np.empty(most, np.int32), np.empty(most, np.int32)
    size, across = np.empty(most, np.float64), np.empty(most, np.int8)
    count = 0
    for line in range(starts.shape[0] - 1):
        first, stop = starts[line], starts[line + 1]
        for i in range(first, stop):
            for side in (-1, 1):
                j, k = first + (i - first + side) % (stop - first), first + (i - first - side) % (stop - first)
                jump = _jump(inverse, i, j, k, _around(azimuth, i, j), _around(azimuth, i, k), along)
                if jump > 0.0:
                    near[count], far[count], size[count], across[count] = i, j, jump, 0
                    count += 1
                j = _beside(azimuth, starts, line + side, azimuth[i], aside)
                k = _beside(azimuth, starts, line - side, azimuth[i], aside)
                jump = _jump(inverse, i, j, k, _apart(elevation, i, j), _apart(elevation, i, k), over)
                if jump > 0.0:
                    near[count], far[count], size[count], across[count] = i, j, jump, 1
                    count += 1
    return near[:count], far[:count], size[:count], across[:count]


@kernel
def _jump(inverse: Float64, i: int, j: int, k: int, ahead: float, behind: float, reach: float) -> float:
    """How far (m) point j lies behind the surface that i and k continue, 0 where that is no jump; k or j may be -1."""
    if j < 0 or ahead > reach or ahead <= 0.0:
        return 0.0
    continued = inverse[i]
    if k >= 0 and 0.0 < behind <= reach:
        continued -= max(0.0, inverse[k] - inverse[i]) * ahead / max(behind, 0.5 * ahead)
    if continued <= 1e-4:
        return 0.0
    step = max(STEP_M, STEP_RATIO / inverse[i])
    beyond = 1.0 / inverse[j] - 1.0 / continued
    return beyond if beyond > step else 0.0


@kernel
def _around(azimuth: Float64, i: int, j: int) -> float:
    apart = abs(azimuth[i] - azimuth[j])
    return min(apart, 2.0 * np.pi - apart)


@kernel
def _apart(elevation: Float64, i: int, j: int) -> float:
    return abs(elevation[i] - elevation[j]) if j >= 0 else 0.0


@kernel
def _beside(azimuth: Float64, starts: Int64, line: int, wanted: float, aside: float) -> int:
    """Row of the point of a line that is nearest in azimuth, -1 where none lies within `aside`."""
    if line < 0 or line >= starts.shape[0] - 1:
        return -1
    low, high = starts[line], starts[line + 1]
    while low < high:
        middle = (low + high) // 2
        if azimuth[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    best, least = -1, aside
    for row in (low - 1, low):
        if starts[line] <= row < starts[line + 1] and abs(azimuth[row] - wanted) < least:
            best, least = row, abs(azimuth[row] - wanted)
    return best
