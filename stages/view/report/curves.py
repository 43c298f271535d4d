"""Curves over range: one line a layer, a gap where a bin is empty."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.markup import Markup, tag
from paintpipe.stages.view.report.svg import Plot, color, svg, text

_WIDTH, _HEIGHT = 420.0, 270.0
_ROW = 20.0


def range_curves(edges_m: Sequence[float], curves: Mapping[str, Sequence[float | None]], ylabel: str) -> Markup:
    """An SVG of values in 0 to 1 over bins of range.

    Args:
        edges_m: B + 1 rising edges of the bins in metres.
        curves: name of a layer to B values, None where a bin is empty.
        ylabel: what the values are.

    Raises:
        ConfigError: a curve does not have one value a bin, or there is no bin.
    """
    if len(edges_m) < 2 or any(len(values) != len(edges_m) - 1 for values in curves.values()):
        raise ConfigError(f"range curves over {len(edges_m) - 1} bins", expected="one value a bin of each curve")
    plot = Plot(_WIDTH, _HEIGHT, edges_m[0], edges_m[-1])
    middles = [(low + high) / 2 for low, high in pairwise(edges_m)]
    parts = [plot.axes(list(edges_m), "range (m)", ylabel)]
    for number, (name, values) in enumerate(curves.items()):
        points = list(zip(middles, values, strict=True))
        parts += [*_line(plot, points, color(number)), *_dots(plot, points, name, color(number))]
        parts += _key(name, number, _HEIGHT + 6 + _ROW * number)
    height = _HEIGHT + 4 + _ROW * len(curves)
    said = f"{ylabel} by range in metres, of " + ", ".join(curves)
    return svg(_WIDTH, height, said, *parts)


def _line(plot: Plot, points: Sequence[tuple[float, float | None]], stroke: str) -> Iterator[Markup]:
    path, pen_down = "", False
    for x, value in points:
        if value is not None:
            path += f"{'L' if pen_down else 'M'}{plot.x(x):.1f} {plot.y(value):.1f}"
        pen_down = value is not None
    if path:
        yield tag("path", class_="line", d=path, style=f"stroke:{stroke}")


def _dots(plot: Plot, points: Sequence[tuple[float, float | None]], name: str, fill: str) -> Iterator[Markup]:
    for x, value in points:
        if value is not None:
            title = tag("title", f"{name}: {value:.3f} around {x:g} m")
            yield tag("circle", title, cx=plot.x(x), cy=plot.y(value), r=4.2, style=f"fill:{fill}")


def _key(name: str, number: int, y: float) -> list[Markup]:
    dot = tag("circle", cx=54.0, cy=y + 8, r=4.2, style=f"fill:{color(number)}")
    return [dot, text(66, y + 12, name, "start", "ink")]
