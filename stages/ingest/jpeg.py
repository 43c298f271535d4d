"""What a JPEG file says about itself, and whether all of it is there.

libjpeg pads a file that was cut off with grey and only warns, so the markers are walked up to the end of the image
first. JPEG has no checksum: damage inside the compressed data that leaves the markers whole can't be seen.
Format: ITU-T T.81, annex B.
"""

import io
from typing import BinaryIO

from paintpipe.schemas.errors import ImageError

SIGNATURE = b"\xff\xd8"
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_END_MARK, _SCAN_MARK = b"\xff\xd9", b"\xff\xda"
_MAX_SCANS = 100
"""Encoders write 10 or fewer."""
_TODO = "fetch the file again"


def jpeg_size(stream: BinaryIO, where: str) -> tuple[int, int]:
    """(width, height) from the frame header of a stream that stands behind the two bytes of the start mark.

    Raises:
        ImageError: the file ends before its frame header.
    """
    while (segment := _read_segment(stream, where))[0] not in (_START_OF_SCAN, _END_OF_IMAGE):
        marker, body = segment
        if marker in _START_OF_FRAME and len(body) >= 5:
            return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
    raise ImageError("damaged JPEG: no frame header", where=where, todo=_TODO)


def check_jpeg(data: bytes, where: str) -> None:
    """Check that the segments lead to compressed data, and that this runs up to the end mark.

    Bytes behind the end mark are allowed. Compressed data can't hold the mark's two bytes, and the preview that a
    camera may embed lies in a segment before it.

    Raises:
        ImageError: the file is truncated, or a segment leads nowhere.
    """
    stream = io.BytesIO(data)
    stream.seek(len(SIGNATURE))
    while _read_segment(stream, where)[0] != _START_OF_SCAN:
        pass
    scans = data.count(_SCAN_MARK, stream.tell()) + 1
    if scans > _MAX_SCANS:
        # Each scan of a progressive image passes over all of it: thousands take minutes, and are some bytes each.
        raise ImageError(f"a JPEG of {scans} scans", where=where, expected=f"at most {_MAX_SCANS}")
    if data.find(_END_MARK, stream.tell()) < 0:
        raise ImageError("truncated JPEG: its end is missing", where=where, todo=_TODO)


def _read_segment(stream: BinaryIO, where: str) -> tuple[int, bytes]:
    """(marker, content) of the next segment; the end mark has no content."""
    marker = _read_marker(stream, where)
    if marker == _END_OF_IMAGE:
        return marker, b""
    length = int.from_bytes(_read(stream, 2, where), "big")
    if length < 2:
        raise ImageError("damaged JPEG: a segment without length", where=where, todo=_TODO)
    return marker, _read(stream, length - 2, where)


def _read_marker(stream: BinaryIO, where: str) -> int:
    if _read(stream, 1, where) != b"\xff":
        raise ImageError("damaged JPEG: no marker where one belongs", where=where, todo=_TODO)
    marker = _read(stream, 1, where)[0]
    while marker == 0xFF:
        marker = _read(stream, 1, where)[0]
    return marker


def _read(stream: BinaryIO, count: int, where: str) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise ImageError("truncated JPEG: the header is cut off", where=where, todo=_TODO)
    return data
