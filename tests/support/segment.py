"""Factories for the tests of networks: state dicts, cards and images, all seeded."""

import importlib.util
import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2


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


def needs(package: str) -> None:
    """Skip the test where a package is not installed, without importing it: OpenVINO's telemetry wakes on import."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def make_card(**overrides: object) -> ModelCard:
    """A card of a small BiSeNet V2 with 5 classes."""
    values: dict[str, object] = {
        "name": "small",
        "architecture": "bisenetv2",
        "architecture_options": {"width": 0.25, "head_channels": 32},
        "taxonomy": "five",
    }
    return ModelCard(**(values | overrides))  # type: ignore[arg-type]


def make_state(n_classes: int = 5) -> dict[str, torch.Tensor]:
    """Seeded weights for `make_card`'s network, with which outputs differ from pixel to pixel."""
    return reference_fill(BiSeNetV2(n_classes, width=0.25, head_channels=32).state_dict())


def make_image(height: int = 70, width: int = 100, seed: int = 0) -> UInt8:
    """(H, W, 3) uint8 noise over a gradient."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 155, width)[None, :, None] + np.zeros((height, 1, 3))
    return (ramp + rng.integers(0, 100, (height, width, 3))).astype(np.uint8)
