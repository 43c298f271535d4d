"""Images from the bytes of one file: PNG and JPEG, checked before a decoder sees them.

Headers are read here and not by a decoder, because decoders allocate first: a PNG of 2.6 MB can cost OpenCV 5 GB.

Both formats are left to OpenCV, straight to RGB (`benchmarks/decoders.py`): libjpeg-turbo behind another package was
1.2 times as fast where memory is used again, as beside a queue of images, and of the well-kept PNG decoders the best
took 0.9 of OpenCV's time: too little for a dependency.
"""

import io
from typing import BinaryIO

import numpy as np

from paintpipe.schemas.arrays import AnyArray, UInt8
from paintpipe.schemas.errors import ImageError
from paintpipe.stages.ingest import jpeg, png

MAX_PIXELS = 64_000_000
"""Larger than the image of any car's camera."""
_FORMATS = "a PNG or JPEG image"


def image_size(head: BinaryIO, where: str) -> tuple[int, int]:
    """(width, height) in px from the header alone; reads no pixel.

    Args:
        head: the file, standing at its beginning.
        where: the file's name, for messages.

    Raises:
        ImageError: empty, no PNG or JPEG, a header cut off, or more than 64 megapixels.
    """
    start = head.read(len(jpeg.SIGNATURE))
    if not start:
        raise ImageError("the file is empty", where=where, expected=_FORMATS, todo="fetch the file again")
    if start == jpeg.SIGNATURE:
        width_px, height_px = jpeg.jpeg_size(head, where)
    else:
        start += head.read(png.HEADER_BYTES - len(start))
        if not start.startswith(png.SIGNATURE):
            raise ImageError("not an image that can be read", where=where, expected=_FORMATS)
        width_px, height_px = png.png_size(start, where)
    if not width_px or not height_px:
        raise ImageError(f"an image of {width_px}x{height_px} px", where=where, expected="a size above zero")
    if width_px * height_px > MAX_PIXELS:
        raise ImageError(f"an image of {width_px}x{height_px} px", where=where, expected="at most 64 megapixels")
    return width_px, height_px


def decode_image(data: bytes, where: str, at_least_px: tuple[int, int] | None = None) -> UInt8:
    """(H, W, 3) uint8 RGB. Grey becomes RGB, 16 bits become 8, alpha is dropped.

    An orientation tag is ignored: calibration holds for the pixels as stored.

    Args:
        data: the whole file.
        where: its name, for messages.
        at_least_px: (height, width) that is enough: a JPEG then comes at a half, quarter or eighth of its size (of each
            block, the low frequencies alone are decoded) where that still is as large and both sides divide.

    Raises:
        ImageError: see `image_size`; also a truncated or corrupt file.
    """
    import cv2

    width_px, height_px = _checked_size(data, where)
    factor = 1
    if at_least_px is not None and data.startswith(jpeg.SIGNATURE):
        factor = _reduction((height_px, width_px), at_least_px)
    scale = cv2.IMREAD_COLOR if factor == 1 else getattr(cv2, f"IMREAD_REDUCED_COLOR_{factor}")
    flags = scale | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    return np.asarray(_decode(data, flags, (width_px // factor, height_px // factor), where), dtype=np.uint8)


def _reduction(size_px: tuple[int, int], at_least_px: tuple[int, int]) -> int:
    """The largest of 8, 4, 2 and 1 that divides both sides and leaves them at least so long.

    Where one does not divide a side, libjpeg rounds it up: the last pixel would lie half outside the image.
    """
    sides = list(zip(size_px, at_least_px, strict=True))
    return next(
        by for by in (8, 4, 2, 1) if by == 1 or all(not have % by and have // by >= want for have, want in sides)
    )


def decode_label_map(data: bytes, where: str) -> UInt8:
    """(H, W) uint8 class ids of an 8-bit grey PNG, or the indices of a PNG with a palette.

    Raises:
        ImageError: see `decode_image`; also JPEG, colour, and grey of another depth, which can't hold class ids.
    """
    size = _checked_size(data, where)
    expected = "a PNG of 8-bit grey or with a palette"
    if not data.startswith(png.SIGNATURE):
        raise ImageError("a label map as JPEG, which blurs class ids", where=where, expected=expected)
    bits, colour = png.png_kind(data)
    if colour == png.PALETTE:
        return _palette_indices(data, where)
    if colour != png.GREY or bits != 8:
        raise ImageError(f"a PNG of {bits} bits and colour type {colour}", where=where, expected=expected)
    import cv2

    return np.asarray(_decode(data, cv2.IMREAD_UNCHANGED, size, where), dtype=np.uint8)


def _checked_size(data: bytes, where: str) -> tuple[int, int]:
    size = image_size(io.BytesIO(data), where)
    if data.startswith(png.SIGNATURE):
        png.check_png(data, where)
    else:
        jpeg.check_jpeg(data, where)
    return size


def _decode(data: bytes, flags: int, size: tuple[int, int], where: str) -> AnyArray:
    import cv2

    try:
        image: AnyArray | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"can't be decoded ({error})", where=where, todo="fetch the file again") from None
    if image is None or image.shape[:2] != size[::-1]:
        raise ImageError("can't be decoded", where=where, expected=_FORMATS, todo="fetch the file again")
    return image


def _palette_indices(data: bytes, where: str) -> UInt8:
    """OpenCV turns a palette into colours; Pillow keeps the indices."""
    from PIL import Image

    png.check_indices(data, where)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"can't be decoded ({error})", where=where, todo="fetch the file again") from None
