"""Several layers side by side, as the tables that people read."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from paintpipe.pipeline.tables import to_markdown
from paintpipe.stages.evaluate.tables import side_by_side

TITLES = {
    "summary": "Scores",
    "classes": "IoU by class, points in view",
    "coverage": "Painted share of all points, by layer",
    "ranges": "mIoU by range, points in view",
    "cameras": "mIoU by camera",
    "edges": "Accuracy on and off depth edges, points in view",
    "occlusion": "Accuracy on occluded points and others, points in view",
    "boxes": "Points in view inside ground-truth boxes: share with the right class",
    "confidence": "Confidence of painted, labelled points",
    "images": "Images",
}
_WHOLE = {"summary", "confidence", "images"}
"""Printed as they are; the others show one figure, a column a layer."""


def comparison(tables: dict[str, pa.Table]) -> str:
    """The tables as Markdown, a heading each."""
    return "\n".join(f"## {title}\n\n{to_markdown(table)}" for title, table in compared(tables))


def compared(tables: dict[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """(title, table) of each table that has rows, reduced to what fits on a screen."""
    for name, title in TITLES.items():
        if name in tables and tables[name].num_rows:
            table = _in_view(tables[name]) if name == "classes" else tables[name]
            yield title, _told(table) if name in _WHOLE else side_by_side([table], name)


def table_cells(table: pa.Table) -> list[list[str]]:
    """Header and rows as text: floats with three digits, nothing as a dash."""
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return [list(table.column_names), *([_cell(value) for value in row] for row in rows)]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _in_view(table: pa.Table) -> pa.Table:
    """Scores by class of points in view, without the classes that no layer meets."""
    kept = pc.and_(pc.equal(table["subset"], "points in view"), pc.greater(table["support"], 0))
    return table.filter(kept)


def _told(table: pa.Table) -> pa.Table:
    """Without the columns that say nothing in any row."""
    empty = ("", None)
    return table.select([name for name in table.column_names if not set(table[name].to_pylist()) <= set(empty)])
