import numpy as np
import pytest
from support.paint import cloud, make_view

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import LabelsError
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.frame import paint_points

# In view; behind; in view; in view and unlabelled; behind and unlabelled.
POINTS = cloud((10, 0, 0), (-10, 0, 0), (10, 2, 0), (10, -2, 0), (-10, 2, 0))
LABELS = np.array([0, 1, 2, 255, 255], np.uint8)
NAMES = ("left", "front")


def paint(classes: UInt8 = LABELS, cameras: tuple[str, ...] = ("front",), **fields: object) -> PaintedFrame:
    views = [make_view(camera=name, dt_us=0 if name == "front" else 1000) for name in cameras]
    return paint_points(POINTS, classes, views, NAMES, 3, PaintSettings(**fields))  # type: ignore[arg-type]


def test_points_that_no_camera_sees_are_painted_too() -> None:
    frame = paint()
    both = Flag.PAINTED | Flag.VISIBLE
    assert frame.flags.tolist() == [both, Flag.PAINTED, both, Flag.VISIBLE, 0]
    assert frame.label.tolist() == LABELS.tolist()
    assert frame.camera.tolist() == [1, -1, 1, 1, -1]
    assert frame.scores.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert check_painted(frame, 5, 3) == ""


@pytest.mark.parametrize("cameras", [("left", "front"), ("front", "left")])
def test_the_first_camera_that_sees_a_point_is_named(cameras: tuple[str, ...]) -> None:
    # Whatever its time difference, and for unlabelled points as for the others.
    frame = paint(cameras=cameras, overlap="margin")
    assert frame.camera.tolist() == [0, -1, 0, 0, -1]
    assert [bool(flag & Flag.OVERLAP) for flag in frame.flags] == [True, False, True, True, False]


def test_no_camera_is_needed() -> None:
    frame = paint(cameras=())
    assert frame.label.tolist() == LABELS.tolist()
    assert not (frame.flags & Flag.VISIBLE).any()


def test_scores_are_kept_and_divided_by_their_sum() -> None:
    scores = np.array([[0.2, 0.3, 0.5], [0.0, 0.9, 0.1], [0.0, 0.0, 0.0], [0.5, 0.25, 0.245], [0, 0, 1]], np.float32)
    frame = paint(scores)
    assert frame.label.tolist() == [2, 1, 255, 0, 2]
    np.testing.assert_allclose(frame.scores[3].astype(float), scores[3] / 0.995, atol=1e-3)
    assert not frame.scores[2].any()
    assert frame.flags[4] == Flag.PAINTED
    assert check_painted(frame, 5, 3) == ""


def test_full_provenance_where_a_camera_sees_the_point() -> None:
    full = paint(provenance="full").provenance
    assert full is not None
    assert full.pixel_px[0].tolist() == [50.0, 30.0]
    assert full.depth_m[:3].tolist()[::2] == [10.0, 10.0]
    assert np.isnan(full.depth_m[1])
    assert full.margin[0] == 1.0
    assert np.isnan(full.margin[1])
    assert full.second.camera.tolist() == [-1] * 5


def test_depth_edges_are_flagged() -> None:
    points = cloud((10, 0, 0), (20, 0, 0), (10, 5, 0))
    frame = paint_points(points, np.zeros(3, np.uint8), [make_view()], NAMES, 1, PaintSettings())
    assert [bool(flag & Flag.DEPTH_EDGE) for flag in frame.flags] == [True, True, False]


@pytest.mark.parametrize("classes", [LABELS[:4], np.zeros((6, 3), np.float32)])
def test_classes_of_another_number_of_points_are_refused(classes: UInt8) -> None:
    with pytest.raises(LabelsError, match="expected 5"):
        paint(classes)


def test_an_empty_sweep() -> None:
    frame = paint_points(POINTS[:0], LABELS[:0], [make_view()], NAMES, 3, PaintSettings(provenance="full"))
    assert check_painted(frame, 0, 3) == ""
