"""What all cameras say of the LiDAR they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, Measured, best_rotation, estimate
from paintpipe.stages.evaluate.alignment.offsets import Grid
from paintpipe.stages.evaluate.alignment.scores import ViewScores

ALL_TOGETHER = "all cameras"
"""Stands where a camera's name does."""


def estimate_together(
    views: Mapping[str, Sequence[ViewScores]], grid: Grid, shifts: Sequence[float], shift_unit: str
) -> CameraEstimate | None:
    """The rotation of the LiDAR and the shift in time that fit all cameras best; None where fewer than two see jumps.

    An angle is known no better than by its jackknife over cameras (each left out in turn): where one camera alone is
    off, the others deny that it is the LiDAR.

    Args:
        views: by camera, scored with `LidarTurns`.
        grid: what was tried.
        shifts: shifts in time that were tried, in order.
        shift_unit: what they count.
    """
    seeing = {name: scores for name, scores in views.items() if any(view.num_jumps for view in scores)}
    if len(seeing) < 2:
        return None
    found = estimate(ALL_TOGETHER, [view for scores in seeing.values() for view in scores], grid, shifts, shift_unit)
    roll, pitch, yaw = _jackknife(seeing, grid)
    return replace(
        found,
        roll=_at_least(found.roll, roll),
        pitch=_at_least(found.pitch, pitch),
        yaw=_at_least(found.yaw, yaw),
    )


def _jackknife(views: Mapping[str, Sequence[ViewScores]], grid: Grid) -> Float64:
    """(3,) deviation of roll, pitch and yaw by leaving out each camera (Efron, 1982)."""
    without = [[view for other, scores in views.items() if other != name for view in scores] for name in views]
    values = np.array([best_rotation(rest, grid) for rest in without])
    spread: Float64 = np.sqrt((len(values) - 1) * np.var(values, axis=0))
    return spread


def _at_least(axis: Measured | None, least: float) -> Measured | None:
    return None if axis is None else replace(axis, deviation=max(axis.deviation, float(least)))
