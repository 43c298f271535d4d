"""Scores: per-class tables of every layer, curves over range, confusion and reliability of each."""

from collections.abc import Iterator, Sequence

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.page import Bar, Cell, Columns, Details, Drawing, Heading, Section, Subheading, Swatch, Table
from paintpipe.stages.view.report.curves import range_curves
from paintpipe.stages.view.report.facts import ReportFacts, Row
from paintpipe.stages.view.report.matrix import confusion_matrix
from paintpipe.stages.view.report.numbers import percent, three_digits
from paintpipe.stages.view.report.overview import VIEW
from paintpipe.stages.view.report.reliability import read_bins, reliability_diagram

UNPAINTED = "unpainted"
_CURVES = (("miou", "mIoU"), ("accuracy", "accuracy"))
_WHOLE = (
    "summary",
    "cameras",
    "edges",
    "occlusion",
    "coverage",
    "ranges",
    "classes",
    "boxes",
    "box_labels",
    "confidence",
    "calibration",
    "images",
)
_PARTS = (
    ("cameras", "camera", "By camera"),
    ("edges", "depth_edge", "On and off depth edges"),
    ("occlusion", "occluded", "Occluded or not"),
)
"""Tables of parts of the points in view: what tells the parts apart, and a title."""
_MOST_ROWS = 600
_NARROW = 11
"""Columns of a confusion matrix that leaves room for a drawing beside it: 522 px on the widest page."""


def quality(facts: ReportFacts) -> Iterator[Section]:
    """All that `evaluate` wrote, but for the frames; nothing where it has not run."""
    if facts.rows("classes"):
        yield Heading("Classes")
        yield from _classes(facts)
    if facts.rows("boxes"):
        yield Heading("Boxes")
        yield _boxes(facts)
    if facts.rows("ranges"):
        yield Heading("Range")
        yield from _ranges(facts)
    for layer in _layers(facts, "confusion", "reliability"):
        yield Heading(f"Layer {layer}")
        yield from _layer(facts, layer)


def _layers(facts: ReportFacts, *tables: str) -> list[str]:
    return list(dict.fromkeys(row["layer"] for table in tables for row in facts.rows(table)))


def _classes(facts: ReportFacts) -> Iterator[Section]:
    layers = _layers(facts, "classes")
    for rule in dict.fromkeys(row["rule"] for row in facts.rows("classes", subset=VIEW)):
        rows = facts.rows("classes", subset=VIEW, rule=rule)
        support = {row["class"]: row["support"] for row in rows}
        ious = {(row["class"], row["layer"]): row["iou"] for row in rows}
        seen = [name for name in dict.fromkeys(row["class"] for row in rows) if support[name]]
        body = [
            [
                Swatch(name, facts.colors.get(name, "var(--muted)")),
                *(_bar(ious.get((name, layer)), facts.colors.get(name)) for layer in layers),
                count_text(support[name]),
            ]
            for name in seen
        ]
        if body:
            yield Table(["class", *layers, "points"], body, f"IoU by class, {VIEW}, by the rule of {rule}")


def _bar(value: float | None, color: str | None = None) -> Cell:
    return "–" if value is None else Bar(three_digits(value), value, color or "var(--accent)")


def _boxes(facts: ReportFacts) -> Table:
    layers, rows = _layers(facts, "boxes"), facts.rows("boxes")
    shares = {(row["category"], row["layer"]): row["right_share"] for row in rows}
    first = {row["category"]: row for row in reversed(rows)}
    body: list[list[Cell]] = [
        [
            name,
            *(_percent_bar(shares.get((name, layer))) for layer in layers),
            f"{first[name]['boxes']:,}",
            count_text(first[name]["points_inside"]),
        ]
        for name in sorted(first)
    ]
    caption = "Points in view inside the boxes of each category: share that carries a right class"
    return Table(["category", *layers, "boxes", "points inside"], body, caption)


def _percent_bar(value: float | None) -> Cell:
    return "–" if value is None else Bar(percent(value), value)


def _ranges(facts: ReportFacts) -> Iterator[Section]:
    for rule in dict.fromkeys(row["rule"] for row in facts.rows("ranges")):
        rows = facts.rows("ranges", rule=rule)
        bins = sorted({(row["from_m"], row["to_m"]) for row in rows})
        edges = [low for low, _ in bins] + [bins[-1][1]]
        drawings = [
            Drawing(range_curves(edges, _curves(rows, bins, column), name), f"{name} by range, {VIEW} ({rule})")
            for column, name in _CURVES
        ]
        yield Columns(drawings)


def _curves(rows: Sequence[Row], bins: Sequence[tuple[float, float]], column: str) -> dict[str, list[float | None]]:
    values = {(row["layer"], row["from_m"]): row[column] for row in rows}
    layers = dict.fromkeys(row["layer"] for row in rows)
    return {layer: [values.get((layer, low)) for low, _ in bins] for layer in layers}


def _layer(facts: ReportFacts, layer: str) -> Iterator[Section]:
    parts: list[Section] = []
    if rows := facts.rows("confusion", layer=layer, subset=VIEW):
        counts, classes, columns = _matrix(rows)
        said = f"Confusion of {layer}, {VIEW}: percent of each true class by predicted class"
        matrix = Drawing(confusion_matrix(counts, classes, columns, said), said, wide=True)
        if len(columns) > _NARROW:
            yield matrix
        else:
            parts.append(matrix)
    if bins := read_bins(facts.rows("reliability", layer=layer)):
        errors = [row["ece"] for row in facts.rows("confidence", layer=layer)]
        caption = f"Reliability of {layer}, painted points" + "".join(
            f"; expected calibration error {three_digits(error)}" for error in errors
        )
        said = "; red is the gap between score and truth: below the line scores promise too much, above it too little"
        parts.append(Drawing(reliability_diagram(bins, caption), caption + said))
    for table, key, title in _PARTS:
        if rows := facts.rows(table, layer=layer):
            parts.append(_small(rows, key, f"{title}, {VIEW}"))
    if parts:
        yield Columns(parts)


def _small(rows: Sequence[Row], key: str, title: str) -> Table:
    """Accuracy and mIoU of parts of the points in view; the rule is told where there are two."""
    rules = len({row["rule"] for row in rows}) > 1
    header = [key.replace("_", " "), *(["rule"] if rules else []), "mIoU", "accuracy", "points"]
    body: list[list[Cell]] = [
        [
            row[key],
            *([row["rule"]] if rules else []),
            _bar(row["miou"]),
            _bar(row["accuracy"]),
            count_text(row["num_points"]),
        ]
        for row in rows
    ]
    return Table(header, body, title)


def _matrix(rows: Sequence[Row]) -> tuple[Int64, list[str], list[str]]:
    """Counts, true classes and predicted ones; classes in the table's order, those only predicted behind them."""
    classes = list(dict.fromkeys(row["truth"] for row in rows))
    others = [name for name in dict.fromkeys(row["prediction"] for row in rows) if name not in (*classes, UNPAINTED)]
    columns = [*classes, *others, *([UNPAINTED] if any(row["prediction"] == UNPAINTED for row in rows) else [])]
    counts = np.zeros((len(classes), len(columns)), dtype=np.int64)
    for row in rows:
        counts[classes.index(row["truth"]), columns.index(row["prediction"])] += row["count"]
    return counts, classes, columns


def numbers(facts: ReportFacts) -> Iterator[Section]:
    """Each table whole, behind a click."""
    inner: list[Section] = []
    for name in _WHOLE:
        if rows := facts.rows(name):
            header = list(rows[0])
            body = [[_words(row[column]) for column in header] for row in rows[:_MOST_ROWS]]
            more = f" (the first {_MOST_ROWS:,} of {len(rows):,} rows)" if len(rows) > _MOST_ROWS else ""
            inner += [Subheading(name), Table([column.replace("_", " ") for column in header], body, name + more)]
    if inner:
        yield Heading("All numbers")
        yield Details("Every table of paintpipe evaluate", inner)


def _words(value: object) -> str:
    if isinstance(value, float):
        return three_digits(value)
    return f"{value:,}" if isinstance(value, int) else ("–" if value is None else str(value))
