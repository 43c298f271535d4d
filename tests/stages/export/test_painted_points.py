"""Tables of columns side by side, and comparing them bit for bit."""

import numpy as np

from paintpipe.stages.export.box_points import stable_order
from paintpipe.stages.export.painted_points import same_bits, side_by_side


def test_columns_lie_side_by_side_as_hstack_lays_them() -> None:
    rng = np.random.default_rng(3)
    parts = [rng.random((7, width), dtype=np.float32) for width in (4, 1, 10)]
    expected = np.hstack([parts[0][:, ::2], parts[1], parts[2]])
    table = side_by_side(parts[0][:, ::2], parts[1], parts[2])
    assert table.dtype == np.float32
    assert table.tobytes() == expected.tobytes()
    assert side_by_side(parts[0][:0], parts[2][:0]).shape == (0, 14)


def test_bits_are_compared_and_not_numbers() -> None:
    table = np.array([[0.0, np.nan], [1.0, 2.0]], np.float32)
    assert same_bits(table, np.asfortranarray(table))
    assert not same_bits(table, np.array([[-0.0, np.nan], [1.0, 2.0]], np.float32))
    assert not same_bits(table, table[:1])


def test_equal_keys_stay_as_they_come() -> None:
    for most in (3, 300, 70_000):
        keys = np.random.default_rng(4).integers(0, most, 5_000)
        assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()
    assert not len(stable_order(np.array([], np.int64)))
