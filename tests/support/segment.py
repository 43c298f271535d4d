"""Factories for the tests of networks: state dicts, cards and images, all seeded."""

import math
from collections.abc import Mapping

import numpy as np
import torch


def reference_fill(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state dict that the reference outputs of BiSeNet V2 were made with: seeded, in the order of sorted names."""
    rng = np.random.default_rng(0)
    filled = {}
    for name in sorted(state):
        shape = tuple(state[name].shape)
        if name.endswith("num_batches_tracked"):
            filled[name] = torch.zeros(shape, dtype=torch.int64)
            continue
        filled[name] = torch.from_numpy(_values(name, rng.standard_normal(shape)).astype(np.float32))
    return filled


def _values(name: str, drawn: np.ndarray) -> np.ndarray:
    if name.endswith("running_var"):
        return 1 + 0.1 * np.abs(drawn)
    if name.endswith("running_mean"):
        return 0.1 * drawn
    if drawn.ndim == 1:
        return 1 + 0.1 * drawn if name.endswith("weight") else 0.1 * drawn
    return drawn / math.sqrt(math.prod(drawn.shape[1:]))
