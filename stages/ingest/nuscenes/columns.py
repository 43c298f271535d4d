"""Records turned into columns piece by piece, so that a table of a million rows costs bytes and not objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from paintpipe.schemas.arrays import AnyArray, Bool, Int64

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")
TEXT = ""
"""The kind of a column of strings."""
_FLUSH_ROWS = 256


class Columns:
    """Named columns that grow, to be sorted and cut by group at the end.

    Args:
        kinds: column → TEXT, or the dtype of a number, or (dtype, length) of a vector.
        key: the column of strings in which each row should hold another one.
    """

    def __init__(self, kinds: dict[str, str | tuple[str, int]], key: str = "token") -> None:
        self._kinds = kinds
        self._key = key
        self._hashes: list[Int64] = []
        self._waiting: dict[str, list[Any]] = {name: [] for name in kinds}
        self._pieces: dict[str, list[Any]] = {name: [] for name in kinds}

    def extend(self, rows: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as one sequence a column."""
        for name, values in rows.items():
            waiting = self._waiting[name]
            waiting.extend(values)
            if len(waiting) >= _FLUSH_ROWS:
                self._flush(name)

    def _flush(self, name: str) -> None:
        if name == self._key:
            self._hashes.append(np.array([hash(text) for text in self._waiting[name]], dtype=np.int64))
        self._pieces[name].append(_column(self._kinds[name], self._waiting[name]))
        self._waiting[name].clear()

    def peek(self, name: str) -> AnyArray:
        """One column of numbers as it is now."""
        self._flush(name)
        joined: AnyArray = np.concatenate(self._pieces[name])
        return joined

    def repeated(self) -> Bool:
        """(N,) which rows hold a key that a row before them holds.

        Keys whose hashes all differ do: 8 bytes a row to sort, where a table of a million strings takes 300 MB.
        """
        self._flush(self._key)
        hashes = np.sort(np.concatenate(self._hashes))
        if not (hashes[1:] == hashes[:-1]).any():
            return np.zeros(len(hashes), dtype=bool)
        encoded = pa.chunked_array(self._pieces[self._key]).dictionary_encode()
        again = np.ones(len(hashes), dtype=bool)
        again[np.unique(np.concatenate([piece.indices for piece in encoded.chunks]), return_index=True)[1]] = False
        return again

    def keys(self, rows: Bool) -> list[str]:
        """The keys of the chosen rows (a mask)."""
        self._flush(self._key)
        chosen: list[str] = pa.chunked_array(self._pieces[self._key]).filter(pa.array(rows)).to_pylist()
        return chosen

    def finish(self, order: Int64) -> dict[str, Any]:
        """Rows of all columns, in a new order; joined one by one and forgotten here, to keep the peak of memory low."""
        columns = {}
        for name, kind in self._kinds.items():
            if kind == TEXT:
                self._flush(name)
                columns[name] = pa.concat_arrays(self._pieces.pop(name)).take(pa.array(order))
            else:
                columns[name] = self.peek(name)[order]
                del self._pieces[name]
        return columns


def _column(kind: str | tuple[str, int], values: Sequence[Any]) -> Any:
    if kind == TEXT:
        return pa.array(values, pa.large_string())
    if isinstance(kind, tuple):
        return vectors(values, *kind)
    return np.array(values, dtype=kind)


def vectors(values: Sequence[Sequence[float]], dtype: str, length: int) -> AnyArray:
    """(N, length) array from N tuples, four times as fast as `np.array`."""
    return np.fromiter(chain.from_iterable(values), dtype, len(values) * length).reshape(-1, length)


def as_list(column: Any, low: int, high: int) -> list[Any]:
    """Rows `low` to `high` (exclusive) of a finished column as Python values."""
    part = column[low:high]
    values: list[Any] = part.tolist() if isinstance(part, np.ndarray) else part.to_pylist()
    return values


def frozen_rows(kind: type[Row], columns: Mapping[str, Iterable[Any]]) -> list[Row]:
    """Records of a frozen dataclass from columns of equal length; fields without a column keep their default.

    The records' dicts are filled at once, as unpickling does: a frozen dataclass's own `__init__` sets field by field
    through `object.__setattr__`, and takes twice as long, which counts for a million boxes.
    """
    defaults = {item.name: item.default for item in fields(kind) if item.name not in columns}
    names = (*columns, *defaults)
    rows = []
    for values in zip(*columns.values(), *map(repeat, defaults.values()), strict=False):
        row = object.__new__(kind)
        row.__dict__.update(zip(names, values, strict=True))
        rows.append(row)
    return rows
