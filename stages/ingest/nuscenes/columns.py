"""Records turned into columns piece by piece, so that a table of a million rows costs bytes and not objects."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.schemas.arrays import AnyArray, Int64

TEXT = ""
"""The kind of a column of strings."""


class Columns:
    """Named columns that grow, to be sorted and cut by group at the end.

    Args:
        kinds: column → TEXT, or the dtype of a number, or (dtype, length) of a vector.
    """

    def __init__(self, kinds: dict[str, str | tuple[str, int]]) -> None:
        self._kinds = kinds
        self._pieces: dict[str, list[Any]] = {name: [] for name in kinds}

    def extend(self, rows: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as one sequence a column."""
        for name, values in rows.items():
            if len(values):
                self._pieces[name].append(_column(self._kinds[name], values))

    def peek(self, name: str) -> AnyArray:
        """One column of numbers as it is now."""
        empty = _column(self._kinds[name], [])
        joined: AnyArray = np.concatenate([empty, *self._pieces[name]])
        return joined

    def finish(self, order: Int64) -> dict[str, Any]:
        """All columns in a new order; joined one by one and forgotten here, to keep the peak of memory low."""
        columns = {}
        for name, kind in self._kinds.items():
            if kind == TEXT:
                joined = pa.concat_arrays([pa.array([], pa.large_string()), *self._pieces.pop(name)])
                columns[name] = joined.take(pa.array(order))
            else:
                columns[name] = self.peek(name)[order]
                del self._pieces[name]
        return columns


def _column(kind: str | tuple[str, int], values: Sequence[Any]) -> Any:
    if kind == TEXT:
        return pa.array(values, pa.large_string())
    if isinstance(kind, tuple):
        return np.array(values, dtype=kind[0]).reshape(-1, kind[1])
    return np.array(values, dtype=kind)


def as_list(column: Any, low: int, high: int) -> list[Any]:
    """Rows `low` to `high` (exclusive) of a finished column as Python values."""
    part = column[low:high]
    values: list[Any] = part.tolist() if isinstance(part, np.ndarray) else part.to_pylist()
    return values
