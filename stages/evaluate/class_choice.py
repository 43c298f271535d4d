"""Which of several layers knows which class best, by an evaluation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from paintpipe.schemas.errors import WorkspaceError

SUBSET = "points in view"


def best_layers(rows: Iterable[Mapping[str, Any]], layers: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """Class → the layer with the highest IoU of points in view; the first of `layers` on a tie or for want of points.

    Where the table has two rules, the first counts: they differ in how classes are averaged, not in a class's IoU.

    Args:
        rows: of the table `classes` that `evaluate` writes.
        layers: names.
        classes: of the layers' common taxonomy; some may be in no row (background, `other`).

    Raises:
        WorkspaceError: a layer has no row, or the rows are of other classes.
    """
    kept = [row for row in rows if row["layer"] in layers and row["subset"] == SUBSET]
    absent = [name for name in layers if name not in {row["layer"] for row in kept}]
    if absent:
        what = f"layer {absent[0]} has no scores by class"
        raise WorkspaceError(what, todo="run `paintpipe evaluate` on labelled frames first, or give --class-layers")
    strangers = sorted({row["class"] for row in kept} - set(classes))
    if strangers:
        what = f"the layers were evaluated in other classes: {strangers[0]!r} is none of {', '.join(classes)}"
        raise WorkspaceError(what, todo="fuse and evaluate with the same --taxonomy, or give --class-layers")
    rule = kept[0]["rule"]
    ious = {
        (row["class"], row["layer"]): row["iou"]
        for row in kept
        if row["rule"] == rule and row["support"] and row["iou"]
    }
    return {name: max(layers, key=lambda layer: ious.get((name, layer), 0.0)) for name in classes}
