"""Class maps of images that another tool wrote."""

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ImageError
from paintpipe.schemas.pixels import PixelClasses, PixelLabels, PixelScores
from paintpipe.stages.ingest.images import decode_label_map
from paintpipe.stages.ingest.npy import decode_npy
from paintpipe.stages.paint.predictions import checked_classes


def decode_mask(data: bytes, suffix: str, width_px: int, height_px: int, num_classes: int, where: str) -> PixelClasses:
    """What a mask says about the pixels of one image.

    - `.png`: 8-bit class indices, 255 where none, of the image's size.
    - `.npy`: (H, W) integers likewise; or (C, h, w) floats, probabilities on any grid that spans the whole image
      (a resize without align_corners is assumed); a pixel whose probabilities are all 0 has no class.

    Args:
        data: the file's bytes.
        suffix: `.png` or `.npy`.
        width_px: of the image.
        height_px: of the image.
        num_classes: length of the layer's taxonomy.
        where: the file's name, for messages.

    Raises:
        ImageError: another size than the image's, a class outside the taxonomy, scores that are negative or not
            finite, an unknown suffix, or a PNG that can't be decoded.
        InputFileError: a damaged .npy file.
    """
    if suffix == ".png":
        return _labels(decode_label_map(data, where), width_px, height_px, num_classes, where)
    if suffix != ".npy":
        raise ImageError(f"a mask as {suffix!r}", where=where, expected=".png or .npy")
    values = decode_npy(data, where)
    if values.ndim == 2 and values.dtype.kind in "iu":
        return _labels(values, width_px, height_px, num_classes, where)
    if values.ndim == 3 and values.dtype.kind == "f":
        return _scores(values, (height_px, width_px), num_classes, where)
    expected = "(H, W) integers or (C, h, w) floats"
    raise ImageError(f"a mask of shape {values.shape} and type {values.dtype}", where=where, expected=expected)


def _labels(values: AnyArray, width_px: int, height_px: int, num_classes: int, where: str) -> PixelLabels:
    if values.shape != (height_px, width_px):
        found = f"a mask of {values.shape[1]}x{values.shape[0]} px"
        raise ImageError(found, where=where, expected=f"{width_px}x{height_px}, the image's size")
    return PixelLabels(np.ascontiguousarray(checked_classes(values, num_classes, where, ImageError)), num_classes)


def _scores(values: AnyArray, extent_px: tuple[int, int], num_classes: int, where: str) -> PixelScores:
    if values.shape[0] != num_classes or 0 in values.shape:
        raise ImageError(f"scores of shape {values.shape}", where=where, expected=f"({num_classes}, h, w)")
    with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
        scores = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(scores).all() or (scores < 0.0).any():
        expected = "finite probabilities of at least 0"
        raise ImageError("scores are no probabilities", where=where, expected=expected, todo="take the soft-max first")
    return PixelScores(scores, "probabilities", align_corners=False, extent_px=extent_px)
