"""CenterPoint's ground-truth database: objects cut out of all sweeps of a keyframe, as its loader stacks them.

Source: tianweiy/CenterPoint det3d/datasets/utils/create_gt_database.py, `create_groundtruth_database`; the sweeps as
`LoadPointCloudFromFile` (det3d/datasets/pipelines/loading.py) stacks them, nearest first where it shuffles them.
"""

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export.centerpoint.layout import Form, Layout
from paintpipe.stages.export.centerpoint.tables import loaded
from paintpipe.stages.export.detection import frame_name
from paintpipe.stages.export.nuscenes_objects import Sample, cut_out, with_points
from paintpipe.stages.export.sweeps import SweepTable, padded, stacked


def combined(frame: ExportFrame, form: Form, settings: ExportSettings) -> Float32:
    """(N, WIDTH + 1) float32: the keyframe and its sweeps as the loader stacks them, the lag in the last column."""
    own = loaded(form, frame.points, frame.scores)
    sweeps = [SweepTable(loaded(form, s.points, s.scores), s.frame_SE3_sweep, s.lag_s) for s in frame.sweeps]
    return stacked(own, padded(own, sweeps, settings.sweeps or 0))


def samples_in(frame: ExportFrame, table: Float32, form: Form, settings: ExportSettings) -> dict[Sample, Float32]:
    """The objects of a keyframe and their rows of such a table."""
    layout, name = Layout((settings.sweeps or 0) + 1), frame_name(frame.row, "nuscenes")
    return cut_out(table, with_points(frame.boxes), lambda kind, number: layout.sample(form, name, kind, number))
