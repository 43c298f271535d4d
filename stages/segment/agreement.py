"""Whether two ways of running a network say the same, to the tolerance that holds across backends and devices."""

import numpy as np
import torch
from torch import Tensor

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.model_card import OutputKind
from paintpipe.stages.segment.prepare import SizePx

LABELS_AGREE = 0.999
"""At least this share of pixels keeps its class."""
SCORES_WITHIN = 0.01
"""No score differs by more."""


def check_image(size_px: SizePx, seed: int = 0) -> UInt8:
    """(H, W, 3) uint8, always the same for a size: a sky, a road, boxes of many colours and sizes, and some noise.

    Noise alone would drive most networks to one class everywhere, and edges are where two runs differ first.
    """
    rng = np.random.default_rng(seed)
    height, width = size_px
    down = np.linspace(0.0, 1.0, height)[:, None, None]
    sky, road = np.array([120.0, 160.0, 220.0]), np.array([70.0, 70.0, 75.0])
    image = np.broadcast_to(sky * (1 - down) + road * down, (height, width, 3)).copy()
    for _ in range(24):
        tall, wide = rng.integers(1, max(2, height // 3)), rng.integers(1, max(2, width // 4))
        top, left = rng.integers(0, max(1, height - tall)), rng.integers(0, max(1, width - wide))
        image[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
    return np.clip(image + rng.normal(0.0, 6.0, image.shape), 0, 255).astype(np.uint8)


def disagreement(expected: Tensor, found: Tensor, kind: OutputKind, slack: tuple[float, float] = (0.0, 0.0)) -> str:
    """Why two outputs (N, C, h, w) are not the same within LABELS_AGREE and SCORES_WITHIN; "" where they are.

    Args:
        expected: what should come.
        found: what came.
        kind: of both.
        slack: share of labels and size of scores that may differ besides, where more than that is not to be had.
    """
    if expected.shape != found.shape:
        return f"it returned {tuple(found.shape)} for {tuple(expected.shape)}"
    labels, scores = difference(expected, found, kind)
    if not labels >= LABELS_AGREE - slack[0] or not scores <= SCORES_WITHIN + slack[1]:
        return f"labels agree on {labels:.2%} of pixels, scores to {scores:.2g}"
    return ""


def difference(expected: Tensor, found: Tensor, kind: OutputKind) -> tuple[float, float]:
    """The share of pixels with the same arg-max, and the largest difference between two scores (NaN where one is)."""
    same = (expected.argmax(dim=1) == found.argmax(dim=1)).float().mean()
    one, two = (each if kind == "probabilities" else torch.softmax(each, dim=1) for each in (expected, found))
    return float(same), float((one - two).abs().max())
