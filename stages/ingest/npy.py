"""The header of a `.npy` file, read and checked before any of its data.

numpy allocates what a header promises before it looks at the file's length, so a few bytes could ask for any amount
of memory. Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import InputFileError

_FORMAT: Any = np.lib.format  # untyped in numpy 1


@dataclass(frozen=True)
class NpyHeader:
    """What a `.npy` file says that it holds.

    Attributes:
        shape: of the array.
        dtype: of the array.
        num_bytes: of the whole file, header included.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    num_bytes: int


def read_npy_header(stream: BinaryIO, where: str) -> NpyHeader:
    """The header of a `.npy` stream that stands at its beginning; leaves the stream at the data.

    Raises:
        InputFileError: not a `.npy` file of version 1 or 2, or one that holds Python objects.
    """
    readers = {(1, 0): _FORMAT.read_array_header_1_0, (2, 0): _FORMAT.read_array_header_2_0}
    try:
        shape, _, dtype = readers[_FORMAT.read_magic(stream)](stream)
    except (ValueError, KeyError, EOFError) as error:
        expected = "numpy.save's format 1.0 or 2.0"
        raise InputFileError(f"not a .npy file ({error})", where=where, expected=expected) from None
    if dtype.hasobject:
        raise InputFileError("the array holds Python objects", where=where, expected="plain numbers")
    return NpyHeader(tuple(shape), dtype, stream.tell() + prod(shape) * dtype.itemsize)


def decode_npy(data: bytes, where: str) -> AnyArray:
    """The array of a whole `.npy` file.

    Raises:
        InputFileError: see `read_npy_header`; also where the file is shorter or longer than its header says.
    """
    header = read_npy_header(io.BytesIO(data), where)
    if header.num_bytes != len(data):
        raise InputFileError(f"{len(data)} bytes", where=where, expected=f"{header.num_bytes}, as its header says")
    array: AnyArray = np.load(io.BytesIO(data), allow_pickle=False)
    return array
