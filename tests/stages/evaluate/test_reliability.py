"""Confidence against accuracy: by hand, against plain numpy, and in any order of frames."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas import tables
from paintpipe.schemas.arrays import AnyArray, UInt8
from paintpipe.schemas.errors import LabelsError
from paintpipe.stages.evaluate.reliability import BINS, NATS, ReliabilityTally, reliability_frame
from paintpipe.stages.evaluate.reliability_tables import calibration_table, reliability_tables


def scores_of(*rows: tuple[float, ...]) -> AnyArray:
    return np.array(rows, np.float16)


def tally(scores: AnyArray, truth: list[int], labels: UInt8 | None = None) -> ReliabilityTally:
    chosen = scores.argmax(axis=1).astype(np.uint8) if labels is None else labels
    return reliability_frame(scores, chosen, np.array(truth, np.uint8), scores.shape[1])


def drawn(seed: int, points: int = 300, classes: int = 5) -> tuple[AnyArray, UInt8]:
    draw = np.random.default_rng(seed)
    scores = draw.dirichlet(np.full(classes, 0.4), points).astype(np.float16)
    return scores, draw.integers(0, classes, points).astype(np.uint8)


def test_ece_of_a_toy_by_hand() -> None:
    """Bin 12 (0.733, 0.8] holds three points of 0.75, two right; bin 8 (0.467, 0.533] one of 0.5, wrong."""
    scores = scores_of((0.75, 0.25), (0.75, 0.25), (0.25, 0.75), (0.5, 0.5))
    found = tally(scores, [0, 0, 0, 1])
    assert found.top.points.tolist() == [0] * 7 + [1] + [0] * 3 + [3] + [0] * 3
    assert found.top.hits[11] == 2
    assert found.ece == pytest.approx((3 * abs(2 / 3 - 0.75) + abs(0 - 0.5)) / 4, abs=1e-15)
    assert found.nll == pytest.approx(-np.log([0.75, 0.75, 0.25, 0.5]).mean(), abs=NATS)
    assert (found.accuracy, found.confidence) == (0.5, (3 * 0.75 + 0.5) / 4)


def test_each_class_has_a_curve_of_its_own() -> None:
    """Of class 0: 0.75 twice (both right), 0.25 (right), 0.5 (wrong); class 1 is its mirror."""
    found = tally(scores_of((0.75, 0.25), (0.75, 0.25), (0.25, 0.75), (0.5, 0.5)), [0, 0, 0, 1])
    one_class = (2 * abs(1 - 0.75) + abs(1 - 0.25) + abs(0 - 0.5)) / 4
    np.testing.assert_allclose(found.by_class.ece(), [one_class, one_class], atol=1e-15)
    assert found.classwise_ece == pytest.approx(one_class)


@pytest.mark.parametrize("number", range(BINS + 1))
def test_a_bin_holds_its_upper_edge(number: int) -> None:
    """(m - 1) / 15 < c <= m / 15; of float16 only some edges are exact, so neighbours are looked at, too."""
    edge = np.float16(number / BINS)
    for value in (edge, np.nextafter(edge, np.float16(2)), np.nextafter(edge, np.float16(-1))):
        if not 0.0 <= value <= 1.0:
            continue
        found = tally(np.array([[value, 0]], np.float16), [0], labels=np.array([0], np.uint8))
        expected = max(int(np.ceil(float(value) * BINS)) - 1, 0)
        assert found.top.points.nonzero()[0].tolist() == [expected], value


def test_perfect_scores_have_no_error_and_certain_wrong_ones_all_of_it() -> None:
    right, wrong = scores_of((1, 0), (0, 1)), scores_of((0, 1), (1, 0))
    assert tally(right, [0, 1]).ece == 0.0
    assert tally(right, [0, 1]).nll == 0.0
    assert tally(wrong, [0, 1]).ece == 1.0
    assert tally(wrong, [0, 1]).nll == pytest.approx(25 * np.log(2), abs=NATS)  # a score of 0 counts as 2^-25


def test_unpainted_and_ignored_points_are_left_out_and_other_is_never_true() -> None:
    scores = scores_of((0.5, 0.25, 0.25), (0, 0, 0), (0.25, 0.5, 0.25))
    labels, truth = np.array([0, 255, 1], np.uint8), np.array([0, 0, 255], np.uint8)
    found = reliability_frame(scores, labels, truth, 2)
    assert (found.num_points, found.accuracy, found.confidence) == (1, 1.0, 0.5)
    assert found.by_class.points.shape == (2, BINS)


def test_no_point_gives_no_figure_and_null_in_the_tables() -> None:
    found = tally(np.zeros((2, 3), np.float16), [0, 1], labels=np.full(2, 255, np.uint8))
    assert found.num_points == 0
    row = reliability_tables(found, "net")["confidence"].to_pylist()[0]
    assert [row[key] for key in ("accuracy", "confidence", "ece", "classwise_ece", "nll")] == [None] * 5


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LabelsError, match="outside the taxonomy"):
        tally(scores_of((1, 0)), [2])
    with pytest.raises(LabelsError, match="expected 1 of each"):
        tally(scores_of((1, 0), (0, 1)), [0])
    with pytest.raises(ValueError, match="do not add up"):
        tally(scores_of((1, 0)), [0]) + tally(scores_of((1, 0, 0)), [0])


def test_the_same_as_plain_numpy() -> None:
    scores, truth = drawn(1)
    found = tally(scores, truth.tolist())
    confidence, hit = scores.max(axis=1).astype(float), scores.argmax(axis=1) == truth
    ece = 0.0
    for number in range(BINS):
        chosen = (confidence > number / BINS) & (confidence <= (number + 1) / BINS)
        ece += abs(hit[chosen].sum() - confidence[chosen].sum()) / len(truth)
    assert found.ece == pytest.approx(ece, abs=1e-12)
    picked = np.maximum(scores[np.arange(len(truth)), truth].astype(float), 2.0**-25)
    assert found.nll == pytest.approx(-np.log(picked).mean(), abs=NATS)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 300), max_size=4), st.randoms())
def test_frames_add_up_in_any_order(seed: int, cuts: list[int], order: object) -> None:
    scores, truth = drawn(seed)
    places = sorted({0, *cuts, len(truth)})
    parts = [tally(scores[a:b], truth[a:b].tolist()) for a, b in pairwise(places)]
    order.shuffle(parts)  # type: ignore[attr-defined]
    total = parts[0]
    for part in parts[1:]:
        total += part
    whole = tally(scores, truth.tolist())
    assert pickle.dumps(total.top.units.tolist()) == pickle.dumps(whole.top.units.tolist())
    assert (total.ece, total.nll, total.classwise_ece) == (whole.ece, whole.nll, whole.classwise_ece)


def test_the_tables() -> None:
    scores, truth = drawn(2)
    found = tally(scores, truth.tolist())
    named = reliability_tables(found, "net")
    assert named["reliability"].schema == tables.RELIABILITY
    rows = named["reliability"].to_pylist()
    assert [row["bin"] for row in rows] == list(range(1, BINS + 1))
    assert sum(row["points"] for row in rows) == len(truth)
    filled = [row for row in rows if row["points"]]
    assert all(row["above"] < row["confidence"] <= row["up_to"] for row in filled)
    weighed = sum(row["points"] * abs(row["accuracy"] - row["confidence"]) for row in filled) / len(truth)
    assert named["confidence"].to_pylist()[0]["ece"] == pytest.approx(weighed)
    row = calibration_table("net", "toy", 1.5, {"held out": (found, found)}).to_pylist()[0]
    assert (row["selection"], row["ece_before"], row["nll_after"]) == ("held out", found.ece, found.nll)
