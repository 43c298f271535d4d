"""The curves of `check-calibration`: score over each rotation and over a shift in time."""

from typing import TYPE_CHECKING

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, Measured
from paintpipe.stages.view.chart_parts import (
    FAINT,
    INK,
    LINES,
    drawn,
    font,
    new_figure,
    quiet_axes,
)
from paintpipe.stages.view.text import fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEY = "dashed: as it is now    line: where the score is best    band: its standard deviation to either side"
_UNITS = {"ms": "images later by (ms)", "frames": "images later by (frames)"}


def calibration_chart(found: CameraEstimate, title: str) -> UInt8:
    """(H, W, 3) uint8 RGB: a panel for each quantity that was tried, the best offset and its deviation marked.

    Args:
        found: what was measured of a camera.
        title: above the panels.
    """
    panels = [(name, axis) for name, axis in found.axes.items() if axis is not None]
    width_in = 3.1 * max(1, len(panels))
    figure = new_figure(width_in, 3.5)
    # Over the whole figure: over the first panel, a long one would push the second away.
    words = fit(title, 16, round(96 * width_in) - 40)
    figure.suptitle(words, x=0.012, ha="left", color=INK, fontproperties=font(12, bold=True), parse_math=False)
    figure.supxlabel(_KEY, x=0.012, ha="left", color=INK, fontproperties=font(9))
    low, high = _limits([axis for _, axis in panels])
    for place, (name, axis) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        label = _UNITS[found.shift_unit] if name == "shift" else f"{name} turned by (degrees)"
        _panel(axes, axis, LINES[place % len(LINES)], label)
        unit = f" {found.shift_unit}" if name == "shift" else "°"
        best = f"best {axis.value:+.2f} ± {axis.deviation:.2f}{unit}"
        axes.set_title(best, loc="left", color=INK, fontproperties=font(9))
        axes.set_ylim(low, high)
        if place == 0:
            axes.set_ylabel("score (0: chance)", color=INK, fontproperties=font(9))
        quiet_axes(axes, "both")
    return drawn(figure)


def _panel(axes: "Axes", axis: Measured, color: str, label: str) -> None:
    axes.axvline(0.0, color=FAINT, lw=1, ls=(0, (4, 3)))
    axes.axvspan(axis.value - axis.deviation, axis.value + axis.deviation, color=color, alpha=0.18, lw=0)
    axes.axvline(axis.value, color=color, lw=1.4)
    axes.plot(axis.offsets, axis.scores, "o-", color=color, lw=1.8, ms=3.5)
    axes.set_xlabel(label, color=INK, fontproperties=font(9))


def _limits(measured: list[Measured]) -> tuple[float, float]:
    """One scale for all panels, so that a flat curve looks flat."""
    low = min((float(axis.scores.min()) for axis in measured), default=0.0)
    high = max((float(axis.scores.max()) for axis in measured), default=1.0)
    spare = 0.08 * max(high - low, 0.05)
    return min(low, 0.0) - spare, high + spare
