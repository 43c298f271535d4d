"""From the scores of many views to the offset that fits best, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.evaluate.alignment.offsets import Grid
from paintpipe.stages.evaluate.alignment.scores import ViewScores

RESAMPLINGS = 200
_SEED = 0
_AT_ONCE = 25


@dataclass(frozen=True)
class Measured:
    """One offset of a camera.

    Attributes:
        value: where the score is best, interpolated; in degrees, milliseconds or frames.
        deviation: its standard deviation when the strips of images are drawn anew (bootstrap), and at least a quarter
            of a step, since nothing finer was tried; for roll and pitch with what scan lines leave open of where rims
            lie, as if all rims of a strip were one.
        offsets: (A,) values tried.
        scores: (A,) best score at each of them, over everything else that was tried.
    """

    value: float
    deviation: float
    offsets: Float64
    scores: Float64

    @property
    def at_limit(self) -> bool:
        """Whether the best is the first or the last value that was tried: the true one may lie beyond."""
        return self.value in (self.offsets[0], self.offsets[-1])


@dataclass(frozen=True)
class CameraEstimate:
    """What all views of a camera say together.

    Attributes:
        camera: its name.
        num_views: images looked at.
        num_jumps: depth jumps in them.
        roll, pitch, yaw: how the projection would have to turn, in degrees; None where there was nothing to go by.
        score_at_zero, score_at_best: mean edge strength at the jumps, as it is and turned so; 0 is what chance gives.
        chance: root mean square of the scores that mirrored images gave.
        shift: how much later than told the images were taken, None where no shift could be tried or all are alike.
        shift_unit: `ms` or `frames`.
    """

    camera: str
    num_views: int
    num_jumps: int
    roll: Measured | None
    pitch: Measured | None
    yaw: Measured | None
    score_at_zero: float
    score_at_best: float
    chance: float
    shift: Measured | None
    shift_unit: str

    @property
    def axes(self) -> dict[str, Measured | None]:
        """All four, by name."""
        return {"roll": self.roll, "pitch": self.pitch, "yaw": self.yaw, "shift": self.shift}


def estimate(
    camera: str, views: Sequence[ViewScores], grid: Grid, shifts: Sequence[float], shift_unit: str
) -> CameraEstimate:
    """Add up the scores of a camera's views and find the best offset.

    Args:
        camera: its name.
        views: scores of its images, in an order that does not depend on who computed them.
        grid: what was tried.
        shifts: shifts in time that were tried, in order.
        shift_unit: what they count.
    """
    num_jumps = sum(view.num_jumps for view in views)
    if not num_jumps:
        return CameraEstimate(camera, len(views), 0, None, None, None, 0.0, 0.0, 0.0, None, shift_unit)
    sums = np.concatenate([view.rotation for view in views]).astype(np.float64)
    weights = np.concatenate([view.weight for view in views]).astype(np.float64)
    mean = sums.sum(axis=0) / weights.sum()
    roll, pitch, yaw = _measured(sums, weights, grid.axes_deg)
    left_deg = _left_open(np.concatenate([view.rims for view in views]).astype(np.float64))
    roll, pitch = (_less_sure(axis, left) for axis, left in zip((roll, pitch), left_deg[:2], strict=True))
    middle = tuple(length // 2 for length in mean.shape)
    shift = _shift(views, grid, shifts) if len(shifts) > 1 else None
    mirrored = np.sum([view.chance for view in views], axis=0, dtype=np.float64) / weights.sum()
    return CameraEstimate(
        camera=camera,
        num_views=len(views),
        num_jumps=num_jumps,
        roll=roll,
        pitch=pitch,
        yaw=yaw,
        score_at_zero=float(mean[middle]),
        score_at_best=float(mean.max()),
        chance=float(np.sqrt(np.mean(mirrored**2))),
        shift=shift,
        shift_unit=shift_unit,
    )


def best_rotation(views: Sequence[ViewScores], grid: Grid) -> list[float]:
    """Roll, pitch and yaw in degrees that fit a camera's views best; at least one of them has a jump."""
    sums = np.sum([view.rotation.sum(axis=0, dtype=np.float64) for view in views], axis=0)
    return _peak(sums, grid.axes_deg)


def _left_open(rims: Float64) -> Float64:
    """(3,) deviation in degrees of roll, pitch and yaw that follows from the spacing of scan lines alone.

    Args:
        rims: (U, 4), see `ViewScores`.
    """
    weight = rims[:, 0]
    if not weight.any():
        return np.zeros(3)
    strips = weight.sum() ** 2 / (weight**2).sum()  # as many of equal weight would know as much (Kish)
    told = rims[:, 1:].sum(axis=0) / weight.sum() * strips
    left: Float64 = 1.0 / np.sqrt(np.maximum(told, 1e-12))
    return left


def _less_sure(axis: Measured, left_deg: float) -> Measured:
    return replace(axis, deviation=float(np.hypot(axis.deviation, left_deg)))


def _shift(views: Sequence[ViewScores], grid: Grid, shifts: Sequence[float]) -> Measured | None:
    """The best shift, whatever the rotation beside it; only of views that could be shifted."""
    tried = [view for view in views if view.shifted.shape[1] == len(shifts)]
    if not tried:
        return None
    sums = np.concatenate([view.shifted for view in tried]).astype(np.float64)
    weights = np.concatenate([view.shifted_weight for view in tried]).astype(np.float64)
    if not (weights.sum(axis=0) > 0).all() or (sums == sums[:, :1]).all():  # nothing in view, or the car stood
        return None
    axes = (np.asarray(shifts, np.float64), *grid.coarse_axes_deg)
    return _measured(sums, weights, axes)[0]


def _measured(sums: Float64, weights: Float64, axes: tuple[Float64, ...]) -> list[Measured]:
    """Best value along each axis, with its spread under resampling.

    Args:
        sums: (U, …) of each strip; one axis for each of `axes`.
        weights: (U,) or (U, first axis) that they are divided by.
        axes: values tried along each axis.
    """
    shape, flat = sums.shape[1:], sums.reshape(len(sums), -1)
    divisors = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, (len(sums), shape[0]))
    total = _mean(np.ones((1, len(sums))), flat, divisors, shape)[0]
    values = _peak(total, axes)
    rng = np.random.default_rng(_SEED)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1.0 / len(sums)), RESAMPLINGS)
    found = []
    for start in range(0, RESAMPLINGS, _AT_ONCE):
        means = _mean(drawn[start : start + _AT_ONCE].astype(np.float64), flat, divisors, shape)
        found += [_peak(mean, axes) for mean in means]
    spread = np.std(np.array(found), axis=0)
    return [
        Measured(values[i], max(float(spread[i]), _least(axis)), axis, _profile(total, i))
        for i, axis in enumerate(axes)
    ]


def _mean(drawn: Float64, flat: Float64, divisors: Float64, shape: tuple[int, ...]) -> Float64:
    """(D, …) mean scores for (D, U) counts of how often each strip was drawn."""
    weight = np.maximum(drawn @ divisors, 1e-9)
    sums: Float64 = (drawn @ flat).reshape(len(drawn), *shape)
    return sums / weight.reshape(len(drawn), shape[0], *[1] * (len(shape) - 1))


def _least(axis: Float64) -> float:
    return float(axis[1] - axis[0]) / 4 if len(axis) > 1 else 0.0


def _profile(total: Float64, which: int) -> Float64:
    """The best score at each value of one axis."""
    others = tuple(i for i in range(total.ndim) if i != which)
    best: Float64 = total.max(axis=others)
    return best


def _peak(total: Float64, axes: tuple[Float64, ...]) -> list[float]:
    """Where the score is best along each axis, between the values tried: the top of a parabola through three."""
    at = [int(i) for i in np.unravel_index(int(total.argmax()), total.shape)]
    values = []
    for which, axis in enumerate(axes):
        line = np.moveaxis(total, which, -1)[tuple(at[:which] + at[which + 1 :])]
        values.append(_between(line, axis, at[which]))
    return values


def _between(line: Float64, axis: Float64, at: int) -> float:
    if not 0 < at < len(axis) - 1:
        return float(axis[at])
    before, best, after = (float(line[at + step]) for step in (-1, 0, 1))
    bend = before - 2.0 * best + after
    part = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    return float(axis[at] + part * (axis[at + 1] - axis[at]))
