"""Test-time augmentation: the mean of the probabilities over scales and mirror images."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def all_scales(extra: Sequence[float]) -> tuple[float, ...]:
    """The scales to run, each once: 1 first (all others are brought to its grid), then the extra ones."""
    return tuple(dict.fromkeys((1.0, *extra)))


def mean_probabilities(
    probabilities: Callable[[Tensor], Tensor], inputs: Sequence[Tensor], *, flip: bool, align_corners: bool
) -> Tensor:
    """(N, C, h, w) mean of the probabilities over all inputs, on the grid of the first.

    Args:
        probabilities: (N, 3, H, W) → (N, C, h, w), sums to 1 over C.
        inputs: the same images at several sizes, scale 1 first.
        flip: also run each input mirrored, and mirror its probabilities back.
        align_corners: of the network's own bilinear resize, used to bring every grid to the first's.
    """
    total: Tensor | None = None
    count = 0
    for batch in inputs:
        for mirrored in (False, True) if flip else (False,):
            scores = probabilities(batch.flip(-1)).flip(-1) if mirrored else probabilities(batch)
            if total is None:
                total = torch.zeros_like(scores)
            if scores.shape[2:] != total.shape[2:]:
                scores = interpolate(scores, size=total.shape[2:], mode="bilinear", align_corners=align_corners)
            total += scores
            count += 1
    assert total is not None
    return total / count
