"""Scores moved between taxonomies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame, Provenance, SecondView
from paintpipe.schemas.taxonomy import OTHER
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.taxonomies.apply import labels_from_scores, map_painted, map_scores
from paintpipe.stages.taxonomies.cyclists import near
from paintpipe.stages.taxonomies.load import load_mapping, mapping_pairs

KITTI = load_mapping("cityscapes19", "kitti-det4")
CLASSES = KITTI.source.classes


def score_rows(*rows: dict[str, float]) -> Float32:
    return np.array([[row.get(name, 0.0) for name in CLASSES] for row in rows], np.float32)


def on_x(*x_m: float) -> Float32:
    return np.array([[x, 0, 0, 0.5] for x in x_m], np.float32)


def test_merged_classes_sum_their_probabilities() -> None:
    mapped = map_scores(score_rows({"car": 0.5, "truck": 0.125, "road": 0.25, "person": 0.125}, {}), on_x(0, 1), KITTI)
    assert mapped.dtype == np.float32
    assert mapped.tolist() == [[0.5, 0.125, 0.0, 0.375], [0, 0, 0, 0]]


def test_a_bicycle_within_a_metre_of_a_rider_is_a_cyclist() -> None:
    bicycle, rider = {"bicycle": 0.75, "car": 0.25}, {"rider": 0.5, "bicycle": 0.375, "person": 0.125}
    # At 0.0 a rider; bicycles at 0.5, 1.0 (inclusive) and 1.01; a far one.
    mapped = map_scores(score_rows(rider, bicycle, bicycle, bicycle, bicycle), on_x(0, 0.5, 1.0, 1.01, 30), KITTI)
    assert mapped.tolist() == [
        [0.0, 0.125, 0.5, 0.375],  # a rider's own bicycle mass stays background: its arg-max is rider
        [0.25, 0.0, 0.75, 0.0],
        [0.25, 0.0, 0.75, 0.0],
        [0.25, 0.0, 0.0, 0.75],
        [0.25, 0.0, 0.0, 0.75],
    ]


def test_the_metre_is_measured_in_three_dimensions() -> None:
    points = np.array([[0, 0, 0], [0.7, 0.0, 0.7], [0.8, 0.0, 0.8]], np.float32)
    mapped = map_scores(score_rows({"rider": 1}, {"bicycle": 1}, {"bicycle": 1}), points, KITTI)
    assert mapped.argmax(axis=1).tolist() == [2, 2, 3]


def test_a_cyclist_needs_an_arg_max_and_not_just_some_mass() -> None:
    nearly = {"rider": 0.49, "person": 0.51}
    mapped = map_scores(score_rows(nearly, {"bicycle": 1}, {"bicycle": 0.4, "road": 0.6}), on_x(0, 0.1, 0.2), KITTI)
    assert mapped[1].tolist() == [0, 0, 0, 1]
    mapped = map_scores(score_rows({"rider": 1}, {"bicycle": 0.4, "road": 0.6}), on_x(0, 0.2), KITTI)
    np.testing.assert_allclose(mapped[1], [0, 0, 0, 1], atol=1e-6)


def test_a_semantickitti_bicyclist_is_the_rider_of_the_rule() -> None:
    mapping = load_mapping("semantickitti19", "kitti-det4")
    scores = np.eye(19, dtype=np.float32)[[mapping.source.classes.index(name) for name in ("bicyclist", "bicycle")]]
    assert map_scores(scores, on_x(0, 0.5), mapping).argmax(axis=1).tolist() == [2, 2]
    assert map_scores(scores, on_x(0, 1.5), mapping).argmax(axis=1).tolist() == [2, 3]


def test_points_that_are_not_finite_are_near_nothing() -> None:
    points = np.array([[np.nan, 0, 0], [np.inf, 0, 0], [0, 0, 0]], np.float32)
    assert near(points, points).tolist() == [False, False, True]
    assert near(points, points[:2]).tolist() == [False, False, False]
    assert near(points[:0], points).shape == (0,)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 60))
def test_near_agrees_with_every_distance(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points, others = rng.uniform(-2, 2, (count, 3)), rng.uniform(-2, 2, (7, 3))
    distance = np.linalg.norm(points[:, None] - others[None], axis=2)
    assert near(points, others).tolist() == (distance <= 1.0).any(axis=1).tolist()


@settings(max_examples=40, deadline=None)
@given(pair=st.sampled_from(mapping_pairs()), seed=st.integers(0, 2**32 - 1), half=st.booleans())
def test_rows_sum_to_one_before_and_after(pair: tuple[str, str], seed: int, half: bool) -> None:
    mapping = load_mapping(*pair)
    rng = np.random.default_rng(seed)
    drawn = rng.dirichlet(np.full(len(mapping.source), 0.2), 50)
    scores = drawn.astype(np.float16) if half else drawn.astype(np.float32)
    scores[::7] = 0
    mapped = map_scores(scores, rng.uniform(-1, 1, (50, 3)), mapping)
    sums = mapped.sum(axis=1)
    np.testing.assert_allclose(sums, scores.astype(np.float32).sum(axis=1), atol=1e-5)
    assert (sums[::7] == 0).all()
    if not mapping.cyclist_rule:
        np.testing.assert_allclose(mapped, scores.astype(np.float64) @ mapping.matrix, atol=1e-5)


def test_scores_of_another_width_are_refused() -> None:
    with pytest.raises(TaxonomyError, match=r"\(1, 20\) do not fit the taxonomy cityscapes19; expected 19 classes"):
        map_scores(np.zeros((1, 20), np.float32), on_x(0), KITTI)


def test_other_never_wins_unless_it_is_all_there_is() -> None:
    target = load_mapping("cityscapes19", "semantickitti19").target
    assert target.classes[-1] == OTHER
    scores = np.zeros((4, 20), np.float32)
    scores[0, [3, 19]] = 0.1, 0.9
    scores[1, 19] = 1.0
    scores[3, 18] = 1.0
    assert labels_from_scores(scores, target).tolist() == [3, 255, 255, 18]
    assert labels_from_scores(scores, target, leave_out_other=False).tolist() == [19, 19, 255, 18]
    assert labels_from_scores(scores[:, :19], KITTI.source).tolist() == [3, 255, 255, 18]


def painted(full: bool) -> PaintedFrame:
    scores = score_rows({"rider": 1}, {"bicycle": 0.5, "person": 0.25, "car": 0.25}, {}).astype(np.float16)
    nan = np.full(3, np.nan, np.float32)
    second = SecondView(
        scores=score_rows({}, {"bicycle": 0.75, "car": 0.25}, {}).astype(np.float16),
        camera=np.array([-1, 1, -1], np.int8),
        pixel_px=np.stack([nan, nan], axis=1),
        depth_m=nan,
    )
    margin = np.array([1, 0.25, np.nan], np.float16)
    return PaintedFrame(
        scores=scores,
        label=np.array([CLASSES.index("rider"), CLASSES.index("bicycle"), 255], np.uint8),
        camera=np.array([0, 0, -1], np.int8),
        flags=np.array([3, 3 | Flag.OVERLAP, 0], np.uint8),
        provenance=Provenance(np.stack([nan, nan], axis=1), nan, nan, margin, second) if full else None,
    )


def test_a_painted_frame_keeps_the_stores_contract() -> None:
    before = painted(full=False)
    after = map_painted(before, on_x(0, 0.5, 1), KITTI)
    assert check_painted(after, 3, 4) == ""
    assert after.scores.dtype == np.float16
    assert after.label.tolist() == [2, 2, 255]
    assert after.label.dtype == np.uint8
    assert (after.camera is before.camera, after.flags is before.flags, after.provenance) == (True, True, None)


def test_the_second_camera_and_the_margin_are_mapped_too() -> None:
    after = map_painted(painted(full=True), on_x(0, 0.5, 1), KITTI)
    assert after.provenance is not None
    assert after.provenance.second.scores.tolist() == [[0, 0, 0, 0], [0.25, 0, 0.75, 0], [0, 0, 0, 0]]
    assert after.provenance.second.scores.dtype == after.provenance.margin.dtype == np.float16
    assert after.provenance.margin[:2].tolist() == [1.0, 0.25]
    assert np.isnan(after.provenance.margin[2])
