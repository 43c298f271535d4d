"""RGB arrays to the bytes of image files."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import StoreError


def encode_png(rgb: UInt8) -> bytes:
    """The bytes of a PNG file from (H, W, 3) uint8 RGB.

    Raises:
        StoreError: the picture can't be encoded (no pixel in it).
    """
    return _encode(rgb, ".png", ())


def encode_jpeg(rgb: UInt8, quality: int = 88) -> bytes:
    """The bytes of a JPEG file from (H, W, 3) uint8 RGB; for pictures that hold a photograph.

    Raises:
        StoreError: the picture can't be encoded (no pixel in it).
    """
    import cv2

    return _encode(rgb, ".jpg", (cv2.IMWRITE_JPEG_QUALITY, quality))


def _encode(rgb: UInt8, suffix: str, options: tuple[int, ...]) -> bytes:
    import cv2

    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise StoreError(f"a picture of shape {rgb.shape} can't be written", expected="(H, W, 3) with H and W above 0")
    done, data = cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), options)
    if not done:
        raise StoreError(f"a picture of shape {rgb.shape} can't be encoded as {suffix}")
    return bytes(data)
