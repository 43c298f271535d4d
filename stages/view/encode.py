"""RGB arrays to the bytes of image files."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import StoreError


def encode_png(rgb: UInt8) -> bytes:
    """The bytes of a PNG file from (H, W, 3) uint8 RGB.

    Raises:
        StoreError: the picture can't be encoded (no pixel in it).
    """
    return _encoded(rgb, ".png", [])


def encode_jpeg(rgb: UInt8, quality: int = 82) -> bytes:
    """The bytes of a JPEG file from (H, W, 3) uint8 RGB; quality from 0 to 100, as libjpeg counts.

    Raises:
        StoreError: the picture can't be encoded (no pixel in it).
    """
    import cv2

    return _encoded(rgb, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encoded(rgb: UInt8, ending: str, options: list[int]) -> bytes:
    import cv2

    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise StoreError(f"a picture of shape {rgb.shape} can't be written", expected="(H, W, 3) with H and W above 0")
    done, data = cv2.imencode(ending, np.ascontiguousarray(rgb[..., ::-1]), options)
    if not done:
        raise StoreError(f"a picture of shape {rgb.shape} can't be encoded")
    return bytes(data)
