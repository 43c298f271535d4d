"""CenterPoint's ground-truth database: objects cut out of all sweeps of a keyframe, as its loader stacks them.

Source: tianweiy/CenterPoint det3d/datasets/utils/create_gt_database.py, `create_groundtruth_database`; the sweeps as
`LoadPointCloudFromFile` (det3d/datasets/pipelines/loading.py) stacks them, nearest first where it shuffles them.
"""

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export.box_points import BoxPoints, box_points, clouds_of, stable_order
from paintpipe.stages.export.centerpoint.layout import Form, Layout
from paintpipe.stages.export.centerpoint.tables import loaded, loaded_rows
from paintpipe.stages.export.detection import frame_name
from paintpipe.stages.export.nuscenes_objects import Objects, objects_in, with_points
from paintpipe.stages.export.painted_points import side_by_side
from paintpipe.stages.export.sweeps import padded


def found_in(frame: ExportFrame, settings: ExportSettings) -> BoxPoints:
    """The points of a keyframe and its sweeps in the boxes of its info, for both forms."""
    own, sweeps = clouds_of(frame)
    return box_points(own, padded(own, sweeps, settings.sweeps or 0), with_points(frame.boxes))


def objects_of(frame: ExportFrame, form: Form, settings: ExportSettings, found: BoxPoints) -> Objects:
    """The objects of a keyframe: (K, WIDTH + 1) float32 rows as the loader stacks them, the lag in the last column.

    Args:
        frame: the keyframe.
        form: of the database.
        settings: of the export.
        found: from `found_in`.
    """
    rows = loaded_rows(form, found.scores)
    table = side_by_side(loaded(form, found.points, found.scores, rows), found.lag_s[rows, np.newaxis])
    order = _stacked_order(found, rows)
    layout, name = Layout((settings.sweeps or 0) + 1), frame_name(frame.row, "nuscenes")
    return objects_in(
        table if order is None else table[order],
        found.box[rows] if order is None else found.box[rows[order]],
        with_points(frame.boxes),
        lambda kind, number: layout.sample(form, name, kind, number),
    )


def _stacked_order(found: BoxPoints, rows: Int64) -> Int64 | None:
    """Where each row comes from so that boxes, then sweeps are together; None where they are already.

    What a loader makes of a sweep may name its points twice: all, and then the painted ones.
    """
    if len(rows) == len(found.box):
        return None
    return stable_order((found.box * (int(found.cloud.max(initial=0)) + 1) + found.cloud)[rows])
