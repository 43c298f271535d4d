"""What a painter knows about the pixels of one image."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from paintpipe.schemas.arrays import Bool, Float32, Int32, UInt8

ScoreKind = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class CameraImage:
    """A decoded image.

    Attributes:
        rgb: (h, w, 3) uint8.
        full_px: (height, width) of the image as the camera took it: h and w, or more where it was decoded at a reduced
            scale. Calibration and the extent of scores hold for these.
    """

    rgb: UInt8
    full_px: tuple[int, int]


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


@runtime_checkable
class ResidentScores(Protocol):
    """Class scores of one image that lie on another device, from which only those of points are fetched."""

    @property
    def extent_px(self) -> tuple[int, int]:
        """(height, width) of the image area that they span."""
        ...

    def sample(self, row: Int32, col: Int32) -> tuple[Float32, Bool]:
        """(M, C) float32 scores at pixels, rows that sum to 1, and (M,) bool where there are any."""
        ...

    def fetch(self) -> PixelScores:
        """All of them, in the machine's own memory."""
        ...


PixelClasses = PixelScores | PixelLabels | ResidentScores


def on_host(pixels: PixelClasses) -> PixelScores | PixelLabels:
    """The same, in the machine's own memory."""
    return pixels.fetch() if isinstance(pixels, ResidentScores) else pixels
