"""Filling gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.stages.evaluate.fill import fill, fill_nearest
from paintpipe.stages.taxonomies.load import load_taxonomy

POINTS = np.array([[0, 0, 0, 9], [1, 0, 0, 9], [2.2, 0, 0, 9], [3, 0, 4, 9]], np.float32)
LABELS = np.array([4, 255, 255, 7], np.uint8)


def test_nearest_takes_the_label_of_the_nearest_painted_point() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [2.2, 0, 0], [3, 0, 0]], np.float32)
    assert fill_nearest(LABELS, points).tolist() == [4, 4, 7, 7]
    # With its z the last point is farther from the third than the first is.
    assert fill_nearest(LABELS, POINTS).tolist() == [4, 4, 4, 7]
    assert LABELS.tolist() == [4, 255, 255, 7]


def test_a_class_fills_by_name_or_alias() -> None:
    taxonomy = load_taxonomy("nuscenes16")
    assert fill(LABELS, POINTS, "manmade", taxonomy).tolist() == [4, 14, 14, 7]
    assert fill(LABELS, POINTS, "vehicle.car", taxonomy).tolist() == [4, 3, 3, 7]
    assert fill(LABELS, POINTS, "nearest", taxonomy).tolist() == [4, 4, 4, 7]
    with pytest.raises(TaxonomyError, match=r"can't fill with 'sky'.*nearest, barrier, .*vegetation"):
        fill(LABELS, POINTS, "sky", taxonomy)


def test_other_is_no_answer() -> None:
    """A mapping may add it; no arg-max chooses it, and no benchmark knows it."""
    with pytest.raises(TaxonomyError, match=r"can't fill with 'other': no class of nuscenes16;.*vegetation$"):
        fill(LABELS, POINTS, "other", load_taxonomy("nuscenes16+other"))


def test_points_that_are_not_finite_take_the_most_frequent_label() -> None:
    points = np.array([[0, 0, 0], [np.nan, 0, 0], [1, 0, 0], [2, np.inf, 0], [9, 9, 9]], np.float32)
    assert fill_nearest(np.array([4, 255, 4, 7, 255], np.uint8), points).tolist() == [4, 4, 4, 7, 4]
    assert fill_nearest(np.array([255, 3], np.uint8), points[:2]).tolist() == [3, 3]


def test_nothing_painted_can_not_be_filled() -> None:
    assert fill_nearest(np.full(4, 255, np.uint8), POINTS).tolist() == [255] * 4
    assert fill_nearest(LABELS[:0], POINTS[:0]).shape == (0,)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_nearest_agrees_with_every_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-5, 5, (50, 3)).astype(np.float32)
    labels = rng.choice(np.array([0, 1, 2, 255], np.uint8), 50)
    labels[0] = 2
    distance = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    distance[:, labels == 255] = np.inf
    expected = np.where(labels == 255, labels[distance.argmin(axis=1)], labels)
    assert fill_nearest(labels, points).tolist() == expected.tolist()
