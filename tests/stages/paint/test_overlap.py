from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import make_sample
from support.paint_reference import Say, settle

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame, layer_arrays
from paintpipe.schemas.settings import Overlap, PaintSettings
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.overlap import merge_views
from paintpipe.stages.paint.views import CameraSample

SURE, UNSURE, OTHER = (0.9, 0.1, 0.0), (0.5, 0.4, 0.1), (0.0, 0.2, 0.8)
OVERLAPS: tuple[Overlap, ...] = ("margin", "random", "mean", "max", "first")


def merge(*samples: CameraSample, num_points: int = 3, key: str = "a", **fields: object) -> PaintedFrame:
    return merge_views(num_points, 3, samples, PaintSettings(**fields), key)  # type: ignore[arg-type]


def one(camera: int, scores: tuple[float, ...], **fields: object) -> CameraSample:
    """A camera that sees point 1 only."""
    return make_sample(camera, np.array([1]), np.array([scores]), **fields)  # type: ignore[arg-type]


def test_one_camera() -> None:
    frame = merge(one(0, SURE))
    np.testing.assert_allclose(frame.scores, [[0, 0, 0], SURE, [0, 0, 0]], atol=1e-3)
    assert frame.label.tolist() == [255, 0, 255]
    assert frame.camera.tolist() == [-1, 0, -1]
    assert frame.flags.tolist() == [0, Flag.PAINTED | Flag.VISIBLE, 0]
    assert frame.provenance is None


def test_no_camera_at_all() -> None:
    frame = merge(provenance="full")
    assert check_painted(frame, 3, 3) == ""
    assert frame.flags.tolist() == [0, 0, 0]
    assert frame.provenance is not None
    assert np.isnan(frame.provenance.pixel_px).all()
    assert frame.provenance.second.camera.tolist() == [-1, -1, -1]


def test_no_points() -> None:
    frame = merge(num_points=0, provenance="full")
    assert frame.scores.shape == (0, 3)


def test_larger_margin_wins() -> None:
    frame = merge(one(0, UNSURE, dt_us=0), one(1, SURE, dt_us=50_000))
    assert frame.camera[1] == 1
    assert frame.label[1] == 0
    assert frame.flags[1] == Flag.PAINTED | Flag.VISIBLE | Flag.OVERLAP


def test_a_tie_goes_to_the_smaller_time_difference() -> None:
    assert merge(one(0, SURE, dt_us=-20_000), one(1, SURE, dt_us=10_000)).camera[1] == 1
    assert merge(one(0, SURE, dt_us=10_000), one(1, SURE, dt_us=-20_000)).camera[1] == 0


def test_an_unknown_time_difference_counts_as_the_largest() -> None:
    assert merge(one(0, SURE), one(1, SURE, dt_us=10**12)).camera[1] == 1


def test_a_tie_in_everything_goes_to_the_lower_camera() -> None:
    assert merge(one(2, SURE), one(1, SURE)).camera[1] == 1
    assert merge(one(2, SURE, dt_us=5), one(1, SURE, dt_us=-5)).camera[1] == 1


def test_first_takes_the_lowest_camera() -> None:
    frame = merge(one(3, SURE, dt_us=0), one(1, UNSURE, dt_us=90_000), overlap="first")
    assert frame.camera[1] == 1
    np.testing.assert_allclose(frame.scores[1], UNSURE, atol=1e-3)


def test_mean() -> None:
    frame = merge(one(0, SURE), one(1, OTHER), overlap="mean")
    np.testing.assert_allclose(frame.scores[1], (0.45, 0.15, 0.4), atol=1e-3)
    assert frame.camera[1] == 0  # the larger margin


def test_max_is_renormalised() -> None:
    frame = merge(one(0, SURE), one(1, OTHER), overlap="max")
    np.testing.assert_allclose(frame.scores[1], np.array([0.9, 0.2, 0.8]) / 1.9, atol=1e-3)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_a_camera_without_a_class_gives_way(overlap: Overlap) -> None:
    frame = merge(one(0, SURE, painted=[False], dt_us=0), one(1, UNSURE), overlap=overlap)
    assert frame.camera[1] == 1
    np.testing.assert_allclose(frame.scores[1], UNSURE, atol=1e-3)
    assert frame.flags[1] == Flag.PAINTED | Flag.VISIBLE | Flag.OVERLAP


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_a_point_that_no_mask_covers_is_visible_and_unpainted(overlap: Overlap) -> None:
    frame = merge(one(2, SURE, painted=[False]), overlap=overlap, provenance="full")
    assert frame.flags[1] == Flag.VISIBLE
    assert frame.label[1] == 255
    assert not frame.scores[1].any()
    assert frame.camera[1] == 2
    assert frame.provenance is not None
    assert frame.provenance.depth_m[1] == 3.0
    assert np.isnan(frame.provenance.margin[1])


def test_depth_edge_is_that_of_the_chosen_camera() -> None:
    edge = np.array([True])
    assert merge(one(0, SURE, depth_edge=edge), one(1, UNSURE)).flags[1] & Flag.DEPTH_EDGE
    assert not merge(one(0, SURE), one(1, UNSURE, depth_edge=edge)).flags[1] & Flag.DEPTH_EDGE


def test_full_provenance_keeps_the_best_two_of_three() -> None:
    samples = one(0, UNSURE, dt_us=-7), one(1, SURE, dt_us=3), one(2, OTHER)
    full = merge(*samples, provenance="full").provenance
    assert full is not None
    assert full.pixel_px[1].tolist() == [10.0, 0.0]
    assert full.depth_m[1] == 2.0
    assert full.dt_us[1] == 3.0
    assert full.margin[1] == np.float16(np.float16(0.9) - np.float16(0.1))
    assert full.second.camera.tolist() == [-1, 2, -1]  # margin 0.6 against 0.1
    np.testing.assert_allclose(full.second.scores[1], OTHER, atol=1e-3)
    assert full.second.pixel_px[1].tolist() == [20.0, 0.0]
    assert full.second.depth_m[1] == 3.0
    for array in (full.pixel_px, full.depth_m, full.dt_us, full.margin, full.second.depth_m):
        assert np.isnan(array[[0, 2]]).all()


def test_the_second_view_is_the_surest_of_the_others_where_the_first_camera_paints() -> None:
    full = merge(one(0, OTHER), one(1, UNSURE, dt_us=0), one(2, SURE), overlap="first", provenance="full").provenance
    assert full is not None
    assert full.second.camera.tolist() == [-1, 2, -1]
    np.testing.assert_allclose(full.second.scores[1], SURE, atol=1e-3)
    surest_first = one(0, SURE), one(1, UNSURE), one(2, OTHER)
    full = merge(*surest_first, overlap="first", provenance="full").provenance
    assert full is not None
    assert full.second.camera[1] == 2  # not the surest of all, which paints


def test_the_second_view_is_the_surest_of_the_others_where_lots_are_drawn() -> None:
    says = {0: UNSURE, 1: SURE, 2: OTHER}  # margins 0.1, 0.8 and 0.6
    samples = [make_sample(camera, np.arange(300), np.tile(scores, (300, 1))) for camera, scores in says.items()]
    frame = merge(*samples, num_points=300, overlap="random", provenance="full")
    assert set(frame.camera.tolist()) == {0, 1, 2}
    assert frame.provenance is not None
    second = frame.provenance.second
    assert second.camera.tolist() == [2 if camera == 1 else 1 for camera in frame.camera]
    np.testing.assert_allclose(second.scores, [says[int(camera)] for camera in second.camera], atol=1e-3)


def test_unknown_time_difference_is_nan() -> None:
    full = merge(one(0, SURE), provenance="full").provenance
    assert full is not None
    assert np.isnan(full.dt_us[1])
    assert full.second.camera[1] == -1
    assert not full.second.scores.any()


def test_label_is_the_arg_max_of_the_scores_as_stored() -> None:
    # Apart in float32, equal in float16: the lower class wins.
    close = (0.4, 0.4 + 1e-5, 0.2 - 1e-5)
    frame = merge(one(0, close))
    assert frame.scores[1, 0] == frame.scores[1, 1]
    assert frame.label[1] == 0


@pytest.mark.parametrize("num_classes", [1, 2, 20, 150, 255])
def test_stored_rows_sum_to_one(num_classes: int) -> None:
    rng = np.random.default_rng(num_classes)
    scores = rng.dirichlet(np.full(num_classes, 0.3), 2000).astype(np.float32)
    sample = make_sample(0, np.arange(2000), scores)
    frame = merge_views(2000, num_classes, [sample], PaintSettings(), "a")
    assert np.abs(frame.scores.astype(np.float64).sum(axis=1) - 1).max() < 1e-3
    np.testing.assert_array_equal(frame.scores, scores.astype(np.float16))
    np.testing.assert_array_equal(frame.label, frame.scores.argmax(axis=1))
    assert check_painted(frame, 2000, num_classes) == ""


def _random_samples(rng: np.random.Generator, num_points: int, cameras: int) -> list[CameraSample]:
    samples = []
    for camera in rng.permutation(8)[:cameras]:
        index = np.flatnonzero(rng.random(num_points) < 0.6)
        # Few distinct scores, so that ties happen; no two classes equal, so that float16 keeps their order.
        choice = np.array([SURE, UNSURE, OTHER, (0.1, 0.0, 0.9)])
        painted = rng.random(len(index)) < 0.8
        dt_us = [None, 0, -5, 5, 9][rng.integers(5)]
        edge = rng.random(len(index)) < 0.5
        samples.append(make_sample(int(camera), index, choice[rng.integers(4, size=len(index))], painted, dt_us, edge))
    return samples


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cameras=st.integers(0, 5),
    overlap=st.sampled_from(("margin", "mean", "max", "first")),
)
def test_equal_to_the_reference(seed: int, cameras: int, overlap: Overlap) -> None:
    rng = np.random.default_rng(seed)
    samples = _random_samples(rng, 40, cameras)
    frame = merge_views(40, 3, samples, PaintSettings(overlap=overlap), "a")
    assert check_painted(frame, 40, 3) == ""
    for point in range(40):
        says = []
        for sample in samples:
            for row in np.flatnonzero(sample.view.projected.index == point):
                scores = sample.scores[row].astype(np.float64) if sample.painted[row] else None
                says.append(Say(sample.view.camera, sample.view.dt_us, scores))
        assert bool(frame.flags[point] & Flag.VISIBLE) == bool(says)
        assert bool(frame.flags[point] & Flag.OVERLAP) == (len(says) > 1)
        if not says:
            continue
        scores, camera = settle(says, overlap)
        assert frame.camera[point] == camera
        assert bool(frame.flags[point] & Flag.PAINTED) == (scores is not None)
        np.testing.assert_allclose(frame.scores[point], np.zeros(3) if scores is None else scores, atol=1e-3)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_the_order_of_the_cameras_does_not_matter(overlap: Overlap) -> None:
    rng = np.random.default_rng(5)
    samples = _random_samples(rng, 200, 3)
    frames = [
        merge_views(200, 3, order, PaintSettings(overlap=overlap, provenance="full"), "a")
        for order in permutations(samples)
    ]
    for frame in frames[1:]:
        for name, array in layer_arrays(frame).items():
            assert array.tobytes() == layer_arrays(frames[0])[name].tobytes(), name


def _drawn(key: str = "a", seed: int = 0, num_points: int = 4000) -> np.ndarray:
    samples = [make_sample(camera, np.arange(num_points), np.tile(SURE, (num_points, 1))) for camera in (0, 1, 2)]
    return merge(*samples, num_points=num_points, overlap="random", seed=seed, key=key).camera


def test_random_is_fair_and_repeats() -> None:
    drawn = _drawn()
    np.testing.assert_array_equal(drawn, _drawn())
    # 4000 draws among 3: the share's standard deviation is 0.0075
    assert np.abs(np.bincount(drawn, minlength=3) / 4000 - 1 / 3).max() < 0.03


def test_random_depends_on_seed_frame_and_point() -> None:
    drawn = _drawn()
    for other in (_drawn(seed=1), _drawn(key="b")):
        assert 0.2 < np.mean(drawn == other) < 0.47  # a third by chance
    assert 0.2 < np.mean(drawn[1:] == drawn[:-1]) < 0.47


def test_random_of_a_point_does_not_depend_on_the_others() -> None:
    samples = [make_sample(camera, np.array([7, 11]), np.tile(SURE, (2, 1))) for camera in (0, 1, 2)]
    frame = merge(*samples, num_points=4000, overlap="random")
    assert frame.camera[[7, 11]].tolist() == _drawn()[[7, 11]].tolist()


def test_scores_of_another_taxonomy_are_refused() -> None:
    with pytest.raises(TaxonomyError, match="3 classes"):
        merge_views(3, 4, [one(0, SURE)], PaintSettings(), "a")


@pytest.mark.parametrize("num_classes", [0, 256])
def test_more_classes_than_a_label_holds_are_refused(num_classes: int) -> None:
    with pytest.raises(TaxonomyError):
        merge_views(3, num_classes, [], PaintSettings(), "a")


def test_inputs_are_left_alone() -> None:
    sample = one(0, SURE)
    before = replace(sample, scores=sample.scores.copy())
    merge(sample, one(1, OTHER), overlap="mean")
    np.testing.assert_array_equal(sample.scores, before.scores)
