"""Columns that lie side by side in records, as one array: a record is touched once, not once a column.

Records of a hundred bytes fill the processor's cache; writing or comparing them column by column moves all of them from
memory each time.
"""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray


def side_by_side(records: AnyArray, first: str, count: int) -> AnyArray:
    """(N, count) view of the column `first` and those behind it, which have its dtype.

    Args:
        records: (N,) structured, packed, contiguous; the view can be written to where it can.
        first: a column.
        count: of columns, at least 1.

    Raises:
        ValueError: the columns lie otherwise.
    """
    fields: Any = records.dtype.fields
    kind, offset = fields[first][:2]
    names = (records.dtype.names or ())[(records.dtype.names or ()).index(first) :][:count]
    if [fields[name][:2] for name in names] != [(kind, offset + kind.itemsize * at) for at in range(count)]:
        raise ValueError(f"{count} columns from {first} on are not side by side, or not all {kind}")
    shape, strides = (len(records), count), (records.dtype.itemsize, kind.itemsize)
    if not len(records):
        return np.empty(shape, kind)
    return np.ndarray(shape, kind, records.view(np.uint8), offset, strides)
