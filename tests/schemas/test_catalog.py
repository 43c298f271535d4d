"""Catalog rows to Arrow and back."""

import numpy as np
import pyarrow as pa
import pytest

from paintpipe.schemas.catalog import (
    BOXES,
    FRAMES,
    IMAGES,
    REJECTED,
    BoxRow,
    FrameRow,
    ImageRow,
    RejectedRow,
    row_from_dict,
    rows_to_table,
)

FRAME = FrameRow("08", 0, "000000", "a.bin", 5, ("x", "y", "z"), global_SE3_lidar=np.arange(16.0).reshape(4, 4))
BARE = FrameRow("08", 1, "000001", "b.bin", 0, ("x", "y", "z"), previous_sweeps=("t1", "t0"))
K, P = np.arange(9.0).reshape(3, 3), np.arange(12.0).reshape(3, 4)
IMAGE = ImageRow("08", 0, "000000", "image_2", "a.png", 4, 3, K, np.eye(4), P, P_rect=P)
BOX = BoxRow("08", 0, "000000", "Car", np.arange(3.0), np.ones(3), 0.5, rotation_wxyz=np.array([1.0, 0, 0, 0]))


@pytest.mark.parametrize(
    ("row", "schema"),
    [(FRAME, FRAMES), (BARE, FRAMES), (IMAGE, IMAGES), (BOX, BOXES), (RejectedRow("a", "b", "c"), REJECTED)],
)
def test_a_row_comes_back_as_it_went(row: object, schema: pa.Schema) -> None:
    table = rows_to_table([row], schema)  # type: ignore[list-item]
    assert table.schema.equals(schema, check_metadata=True)
    again = row_from_dict(type(row), table.to_pylist()[0])
    for name, value in vars(row).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(again, name), value)
        else:
            assert getattr(again, name) == value


def test_no_rows_make_an_empty_table_of_the_schema() -> None:
    assert rows_to_table([], IMAGES).num_rows == 0


def test_a_column_that_may_not_be_null_says_so() -> None:
    assert not FRAMES.field("num_points").nullable
    assert FRAMES.field("timestamp_us").nullable
