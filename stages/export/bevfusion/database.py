"""BEVFusion's ground-truth database: objects cut out of all sweeps of a keyframe, as its loader stacks them.

Source: mit-han-lab/bevfusion tools/data_converter/create_gt_database.py, `create_groundtruth_database`, whose boxes
have the geometric centre in x, y, z; and mmdet3d/datasets/pipelines/loading.py, `LoadPointsFromMultiSweeps` with
`pad_empty_sweeps` and `remove_close`. The published cut takes that centre for the lower face's (`points_in_rbbox`,
origin (0.5, 0.5, 0)) and so the upper half of an object and as much air; here it is the labelled box.
"""

from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export.bevfusion.layout import sample_path
from paintpipe.stages.export.bevfusion.tables import TIME, table_of
from paintpipe.stages.export.box_points import box_points, clouds_of
from paintpipe.stages.export.detection import frame_name
from paintpipe.stages.export.nuscenes_objects import Objects, objects_in, with_points
from paintpipe.stages.export.sweeps import padded


def objects_of(frame: ExportFrame, settings: ExportSettings) -> Objects:
    """The objects of a keyframe: their (K, 16) float32 rows as the loader stacks them, the lag in column 4.

    Without any sweep the keyframe itself stands in as often as sweeps are wanted; a few are not made more.
    """
    boxes, (own, sweeps) = with_points(frame.boxes), clouds_of(frame)
    found = box_points(own, sweeps or padded(own, [], settings.sweeps or 0), boxes)
    table = table_of(found.points, found.scores)
    table[:, TIME] = found.lag_s
    name = frame_name(frame.row, "nuscenes")
    return objects_in(table, found.box, boxes, lambda kind, number: sample_path(name, kind, number))
