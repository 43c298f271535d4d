"""Labels at the image's size, against a float64 reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.pixels import PixelScores
from paintpipe.stages.segment.upsample import full_size_labels


def _reference(values: np.ndarray, out_hw: tuple[int, int], extent: tuple[int, int], align_corners: bool) -> np.ndarray:
    """(C, H, W) float64: bilinear from the grid to the extent, read at each pixel of the image."""
    axes = []
    for grid, wanted, span in zip(values.shape[1:], out_hw, extent, strict=True):
        pixel = np.arange(wanted, dtype=np.float64)
        if align_corners:
            at = pixel * (grid - 1) / (span - 1) if span > 1 else pixel * 0
        else:
            at = np.clip((pixel + 0.5) * grid / span - 0.5, 0, None)
        low = np.minimum(np.floor(at).astype(int), grid - 1)
        axes.append((low, np.minimum(low + 1, grid - 1), at - low))
    (top, bottom, dy), (left, right, dx) = axes
    grid64 = values.astype(np.float64)
    upper = grid64[:, top][:, :, left] * (1 - dx) + grid64[:, top][:, :, right] * dx
    lower = grid64[:, bottom][:, :, left] * (1 - dx) + grid64[:, bottom][:, :, right] * dx
    return upper * (1 - dy)[:, None] + lower * dy[:, None]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.booleans(), st.tuples(*[st.integers(1, 7)] * 2), st.tuples(*[st.integers(1, 40)] * 2))
def test_labels_are_the_best_class_of_the_reference(
    seed: int, align_corners: bool, grid: tuple[int, int], out_hw: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((6, *grid)).astype(np.float32)
    extent = (out_hw[0] + int(rng.integers(0, 9)), out_hw[1] + int(rng.integers(0, 9)))
    labels = full_size_labels(PixelScores(values, "logits", align_corners, extent), out_hw)
    full = _reference(values, out_hw, extent, align_corners)
    assert labels.shape == out_hw
    assert labels.dtype == np.uint8
    chosen = np.take_along_axis(full, labels[None].astype(int), axis=0)[0]
    # A rounding apart at most, where two classes are as good as equal.
    np.testing.assert_allclose(chosen, full.max(axis=0), atol=1e-5)


@pytest.mark.parametrize("align_corners", [True, False])
def test_two_cells_meet_in_the_middle_and_ties_go_to_the_first_class(align_corners: bool) -> None:
    values = np.array([[[1.0, 0.0]], [[0.0, 1.0]]], dtype=np.float32)
    labels = full_size_labels(PixelScores(values, "logits", align_corners, (1, 5)), (1, 5))
    assert labels.tolist() == [[0, 0, 0, 1, 1]]
