import numpy as np
import pytest

from paintpipe.stages.export.records import side_by_side

KINDS = [("flag", "u1"), ("a", "<f4"), ("b", "<f4"), ("label", "u1"), ("c", "<f4")]


def test_what_is_written_side_by_side_lies_in_the_columns():
    records = np.zeros(2, dtype=KINDS)
    side_by_side(records, "a", 2)[:] = [[1, 2], [3, 4]]
    assert records["a"].tolist() == [1, 3]
    assert records["b"].tolist() == [2, 4]
    assert not any(records[name].any() for name in ("flag", "label", "c"))


def test_read_only_records_stay_so():
    records = np.frombuffer(np.ones(3, dtype=KINDS).tobytes(), dtype=KINDS)
    view = side_by_side(records, "c", 1)
    assert view.tolist() == [[1], [1], [1]]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 2


def test_without_records():
    assert side_by_side(np.zeros(0, dtype=KINDS), "a", 2).shape == (0, 2)


@pytest.mark.parametrize(("first", "count"), [("a", 3), ("c", 2), ("b", 2)])
def test_columns_that_lie_otherwise(first, count):
    with pytest.raises(ValueError, match="side by side"):
        side_by_side(np.zeros(2, dtype=KINDS), first, count)
