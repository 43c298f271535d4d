import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import cloud, make_view
from support.paint_reference import depth_edges, scores_at, visible

from paintpipe.schemas.errors import ConfigError, ImageError
from paintpipe.schemas.painted import Flag
from paintpipe.schemas.pixels import PixelLabels, PixelScores
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.frame import paint_frame, project_frame, sample_view

LEFT_HALF = PixelLabels(np.repeat([[0, 1]], 60, axis=0).repeat(50, axis=1).astype(np.uint8), num_classes=2)


def test_points_take_the_class_of_their_pixel() -> None:
    points = cloud((10, 1, 0), (10, -1, 0), (-10, 1, 0), (10, 30, 0))
    frame = paint_frame(points, [make_view()], {"front": LEFT_HALF}, ("front",), 2, PaintSettings(), "0/0")
    assert frame.label.tolist() == [0, 1, 255, 255]
    assert frame.camera.tolist() == [0, 0, -1, -1]
    assert frame.flags.tolist()[2:] == [0, 0]


def test_the_camera_index_is_the_place_in_the_layer() -> None:
    points = cloud((10, 1, 0))
    frame = paint_frame(points, [make_view()], {"front": LEFT_HALF}, ("rear", "front"), 2, PaintSettings(), "0/0")
    assert frame.camera.tolist() == [1]


def test_one_camera_of_the_layer_may_lack() -> None:
    frame = paint_frame(cloud((10, 1, 0)), [], {}, ("front",), 2, PaintSettings(), "0/0")
    assert frame.flags.tolist() == [0]


def test_a_camera_outside_the_layer_is_refused() -> None:
    with pytest.raises(ConfigError, match="'front' is not in this layer"):
        paint_frame(cloud((10, 1, 0)), [make_view()], {"front": LEFT_HALF}, ("rear",), 2, PaintSettings(), "0/0")


def test_an_image_without_scores_is_refused() -> None:
    with pytest.raises(ImageError, match="front"):
        paint_frame(cloud((10, 1, 0)), [make_view()], {}, ("front",), 2, PaintSettings(), "0/0")


def test_image_size_is_that_of_the_view() -> None:
    # The same matrix and a smaller image: what lies beyond it is not seen.
    points = cloud((10, 5, 0), (10, -5, 0))  # u = 25 and 75
    seen = project_frame(points, [make_view(width_px=60)], ("front",), "default")
    assert seen[0].projected.index.tolist() == [0]


def test_steps_one_by_one() -> None:
    points = cloud((10, 1, 0), (10, -1, 0))
    (view,) = project_frame(points, [make_view(dt_us=-3)], ("front",), "default")
    assert (view.camera, view.name, view.dt_us) == (0, "front", -3)
    sample = sample_view(view, {"front": LEFT_HALF})
    assert sample.scores.tolist() == [[1, 0], [0, 1]]
    assert sample.painted.all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), align_corners=st.booleans())
def test_equal_to_the_reference_from_points_to_scores(seed: int, align_corners: bool) -> None:
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(400, 4)) * (12, 8, 4, 1)).astype(np.float32)
    points[:5] = np.nan
    view = make_view(dt_us=-40_000)
    scores = PixelScores(rng.normal(0, 4, (6, 8, 13)).astype(np.float32), "logits", align_corners, (64, 128))
    fields = PaintSettings(provenance="full")
    frame = paint_frame(points, [view], {"front": scores}, ("front",), 6, fields, "0/0")
    index, pixel = visible(points, view)
    col, row = np.floor(pixel[:, :2]).astype(int).T
    expected = scores_at(scores, row, col)
    assert check_painted(frame, 400, 6) == ""
    assert np.flatnonzero(frame.flags & Flag.PAINTED).tolist() == index.tolist()
    np.testing.assert_allclose(frame.scores[index].astype(np.float64), expected, rtol=6e-4, atol=1e-5)
    edges = depth_edges(*pixel.astype(np.float32).T)
    np.testing.assert_array_equal((frame.flags[index] & Flag.DEPTH_EDGE) != 0, edges)
    assert frame.provenance is not None
    np.testing.assert_array_equal(frame.provenance.pixel_px[index], pixel[:, :2].astype(np.float32))
    assert (frame.provenance.dt_us[index] == -40_000).all()


def test_the_same_frame_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(3000, 4)) * (12, 8, 4, 1)).astype(np.float32)
    scores = PixelScores(rng.normal(0, 4, (6, 8, 13)).astype(np.float32), "logits", False, (60, 100))
    names = ("front", "twin")
    views, pixels = [make_view(camera=name) for name in names], dict.fromkeys(names, scores)
    for overlap in ("margin", "random", "mean"):
        runs = [
            paint_frame(points, order, pixels, names, 6, PaintSettings(overlap=overlap), "0/0")
            for order in (views, views[::-1])
        ]
        assert runs[0].scores.tobytes() == runs[1].scores.tobytes()
        assert runs[0].camera.tobytes() == runs[1].camera.tobytes()
