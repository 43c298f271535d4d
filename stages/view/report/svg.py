"""What the drawings of the report share: an SVG element that scales, and axes from 0 to 1."""

from dataclasses import dataclass

from paintpipe.stages.view.markup import Markup, tag

SERIES = 6
"""Colours `--c0` … of the style sheet."""


def svg(width: float, height: float, label: str, *children: str, fixed: bool = False) -> Markup:
    """An SVG element `width` x `height` units large, with a name for those who can't see it.

    Args:
        width: in the drawing's own units.
        height: likewise.
        label: what it shows, in a sentence.
        children: its elements.
        fixed: as large as its units say, for drawings that scroll.
    """
    size = {"width": width, "height": height} if fixed else {}
    view = {"viewBox": f"0 0 {width:g} {height:g}"}
    return tag("svg", *children, role="img", aria_label=label, **size, **view)


def text(x: float, y: float, words: str, anchor: str = "middle", class_: str | None = None) -> Markup:
    """Words at a place; `anchor` is start, middle or end."""
    return tag("text", words, x=float(x), y=float(y), text_anchor=anchor, class_=class_)


def color(number: int) -> str:
    """The colour of a series, as CSS."""
    return f"var(--c{number % SERIES})"


@dataclass(frozen=True)
class Plot:
    """A frame with axes: x from `left` to `right` in the data's unit, y from 0 to 1.

    Attributes:
        width, height: of the drawing.
        left, right: ends of the x axis.
        margin: units left for the labels at the left and below.
    """

    width: float
    height: float
    left: float
    right: float
    margin: float = 48.0
    top: float = 12.0

    def x(self, value: float) -> float:
        """Units from the left."""
        return self.margin + (value - self.left) / (self.right - self.left) * (self.width - self.margin - 14.0)

    def y(self, value: float) -> float:
        """Units from the top."""
        return self.top + (1.0 - value) * (self.height - self.top - self.margin)

    def axes(self, ticks: list[float], xlabel: str, ylabel: str) -> Markup:
        """Grid lines, numbers and the names of both axes."""
        low, high = self.x(self.left), self.x(self.right)
        parts = []
        for step in range(6):
            y = self.y(step / 5)
            parts += [tag("path", class_="axis", d=f"M{low:.1f} {y:.1f}H{high:.1f}")]
            parts += [text(low - 6, y + 4, f"{step / 5:.1f}", "end")]
        parts += [text(self.x(tick), self.y(0) + 17, f"{tick:g}") for tick in ticks]
        parts += [text((low + high) / 2, self.height - 4, xlabel)]
        parts += [
            tag(
                "text",
                ylabel,
                x=0,
                y=0,
                text_anchor="middle",
                transform=f"translate(12 {self.y(0.5):.1f}) rotate(-90)",
            )
        ]
        return tag("g", *parts)
