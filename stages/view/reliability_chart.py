"""Reliability diagrams: how often the painter is right when it says how sure it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float64, UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.chart_parts import (
    FAINT,
    INK,
    LINES,
    count_text,
    drawn,
    font,
    new_figure,
    quiet_axes,
    set_title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = "#d1495b"
_FEW = 1e-3
"""Bins with a smaller share of the points are drawn faintly: chance rules them, and they hardly count in the error."""


class Reliability(NamedTuple):
    """One diagram.

    Attributes:
        title: above it.
        points: (M,) points by bin of confidence, the bins of equal width from 0 to 1.
        confidence: (M,) mean confidence, NaN where a bin is empty.
        accuracy: (M,) share that is right, NaN where a bin is empty.
        ece: expected calibration error.
    """

    title: str
    points: AnyArray
    confidence: AnyArray
    accuracy: AnyArray
    ece: float


def reliability_chart(diagrams: Sequence[Reliability]) -> UInt8:
    """(H, W, 3) uint8 RGB: accuracy over confidence, a diagram beside the other, and below each where its points lie.

    A bar reaches to the accuracy of its bin; the hatched part is what lacks to the diagonal (or is beyond it), where
    confidence and accuracy agree. A bin with hardly a point is faint.

    Args:
        diagrams: at least one, with the same number of bins.

    Raises:
        ConfigError: no diagram, or arrays of other lengths.
    """
    lengths = {len(array) for one in diagrams for array in (one.points, one.confidence, one.accuracy)}
    if len(lengths) != 1:
        raise ConfigError(f"diagrams with {sorted(lengths)} bins", expected="one diagram or more, of as many bins each")
    figure = new_figure(4.9 * len(diagrams) + 0.3, 5.6)
    grid = figure.add_gridspec(2, len(diagrams), height_ratios=(4, 1))
    for number, one in enumerate(diagrams):
        _diagram(figure.add_subplot(grid[0, number]), one)
        _shares(figure.add_subplot(grid[1, number]), one)
    return drawn(figure)


def _diagram(axes: "Axes", one: Reliability) -> None:
    confidence, accuracy = np.asarray(one.confidence, np.float64), np.asarray(one.accuracy, np.float64)
    there, middles, width = _places(np.asarray(one.points, dtype=np.float64))
    confidence, accuracy = confidence[there], accuracy[there]
    low, gap = np.minimum(accuracy, confidence), np.abs(confidence - accuracy)
    few = np.asarray(one.points)[there] < _FEW * np.sum(one.points)
    for chosen, alpha in ((~few, 0.85), (few, 0.25)):
        places = middles[there][chosen]
        axes.bar(places, accuracy[chosen], width, color=LINES[0], alpha=alpha, linewidth=0)
        rim: dict[str, Any] = {
            "facecolor": "none",
            "edgecolor": _GAP,
            "hatch": "////",
            "linewidth": 0.6,
            "alpha": alpha,
        }
        axes.bar(places, gap[chosen], width, bottom=low[chosen], **rim)
    axes.plot([0, 1], [0, 1], "--", color=FAINT, lw=1.4)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=np.linspace(0, 1, 6), yticks=np.linspace(0, 1, 6))
    axes.set_ylabel("accuracy", color=INK, fontproperties=font(10))
    quiet_axes(axes, "both")
    set_title(axes, one.title)


def _shares(axes: "Axes", one: Reliability) -> None:
    points = np.asarray(one.points, dtype=np.float64)
    there, middles, width = _places(points)
    axes.bar(middles[there], points[there] / max(1.0, points.sum()), width, color=FAINT, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=np.linspace(0, 1, 6), yticks=[0, 0.5, 1])
    axes.set_xlabel("confidence", color=INK, fontproperties=font(10))
    axes.set_ylabel("share", color=INK, fontproperties=font(10))
    words = f"{count_text(points.sum())} points, ECE {one.ece:.4f}"
    axes.text(0.02, 0.92, words, va="top", color=INK, fontproperties=font(10))
    quiet_axes(axes, "y")


def _places(points: Float64) -> tuple[AnyArray, Float64, float]:
    """Which bins have points, and the middles and the width of all."""
    size = len(points)
    return np.flatnonzero(points > 0), (np.arange(size) + 0.5) / size, 0.92 / size
