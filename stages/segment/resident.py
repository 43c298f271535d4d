"""Scores that stay on the device where the network ran: only those of points come back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paintpipe.schemas.arrays import Bool, Float32, Int32
from paintpipe.schemas.pixels import PixelScores, ScoreKind
from paintpipe.stages.segment.device import enough_memory


@dataclass(frozen=True)
class DeviceScores:
    """Class scores of one image on the network's own grid: `ResidentScores`.

    The device may still be at work on them; asking for anything waits for it.

    Attributes:
        values: (C, h, w) float32 on any device.
        kind: `logits` (soft-max still to come) or `probabilities`.
        align_corners: how the network's bilinear resize places the corners of this grid.
        extent_px: (height, width) of the image area that the grid spans.
    """

    values: Tensor
    kind: ScoreKind
    align_corners: bool
    extent_px: tuple[int, int]

    def sample(self, row: Int32, col: Int32) -> tuple[Float32, Bool]:
        """(M, C) float32 rows that sum to 1 to float16's precision, and (M,) bool where there is anything finite.

        Raises:
            ConfigError: the device ran out of memory.
        """
        device = self.values.device
        with torch.inference_mode(), enough_memory():
            scores, painted = scores_at(
                self.values,
                self.kind == "logits",
                self.align_corners,
                self.extent_px,
                torch.from_numpy(row).to(device),
                torch.from_numpy(col).to(device),
            )
            # Both are stored as float16 in the end; half the bytes come back.
            halves = scores.half().cpu().numpy()
        return halves.astype(np.float32), painted.cpu().numpy()

    def fetch(self) -> PixelScores:
        """All of them, in the machine's own memory."""
        values = self.values.cpu().contiguous().numpy()
        return PixelScores(values, self.kind, self.align_corners, self.extent_px)


def scores_at(
    values: Tensor, is_logits: bool, align_corners: bool, extent_px: tuple[int, int], row: Tensor, col: Tensor
) -> tuple[Tensor, Tensor]:
    """(M, C) float32 rows that sum to 1, and (M,) bool: False (and a row of 0) where the grid holds nothing finite.

    The arithmetic of `stages.paint.sample_kernels.scores_at`, and within 5e-7 of it: one bilinear step in float64, the
    largest logit taken off, and the rest in float32.

    Args:
        values: (C, h, w) float32.
        is_logits: whether the soft-max is still to come.
        align_corners: as of `torch.nn.functional.interpolate`.
        extent_px: (height, width) in pixels that the grid spans.
        row: (M,) integer rows of pixels, on the same device.
        col: (M,) their columns.
    """
    classes, height, width = values.shape
    top, bottom, down = _axis(row, height, extent_px[0], align_corners)
    left, right, along = _axis(col, width, extent_px[1], align_corners)
    cells = values.permute(1, 2, 0).reshape(-1, classes)
    found = _mixed(
        (1.0 - down) * (1.0 - along), cells[top * width + left], (1.0 - down) * along, cells[top * width + right]
    ) + _mixed(down * (1.0 - along), cells[bottom * width + left], down * along, cells[bottom * width + right])
    if is_logits:
        shares = (found - found.amax(dim=1, keepdim=True)).float().exp()
    else:
        shares = torch.where(found < 0.0, 0.0, found).float()
    total = shares.sum(dim=1)
    painted = (total > 0.0) & (total < float("inf"))
    return torch.where(painted[:, None], shares / total[:, None], 0.0), painted


def _axis(pixel: Tensor, grid_size: int, extent_px: int, align_corners: bool) -> tuple[Tensor, Tensor, Tensor]:
    """(M,) lower cell, upper cell, and float64 weight of the upper one, along one axis."""
    at = pixel.double()
    if align_corners:
        at = at * ((grid_size - 1.0) / (extent_px - 1.0) if extent_px > 1 else 0.0)
    else:
        at = ((at + 0.5) * (grid_size / extent_px) - 0.5).clamp_min(0.0)
    lower = at.long().clamp_max(grid_size - 1)
    return lower, (lower + 1).clamp_max(grid_size - 1), at - lower


def _mixed(one: Tensor, first: Tensor, two: Tensor, second: Tensor) -> Tensor:
    """(M, C) float64 weighted sum of two lists of cells."""
    return one[:, None] * first + two[:, None] * second
