"""The store's contract on one painted frame, by example and against the same rules in numpy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.painted import make_frame

from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.stages.paint.check import check_painted


def test_a_right_frame_passes() -> None:
    assert check_painted(make_frame(), 3, 2) == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"scores": np.array([[0.2, 0.75], [1, 0], [0, 0]], dtype=np.float16)}, "sum to 1"),
        ({"scores": np.array([[0.25, 0.75], [1, 0], [0, 0.1]], dtype=np.float16)}, "unpainted"),
        ({"scores": np.array([[np.nan, 0.75], [1, 0], [0, 0]], dtype=np.float16)}, "sum to 1"),
        ({"scores": np.array([[-0.25, 1.25], [1, 0], [0, 0]], dtype=np.float16)}, "negative"),
        ({"scores": np.array([[0.25, 0.75], [1, 0], [0.5, -0.5]], dtype=np.float16)}, "unpainted"),
        ({"label": np.array([1, 0, 0], dtype=np.uint8)}, "unpainted"),
        ({"label": np.array([2, 0, 255], dtype=np.uint8)}, "taxonomy"),
        ({"label": np.array([0, 0, 255], dtype=np.uint8)}, "arg-max"),
        ({"label": np.array([1, 255], dtype=np.uint8)}, "shape"),
    ],
)
def test_what_breaks_the_contract_is_named(change: dict[str, np.ndarray], fault: str) -> None:
    assert fault in check_painted(replace(make_frame(), **change), 3, 2)


def test_another_number_of_points_or_classes_is_a_fault() -> None:
    assert "shape" in check_painted(make_frame(), 4, 2)
    assert "shape" in check_painted(make_frame(), 3, 3)


def by_numpy(frame: PaintedFrame, num_classes: int) -> str:
    """The rules one after the other, each over the whole frame."""
    painted = (frame.flags & Flag.PAINTED) != 0
    scores, label = frame.scores[painted].astype(np.float32), frame.label[painted]
    if np.any(frame.scores[~painted] != 0.0) or np.any(frame.label[~painted] != 255):
        return "unpainted"
    if np.any(scores < 0.0):
        return "negative"
    if not np.all(np.abs(scores.sum(axis=1) - 1.0) <= 1e-3):
        return "sum to 1"
    if np.any(label >= num_classes):
        return "taxonomy"
    best = scores[np.arange(len(label)), label] == scores.max(axis=1, initial=0.0)
    return "" if np.all(best) else "arg-max"


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 24), st.integers(0, 3))
def test_random_damage_is_named_as_numpy_names_it(seed: int, num_classes: int, damages: int) -> None:
    rng = np.random.default_rng(seed)
    flags = rng.integers(0, 32, 50).astype(np.uint8)
    painted = (flags & 1) > 0
    scores = rng.dirichlet(np.ones(num_classes), 50).astype(np.float16) * painted[:, None]
    label = np.where(painted, scores.argmax(axis=1), 255).astype(np.uint8)
    for _ in range(damages):
        if rng.random() < 0.6:
            scores[rng.integers(50), rng.integers(num_classes)] = rng.choice([np.nan, -0.25, -0.0, 1.5, 6e-8, np.inf])
        else:
            label[rng.integers(50)] = rng.integers(256)
    frame = PaintedFrame(scores, label, np.zeros(50, np.int8), flags)
    fault, found = by_numpy(frame, num_classes), check_painted(frame, 50, num_classes)
    assert (fault in found) if fault else (found == "")
