"""What a painter knows about the pixels of one image."""

from dataclasses import dataclass
from typing import Literal

from paintpipe.schemas.arrays import Float32, UInt8

ScoreKind = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class PixelScores:
    """Class scores of one image on the network's own grid, before any resize to the image.

    Attributes:
        values: (C, h, w) float32.
        kind: `logits` (soft-max still to come) or `probabilities`.
        align_corners: how the network's bilinear resize places the corners of this grid.
        extent_px: (height, width) of the image area that the grid spans; larger than the image where it was padded.
    """

    values: Float32
    kind: ScoreKind
    align_corners: bool
    extent_px: tuple[int, int]


@dataclass(frozen=True)
class PixelLabels:
    """One hard class per pixel.

    Attributes:
        values: (H, W) uint8 class index, 255 where none.
        num_classes: length of the taxonomy.
    """

    values: UInt8
    num_classes: int


PixelClasses = PixelScores | PixelLabels
