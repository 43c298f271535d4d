"""How far scores can be believed: confidence against accuracy, in whole numbers that add up exactly over frames."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Float32, Float64, Int64, UInt8
from paintpipe.schemas.errors import LabelsError
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.temperature import FLOOR

BINS = 15
"""Of equal width, as in Guo et al. 2017 (arXiv 1706.04599), section 2 and table 1; bin m of M holds ((m-1)/M, m/M]."""
UNIT = 2.0**-24
"""Confidences are summed in these: every float16 from 0 to 1, and any sum of several, is a whole number of them."""
NATS = 2.0**-20
"""Negative log-likelihoods are rounded to these and then summed."""


@dataclass(frozen=True)
class Bins:
    """Points by confidence.

    Attributes:
        points: (..., M) int64 points of each bin.
        hits: (..., M) int64 of them, those whose class is the true one.
        units: (..., M) int64 sum of their confidences in `UNIT`.
    """

    points: Int64
    hits: Int64
    units: Int64

    def __add__(self, other: "Bins") -> "Bins":
        return Bins(self.points + other.points, self.hits + other.hits, self.units + other.units)

    @property
    def accuracy(self) -> Float64:
        """(..., M) share of points that are right, NaN for a bin without points."""
        return np.divide(self.hits, self.points, out=np.full(self.points.shape, np.nan), where=self.points > 0)

    @property
    def confidence(self) -> Float64:
        """(..., M) mean confidence, NaN for a bin without points."""
        mean = np.divide(self.units, self.points, out=np.full(self.points.shape, np.nan), where=self.points > 0)
        return mean * UNIT

    def ece(self) -> Float64:
        """(...) expected calibration error, NaN without points.

        ECE = Σ_m |B_m| / n · |acc(B_m) - conf(B_m)| (Guo et al. 2017, arXiv 1706.04599, section 2, equation 3).
        """
        gap = np.abs(self.hits.astype(np.float64) - self.units.astype(np.float64) * UNIT).sum(axis=-1)
        total = self.points.sum(axis=-1).astype(np.float64)
        return np.divide(gap, total, out=np.full(gap.shape, np.nan), where=total > 0)


@dataclass(frozen=True)
class ReliabilityTally:
    """Counts over painted points that have a true class, of any number of frames; `a + b` is the tally of both.

    Attributes:
        top: (M,) by the score of a point's label.
        by_class: (C, M) by the score of each class: a point counts once for every class.
        nll_units: sum of -ln of the true class's score, in `NATS`.
    """

    top: Bins
    by_class: Bins
    nll_units: int = 0

    def __add__(self, other: "ReliabilityTally") -> "ReliabilityTally":
        if self.by_class.points.shape != other.by_class.points.shape:
            raise ValueError("tallies of other numbers of classes do not add up")
        nll_units = self.nll_units + other.nll_units
        return ReliabilityTally(self.top + other.top, self.by_class + other.by_class, nll_units)

    @property
    def num_points(self) -> int:
        """Painted points that have a true class."""
        return int(self.top.points.sum())

    @property
    def accuracy(self) -> float:
        """Share of them whose label is right, NaN without points."""
        return self._mean(float(self.top.hits.sum()))

    @property
    def confidence(self) -> float:
        """Mean score of their labels, NaN without points."""
        return self._mean(float(self.top.units.sum()) * UNIT)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood in nats, NaN without points."""
        return self._mean(self.nll_units * NATS)

    @property
    def ece(self) -> float:
        """Expected calibration error of the labels; see `Bins.ece`."""
        return float(self.top.ece())

    @property
    def classwise_ece(self) -> float:
        """Mean over classes of the error of each class's score (Kull et al. 2019, arXiv 1910.12656, section 2).

        With |B_m| points of bin m of class j: Σ_m |B_m| / n · |share of class j in B_m - mean score of j in B_m|.
        """
        return float(self.by_class.ece().mean())

    def _mean(self, total: float) -> float:
        return total / self.num_points if self.num_points else float("nan")


def reliability_frame(scores: AnyArray, labels: UInt8, truth: UInt8, num_classes: int) -> ReliabilityTally:
    """The tally of one frame; points that are unpainted or have no true class are left out.

    Args:
        scores: (N, C) float16 or float32 in the truth's taxonomy, or (N, C + 1) with `other` at the end, which is never
            true.
        labels: (N,) predicted class, 255 where unpainted.
        truth: (N,) true class, 255 where ignored.
        num_classes: C.

    Raises:
        LabelsError: labels, truth and scores don't fit.
    """
    if not len(scores) == len(labels) == len(truth):
        raise LabelsError(f"{len(scores)} rows of scores, {len(labels)} labels", expected=f"{len(truth)} of each")
    chosen = np.flatnonzero((labels != UNPAINTED) & (truth != UNPAINTED))
    if (labels[chosen] >= num_classes).any() or (truth[chosen] >= num_classes).any():
        raise LabelsError("a label is outside the taxonomy", expected=f"0 … {num_classes - 1}, or 255 for none")
    rows = scores[chosen].astype(np.float32)
    top, by_class = _bins(rows, labels[chosen], truth[chosen], num_classes)
    return ReliabilityTally(Bins(*top), Bins(*by_class), nll_units(rows, truth[chosen]))


def nll_units(rows: Float32, truth: UInt8) -> int:
    """Σ -ln p of the true classes, in `NATS`, each rounded: a whole number, so that no order of adding matters.

    Args:
        rows: (M, C) float32 scores; one below `FLOOR` (what float16 rounds to 0) counts as `FLOOR`.
        truth: (M,) true class.
    """
    likely = np.maximum(rows[np.arange(len(truth)), truth].astype(np.float64), FLOOR)
    return int(np.rint(-np.log(likely) / NATS).astype(np.int64).sum())


@kernel
def _bin_of(units: Any) -> Any:
    """ceil(units · M / 2^24) - 1 in whole numbers: a confidence of exactly m / M is in bin m."""
    return min(max(((units * BINS + 16777215) >> 24) - 1, 0), BINS - 1)


@kernel
def _bins(rows: Float32, labels: UInt8, truth: UInt8, num_classes: int) -> Any:
    """(3, M) and (3, C, M) int64: points, hits and units of the labels, and of every class."""
    top, by_class = np.zeros((3, BINS), np.int64), np.zeros((3, num_classes, BINS), np.int64)
    for row in range(rows.shape[0]):
        for k in range(num_classes):
            units = np.int64(np.float64(rows[row, k]) * 16777216.0 + 0.5)
            place, hit = _bin_of(units), np.int64(truth[row] == k)
            by_class[0, k, place] += 1
            by_class[1, k, place] += hit
            by_class[2, k, place] += units
            if k == labels[row]:
                top[0, place] += 1
                top[1, place] += hit
                top[2, place] += units
    return top, by_class
