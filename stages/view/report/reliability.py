"""The reliability diagram: how often points are right, by how sure their painter was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.markup import Markup, tag
from paintpipe.stages.view.report.svg import Plot, svg

_WIDTH, _HEIGHT = 380.0, 340.0


@dataclass(frozen=True)
class Bin:
    """Points whose label has a score above `low` and at most `high`: how many, their mean score, the right share."""

    low: float
    high: float
    points: int
    confidence: float
    accuracy: float


def read_bins(rows: Sequence[Mapping[str, Any]]) -> list[Bin]:
    """The bins of a layer from rows of the table `reliability`; those without a point are left out."""
    columns = ("above", "up_to", "points", "confidence", "accuracy")
    return [Bin(*(row[name] for name in columns)) for row in rows if row["points"]]


def reliability_diagram(bins: Sequence[Bin], label: str) -> Markup:
    """An SVG: a bar a bin, in red from its accuracy to its confidence, and the diagonal where both agree.

    Red lies below the diagonal where scores promise too much, above it where they promise too little. A bar is the
    wider the more points its bin has, by the root of their number.
    """
    plot = Plot(_WIDTH, _HEIGHT, 0.0, 1.0)
    parts = [plot.axes([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], "score of the best class", "share that is right")]
    most = max((one.points for one in bins), default=1)
    parts += [_bar(plot, one, 0.12 + 0.88 * (one.points / most) ** 0.5) for one in bins]
    ends = f"M{plot.x(0):.1f} {plot.y(0):.1f}L{plot.x(1):.1f} {plot.y(1):.1f}"
    return svg(_WIDTH, _HEIGHT, label, *parts, tag("path", class_="ideal", d=ends))


def _bar(plot: Plot, one: Bin, fill: float) -> Markup:
    room = plot.x(one.high) - plot.x(one.low) - 2
    width, middle = room * fill, (plot.x(one.low) + plot.x(one.high)) / 2
    said = f"score {one.low:.2f} to {one.high:.2f}: {one.accuracy:.1%} right, mean score {one.confidence:.1%}, "
    low, high = sorted((one.accuracy, one.confidence))
    where = {"x": middle - width / 2, "width": width}
    bar = tag("rect", **where, y=plot.y(low), height=plot.y(0) - plot.y(low), class_="cell")
    gap = tag("rect", **where, y=plot.y(high), height=plot.y(low) - plot.y(high), class_="gap")
    return tag("g", tag("title", said + f"{count_text(one.points)} points"), bar, gap)
