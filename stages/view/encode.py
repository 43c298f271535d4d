"""RGB arrays to the bytes of image files."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import StoreError


def encode_png(rgb: UInt8) -> bytes:
    """The bytes of a PNG file from (H, W, 3) uint8 RGB.

    Raises:
        StoreError: the picture can't be encoded (no pixel in it).
    """
    import cv2

    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise StoreError(f"a picture of shape {rgb.shape} can't be written", expected="(H, W, 3) with H and W above 0")
    done, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    if not done:
        raise StoreError(f"a picture of shape {rgb.shape} can't be encoded")
    return bytes(data)
