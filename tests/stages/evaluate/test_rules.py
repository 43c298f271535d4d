"""The two official rules, each against its own evaluator, and the toy case on which they differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.evaluate import counts

from paintpipe.schemas.arrays import Float64, UInt8
from paintpipe.schemas.errors import LabelsError
from paintpipe.stages.evaluate.confusion import accuracy, confusion, present_miou, unpainted
from paintpipe.stages.evaluate.nuscenes_rule import frequency_weighted_iou, nuscenes_scores
from paintpipe.stages.evaluate.semantickitti_rule import semantickitti_accuracy, semantickitti_scores


def published_semantickitti(truth: UInt8, prediction: UInt8, num_classes: int) -> tuple[float, Float64, float]:
    """The published formula in float64 on labels as the files have them: 0 is unlabelled, classes begin at 1."""
    matrix = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    np.add.at(matrix, (prediction.astype(int), truth.astype(int)), 1)
    matrix[:, 0] = 0
    hits = np.diag(matrix)
    union = matrix.sum(axis=1) + matrix.sum(axis=0) - hits + 1e-15
    answered = hits[1:].sum() + (matrix.sum(axis=1) - hits)[1:].sum() + 1e-15
    return float((hits[1:] / union[1:]).mean()), (hits / union)[1:], float(hits.sum() / answered)


def of_file(labels: UInt8) -> UInt8:
    """Classes from 1 with 0 for none → classes from 0 with 255 for none."""
    return np.where(labels == 0, 255, labels - 1).astype(np.uint8)


def test_the_rules_differ_on_the_toy_case() -> None:
    """Three classes of which one is absent and never predicted, the other two perfect."""
    toy = confusion(np.array([0, 0, 1], np.uint8), np.array([0, 0, 1], np.uint8), 3)
    assert semantickitti_scores(toy).miou == pytest.approx(2 / 3, abs=1e-12)
    assert nuscenes_scores(toy).miou == 1.0
    assert present_miou(toy) == 1.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 19), size=st.integers(1, 400))
def test_semantickitti_equals_the_published_formula(seed: int, classes: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes + 1, size).astype(np.uint8)
    prediction = np.where(rng.random(size) < 0.6, truth, rng.integers(0, classes + 1, size)).astype(np.uint8)
    mean, iou, acc = published_semantickitti(truth, prediction, classes)
    matrix = confusion(of_file(truth), of_file(prediction), classes)
    assert semantickitti_scores(matrix).miou == pytest.approx(mean, abs=1e-15)
    np.testing.assert_array_equal(semantickitti_scores(matrix).iou, iou)
    assert semantickitti_accuracy(matrix) == acc


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 16), frames=st.integers(1, 3))
def test_nuscenes_equals_the_devkits_evaluator(seed: int, classes: int, frames: int) -> None:
    official_matrix = pytest.importorskip("nuscenes.eval.lidarseg.utils").ConfusionMatrix
    official = official_matrix(classes + 1, ignore_idx=0)
    rng = np.random.default_rng(seed)
    ours = np.zeros((classes, classes + 1), np.int64)
    for _ in range(frames):
        truth = rng.integers(0, rng.integers(2, classes + 2), 200).astype(np.uint8)
        truth[0] = 1
        guess = rng.integers(1, classes + 1, 200)
        prediction = np.where((rng.random(200) < 0.6) & (truth > 0), truth, guess).astype(np.uint8)
        official.update(truth, prediction)
        ours += confusion(of_file(truth), of_file(prediction), classes)
    scores = nuscenes_scores(ours)
    np.testing.assert_array_equal(scores.iou, official.get_per_class_iou()[1:])
    assert scores.miou == pytest.approx(official.get_mean_iou(), abs=1e-15)
    assert frequency_weighted_iou(ours) == pytest.approx(official.get_freqweighted_iou(), abs=1e-15)


def test_an_unpainted_point_is_a_miss_and_nobodys_false_positive() -> None:
    matrix = counts([[3, 0, 1], [0, 4, 0]])
    scores = semantickitti_scores(matrix)
    assert (scores.tp.tolist(), scores.fp.tolist(), scores.fn.tolist()) == ([3, 4], [0, 0], [1, 0])
    assert scores.iou == pytest.approx([0.75, 1.0])
    assert semantickitti_accuracy(matrix) == pytest.approx(1.0)
    assert accuracy(matrix) == 7 / 8
    assert unpainted(matrix) == 1


def test_nuscenes_refuses_points_without_a_label() -> None:
    matrix = counts([[3, 0, 1], [0, 4, 0]])
    with pytest.raises(LabelsError, match=r"1 points have no label.*--fill nearest"):
        nuscenes_scores(matrix)
    assert nuscenes_scores(matrix, complete=False).iou.tolist() == [0.75, 1.0]


def test_a_class_that_is_only_predicted_counts_for_nuscenes() -> None:
    matrix = counts([[3, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    scores = nuscenes_scores(matrix)
    assert scores.iou[:2].tolist() == [0.75, 0.0]
    assert np.isnan(scores.iou[2])
    assert scores.miou == 0.375
    assert present_miou(matrix) == 0.75


def test_corrupted_labels_give_the_iou_worked_out_by_hand() -> None:
    """100 of class 0, 50 of class 1, 10 of class 2; 20 of class 0 called 1, 5 of class 1 called 2, 5 of 1 unpainted."""
    truth = np.repeat([0, 1, 2, 255], [100, 50, 10, 7]).astype(np.uint8)
    prediction = truth.copy()
    prediction[:20], prediction[100:105], prediction[105:110], prediction[160:] = 1, 2, 255, 0
    matrix = confusion(truth, prediction, 3)
    assert matrix.tolist() == [[80, 20, 0, 0], [0, 40, 5, 5], [0, 0, 10, 0]]
    expected = [80 / 100, 40 / (40 + 20 + 10), 10 / 15]
    assert semantickitti_scores(matrix).iou == pytest.approx(expected, abs=1e-12)
    assert nuscenes_scores(matrix, complete=False).miou == pytest.approx(np.mean(expected), abs=1e-7)
    assert accuracy(matrix) == 130 / 160


def test_no_points_give_no_score() -> None:
    empty = confusion(np.array([255], np.uint8), np.array([0], np.uint8), 2)
    assert not empty.any()
    figures = [nuscenes_scores(empty).miou, present_miou(empty), accuracy(empty), frequency_weighted_iou(empty)]
    assert np.isnan(figures).all()
    assert semantickitti_scores(empty).miou == 0.0


def test_a_perfect_prediction_of_a_single_point_is_exactly_one() -> None:
    """The published formula's 1e-15 would keep it below."""
    matrix = counts([[1, 0, 0], [0, 2, 0]])
    assert present_miou(matrix) == 1.0
    assert semantickitti_scores(matrix).miou < 1.0


@pytest.mark.parametrize(("truth", "prediction"), [([0, 3], [0, 0]), ([0, 1], [0, 3]), ([0], [254]), ([0, 1], [0])])
def test_labels_that_do_not_fit_are_refused(truth: list[int], prediction: list[int]) -> None:
    with pytest.raises(LabelsError):
        confusion(np.array(truth, np.uint8), np.array(prediction, np.uint8), 3)
