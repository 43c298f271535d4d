import numpy as np
import pytest
from support.ten_scores import ten_frame

from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.centerpoint.database import found_in, objects_of
from paintpipe.stages.export.centerpoint.layout import FORMS, Form
from paintpipe.stages.export.centerpoint.tables import loaded
from paintpipe.stages.export.gt_database import rows_in_boxes
from paintpipe.stages.export.nuscenes_objects import with_points
from paintpipe.stages.export.sweeps import SweepTable, padded, stacked


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [0, 1, 4])
def test_objects_are_those_cut_out_of_the_stacked_sweeps(form: Form, count: int) -> None:
    frame, settings = ten_frame(), ExportSettings(sweeps=count)
    own = SweepTable(loaded(form, frame.points, frame.scores), None, 0.0)
    sweeps = [SweepTable(loaded(form, s.points, s.scores), s.frame_SE3_sweep, s.lag_s) for s in frame.sweeps]
    table = stacked(own.table, padded(own, sweeps, count))
    objects = objects_of(frame, form, settings, found_in(frame, settings))
    rows = rows_in_boxes(table, with_points(frame.boxes))
    assert objects.samples
    for sample, found in zip(objects.samples, objects.pieces(objects.table), strict=True):
        np.testing.assert_array_equal(found, table[rows[sample.number]])
