"""`.npy` files in memory: plain arrays, and the object form in which `np.save` keeps a dict.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. The object form is a pickle behind the
header; `np.load(path, allow_pickle=True).item()` gives the dict back, and here a loader that runs nothing does.
"""

import io
from functools import cache
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ExportError, InputFileError
from paintpipe.stages.export import pickles
from paintpipe.stages.ingest.npy import decode_npy


def dumps_array(array: AnyArray) -> bytes:
    """A plain array as `np.save` writes it."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def loads_array(content: bytes) -> AnyArray:
    """A plain array as `np.load(…, allow_pickle=False)` reads it. Raises ExportError where it is none."""
    try:
        return decode_npy(content, "")
    except InputFileError as error:
        raise ExportError(f"no .npy array: {error.what}", expected=error.expected) from error


def dumps_item(item: Any) -> bytes:
    """Plain data as `np.save` writes an object that is no array; the same data gives the same bytes."""
    wrapped = np.empty((), dtype=object)
    wrapped[()] = item
    return _item_header() + pickles.dumps(wrapped)


def loads_item(content: bytes) -> Any:
    """What `np.load(…, allow_pickle=True).item()` gives, of plain data alone.

    Raises:
        ExportError: an array instead, something that is no plain data, or no `.npy` at all.
    """
    header = _item_header()
    if not content.startswith(header):
        raise ExportError("no .npy file of one object", expected="what np.save makes of a dict")
    wrapped = pickles.loads(content[len(header) :])
    if not isinstance(wrapped, np.ndarray) or wrapped.shape != ():
        raise ExportError(f"an object of {type(wrapped).__name__}", expected="an array of one object")
    return wrapped.item()


@cache
def _item_header() -> bytes:
    """What `np.save` writes before any single object."""
    buffer, write_header = io.BytesIO(), _format("write_array_header_1_0")
    write_header(buffer, {"descr": "|O", "fortran_order": False, "shape": ()})
    return buffer.getvalue()


def _format(name: str) -> Any:
    return getattr(np.lib.format, name)  # numpy 1 has no types for it
