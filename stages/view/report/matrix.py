"""The confusion matrix as a heat map: each true class's points in percent by predicted class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.markup import Markup, tag
from paintpipe.stages.view.report.svg import svg, text

_CELL = 29.0
_COUNTS = 64.0
_LETTER = 7.4
"""Units that a letter of a name takes."""
_LONGEST_NAME = 18
_DARK = 0.55
"""A cell with a larger share has words in the other ink."""


def confusion_matrix(counts: Int64, classes: Sequence[str], columns: Sequence[str], label: str) -> Markup:
    """An SVG heat map; rows are the truth and sum to 100 %, zeros stay blank, a row without points is grey.

    Args:
        counts: (C, D) points.
        classes: C true classes.
        columns: D predicted ones, such as the same and `unpainted`.
        label: what the matrix is of.

    Raises:
        ConfigError: the counts do not fit the names.
    """
    if counts.shape != (len(classes), len(columns)):
        raise ConfigError(f"confusion matrix of shape {counts.shape}", expected=f"({len(classes)}, {len(columns)})")
    support = counts.sum(axis=1)
    shares = np.divide(counts, support[:, None], out=np.zeros(counts.shape), where=support[:, None] > 0)
    longest = max([len(_short(name)) for name in (*classes, *columns)], default=0)
    grid = _Grid(max(128.0, longest * _LETTER + 14), longest * _LETTER * 0.82 + 16, classes, columns)
    parts = [*_names(grid, support), *_cells(grid, shares, counts), *_lines(grid)]
    parts += [text(grid.left - 8, grid.top - 10, "true ↓ predicted →", "end", "small")]
    # The last column's name leans over the counts beside it.
    width = grid.left + _CELL * len(columns) + max(_COUNTS, longest * _LETTER * 0.58)
    return svg(width, grid.top + _CELL * len(classes) + 2, label, *parts, fixed=True)


@dataclass(frozen=True)
class _Grid:
    """Where the cells begin, and what rows and columns are called."""

    left: float
    top: float
    classes: Sequence[str]
    columns: Sequence[str]

    def x(self, column: float) -> float:
        return self.left + _CELL * column

    def y(self, row: float) -> float:
        return self.top + _CELL * row


def _names(grid: _Grid, support: Int64) -> Iterator[Markup]:
    for number, name in enumerate(grid.columns):
        turn = f"translate({grid.x(number + 0.5) + 4:.1f} {grid.top - 8:.1f}) rotate(-55)"
        yield tag("text", tag("title", name), _short(name), transform=turn, class_="ink")
    for number, name in enumerate(grid.classes):
        y, seen = grid.y(number + 0.5) + 4.5, bool(support[number])
        ink = "ink" if seen else None
        yield tag("text", tag("title", name), _short(name), x=grid.left - 8, y=y, text_anchor="end", class_=ink)
        words = count_text(int(support[number])) if seen else "absent"
        yield text(grid.x(len(grid.columns)) + 8, y, words, "start", "small")


def _cells(grid: _Grid, shares: Float64, counts: Int64) -> Iterator[Markup]:
    for row, true in enumerate(grid.classes):
        if not counts[row].any():
            yield _box(grid.left, grid.y(row), _CELL * len(grid.columns), "empty", 0.5)
        for column in np.flatnonzero(counts[row]):
            share = float(shares[row, column])
            said = f"{true} → {grid.columns[column]}: {share:.1%}, {int(counts[row, column]):,} points"
            words = f"{100 * share:.0f}" if share >= 0.005 else "·"
            box = _box(grid.x(column), grid.y(row), _CELL, "cell", 0.06 + 0.94 * share)
            ink = "small on" if share > _DARK else "small ink"
            word = text(grid.x(column + 0.5), grid.y(row + 0.5) + 4, words, class_=ink)
            yield tag("g", tag("title", said), box, word)


def _lines(grid: _Grid) -> Iterator[Markup]:
    rows, columns = len(grid.classes), len(grid.columns)
    for step in range(rows + 1):
        yield tag("path", class_="axis", d=f"M{grid.left:.1f} {grid.y(step):.1f}h{_CELL * columns:.1f}")
    for step in range(columns + 1):
        yield tag("path", class_="axis", d=f"M{grid.x(step):.1f} {grid.top:.1f}v{_CELL * rows:.1f}")


def _box(x: float, y: float, width: float, class_: str, opacity: float) -> Markup:
    return tag("rect", x=float(x), y=float(y), width=width, height=_CELL, class_=class_, fill_opacity=opacity)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
