"""The tables of painted points against boxes."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from paintpipe.schemas import tables
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.boxes import BoxesTally
from paintpipe.stages.evaluate.points_tables import UNPAINTED_NAME
from paintpipe.stages.evaluate.tables import Row, as_table, share


def boxes_tables(
    tally: BoxesTally, layer: str, taxonomy: Taxonomy, classes: Mapping[str, tuple[int, ...]]
) -> dict[str, pa.Table]:
    """The tables `boxes` and `box_labels` of one layer: a row for each category that has a box.

    Args:
        tally: of all frames.
        layer: its name.
        taxonomy: the layer's own.
        classes: box category → right classes, as given to `evaluate_boxes`.
    """
    categories = sorted(tally.boxes)
    return {
        "boxes": as_table((_box_row(tally, layer, name, taxonomy, classes) for name in categories), tables.BOXES),
        "box_labels": as_table(_box_labels(tally, layer, categories, taxonomy), tables.BOX_LABELS),
    }


def _box_row(
    tally: BoxesTally, layer: str, name: str, taxonomy: Taxonomy, classes: Mapping[str, tuple[int, ...]]
) -> Row:
    right = list(classes.get(name, ()))
    inside = tally.labels_inside(name)
    hits, painted = int(inside[right].sum()), tally.painted[name]
    return {
        "layer": layer,
        "category": name,
        "classes": ", ".join(taxonomy.classes[index] for index in right),
        "boxes": tally.boxes[name],
        "points_inside": int(inside.sum()),
        "right": hits,
        "right_share": share(hits, int(inside.sum())) if right else None,
        "painted": painted,
        "outside_own": tally.outside_own[name],
        "outside_own_share": share(tally.outside_own[name], painted),
        "outside_all": tally.outside_all[name],
        "outside_all_share": share(tally.outside_all[name], painted),
    }


def _box_labels(tally: BoxesTally, layer: str, categories: Sequence[str], taxonomy: Taxonomy) -> Iterator[Row]:
    names = (*taxonomy.classes, UNPAINTED_NAME)
    for category in categories:
        inside = tally.labels_inside(category)
        for index in np.argsort(-inside, kind="stable")[: int((inside > 0).sum())]:
            yield {"layer": layer, "category": category, "label": names[index], "count": int(inside[index])}
