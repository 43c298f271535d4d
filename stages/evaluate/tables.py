"""Arrow tables from rows, and several layers side by side."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

Row = dict[str, Any]

SIDE_BY_SIDE: dict[str, tuple[tuple[str, ...], str]] = {
    "summary": (("subset", "rule"), "miou"),
    "classes": (("subset", "rule", "class"), "iou"),
    "coverage": ((), "painted"),
    "ranges": (("from_m", "to_m", "rule"), "miou"),
    "cameras": (("camera", "rule"), "miou"),
    "edges": (("depth_edge", "rule"), "accuracy"),
    "occlusion": (("occluded", "rule"), "accuracy"),
    "boxes": (("category",), "right_share"),
    "images": (("image",), "miou"),
}
"""For each table that layers are compared in: what tells its rows apart, and the figure that is compared."""


def as_table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """The rows with the columns of `schema`; NaN becomes null, so that readers see an empty cell."""
    kept = [{key: None if _is_nan(value) else value for key, value in row.items()} for row in rows]
    return pa.Table.from_pylist(kept, schema=schema)


def share(part: int, whole: int) -> float | None:
    """Part over whole, None where there is no whole."""
    return part / whole if whole else None


def side_by_side(parts: Sequence[pa.Table], name: str) -> pa.Table:
    """One column a layer (or model) for the figure that `name` compares, one row for each place it is measured at.

    Args:
        parts: tables called `name`, of one or several layers each.
        name: a key of `SIDE_BY_SIDE`.
    """
    keys, value = SIDE_BY_SIDE[name]
    rows: dict[tuple[Any, ...], Row] = {}
    columns: dict[str, None] = {}
    for row in pa.concat_tables(parts).to_pylist():
        layer = row["layer"] if "layer" in row else " ".join(part for part in (row["model"], row["tta"]) if part)
        columns.setdefault(layer)
        rows.setdefault(tuple(row[key] for key in keys), {key: row[key] for key in keys})[layer] = row[value]
    schema = [parts[0].schema.field(key) for key in keys] + [pa.field(layer, pa.float64()) for layer in columns]
    return pa.Table.from_pylist(list(rows.values()), schema=pa.schema(schema))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
