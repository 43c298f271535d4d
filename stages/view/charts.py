"""Charts of quality: confusion matrix, bars per class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float64, UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.chart_parts import (
    ABSENT,
    FAINT,
    INK,
    count_text,
    drawn,
    font,
    new_figure,
    quiet_axes,
    set_tick_fonts,
    set_title,
    short_name,
)
from paintpipe.stages.view.style import Rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_chart(matrix: AnyArray, classes: Sequence[str], title: str) -> UInt8:
    """(H, W, 3) uint8 RGB: each true class's points in percent by predicted class.

    Rows are the truth and sum to 100; the count of points stands to the right. A row without a point is grey. Zeros
    stay blank, and what rounds to zero is a dot.

    Args:
        matrix: (C, C) counts, rows true, columns predicted; or (C, C + 1) where the last column counts points that
            were not painted.
        classes: C names.
        title: above the chart.

    Raises:
        ConfigError: the matrix does not fit the classes.
    """
    counts = np.asarray(matrix, dtype=np.float64)
    size = len(classes)
    if counts.shape not in {(size, size), (size, size + 1)} or size == 0:
        raise ConfigError(f"confusion matrix of shape {counts.shape}", expected=f"({size}, {size}), one row a class")
    support = counts.sum(axis=1)
    share = np.divide(counts, support[:, None], out=np.full_like(counts, np.nan), where=support[:, None] > 0)
    columns = [*classes, "not painted"][: counts.shape[1]]
    side = 0.42 * size
    figure = new_figure(side + 3.2 + 0.42 * (len(columns) - size), side + 2.3)
    axes = figure.add_subplot()
    _matrix_cells(axes, share)
    _matrix_names(axes, classes, columns, support)
    axes.set_xlabel("predicted", color=INK, fontproperties=font(10))
    axes.set_ylabel("true", color=INK, fontproperties=font(10))
    set_title(axes, title)
    return drawn(figure)


def class_bars(names: Sequence[str], ious: Sequence[float], colors: Sequence[Rgb], title: str) -> UInt8:
    """(H, W, 3) uint8 RGB: one horizontal bar a class from 0 to 1, its value beside it.

    Args:
        names: C class names, the first on top.
        ious: C values in 0 to 1, NaN for a class that does not occur (grey, `absent`).
        colors: C RGB colours.
        title: above the chart.

    Raises:
        ConfigError: the three are not of one length.
    """
    if not len(names) == len(ious) == len(colors):
        raise ConfigError(f"{len(names)} names, {len(ious)} values and {len(colors)} colours", expected="one of each")
    values = np.asarray(ious, dtype=np.float64)
    absent = ~np.isfinite(values)
    figure = new_figure(8.0, 1.0 + 0.31 * max(1, len(names)))
    axes = figure.add_subplot()
    places = np.arange(len(names))
    fill = [(red / 255, green / 255, blue / 255) for red, green, blue in colors]
    axes.barh(places, np.ones(len(names)), color=ABSENT, height=0.66)
    axes.barh(places, np.nan_to_num(values), color=fill, height=0.66)
    for place, value in zip(places, values, strict=True):
        words, ink = (f"{value:.3f}", INK) if np.isfinite(value) else ("absent", FAINT)
        axes.text(1.02, place, words, va="center", color=ink, fontproperties=font(9))
    axes.set(xlim=(0, 1), ylim=(max(1, len(names)) - 0.5, -0.5), yticks=places, xticks=np.linspace(0, 1, 6))
    set_tick_fonts(axes.set_yticklabels([short_name(name) for name in names]))
    quiet_axes(axes, "x")
    for tick, gone in zip(axes.get_yticklabels(), absent, strict=True):
        tick.set_color(FAINT if gone else INK)
    set_title(axes, title)
    return drawn(figure)


def _matrix_cells(axes: "Axes", share: Float64) -> None:
    from matplotlib import colormaps

    shades = colormaps["Blues"].with_extremes(bad=ABSENT)
    axes.imshow(share, cmap=shades, vmin=0.0, vmax=1.15, aspect="equal", interpolation="nearest")
    for (row, column), value in np.ndenumerate(share):
        if np.isfinite(value) and value > 0:
            words = f"{100 * value:.0f}" if value >= 0.005 else "·"
            ink = "white" if value > 0.6 else INK if value >= 0.005 else FAINT
            weight = font(8, bold=row == column)
            axes.text(column, row, words, ha="center", va="center", color=ink, fontproperties=weight)
    axes.set_xticks(np.arange(share.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(share.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#dfe3e8", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _matrix_names(axes: "Axes", classes: Sequence[str], columns: Sequence[str], support: Float64) -> None:
    axes.set(xticks=range(len(columns)), yticks=range(len(classes)))
    below = axes.set_xticklabels(
        [short_name(name) for name in columns], rotation=45, ha="right", rotation_mode="anchor"
    )
    left = axes.set_yticklabels([short_name(name) for name in classes])
    set_tick_fonts([*below, *left])
    for tick, count in zip(left, support, strict=True):
        tick.set_color(INK if count else FAINT)
    for place, count in enumerate(support):
        words, ink = (count_text(float(count)), INK) if count else ("absent", FAINT)
        axes.text(len(columns) - 0.3, place, words, va="center", color=ink, fontproperties=font(8))
