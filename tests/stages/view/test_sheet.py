import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from support.view import has_color, make_image, make_taxonomy

from paintpipe.schemas.errors import StoreError
from paintpipe.stages.view.canvas import column, framed, resize, row, with_caption
from paintpipe.stages.view.encode import encode_png
from paintpipe.stages.view.sheet import CameraPanel, frame_sheet, mosaic, sheet_birds_eye_px
from paintpipe.stages.view.style import BACKGROUND

SIX = ("CAM_BACK", "CAM_FRONT_LEFT", "CAM_FRONT", "CAM_BACK_RIGHT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT")
AS_THEY_SIT = ("CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT", "CAM_BACK", "CAM_BACK_RIGHT")


def tinted(number):
    return make_image(90, 160, 40 + 30 * number)


def test_six_cameras_stand_as_they_sit_on_the_car():
    picture = mosaic([tinted(SIX.index(name)) for name in SIX], SIX, 616)
    shown = [picture[y, x, 0] for y in (90, 100 + 108) for x in (100, 308, 516)]
    assert shown == [40 + 30 * SIX.index(name) for name in AS_THEY_SIT]
    assert picture.shape == (2 * 112 + 8, 616, 3)


def test_two_cameras_stand_below_each_other():
    assert mosaic([tinted(0), tinted(1)], ("image_2", "image_3"), 320).shape == (2 * 180 + 8, 320, 3)
    assert mosaic([], (), 320).shape[0] == 0


@pytest.mark.parametrize(("cameras", "segmented"), [(1, True), (2, True), (6, True), (6, False), (0, True), (4, True)])
def test_a_sheet_holds_every_panel_in_equal_margins(cameras, segmented):
    images = [tinted(number) for number in range(cameras)]
    panels = [CameraPanel(name, image, image if segmented else None) for name, image in zip(SIX, images, strict=False)]
    side_px = sheet_birds_eye_px([image.shape[:2] for image in images], segmented=segmented)
    above = make_image(side_px, side_px, 200)
    sheet = frame_sheet(panels, above, "title", make_taxonomy(), [0, 255])
    assert has_color(sheet, (200, 200, 200))
    for number in range(cameras):
        assert has_color(sheet, (40 + 30 * number,) * 3)
    inner = np.argwhere((sheet != np.array(BACKGROUND)).any(axis=2))
    assert inner.min() >= 16
    assert (inner.max(axis=0) < np.array(sheet.shape[:2]) - 16).all()
    # The bird's-eye view was drawn at the size it is shown: unscaled, so its area is exact but for the caption's chip.
    lit = (sheet == 200).all(axis=2)
    rows, cols = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    assert (np.ptp(rows) + 1, np.ptp(cols) + 1) == (side_px, side_px)


def test_a_birds_eye_view_of_another_size_is_scaled():
    panels = [CameraPanel("image_2", tinted(0))]
    small = frame_sheet(panels, make_image(10, 10, 200), "t", make_taxonomy(), [])
    large = frame_sheet(panels, make_image(2000, 2000, 200), "t", make_taxonomy(), [])
    assert small.shape == large.shape


@settings(max_examples=10, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=80))
def test_any_title_and_name_fit(title, subtitle, camera):
    sheet = frame_sheet([CameraPanel(camera, tinted(1))], make_image(50, 50), title, make_taxonomy(), [1], subtitle)
    other = frame_sheet([CameraPanel("c", tinted(1))], make_image(50, 50), "t", make_taxonomy(), [1], subtitle and "s")
    assert sheet.shape == other.shape


def test_rows_and_columns_leave_their_gap():
    one, two = make_image(2, 3, 10), make_image(4, 5, 20)
    below, beside = column([one, two], 1, (7, 7, 7)), row([one, two], 1, (7, 7, 7))
    assert below[..., 0].tolist() == [[10, 10, 10, 7, 7]] * 2 + [[7] * 5] + [[20] * 5] * 4
    assert beside[..., 0].tolist() == [[10] * 3 + [7] + [20] * 5] * 2 + [[7] * 4 + [20] * 5] * 2
    assert framed(one, 2, (7, 7, 7)).shape == (6, 7, 3)


def test_a_caption_stays_in_its_corner():
    image = make_image(100, 300, 100)
    picture = with_caption(image, "image_2 · points")
    assert (picture[6:30, 6:100] != 100).any()
    assert (picture[40:] == 100).all()
    assert (with_caption(image, "") == 100).all()
    assert (with_caption(make_image(5, 5), "x") == 100).all()


def test_resize_averages_where_it_shrinks():
    checks = np.tile(np.array([[0, 200], [200, 0]], dtype=np.uint8), (4, 4))[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(resize(checks, 4, 4), make_image(4, 4, 100))


def test_encoded_pictures_come_back():
    picture = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    png = cv2.imdecode(np.frombuffer(encode_png(picture), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(png[..., ::-1], picture)
    with pytest.raises(StoreError, match="can't be written"):
        encode_png(np.zeros((0, 4, 3), dtype=np.uint8))
