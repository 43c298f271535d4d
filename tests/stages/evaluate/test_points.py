"""Tallies of painted points."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.evaluate import make_frame

from paintpipe.schemas.errors import LabelsError
from paintpipe.schemas.painted import Flag
from paintpipe.stages.evaluate.points import PointsTally, Subset

VISIBLE = int(Flag.PAINTED | Flag.VISIBLE)


def test_every_subset_holds_its_own_points() -> None:
    tally = make_frame(
        labels=np.array([0, 1, 1, 255, 2], np.uint8),
        camera=np.array([0, 0, 1, -1, 1], np.int8),
        flags=np.array([VISIBLE, VISIBLE | Flag.DEPTH_EDGE, VISIBLE, 0, VISIBLE], np.uint8),
    ).tally()
    assert tally.of(Subset("all")).tolist() == [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    assert tally.of(Subset("view")).tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert tally.of(Subset("edge", 1)).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert tally.of(Subset("edge", 0)).sum() == 3
    assert tally.of(Subset("camera", 0)).sum() == 2
    assert tally.of(Subset("camera", 1)).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert [int(tally.of(Subset("range", bin_)).sum()) for bin_ in range(5)] == [1, 1, 1, 0, 1]
    assert (tally.num_points, tally.num_painted, tally.num_in_view, tally.num_painted_in_view) == (5, 4, 4, 4)


def test_painted_and_in_view_are_two_things() -> None:
    """An oracle paints what no camera sees; and may leave unpainted what a camera sees."""
    tally = make_frame(
        labels=np.array([0, 0, 1, 1, 255], np.uint8), flags=np.array([1, 1, 1, VISIBLE, Flag.VISIBLE], np.uint8)
    ).tally()
    assert (tally.num_painted, tally.num_in_view, tally.num_painted_in_view) == (4, 2, 1)
    assert tally.of(Subset("view")).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    assert tally.of(Subset("all"))[:, -1].tolist() == [0, 0, 1]


def test_a_range_bin_holds_its_lower_edge_and_measures_in_three_dimensions() -> None:
    points = np.array([[10, 0, 0], [6, 0, 8], [0, 0, 9.999], [0, 50, 0], [np.nan, 0, 0]], np.float32)
    tally = make_frame(points=points).tally()
    assert [int(tally.of(Subset("range", bin_)).sum()) for bin_ in range(5)] == [1, 2, 0, 0, 0]
    assert tally.of(Subset("view")).sum() == 5


def test_ignored_truth_counts_for_coverage_only() -> None:
    tally = make_frame(truth=np.array([255, 0, 1, 1, 2], np.uint8)).tally()
    assert tally.num_painted == 5
    assert tally.of(Subset("all")).sum() == 4


def test_filled_labels_are_a_subset_of_their_own() -> None:
    frame = make_frame(labels=np.array([0, 255, 1, 1, 2], np.uint8), fill_labels=np.array([0, 2, 1, 1, 2], np.uint8))
    assert frame.tally().of(Subset("filled")).tolist() == [[1, 0, 1, 0], [0, 2, 0, 0], [0, 0, 1, 0]]
    assert frame.tally().of(Subset("all"))[0].tolist() == [1, 0, 0, 1]
    assert Subset("filled") not in make_frame().tally().confusions


def test_labels_of_another_taxonomy_are_refused() -> None:
    with pytest.raises(LabelsError, match="outside the taxonomy"):
        make_frame().tally(num_classes=2)


def random_tally(seed: int) -> PointsTally:
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.array([0, 1, 2, 255], np.uint8), 40)
    return make_frame(
        points=rng.uniform(-40, 40, (40, 3)).astype(np.float32),
        labels=labels,
        truth=rng.choice(np.array([0, 1, 2, 255], np.uint8), 40),
        camera=rng.integers(-1, 3, 40).astype(np.int8),
        flags=rng.integers(0, 32, 40).astype(np.uint8),
        fill_labels=np.where(labels == 255, 0, labels).astype(np.uint8),
    ).tally()


def assert_same(one: PointsTally, other: PointsTally) -> None:
    assert {**vars(one), "confusions": 0} == {**vars(other), "confusions": 0}
    for subset in one.confusions.keys() | other.confusions.keys():
        np.testing.assert_array_equal(one.of(subset), other.of(subset))


@settings(max_examples=25, deadline=None)
@given(seeds=st.tuples(*[st.integers(0, 2**32 - 1)] * 3))
def test_tallies_merge_in_any_order(seeds: tuple[int, int, int]) -> None:
    a, b, c = (random_tally(seed) for seed in seeds)
    assert_same((a + b) + c, a + (b + c))
    assert_same(a + b, b + a)
    assert_same(sum([a, b], PointsTally(3)), a + b)
    assert_same(pickle.loads(pickle.dumps(a)), a)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_subsets_of_the_view_add_up_to_it(seed: int) -> None:
    tally = random_tally(seed)
    view = tally.of(Subset("view"))
    for kind in ("edge", "occluded"):
        np.testing.assert_array_equal(tally.of(Subset(kind, 0)) + tally.of(Subset(kind, 1)), view)
    assert view.sum() <= tally.of(Subset("all")).sum() <= tally.num_points


def test_merging_counts_each_frame_once_and_refuses_other_taxonomies() -> None:
    tally = make_frame().tally()
    assert (tally + tally).of(Subset("all")).tolist() == [[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 2, 0]]
    assert tally.of(Subset("all"))[0, 0] == 2
    with pytest.raises(ValueError, match="3 and 4 classes"):
        tally + PointsTally(4)
