"""CenterPoint's `read_file` by its published rules, reading an export.

Source: tianweiy/CenterPoint det3d/datasets/pipelines/loading.py. The point files of nuScenes itself are not part of an
export; whoever calls gives their (N, 5) points.
"""

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export.centerpoint.layout import Form, painted_path, virtual_path
from paintpipe.stages.export.centerpoint.tables import loaded_painted, loaded_virtual
from paintpipe.stages.export.npy import loads_array, loads_item
from paintpipe.stages.export.target import ReadFile
from paintpipe.stages.export.ten_scores import NUM_SCORES
from paintpipe.stages.export.virtual_points import item_fault


def load_sweep(form: Form, points_path: str, points: Float32, read: ReadFile) -> Float32:
    """(N, 14) or (N + M, 15): what `read_file` makes of one sweep.

    Args:
        form: which of the two files.
        points_path: of the sweep in the dataset.
        points: (N, 5) of that file, which the virtual form reads too.
        read: of the export.

    Raises:
        ExportError: a file that the loader would trip over or misread.
    """
    if form == "painted":
        table = loads_array(read(painted_path(points_path)))
        if table.dtype != np.float32 or table.shape[1:] != (5 + NUM_SCORES,):
            raise ExportError(f"{table.dtype} of shape {table.shape}", expected="float32 (N, 15)")
        return loaded_painted(table)
    item = loads_item(read(virtual_path(points_path)))
    if fault := item_fault(item, len(points)):
        raise ExportError(fault, expected="MVP's dict")
    return loaded_virtual(points, item)
