"""Hard labels at the image's size, for scoring and showing images; painting never needs them."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.pixels import PixelScores


def full_size_labels(scores: PixelScores, out_hw: tuple[int, int]) -> UInt8:
    """(H, W) uint8 arg-max of the scores, after one bilinear step from their grid to the image's.

    Classes are brought to full size one by one, so that memory stays at a few images whatever their number. Of equal
    scores the first class wins, as with `argmax`.

    Args:
        scores: of one image, on the network's grid.
        out_hw: (H, W) of the image; the grid may span more (`extent_px`), never less.
    """
    import torch
    from torch.nn.functional import interpolate

    height, width = out_hw
    labels = torch.zeros(out_hw, dtype=torch.uint8)
    best = torch.full(out_hw, -float("inf"))
    with torch.inference_mode():
        for channel, plane in enumerate(torch.from_numpy(scores.values)):
            full = interpolate(
                plane[None, None], size=scores.extent_px, mode="bilinear", align_corners=scores.align_corners
            )[0, 0, :height, :width]
            better = full > best
            labels.masked_fill_(better, channel)
            torch.maximum(best, full, out=best)
    result: UInt8 = labels.numpy().astype(np.uint8, copy=False)
    return result
