"""Pickles of plain data, as detectors read their infos: equal data gives equal bytes, and nothing in them can run.

`pickle.dumps` gives other bytes for equal data (it remembers objects by identity) and lets any class in. Here nothing
is remembered, and there is room for plain data only. Arrays are named as numpy 1 names them, which numpy 2 reads too
(`numpy/core/multiarray.py` keeps `_reconstruct` for old pickles).
"""

import io
import pickle
from typing import Any

import numpy as np

from paintpipe.schemas.errors import ExportError

_PROTOCOL = 4
_ARRAY_PARTS = frozenset(
    {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }
)
_DAMAGE = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, ImportError),
    *(MemoryError, OverflowError, RuntimeError, SystemError),
)
"""What unpickling raises where a byte is wrong: a length may be any number."""
_KINDS = "biufUS"
"""Kinds of arrays: truth, integers, floats and text of a fixed width; no objects."""


def dumps(data: Any) -> bytes:
    """The pickle (protocol 4) of dicts, lists, tuples, text, numbers, truth values, None and arrays of these.

    Raises:
        TypeError: something else is in it, a numpy scalar for example.
    """
    buffer = io.BytesIO()
    _PlainPickler(buffer, protocol=_PROTOCOL).dump(data)
    return buffer.getvalue()


def loads(content: bytes) -> Any:
    """The data of a pickle that holds nothing but what `dumps` takes.

    Raises:
        ExportError: it holds something else, or is no whole pickle.
    """
    try:
        return _PlainUnpickler(io.BytesIO(content)).load()
    except _DAMAGE as error:
        raise ExportError(f"no pickle of plain data: {error}", expected="what paintpipe exported") from error


def equal(found: Any, wanted: Any) -> bool:
    """Whether plain data is the same: equal values of equal types, arrays of equal dtypes; NaN is equal to NaN."""
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(equal(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(equal, found, wanted))
    if isinstance(wanted, np.ndarray):
        same = found.dtype == wanted.dtype and found.shape == wanted.shape
        return same and bool(((found == wanted) | ((found != found) & (wanted != wanted))).all())
    return bool(found == wanted) or (found != found and wanted != wanted)


class _PlainPickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self.fast = True  # remembers nothing, so that identity of objects leaves no trace

    def reducer_override(self, item: Any) -> Any:
        if isinstance(item, np.ndarray):
            if item.dtype.kind == "O" and item.ndim == 0:
                return item.__reduce__()  # one item, itself looked at in turn: how `np.save` wraps a dict
            if item.dtype.kind not in _KINDS:
                raise TypeError(f"an array of {item.dtype} is no plain data")
            # One byte order and one order of elements, or equal arrays would differ.
            return np.ascontiguousarray(item, item.dtype.newbyteorder("<")).reshape(item.shape).__reduce__()
        if (
            isinstance(item, np.dtype)
            or (getattr(item, "__module__", ""), getattr(item, "__name__", "")) in _ARRAY_PARTS
        ):
            return NotImplemented
        raise TypeError(f"{type(item).__name__} is no plain data")


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"{module}.{name} is no plain data")
        return super().find_class(module.replace("_core", "core"), name)
