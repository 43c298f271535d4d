"""What all charts are made of: paper, ink, fonts and numbers.

matplotlib's object interface alone, without pyplot: nothing global changes, and threads may draw at once.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.view.text import fit, font_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_DPI = 150
INK = "#1f2430"
FAINT = "#8a909c"
ABSENT = "#eceef1"
LINES = ("#3366cc", "#d1495b", "#2a9d8f", "#e9a23b", "#7b4fa3", "#5c677d")
_NAME_PX = 150


def count_text(value: float) -> str:
    """12 → `12`, 1234 → `1.2 k`, 5.6e6 → `5.6 M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            # Three digits, but never an exponent: 999,999 is `1000 k`.
            return f"{value / size:.3g} {unit}" if value < 999.5 * size else f"{value / size:.0f} {unit}"
    return f"{value:.0f}"


def new_figure(width_in: float, height_in: float) -> "Figure":
    """An empty white figure of this size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.14, h_pad=0.14)
    FigureCanvasAgg(figure)
    return figure


def font(points: float, *, bold: bool = False) -> Any:
    """The font by its file, so that the user's matplotlibrc has no say."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_path(bold=bold)), size=points)


def short_name(name: str) -> str:
    """A name as far as it fits beside a tick."""
    return fit(name, 12, _NAME_PX)


def set_tick_fonts(texts: Sequence["Text"]) -> None:
    """Our font for names along an axis, and no mathematics in them: they may come from a dataset."""
    for text in texts:
        text.set_fontproperties(font(9))
        text.set_parse_math(False)


def set_title(axes: "Axes", title: str) -> None:
    """A bold title, flush left, as far as it fits."""
    words = fit(title, 16, 700)
    axes.set_title(words, loc="left", color=INK, fontproperties=font(12, bold=True), pad=12, parse_math=False)


def quiet_axes(axes: "Axes", grid: Literal["both", "x", "y"]) -> None:
    """Light grid behind the data, no frame."""
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color="#e3e6ea", linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    set_tick_fonts([*axes.get_xticklabels(), *axes.get_yticklabels()])


def drawn(figure: "Figure") -> UInt8:
    """(H, W, 3) uint8 RGB."""
    canvas: Any = figure.canvas
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3], dtype=np.uint8)
