"""`.npy` files, whose header is read and checked before any of their data.

numpy allocates what a header promises before it looks at the file's length, so a few bytes could ask for any amount
of memory; and it parses a header as Python, which hostile text makes fail in a dozen ways. What it writes for plain
arrays is so regular that a pattern reads it. Format:
https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import re
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import InputFileError

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4}
"""Version → bytes of the header's length, little-endian."""
_MAX_HEADER_BYTES = 10_000
_MAX_AXES = 32
_MAX_BYTES = 2**62
# No axis has more than 12 digits, which is below 2**40. Python 2 wrote an L behind whole numbers.
_ENTRY = re.compile(
    r"\s*(?:'descr': *'(?P<dtype>[<>|=][biufcmMOSUV][0-9]{0,6}(?:\[[0-9A-Za-z]{1,6}\])?)'"
    r"|'fortran_order': *(?P<fortran>True|False)"
    r"|'shape': *\((?P<shape>(?: *[0-9]{1,12}L? *,)* *(?:[0-9]{1,12}L?)? *)\)) *(?:,|(?=\}))"
)


@dataclass(frozen=True)
class NpyHeader:
    """What a `.npy` file says that it holds.

    Attributes:
        shape: of the array.
        dtype: of the array.
        num_bytes: of the whole file, header included.
        fortran_order: whether the first axis is the one that changes fastest.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    num_bytes: int
    fortran_order: bool = False


def read_npy_header(stream: BinaryIO, where: str) -> NpyHeader:
    """The header of a `.npy` stream that stands at its beginning; leaves the stream at the data.

    Raises:
        InputFileError: not a `.npy` file of version 1 or 2, one that holds Python objects or records, or a header
            that no array can have.
    """
    entries = _entries(_header_text(stream, where), where)
    try:
        dtype = np.dtype(entries["dtype"])
    except (TypeError, ValueError) as error:
        raise _no_npy(f"dtype {entries['dtype']!r}: {error}", where) from None
    if dtype.hasobject:
        raise InputFileError("the array holds Python objects", where=where, expected="plain numbers")
    shape = tuple(int(number) for number in re.findall("[0-9]+", entries["shape"]))
    most_bytes = prod(max(1, side) for side in shape) * dtype.itemsize
    if not 0 < most_bytes <= _MAX_BYTES or len(shape) > _MAX_AXES:
        raise _no_npy(f"an array {shape} of {dtype}", where)
    num_bytes = stream.tell() + prod(shape) * dtype.itemsize
    return NpyHeader(shape, dtype, num_bytes, entries["fortran"] == "True")


def decode_npy(data: bytes, where: str) -> AnyArray:
    """The array of a whole `.npy` file; an own, writable one.

    Raises:
        InputFileError: see `read_npy_header`; also where the file is shorter or longer than its header says.
    """
    stream = io.BytesIO(data)
    header = read_npy_header(stream, where)
    if header.num_bytes != len(data):
        raise InputFileError(f"{len(data)} bytes", where=where, expected=f"{header.num_bytes}, as its header says")
    flat: AnyArray = np.frombuffer(data[stream.tell() :], dtype=header.dtype)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C").copy(order="K")


def _header_text(stream: BinaryIO, where: str) -> str:
    start = stream.read(len(_MAGIC) + 2)
    num_length_bytes = _LENGTH_BYTES.get(start[len(_MAGIC) :])
    if not start.startswith(_MAGIC) or num_length_bytes is None:
        raise _no_npy("its first bytes are others", where)
    length = int.from_bytes(stream.read(num_length_bytes), "little")
    text = stream.read(min(length, _MAX_HEADER_BYTES))
    if len(text) != length:
        raise _no_npy("its header is cut off or too long", where)
    return text.decode("latin-1")


def _entries(text: str, where: str) -> dict[str, str]:
    """The three entries of a header, each there once."""
    body, position = text.strip(), 1
    entries: dict[str, str] = {}
    while body.startswith("{") and (found := _ENTRY.match(body, position)):
        entries |= {name: value for name, value in found.groupdict().items() if value is not None}
        position = found.end()
    if len(entries) != 3 or body[position:].strip() != "}":
        raise _no_npy(f"header {body[:80]!r}", where)
    return entries


def _no_npy(what: str, where: str) -> InputFileError:
    expected = "numpy.save's format 1.0 or 2.0 with an array of plain numbers"
    return InputFileError(f"not a .npy file ({what})", where=where, expected=expected)
