"""Placing pictures beside each other."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.view.style import BACKGROUND, TEXT, Rgb
from paintpipe.stages.view.text import fit, font

_CHIP_PX = 15


def resize(image: UInt8, width_px: int, height_px: int) -> UInt8:
    """(height_px, width_px, 3) uint8 RGB; averages where it shrinks, bilinear where it grows."""
    import cv2

    smaller = width_px <= image.shape[1] and height_px <= image.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=how), dtype=np.uint8)


def scaled_height(image: UInt8, width_px: int) -> int:
    """The height that keeps the image's shape at a width, at least 1."""
    return max(1, round(image.shape[0] * width_px / image.shape[1]))


def column(images: Sequence[UInt8], gap_px: int, color: Rgb = BACKGROUND) -> UInt8:
    """The images below each other, left-aligned, on a ground as wide as the widest."""
    width_px = max((image.shape[1] for image in images), default=0)
    height_px = sum(image.shape[0] for image in images) + gap_px * max(0, len(images) - 1)
    canvas = np.full((height_px, width_px, 3), color, dtype=np.uint8)
    top = 0
    for image in images:
        canvas[top : top + image.shape[0], : image.shape[1]] = image
        top += image.shape[0] + gap_px
    return canvas


def row(images: Sequence[UInt8], gap_px: int, color: Rgb = BACKGROUND) -> UInt8:
    """The images beside each other, top-aligned, on a ground as high as the highest."""
    turned = [image.swapaxes(0, 1) for image in images]
    return np.ascontiguousarray(column(turned, gap_px, color).swapaxes(0, 1))


def framed(image: UInt8, margin_px: int, color: Rgb = BACKGROUND) -> UInt8:
    """The image with a margin on all four sides."""
    canvas = np.full((image.shape[0] + 2 * margin_px, image.shape[1] + 2 * margin_px, 3), color, dtype=np.uint8)
    canvas[margin_px : margin_px + image.shape[0], margin_px : margin_px + image.shape[1]] = image
    return canvas


def with_caption(image: UInt8, caption: str) -> UInt8:
    """The image with a small caption on a dark chip in its upper left corner; untouched without a caption."""
    from PIL import Image, ImageDraw

    words = fit(caption, _CHIP_PX, image.shape[1] - 24)
    if not words or image.shape[0] < 2 * _CHIP_PX:
        return image
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture, "RGBA")
    right = 6 + font(_CHIP_PX).getlength(words) + 16
    draw.rounded_rectangle((6, 6, right, 6 + _CHIP_PX + 10), 6, (*BACKGROUND, 190))
    draw.text((14, 6 + (_CHIP_PX + 10) / 2), words, TEXT, font(_CHIP_PX), "lm")
    return np.array(picture, dtype=np.uint8)


def letterboxed(picture: UInt8, width_px: int, height_px: int) -> UInt8:
    """(height_px, width_px, 3) the whole picture, scaled to fit and centred on the pictures' ground."""
    if picture.shape[:2] == (height_px, width_px):
        return picture
    scale = min(width_px / picture.shape[1], height_px / picture.shape[0])
    fitted_px = [
        max(1, min(round(side * scale), most))
        for side, most in zip(picture.shape[1::-1], (width_px, height_px), strict=True)
    ]
    canvas = np.full((height_px, width_px, 3), BACKGROUND, dtype=np.uint8)
    left, top = (width_px - fitted_px[0]) // 2, (height_px - fitted_px[1]) // 2
    canvas[top : top + fitted_px[1], left : left + fitted_px[0]] = resize(picture, *fitted_px)
    return canvas
