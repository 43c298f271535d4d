"""Charts of quality: confusion matrix, bars per class, curves over range.

matplotlib's object interface alone, without pyplot: nothing global changes, and threads may draw at once.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float64, UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.style import Rgb
from paintpipe.stages.view.text import clean, fit, font_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_DPI = 150
_INK = "#1f2430"
_FAINT = "#8a909c"
_ABSENT = "#eceef1"
_LINES = ("#3366cc", "#d1495b", "#2a9d8f", "#e9a23b", "#7b4fa3", "#5c677d")
_NAME_PX = 150


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
    figure = _figure(side + 3.2 + 0.42 * (len(columns) - size), side + 2.3)
    axes = figure.add_subplot()
    _matrix_cells(axes, share)
    _matrix_names(axes, classes, columns, support)
    axes.set_xlabel("predicted", color=_INK, fontproperties=_face(10))
    axes.set_ylabel("true", color=_INK, fontproperties=_face(10))
    _title(axes, title)
    return _pixels(figure)


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
    figure = _figure(8.0, 1.0 + 0.31 * max(1, len(names)))
    axes = figure.add_subplot()
    places = np.arange(len(names))
    fill = [(red / 255, green / 255, blue / 255) for red, green, blue in colors]
    axes.barh(places, np.ones(len(names)), color=_ABSENT, height=0.66)
    axes.barh(places, np.nan_to_num(values), color=fill, height=0.66)
    for place, value in zip(places, values, strict=True):
        words, ink = (f"{value:.3f}", _INK) if np.isfinite(value) else ("absent", _FAINT)
        axes.text(1.02, place, words, va="center", color=ink, fontproperties=_face(9))
    axes.set(xlim=(0, 1), ylim=(max(1, len(names)) - 0.5, -0.5), yticks=places, xticks=np.linspace(0, 1, 6))
    _tick_names(axes.set_yticklabels([_short(name) for name in names]))
    _quiet(axes, "x")
    for tick, gone in zip(axes.get_yticklabels(), absent, strict=True):
        tick.set_color(_FAINT if gone else _INK)
    _title(axes, title)
    return _pixels(figure)


def range_curve(
    edges_m: Sequence[float], curves: Mapping[str, Sequence[float]], title: str, ylabel: str = "mIoU"
) -> UInt8:
    """(H, W, 3) uint8 RGB: one line a layer over bins of range, a point in the middle of each bin.

    Args:
        edges_m: B + 1 rising edges of the bins in metres.
        curves: name of a layer to B values in 0 to 1, NaN (a gap) where a bin is empty.
        title: above the chart.
        ylabel: what the values are.

    Raises:
        ConfigError: a curve does not have one value a bin.
    """
    edges = np.asarray(edges_m, dtype=np.float64)
    for name, values in curves.items():
        if len(values) != len(edges) - 1:
            raise ConfigError(f"curve {name!r} has {len(values)} values", expected=f"{len(edges) - 1}, one a bin")
    figure = _figure(8.0, 4.2)
    axes = figure.add_subplot()
    middles = (edges[1:] + edges[:-1]) / 2
    for number, (name, values) in enumerate(curves.items()):
        color = _LINES[number % len(_LINES)]
        label = _short(name).lstrip("_")  # matplotlib hides labels that begin with an underscore
        axes.plot(middles, np.asarray(values, dtype=np.float64), "o-", color=color, lw=2, ms=6, label=label or "layer")
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), xticks=edges)
    axes.set_xlabel("range (m)", color=_INK, fontproperties=_face(10))
    axes.set_ylabel(clean(ylabel), color=_INK, fontproperties=_face(10), parse_math=False)
    _quiet(axes, "both")
    if len(curves) > 1:
        key = axes.legend(frameon=False, prop=_face(9), loc="upper left", bbox_to_anchor=(1.01, 1.0))
        _tick_names(key.get_texts())
    _title(axes, title)
    return _pixels(figure)


def _matrix_cells(axes: "Axes", share: Float64) -> None:
    from matplotlib import colormaps

    shades = colormaps["Blues"].with_extremes(bad=_ABSENT)
    axes.imshow(share, cmap=shades, vmin=0.0, vmax=1.15, aspect="equal", interpolation="nearest")
    for (row, column), value in np.ndenumerate(share):
        if np.isfinite(value) and value > 0:
            words = f"{100 * value:.0f}" if value >= 0.005 else "·"
            ink = "white" if value > 0.6 else _INK if value >= 0.005 else _FAINT
            weight = _face(8, bold=row == column)
            axes.text(column, row, words, ha="center", va="center", color=ink, fontproperties=weight)
    axes.set_xticks(np.arange(share.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(share.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#dfe3e8", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _matrix_names(axes: "Axes", classes: Sequence[str], columns: Sequence[str], support: Float64) -> None:
    axes.set(xticks=range(len(columns)), yticks=range(len(classes)))
    below = axes.set_xticklabels([_short(name) for name in columns], rotation=45, ha="right", rotation_mode="anchor")
    left = axes.set_yticklabels([_short(name) for name in classes])
    _tick_names([*below, *left])
    for tick, count in zip(left, support, strict=True):
        tick.set_color(_INK if count else _FAINT)
    for place, count in enumerate(support):
        words, ink = (_count(float(count)), _INK) if count else ("absent", _FAINT)
        axes.text(len(columns) - 0.3, place, words, va="center", color=ink, fontproperties=_face(8))


def _count(value: float) -> str:
    """12 → `12`, 1234 → `1.2 k`, 5.6e6 → `5.6 M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 1000 * size else f"{value / size:.0f} {unit}"
    return f"{value:.0f}"


def _figure(width_in: float, height_in: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.14, h_pad=0.14)
    FigureCanvasAgg(figure)
    return figure


def _face(points: float, *, bold: bool = False) -> Any:
    """The font by its file, so that the user's matplotlibrc has no say."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_path(bold=bold)), size=points)


def _short(name: str) -> str:
    return fit(name, 12, _NAME_PX)


def _tick_names(texts: Sequence["Text"]) -> None:
    for text in texts:
        text.set_fontproperties(_face(9))
        text.set_parse_math(False)


def _title(axes: "Axes", title: str) -> None:
    words = fit(title, 16, 700)
    axes.set_title(words, loc="left", color=_INK, fontproperties=_face(12, bold=True), pad=12, parse_math=False)


def _quiet(axes: "Axes", grid: Literal["both", "x", "y"]) -> None:
    """Light grid behind the data, no frame."""
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color="#e3e6ea", linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=_INK)
    _tick_names([*axes.get_xticklabels(), *axes.get_yticklabels()])


def _pixels(figure: "Figure") -> UInt8:
    canvas: Any = figure.canvas
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3], dtype=np.uint8)
