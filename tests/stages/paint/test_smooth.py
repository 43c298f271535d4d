"""Smoothing: hand-made neighbourhoods with known answers, and properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.arrays import AnyArray, Float32
from paintpipe.schemas.painted import Flag, PaintedFrame, Provenance, SecondView
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.directions import REACH
from paintpipe.stages.paint.neighbours import MOST_NEIGHBOURS
from paintpipe.stages.paint.smooth import EDGE_SAY, OWN_WEIGHT, smooth

SEEN = int(Flag.PAINTED | Flag.VISIBLE)
EDGE, HIDDEN = SEEN | int(Flag.DEPTH_EDGE), SEEN | int(Flag.OCCLUDED)


def make_painted(scores: AnyArray, flags: AnyArray) -> PaintedFrame:
    on = (np.asarray(flags) & Flag.PAINTED) != 0
    rows = np.where(on[:, None], np.asarray(scores, np.float16), np.float16(0))
    label = np.where(on, rows.argmax(axis=1), 255).astype(np.uint8)
    return PaintedFrame(rows, label, np.zeros(len(rows), np.int8), np.asarray(flags, np.uint8))


def around(center: tuple[float, float, float], *offsets: tuple[float, float, float]) -> Float32:
    return np.array([center, *(np.add(center, offset) for offset in offsets)], np.float32)


def test_an_edge_point_listens_to_the_points_around_it() -> None:
    """Two neighbours 5 cm away weigh 100 each, against 50 of the point's own."""
    points = around((10.0, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, -0.05, 0.0))
    frame = smooth(points, make_painted([[1, 0], [0, 1], [0, 1]], [EDGE, SEEN, SEEN]))
    assert frame.label.tolist() == [1, 1, 1]
    assert frame.scores[0] == pytest.approx([OWN_WEIGHT / 250, 200 / 250], abs=1e-3)


def test_an_occluded_point_has_no_say_of_its_own() -> None:
    points = around((10.0, 0.0, 0.0), (0.0, 0.25, 0.0))
    frame = smooth(points, make_painted([[1, 0], [0, 1]], [HIDDEN, SEEN]))
    assert frame.scores[0].tolist() == [0.0, 1.0]
    assert frame.flags[0] == HIDDEN


def test_occluded_and_unpainted_neighbours_are_not_asked_and_those_on_edges_count_for_less() -> None:
    points = around((10.0, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, -0.05, 0.0), (0.05, 0.0, 0.0))
    scores = [[1, 0], [0, 1], [0, 1], [0, 1]]
    frame = smooth(points, make_painted(scores, [EDGE, HIDDEN, 0, EDGE]))
    edge_weight = EDGE_SAY * 100
    assert frame.scores[0, 1] == pytest.approx(edge_weight / (edge_weight + OWN_WEIGHT), abs=1e-3)


def test_what_is_out_of_reach_is_not_asked() -> None:
    for away_m, changed in ((0.99 * REACH * 10.0, True), (1.01 * REACH * 10.0, False)):
        points = around((10.0, 0.0, 0.0), (0.0, away_m, 0.0))
        frame = smooth(points, make_painted([[1, 0], [0, 1]], [HIDDEN, SEEN]))
        assert (frame.label[0] == 1) == changed


def test_a_neighbour_so_far_off_that_its_vote_weighs_nothing_is_none() -> None:
    """Stray returns lie kilometres away: 3% of their range is hundreds of metres."""
    points = around((1e4, 0.0, 0.0), (290.0, 0.0, 0.0), (0.0, 290.0, 0.0))
    frame = smooth(points, make_painted([[1, 0], [0, 1], [0, 1]], [HIDDEN, SEEN, EDGE]))
    assert frame.scores.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]


def test_sure_points_and_unpainted_ones_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal([10, 0, 0], 0.1, (200, 3)).astype(np.float32)
    before = make_painted(rng.dirichlet(np.ones(4), 200), rng.choice([0, 2, SEEN, EDGE, HIDDEN], 200))
    kept, label = before.scores.copy(), before.label.copy()
    after = smooth(points, before)
    sure = ~np.isin(after.flags, (EDGE, HIDDEN))
    np.testing.assert_array_equal(after.scores[sure], kept[sure])
    np.testing.assert_array_equal(after.label[sure], label[sure])
    assert (after.scores[~sure] != kept[~sure]).any(axis=1).all()
    assert check_painted(after, 200, 4) == ""


def test_margins_follow_and_second_scores_do_not() -> None:
    points = around((10.0, 0.0, 0.0), (0.0, 0.05, 0.0))
    frame = make_painted([[1, 0], [0, 1]], [HIDDEN, SEEN])
    nothing = np.full((2, 2), np.nan, np.float32)
    second = SecondView(np.zeros((2, 2), np.float16), np.full(2, -1, np.int8), nothing, nothing[:, 0])
    full = Provenance(nothing, nothing[:, 0], nothing[:, 0], np.array([0.25, 0.5], np.float16), second)
    found = smooth(points, PaintedFrame(frame.scores, frame.label, frame.camera, frame.flags, full)).provenance
    assert found is not None
    assert found.margin.tolist() == [1.0, 0.5]
    assert found.second is second


def test_nobody_asks_or_nobody_answers() -> None:
    points = around((10.0, 0.0, 0.0), (0.0, 0.05, 0.0))
    for flags in ([SEEN, SEEN], [HIDDEN, HIDDEN], [0, 2]):
        frame = make_painted([[1, 0], [0, 1]], flags)
        kept = frame.scores.copy()
        np.testing.assert_array_equal(smooth(points, frame).scores, kept)


def every_pair(points: Float32, frame: PaintedFrame) -> AnyArray:
    """Smoothed scores in float64, every pair looked at."""
    place, scores = points.astype(np.float64), frame.scores.astype(np.float64)
    occluded, edge = (frame.flags & Flag.OCCLUDED) != 0, (frame.flags & Flag.DEPTH_EDGE) != 0
    painted = (frame.flags & Flag.PAINTED) != 0
    found = scores.copy()
    for i in np.flatnonzero(painted & (occluded | edge)):
        away = np.linalg.norm(place - place[i], axis=1)
        near = painted & ~occluded & (away <= REACH * np.linalg.norm(place[i])) & (np.arange(len(place)) != i)
        asked = np.flatnonzero(near)[np.argsort(away[near], kind="stable")][:MOST_NEIGHBOURS]
        weight = np.where(edge[asked], EDGE_SAY, 1.0) / (away[asked] + 0.05) ** 2
        if len(asked):
            votes = weight @ scores[asked] + (0.0 if occluded[i] else OWN_WEIGHT) * scores[i]
            found[i] = votes / votes.sum()
    return found


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.6, 3.0]), st.sampled_from([(8, 0, 0), (-8, 0, 0), (0.3, 0, 6)])
)
def test_equals_looking_at_every_pair_in_any_order(seed: int, spread_m: float, center: tuple[float, ...]) -> None:
    """Ahead, across the seam behind, and near the zenith, where the bins' columns close in."""
    rng = np.random.default_rng(seed)
    points = rng.normal(center, spread_m, (150, 3)).astype(np.float32)
    scores, flags = rng.dirichlet(np.ones(3), 150), rng.choice([0, SEEN, SEEN, EDGE, HIDDEN], 150)
    expected = every_pair(points, make_painted(scores, flags))
    found = smooth(points, make_painted(scores, flags))
    np.testing.assert_allclose(found.scores.astype(np.float64), expected, atol=1e-3)
    assert check_painted(found, 150, 3) == ""
    order = rng.permutation(150)
    shuffled = smooth(points[order], make_painted(scores[order], flags[order]))
    np.testing.assert_array_equal(shuffled.scores, found.scores[order])
    np.testing.assert_array_equal(shuffled.label, found.label[order])
