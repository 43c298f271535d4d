"""The charts of a layer's last evaluation."""

from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.arrays import Int64, UInt8
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.points_tables import UNPAINTED_NAME
from paintpipe.stages.taxonomies.load import load_taxonomy, taxonomy_names
from paintpipe.stages.view.charts import class_bars, confusion_chart
from paintpipe.stages.view.encode import encode_png
from paintpipe.stages.view.reliability_chart import Reliability, reliability_chart
from paintpipe.stages.view.style import display_palette
from paintpipe.workflows.layers import Layer

VIEW = "points in view"
_COLUMNS = {
    "confusion": {"layer", "subset", "truth", "prediction", "count"},
    "classes": {"layer", "subset", "rule", "class", "iou", "support"},
    "reliability": {"layer", "points", "confidence", "accuracy"},
    "confidence": {"layer", "ece"},
}
Rows = list[dict[str, Any]]


def charts(tables: Path, layer: Layer, out: Path) -> list[Path]:
    """Write the confusion matrix, the per-class bars and the reliability of a layer; returns the files.

    Raises:
        WorkspaceError: the layer has not been evaluated against point labels.
    """
    confusion, classes = _rows(tables, "confusion", layer.name), _rows(tables, "classes", layer.name)
    pictures = {"confusion": _confusion(confusion, layer.name), "classes": _bars(classes, layer.name)}
    pictures["reliability"] = _reliability(tables, layer.name)
    paths = []
    for name, picture in pictures.items():
        path = out / f"{layer.name}-{name}.png"
        publish_file(path, encode_png(picture))
        paths.append(path)
    return paths


def _rows(tables: Path, name: str, layer: str) -> Rows:
    """The layer's rows of a table, those of points in view where it tells subsets apart."""
    path = tables / f"{name}.parquet"
    rows = read_parquet(path).to_pylist() if path.is_file() else []
    if rows and not rows[0].keys() >= _COLUMNS[name]:
        todo = "run `paintpipe evaluate` again"
        raise WorkspaceError("other columns than evaluate writes", where=str(path), todo=todo)
    kept = [row for row in rows if row["layer"] == layer and row.get("subset", VIEW) == VIEW]
    if not kept:
        what = f"layer {layer} has no scores by class"
        todo = "run `paintpipe evaluate` on a dataset with point labels first"
        raise WorkspaceError(what, where=str(tables), todo=todo)
    return kept


def _reliability(tables: Path, layer: str) -> UInt8:
    rows, figures = (_rows(tables, name, layer) for name in ("reliability", "confidence"))
    columns = [[row[key] for row in rows] for key in ("points", "confidence", "accuracy")]
    points, confidence, accuracy = (np.array(column, dtype=np.float64) for column in columns)
    ece = figures[0]["ece"]
    one = Reliability(f"{layer}: reliability", points, confidence, accuracy, float("nan") if ece is None else ece)
    return reliability_chart([one])


def _confusion(rows: Rows, layer: str) -> UInt8:
    names = [name for name in dict.fromkeys(row["truth"] for row in rows) if name != UNPAINTED_NAME]
    predicted = [*names, UNPAINTED_NAME]
    matrix: Int64 = np.zeros((len(names), len(predicted)), dtype=np.int64)
    for row in rows:
        if row["truth"] in names and row["prediction"] in predicted:
            matrix[names.index(row["truth"]), predicted.index(row["prediction"])] += row["count"]
    return confusion_chart(matrix, names, f"{layer}: {VIEW}, percent of each true class")


def _bars(rows: Rows, layer: str) -> UInt8:
    rule = rows[0]["rule"]
    kept = [row for row in rows if row["rule"] == rule]
    names = [row["class"] for row in kept]
    taxonomy = _taxonomy_of(names)
    palette = display_palette(taxonomy)
    colors = [tuple(int(value) for value in palette[taxonomy.classes.index(name)]) for name in names]
    absent = [row["iou"] is None or row["support"] == 0 for row in kept]
    ious = [float("nan") if gone else float(row["iou"]) for row, gone in zip(kept, absent, strict=True)]
    return class_bars(names, ious, colors, f"{layer}: IoU, {VIEW} ({rule})")  # type: ignore[arg-type]  # 3 each


def _taxonomy_of(names: list[str]) -> Taxonomy:
    """The taxonomy whose classes these are."""
    found = [taxonomy for taxonomy in map(load_taxonomy, taxonomy_names()) if set(names) <= set(taxonomy.classes)]
    if not found:
        raise WorkspaceError("the table's classes belong to no taxonomy", expected="a table of this version")
    return found[0]
