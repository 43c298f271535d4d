"""Temperature of stored scores: by hand, and what it must leave alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import make_sample

from paintpipe.schemas.arrays import UNPAINTED, Float16
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.overlap import merge_views
from paintpipe.stages.paint.temperature import FLOOR, temper_painted, temper_scores


def rows(seed: int, points: int = 60, classes: int = 6) -> Float16:
    """Rows of all kinds: flat, sharp, one-hot, with zeros, with ties, and one that is unpainted."""
    draw = np.random.default_rng(seed)
    scores = draw.dirichlet(np.full(classes, draw.choice([0.02, 0.3, 3.0])), points).astype(np.float16)
    scores[0], scores[1], scores[2] = 0, np.eye(classes)[classes - 1], 1 / classes
    return scores


def painted(seed: int, points: int = 60, classes: int = 6) -> PaintedFrame:
    """Two cameras that see all points but the last, with full provenance."""
    draw = np.random.default_rng(seed)
    index = np.arange(points - 1)
    views = [make_sample(camera, index, draw.dirichlet(np.full(classes, 0.3), points - 1)) for camera in (0, 1)]
    return merge_views(points, classes, views, PaintSettings(provenance="full"), "00/0")


def test_by_hand() -> None:
    """At T = 2 scores go as their square roots, at T = 1/2 as their squares."""
    scores = np.array([[0.64, 0.32, 0.04]], np.float16)
    exact = scores.astype(np.float64)
    roots, squares = np.sqrt(exact), exact**2
    np.testing.assert_allclose(temper_scores(scores, 2.0), roots / roots.sum(), rtol=1e-6)
    np.testing.assert_allclose(temper_scores(scores, 0.5), squares / squares.sum(), rtol=1e-6)


def test_a_zero_counts_as_what_float16_rounds_to_it() -> None:
    found = temper_scores(np.array([[1.0, 0.0]], np.float16), 5.0)
    assert found[0, 1] == pytest.approx(FLOOR ** (1 / 5) / (1 + FLOOR ** (1 / 5)), rel=1e-6)
    assert np.float16(FLOOR) == 0.0
    assert np.float16(FLOOR * 1.001) > 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 20.0))
def test_order_sums_and_unpainted_rows_stay(seed: int, temperature: float) -> None:
    scores = rows(seed)
    found = temper_scores(scores, temperature)
    assert not found[0].any()
    np.testing.assert_allclose(found[1:].sum(axis=1), 1.0, atol=1e-6)
    best = scores[1:].argmax(axis=1)
    assert (found[1:][np.arange(len(best)), best] == found[1:].max(axis=1)).all()
    exact = np.maximum(scores[1:].astype(np.float64), FLOOR) ** (1 / temperature)
    np.testing.assert_allclose(found[1:], exact / exact.sum(axis=1, keepdims=True), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 20.0))
def test_a_painted_frame_keeps_labels_and_contract(seed: int, temperature: float) -> None:
    before = painted(seed)
    after = temper_painted(before, temperature)
    assert check_painted(after, 60, 6) == ""
    for name in ("label", "camera", "flags"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert after.label[-1] == UNPAINTED
    assert after.provenance is not None
    assert before.provenance is not None
    top = np.sort(after.scores[:-1].astype(np.float32), axis=1)
    np.testing.assert_array_equal(after.provenance.margin[:-1], (top[:, -1] - top[:, -2]).astype(np.float16))
    assert np.isnan(after.provenance.margin[-1])
    np.testing.assert_array_equal(after.provenance.depth_m, before.provenance.depth_m)
    second = temper_scores(before.provenance.second.scores, temperature)
    np.testing.assert_allclose(after.provenance.second.scores, second, atol=1e-3)


def test_one_is_the_identity_on_every_byte() -> None:
    before = painted(3)
    assert temper_painted(before, 1.0) is before


def test_hotter_is_less_sure_and_colder_is_surer() -> None:
    scores = rows(4)[3:]
    tops = [temper_scores(scores, temperature).max(axis=1) for temperature in (0.2, 0.7, 1.0, 2.0, 10.0)]
    for colder, hotter in pairwise(tops):
        assert (colder >= hotter - 1e-6).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, 0.049, 20.1, float("nan"), float("inf")])
def test_settings_refuse_what_is_no_temperature(temperature: float) -> None:
    with pytest.raises(ConfigError, match="temperature"):
        PaintSettings(temperature=temperature)
