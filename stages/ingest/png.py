"""What a PNG file says about itself, and whether all of it is there.

libpng and OpenCV hand back half an image for half a file, so a file is checked chunk by chunk, with each chunk's CRC,
before it is decoded. Format: W3C, Portable Network Graphics (Third Edition), section 5.
"""

import struct
import zlib
from collections.abc import Iterator

from paintpipe.schemas.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, step along a row and step down of the seven passes of an interlaced image (section 8.1)."""
_STEP_BYTES = 1 << 20
_CHUNK = struct.Struct(">I4s")
HEADER_BYTES = 26
"""Signature, then IHDR's length, type, width, height, bit depth and colour type."""


def png_size(head: bytes, where: str) -> tuple[int, int]:
    """(width, height) from the first 26 bytes; raises ImageError."""
    if len(head) < HEADER_BYTES or head[12:16] != b"IHDR":
        raise ImageError("the PNG header is cut off", where=where, todo="fetch the file again")
    width_px, height_px = struct.unpack_from(">II", head, 16)
    return width_px, height_px


def png_kind(data: bytes) -> tuple[int, int]:
    """(bit depth, colour type) of a PNG whose header was checked."""
    return data[24], data[25]


def check_png(data: bytes, where: str) -> None:
    """Check that every chunk is whole up to the end mark.

    Raises:
        ImageError: the file is truncated, a CRC does not match, or there is no pixel data.
    """
    view, position, has_pixels = memoryview(data), len(SIGNATURE), False
    while position + 12 <= len(data):
        length, kind = _CHUNK.unpack_from(data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ImageError(f"corrupt PNG: chunk at byte {position} fails its CRC", where=where, todo="fetch it again")
        if kind == b"IEND" and has_pixels:
            return
        has_pixels = has_pixels or kind == b"IDAT"
        position = end + 4
    raise ImageError("truncated PNG: its end is missing", where=where, todo="fetch the file again")


def check_indices(data: bytes, where: str) -> None:
    """Check that a PNG with a palette, whose chunks were checked, has the palette and every row of its header.

    Pillow takes rows that are missing for rows of zeros, which is a class id. At most the bytes that the header asks
    for are inflated, a piece at a time.

    Raises:
        ImageError: no palette before the pixels, a bit depth that none has, or pixel data that is short or damaged.
    """
    if data[24] not in (1, 2, 4, 8):
        raise ImageError(f"a PNG with a palette and {data[24]} bits", where=where, expected="1, 2, 4 or 8 bits")
    kinds = [kind for kind, _ in _chunks(data)]
    if b"PLTE" not in kinds[: kinds.index(b"IDAT")]:
        raise ImageError("corrupt PNG: its palette is missing", where=where, todo="fetch the file again")
    expected_bytes = _raw_bytes(data)
    try:
        num_bytes = _count_inflated(data, expected_bytes)
    except zlib.error as error:
        raise ImageError(f"corrupt PNG: {error}", where=where, todo="fetch the file again") from None
    if num_bytes < expected_bytes:
        what = f"corrupt PNG: {num_bytes} bytes of pixels"
        raise ImageError(what, where=where, expected=f"{expected_bytes}, as its header says")


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk up to the end mark, of a file that `check_png` passed."""
    view, position, kind = memoryview(data), len(SIGNATURE), b""
    while kind != b"IEND" and position + 12 <= len(data):
        length, kind = _CHUNK.unpack_from(data, position)
        yield kind, view[position + 8 : position + 8 + length]
        position += 12 + length


def _raw_bytes(data: bytes) -> int:
    """Bytes of all rows of an image with one channel, each row with its filter byte in front."""
    width_px, height_px = struct.unpack_from(">II", data, 16)
    passes = _ADAM7 if data[28] else ((0, 0, 1, 1),)
    total = 0
    for left, top, along, down in passes:
        columns, rows = -(-(width_px - left) // along), -(-(height_px - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * data[24] // 8))
    return total


def _count_inflated(data: bytes, limit: int) -> int:
    """Bytes that the pixel data inflates to, counted until there are `limit`; raises zlib.error where it is damaged."""
    inflate, count = zlib.decompressobj(), 0
    for body in (body for kind, body in _chunks(data) if kind == b"IDAT"):
        rest: bytes | memoryview = body
        while rest and count < limit and not inflate.eof:
            count += len(inflate.decompress(rest, _STEP_BYTES))
            rest = inflate.unconsumed_tail
    # All input is read: what zlib still holds back is a few hundred bytes.
    return count if count >= limit else count + len(inflate.flush())
