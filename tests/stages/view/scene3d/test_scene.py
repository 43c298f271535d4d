import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.view import make_box, make_taxonomy

from paintpipe.schemas.camera import CameraView
from paintpipe.stages.paint.boxes import points_in_box
from paintpipe.stages.view.scene3d.pack import packed
from paintpipe.stages.view.scene3d.page import scene_page, script_json, viewer_script, web_file
from paintpipe.stages.view.scene3d.scene import NO_PIXEL, NOWHERE, Scene, SceneImage, scene_json

NASTY = "</script><script>alert(1)</script><!-- & "


def unpack(text: str, dtype: str) -> np.ndarray[Any, Any]:
    """What web/frame.js does, written anew: low bytes, high bytes, sums that wrap around."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    width = np.dtype(dtype).itemsize
    planes = planes.reshape(width, -1).astype(np.int64)
    steps = sum(planes[byte] << (8 * byte) for byte in range(width))
    return np.cumsum(steps).astype(f"u{width}").view(dtype)


def make_scene(**overrides: Any) -> Scene:
    """Four points: road, car, unpainted, and one that is nowhere."""
    points = np.array([[1, 2, 3, 0.5], [-40, 0.004, 0, 1], [0, 0, 0, 0], [np.nan, 1, 1, 0.1]], np.float32)
    values: dict[str, Any] = {
        "title": "s / f",
        "facts": [("layer", "masks")],
        "points": points,
        "features": ("x", "y", "z", "intensity"),
        "scores": np.array([[0.75, 0.25, 0], [0.125, 0.5, 0.375], [0, 0, 0], [1, 0, 0]], np.float16),
        "label": np.array([0, 1, 255, 0], np.uint8),
        "camera": np.array([0, 1, -1, 0], np.int8),
        "flags": np.array([3, 19, 0, 3], np.uint8),
        "taxonomy": make_taxonomy(),
        "cameras": ("front", "back"),
        "images": [SceneImage(CameraView("front", 100, 50, np.arange(12.0).reshape(3, 4)), b"\xff\xd8\xff")],
        "boxes": [make_box()],
    }
    return Scene(**{**values, **overrides})


@settings(deadline=None)
@given(
    st.sampled_from(["int8", "uint8", "int16"]).flatmap(
        lambda dtype: st.tuples(st.just(dtype), hnp.arrays(np.dtype(dtype), st.integers(0, 60)))
    )
)
def test_packed_arrays_come_back(case: tuple[str, Any]) -> None:
    dtype, array = case
    np.testing.assert_array_equal(unpack(packed(array), dtype), array)


def test_a_sweep_takes_about_four_bytes_a_point() -> None:
    turn = np.linspace(0, 2 * np.pi, 2000)
    rings = [np.column_stack([r * np.cos(turn), r * np.sin(turn), np.full(2000, -1.7)]) for r in (5, 8, 12, 20, 40)]
    points = np.concatenate(rings) + np.random.default_rng(0).normal(0, 0.01, (10_000, 3))
    count = len(points)
    empty = {"label": np.full(count, 255, np.uint8), "camera": np.full(count, -1, np.int8)}
    empty |= {"flags": np.zeros(count, np.uint8), "scores": np.zeros((count, 3), np.float16)}
    scene = scene_json(make_scene(points=points.astype(np.float32), features=("x", "y", "z"), **empty))
    assert sum(len(scene[axis]) for axis in "xyz") * 3 / 4 < 10_000 * 4.5


def test_points_are_right_to_half_a_step_and_keep_their_rows() -> None:
    scene = scene_json(make_scene())
    assert scene["count"] == 4
    assert scene["scale_m"] == pytest.approx(40 / 32767)
    xyz = np.column_stack([unpack(scene[axis], "int16") for axis in "xyz"])
    assert xyz[3, 0] == NOWHERE
    wanted = make_scene().points[:3, :3]
    assert np.abs(xyz[:3] * scene["scale_m"] - wanted).max() <= scene["scale_m"] / 2
    assert (xyz[:3] != NOWHERE).all()
    near = scene_json(make_scene(points=np.zeros((4, 4), np.float32)))
    assert near["scale_m"] == 0.001


@pytest.mark.parametrize("stray", [3e38, -1001.0, np.inf])
def test_a_stray_point_does_not_blur_the_others(stray: float) -> None:
    points = make_scene().points
    points[3, 1] = stray
    points[3, 0] = 1.0
    scene = scene_json(make_scene(points=points))
    assert scene["scale_m"] == pytest.approx(40 / 32767)
    assert (unpack(scene["x"], "int16") == NOWHERE).tolist() == [False, False, False, True]


def test_each_point_has_its_best_three_classes() -> None:
    scene = scene_json(make_scene())
    classes = np.column_stack([unpack(text, "uint8") for text in scene["top_class"]])
    scores = np.column_stack([unpack(text, "uint8") for text in scene["top_score"]])
    assert classes[:2].tolist() == [[0, 1, 2], [1, 2, 0]]
    assert scores.tolist() == [[191, 64, 0], [128, 96, 32], [0, 0, 0], [255, 0, 0]]
    one = scene_json(make_scene(scores=np.ones((4, 1), np.float16)))
    assert len(one["top_class"]) == 1
    assert np.array_equal(unpack(scene["label"], "uint8"), make_scene().label)
    assert np.array_equal(unpack(scene["camera"], "int8"), make_scene().camera)
    assert np.array_equal(unpack(scene["flags"], "uint8"), make_scene().flags)


def test_a_pixel_is_that_of_the_exact_point_on_the_image_of_its_own_camera() -> None:
    ahead = np.array([[10.0, 0, 0, 50], [0, 10, 0, 25], [0, 0, 1, 0]])  # u = (10 x + 50) / z
    # With 40 m in 32767 steps the rounded x is 0.99979 m, and u = 59.998 px for 60.002 px.
    points = np.array([[1.0002, 0, 1], [1.0002, 0, 1], [40, 0, 1], [0, 0, -1]], np.float32)
    front, back = CameraView("front", 100, 50, ahead - np.eye(3, 4, 3) * 40), CameraView("back", 100, 50, ahead)
    images = [SceneImage(front, b""), SceneImage(back, b"")]
    camera = np.array([0, 1, 1, 0], np.int8)
    scene = scene_json(make_scene(points=points, features=("x", "y", "z"), camera=camera, images=images))
    assert unpack(scene["x"], "int16")[0] * scene["scale_m"] < 1
    assert unpack(scene["pixel_col"], "uint16").tolist() == [20, 60, NO_PIXEL, NO_PIXEL]
    assert unpack(scene["pixel_row"], "uint16").tolist() == [25, 25, 0, 0]
    assert [image["depth_from_lidar"] for image in scene["images"]] == [[0, 0, 1, 0], [0, 0, 1, 0]]


def test_a_pixel_is_that_of_the_layers_preset() -> None:
    view = CameraView("front", 100, 50, np.array([[10.0, 0, 0, 50], [0, 10, 0, 25], [0, 0, 1, 0.5]]), 0.5)
    points = np.array([[0, 0, 1, 0]] * 4, np.float32)
    images, camera = [SceneImage(view, b"")], np.zeros(4, np.int8)
    told = {}
    for rule in ("default", "openpcdet"):
        scene = scene_json(make_scene(points=points, camera=camera, images=images, projection=rule))
        told[rule] = unpack(scene["pixel_col"], "uint16")[0]
    assert told == {"default": 33, "openpcdet": 50}


def test_intensity_is_there_where_points_have_it() -> None:
    values = unpack(scene_json(make_scene())["intensity"], "uint8")
    assert values.argmax() == 1
    assert values[2] == 0
    assert scene_json(make_scene(features=("x", "y", "z", "ring")))["intensity"] is None


@pytest.mark.parametrize("overrides", [{"yaw_rad": 0.4}, {"rotation_wxyz": np.array([0.9, 0.1, -0.2, 0.3])}])
def test_corners_of_boxes_are_those_of_painting(overrides: dict[str, Any]) -> None:
    rotation = overrides.get("rotation_wxyz")
    given_box = (
        make_box(**overrides) if rotation is None else make_box(rotation_wxyz=rotation / np.linalg.norm(rotation))
    )
    (box,) = scene_json(make_scene(boxes=[given_box]))["boxes"]
    corners = np.array(box["corners_m"]).reshape(8, 3)
    inward = corners + 0.01 * (given_box.center_m - corners)
    outward = corners - 0.01 * (given_box.center_m - corners)
    assert points_in_box(inward.astype(np.float32), given_box).all()
    assert not points_in_box(outward.astype(np.float32), given_box).any()
    length = np.linalg.norm(corners[0] - corners[3])
    assert length == pytest.approx(4.0, abs=0.01)


def test_boxes_that_can_not_be_drawn_are_left_out_and_unknown_ones_are_grey() -> None:
    boxes = [
        make_box(size_lwh_m=np.array([-1.0, -1, -1])),
        make_box(center_m=np.full(3, np.nan)),
        make_box(class_name="?"),
    ]
    (box,) = scene_json(make_scene(boxes=boxes))["boxes"]
    assert (box["name"], box["color"]) == ("?", "#969ca8")
    (box,) = scene_json(make_scene(boxes=boxes, box_classes={"?": (1, 0)}))["boxes"]
    assert box["color"] == "#3cdc5a"  # the second class


def test_hostile_names_stay_in_their_strings() -> None:
    taxonomy = make_taxonomy(NASTY, "b", "c")
    scene = make_scene(title=NASTY, facts=[(NASTY, NASTY)], taxonomy=taxonomy, cameras=(NASTY, "back"),
                       boxes=[make_box(class_name=NASTY)])  # fmt: skip
    page = scene_page(scene_json(scene))
    head, data = page.split('<script type="application/json" id="scene">')
    data, rest = data.split("</script>", 1)
    assert json.loads(data)["title"] == NASTY
    assert "alert(1)</script>" not in head + rest
    assert "&lt;/script&gt;&lt;script&gt;" in head
    assert page.count("<script") == 3
    assert set("<>&").isdisjoint(data)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner, max_size=3)))
def test_json_in_a_script_reads_back(value: Any) -> None:
    text = script_json({"value": value})
    assert json.loads(text) == {"value": value}
    assert "<" not in text


def test_the_page_loads_nothing_and_says_so_to_the_browser() -> None:
    page = scene_page(scene_json(make_scene()))
    own = page.replace(web_file("three.min.js"), "")
    for word in ("http:", "https:", "//cdn", " src=", "@import", "url("):
        assert word not in own, word
    assert "default-src &#x27;none&#x27;" in page
    assert page.count("sha256-") == 2


def test_the_viewer_makes_no_markup_of_text() -> None:
    script = viewer_script()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch("):
        assert word not in script, word
    assert "</script" not in script
