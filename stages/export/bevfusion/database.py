"""BEVFusion's ground-truth database: objects cut out of all sweeps of a keyframe, as its loader stacks them.

Source: mit-han-lab/bevfusion tools/data_converter/create_gt_database.py, `create_groundtruth_database`, whose boxes
have the geometric centre in x, y, z; and mmdet3d/datasets/pipelines/loading.py, `LoadPointsFromMultiSweeps` with
`pad_empty_sweeps` and `remove_close`. The published cut takes that centre for the lower face's (`points_in_rbbox`,
origin (0.5, 0.5, 0)) and so the upper half of an object and as much air; here it is the labelled box.
"""

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export.bevfusion.layout import sample_path
from paintpipe.stages.export.bevfusion.tables import TIME, table_of
from paintpipe.stages.export.detection import frame_name
from paintpipe.stages.export.nuscenes_objects import Sample, cut_out, with_points
from paintpipe.stages.export.sweeps import SweepTable, padded, stacked


def combined(frame: ExportFrame, settings: ExportSettings) -> Float32:
    """(N, 16) float32: the keyframe and its sweeps as the loader stacks them, the lag in column 4.

    Without any sweep the keyframe itself stands in as often as sweeps are wanted; a few are not made more.
    """
    own = table_of(frame.points, frame.scores)
    sweeps = [SweepTable(table_of(s.points, s.scores), s.frame_SE3_sweep, s.lag_s) for s in frame.sweeps]
    return stacked(own, sweeps or padded(own, [], settings.sweeps or 0), TIME)


def samples_in(frame: ExportFrame, table: Float32) -> dict[Sample, Float32]:
    """The objects of a keyframe and their rows of such a table."""
    name = frame_name(frame.row, "nuscenes")
    return cut_out(table, with_points(frame.boxes), lambda kind, number: sample_path(name, kind, number))
