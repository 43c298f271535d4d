"""BEVFusion's `load_augmented_point_cloud` by its published rules, reading an export.

Source: mit-han-lab/bevfusion mmdet3d/datasets/pipelines/loading_utils.py, as `LoadPointsFromFile` calls it with
`load_augmented="pointpainting"`. The point files of nuScenes itself are not part of an export; whoever calls gives
their (N, 5) points.
"""

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export.bevfusion.layout import painted_path
from paintpipe.stages.export.bevfusion.tables import loaded
from paintpipe.stages.export.npy import loads_item
from paintpipe.stages.export.target import ReadFile
from paintpipe.stages.export.virtual_points import item_fault


def load_sweep(points_path: str, points: Float32, read: ReadFile) -> Float32:
    """(N, 16) what the loader makes of one sweep.

    Raises:
        ExportError: a file that the loader would trip over or misread.
    """
    item = loads_item(read(painted_path(points_path)))
    if fault := item_fault(item, len(points)):
        raise ExportError(fault, expected="MVP's dict")
    return loaded(points, item)
