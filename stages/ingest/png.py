"""What a PNG file says about itself, and whether all of it is there.

libpng and OpenCV hand back half an image for half a file, so a file is checked chunk by chunk, with each chunk's CRC,
before it is decoded. Format: W3C, Portable Network Graphics (Third Edition), section 5.
"""

import struct
import zlib

from paintpipe.schemas.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
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
