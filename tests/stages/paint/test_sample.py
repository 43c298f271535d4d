import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import make_projected, pixels_at
from support.paint_reference import scores_at

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ImageError
from paintpipe.schemas.pixels import PixelLabels, PixelScores, ScoreKind
from paintpipe.stages.paint.sample import hard_labels, sample_labels, sample_pixels, sample_scores


def make_scores(seed: int = 0, shape: tuple[int, int, int] = (20, 9, 13), **overrides: object) -> PixelScores:
    values = np.random.default_rng(seed).normal(0.0, 6.0, shape).astype(np.float32)
    fields = {"values": values, "kind": "logits", "align_corners": False, "extent_px": (70, 100)}
    return PixelScores(**{**fields, **overrides})  # type: ignore[arg-type]


def every_pixel(height_px: int, width_px: int):
    row, col = np.mgrid[:height_px, :width_px]
    return pixels_at(row.ravel(), col.ravel())


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("shape", [(20, 9, 13), (3, 70, 100), (5, 1, 1), (2, 1, 40), (19, 140, 33)])
def test_equals_resizing_the_whole_image_in_float64_torch(shape: tuple[int, int, int], align_corners: bool) -> None:
    import torch

    scores = make_scores(shape=shape, align_corners=align_corners)
    projected = every_pixel(70, 100)
    found, painted = sample_scores(scores, projected)
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(scores.values).double()[None], size=(70, 100), mode="bilinear", align_corners=align_corners
    )
    expected = resized[0].softmax(dim=0).numpy()[:, projected.row, projected.col].T
    assert painted.all()
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-5


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(("logits", "probabilities")),
    align_corners=st.booleans(),
    grid=st.tuples(st.integers(1, 12), st.integers(1, 30), st.integers(1, 30)),
    extent=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    scale=st.sampled_from([0.1, 10.0, 200.0]),
)
def test_equals_the_numpy_reference(
    seed: int,
    kind: ScoreKind,
    align_corners: bool,
    grid: tuple[int, int, int],
    extent: tuple[int, int],
    scale: float,
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random(grid) + 1e-3 if kind == "probabilities" else rng.normal(0, scale, grid)
    scores = PixelScores(values.astype(np.float32), kind, align_corners, extent)
    projected = pixels_at(rng.integers(0, extent[0], 50), rng.integers(0, extent[1], 50))
    found, painted = sample_scores(scores, projected)
    assert painted.all()
    assert np.abs(found - scores_at(scores, projected.row, projected.col)).max() < 1e-5
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-6


def test_known_values_with_and_without_align_corners() -> None:
    values = np.zeros((2, 1, 2), np.float32)
    values[0, 0] = (0.0, 4.0)  # of class 0; class 1 stays 0
    at = pixels_at(np.zeros(4, int), np.arange(4))
    without, _ = sample_scores(PixelScores(values, "logits", False, (1, 4)), at)
    aligned, _ = sample_scores(PixelScores(values, "logits", True, (1, 4)), at)
    # Cell centres at 0.5 and 2.5 px, so pixel 1 lies a quarter of the way; with align_corners a third.
    np.testing.assert_allclose(without[:, 0], 1 / (1 + np.exp([-0.0, -1.0, -3.0, -4.0])), atol=1e-7)
    np.testing.assert_allclose(aligned[:, 0], 1 / (1 + np.exp([-0.0, -4 / 3, -8 / 3, -4.0])), atol=1e-7)


def test_few_points_on_a_large_grid_give_what_many_give() -> None:
    scores = make_scores(shape=(7, 70, 100))
    many = every_pixel(70, 100)
    few = pixels_at(many.row[::977], many.col[::977])
    np.testing.assert_array_equal(sample_scores(scores, few)[0], sample_scores(scores, many)[0][::977])


def test_a_padded_grid_is_read_as_far_as_the_image_goes() -> None:
    scores = make_scores(extent_px=(96, 128))
    projected = every_pixel(70, 100)
    assert np.abs(sample_scores(scores, projected)[0] - scores_at(scores, projected.row, projected.col)).max() < 1e-5


def test_large_logits_lose_no_digits() -> None:
    scores = make_scores(values=make_scores().values + np.float32(5000.0))
    projected = every_pixel(70, 100)
    assert np.abs(sample_scores(scores, projected)[0] - scores_at(scores, projected.row, projected.col)).max() < 1e-5


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_pixel_that_is_not_finite_paints_nothing(bad: float, kind: ScoreKind) -> None:
    values = np.ones((3, 1, 4), np.float32)
    values[1, 0, 0] = bad
    found, painted = sample_scores(PixelScores(values, kind, False, (1, 4)), pixels_at(np.zeros(4, int), np.arange(4)))
    assert not painted[0]
    assert not found[0].any()
    assert painted[3]
    assert np.isfinite(found).all()


def test_probabilities_too_large_to_add_up_paint_nothing() -> None:
    values = np.full((2, 1, 1), 3e38, np.float32)
    found, painted = sample_scores(
        PixelScores(values, "probabilities", False, (1, 1)), pixels_at(np.zeros(1, int), np.zeros(1, int))
    )
    assert not painted[0]
    assert not found.any()


def test_a_pixel_without_probabilities_paints_nothing() -> None:
    values = np.zeros((2, 1, 2), np.float32)
    values[0, 0, 1] = 0.5
    found, painted = sample_scores(
        PixelScores(values, "probabilities", False, (1, 2)), pixels_at(np.zeros(2, int), np.arange(2))
    )
    assert painted.tolist() == [False, True]
    assert found.tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_labels_become_one_hot_and_unset_pixels_paint_nothing() -> None:
    labels = PixelLabels(np.array([[0, 2, 255], [1, 1, 0]], np.uint8), num_classes=3)
    projected = pixels_at(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]))
    found, painted = sample_labels(labels, projected)
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert painted.tolist() == [True, True, False, True]
    assert hard_labels(labels, projected).tolist() == [0, 2, 255, 1]


def test_sample_pixels_takes_either() -> None:
    projected = pixels_at(np.array([0]), np.array([0]))
    labels, scores = PixelLabels(np.ones((70, 100), np.uint8), 20), make_scores()
    np.testing.assert_array_equal(sample_pixels(labels, projected)[0], sample_labels(labels, projected)[0])
    np.testing.assert_array_equal(sample_pixels(scores, projected)[0], sample_scores(scores, projected)[0])


@pytest.mark.parametrize("pixel", [(70, 0), (0, 100)])
def test_pixels_beyond_the_scores_are_refused(pixel: tuple[int, int]) -> None:
    projected = pixels_at(np.array([pixel[0]]), np.array([pixel[1]]))
    with pytest.raises(ImageError, match="100x70"):
        sample_scores(make_scores(), projected)
    with pytest.raises(ImageError, match="100x70"):
        sample_labels(PixelLabels(np.zeros((70, 100), np.uint8), 3), projected)


def test_no_points() -> None:
    none = make_projected(np.zeros(0), np.zeros(0), np.zeros(0))
    found, painted = sample_scores(make_scores(), none)
    assert found.shape == (0, 20)
    assert painted.shape == (0,)


def test_the_network_s_array_is_left_alone() -> None:
    scores = make_scores()
    before: Float32 = scores.values.copy()
    sample_scores(scores, every_pixel(70, 100))
    np.testing.assert_array_equal(scores.values, before)
