"""How strongly an image has an edge at or near each pixel, upright and lying ones apart."""

import numpy as np

from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.stages.paint.kernel import kernel

_BLUR_PX = 1.0
_WINDOW_RAD = 0.07
_SPACINGS = 3.0
_DULLEST = 0.3
"""A window whose strength varies by less than this share of the image's own variation is not blown up further."""


def edge_strength(image_rgb: UInt8, focal_px: float, spread_rad: float, spacing_rad: float = 0.0) -> Float32:
    """(2, H, W) float32: strength of upright edges (brightness changes along a row), and of lying ones.

    The root of the gradient (the largest of the three channels; Scharr's operator) is spread around each edge, falling
    by e each `spread_rad` (the inverse distance transform of Levinson and Thrun's paper has the same purpose: a
    projection that is off by a little should score a little less). A rim that lies between two scan lines may be
    anywhere between them: the strength of lying edges is the mean over their spacing. Then the mean of a window of 4
    degrees (of three spacings, where those are more) is taken off and the rest divided by its deviation there: neither
    a textured part of the image nor a bright one attracts points.

    Args:
        image_rgb: (H, W, 3) uint8.
        focal_px: of the camera.
        spread_rad: how far an edge is felt.
        spacing_rad: between neighbouring scan lines.
    """
    import cv2

    smooth = cv2.GaussianBlur(image_rgb.astype(np.float32), (0, 0), _BLUR_PX)
    fade = np.float32(np.exp(-1.0 / max(1.0, spread_rad * focal_px)))
    maps = np.empty((2, *image_rgb.shape[:2]), np.float32)
    for which, (along_x, along_y, apart_rad) in enumerate(((1, 0, 0.0), (0, 1, spacing_rad))):
        gradient = np.abs(cv2.Scharr(smooth, cv2.CV_32F, along_x, along_y)).max(axis=2)
        felt: Float32 = _spread(np.sqrt(gradient), fade)
        maps[which] = cv2.blur(felt, (1, _odd_px(apart_rad * focal_px)))
        maps[which] = _contrast(maps[which], max(5, _odd_px(max(_WINDOW_RAD, _SPACINGS * apart_rad) * focal_px)))
    return maps


def _odd_px(length_px: float) -> int:
    return 2 * int(length_px / 2) + 1


def _contrast(strength: Float32, side_px: int) -> Float32:
    """(H, W) each value against its window's mean, in units of its window's deviation; 0 in an image without edges."""
    import cv2

    mean = cv2.blur(strength, (side_px, side_px))
    variance = np.maximum(cv2.blur(strength * strength, (side_px, side_px)) - mean * mean, 0.0)
    floor = _DULLEST * float(np.sqrt(variance.mean()))
    if floor < 1e-3:  # grey values: less than rounding
        return np.zeros_like(strength)
    scaled: Float32 = ((strength - mean) / np.maximum(np.sqrt(variance), floor)).astype(np.float32)
    return scaled


@kernel
def _spread(strength: Float32, fade: np.float32) -> Float32:
    """(H, W) the largest over all pixels of strength · fade^(|dx| + |dy|): along rows both ways, then along columns."""
    out = strength.copy()
    height, width = out.shape
    for y in range(height):
        for x in range(1, width):
            out[y, x] = max(out[y, x], out[y, x - 1] * fade)
        for x in range(width - 2, -1, -1):
            out[y, x] = max(out[y, x], out[y, x + 1] * fade)
    for y in range(1, height):
        for x in range(width):
            out[y, x] = max(out[y, x], out[y - 1, x] * fade)
    for y in range(height - 2, -1, -1):
        for x in range(width):
            out[y, x] = max(out[y, x], out[y + 1, x] * fade)
    return out
