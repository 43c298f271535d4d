"""The 3-D page in a browser: it draws, answers clicks, keys and toggles, and says so where it can't."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.command import succeed
from support.hostile import CAMERA, CATEGORY, FRAME

from paintpipe.schemas.painted import Flag
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.view.scene3d.scene import NO_PIXEL
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.frame_io import camera_view
from paintpipe.workflows.layers import frame_arrays, open_layers
from paintpipe.workflows.stores import existing_store

Open = Callable[..., Any]

PICTURE = """() => new Promise((done) => {
  const { stage } = window.paintpipe;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    stage.renderer.render(stage.scene, stage.camera);
    const flat = document.createElement("canvas");
    [flat.width, flat.height] = [250, 175];
    const pen = flat.getContext("2d");
    pen.drawImage(stage.canvas, 0, 0, 250, 175);
    done(flat.toDataURL("image/png"));
  }));
})"""
VISIBLE_POINT = """() => {
  const { frame, stage } = window.paintpipe;
  const found = [];
  for (let row = 0; row < frame.count; row++) {
    const { x, y, depth } = stage.screenOf(row);
    const inside = x > 380 && x < 680 && y > 250 && y < 600;
    if (frame.label[row] !== 255 && depth > 2 && inside) found.push([depth, row, x, y]);
  }
  return found.sort((one, other) => one[0] - other[0])[0];
}"""


@pytest.fixture(scope="module")
def scene(painted: Path) -> Path:
    succeed("view", "-w", painted, "--3d", "--out", painted / "scene.html")
    return painted / "scene.html"


def ready(opened: Any) -> Any:
    opened.page.wait_for_selector("html[data-ready=yes]", timeout=20_000)
    return opened.page


def picture(page: Any) -> Any:
    """(175, 250, 3) what the canvas shows."""
    data = base64.b64decode(page.evaluate(PICTURE).partition(",")[2])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def lit(image: Any) -> int:
    """Pixels that are not the ground."""
    return int((image.max(axis=-1) > 60).sum())


def test_toggles_and_colours_change_the_picture(scene: Path, open_page: Open) -> None:
    opened = open_page(scene)
    page = ready(opened)
    opened.check()
    first = picture(page)
    assert lit(first) > 300
    page.uncheck("#boxes")
    without = picture(page)
    assert lit(without) < lit(first)
    seen = [without]
    for number in range(1, page.locator("#mode option").count()):
        page.select_option("#mode", index=number)
        seen.append(picture(page))
        assert not any(np.array_equal(seen[-1], other) for other in seen[:-1]), number
    page.select_option("#mode", index=0)
    assert np.array_equal(picture(page), without)
    shown = page.evaluate("window.paintpipe.shown")
    label = page.locator("#legend label").first
    count = int(label.locator(".count").inner_text().replace(",", ""))
    label.click()
    assert page.evaluate("window.paintpipe.shown") == shown - count
    assert not np.array_equal(picture(page), without)
    page.click("#none")
    assert page.evaluate("window.paintpipe.shown") == 0
    page.click("#all")
    page.fill("#size", "8")
    assert lit(picture(page)) > lit(without)
    opened.check()


def test_a_click_tells_all_of_a_point(scene: Path, painted: Path, open_page: Open) -> None:
    opened = open_page(scene)
    page = ready(opened)
    _, row, x, y = page.evaluate(VISIBLE_POINT)
    page.mouse.click(x, y)
    row = page.evaluate("window.paintpipe.selected")
    catalog, store = open_catalog(painted / "catalog"), existing_store(painted)
    (layer,) = open_layers(store, catalog)
    frame = catalog.frames("scene-0103", 0, 1)[0]
    arrays = frame_arrays(store, layer, frame)
    points = store.store.read_frame("points", "scene-0103", 0)["points"]
    camera = layer.camera_names[arrays["camera"][row]]
    text = page.inner_text("#point")
    assert layer.taxonomy.classes[arrays["label"][row]] in text
    assert camera in text
    assert f"{row:,}" in text
    told = page.inner_text("#point-facts dd >> nth=0").removesuffix(" m").split(", ")
    assert np.abs(np.array(told, dtype=float) - points[row, :3]).max() < 0.01
    assert page.locator("#scores li").count() == int((arrays["scores"][row] > 0.002).sum().clip(0, 3))
    (image,) = [image for image in catalog.images("scene-0103", 0, 1) if image.camera == camera]
    seen = project_points(points, camera_view(image), "default")
    at = int(np.flatnonzero(seen.index == row)[0])
    assert page.inner_text("#pixel-text").startswith(f"Pixel {seen.col[at]}, {seen.row[at]} of {camera} ")
    pixels = page.evaluate("[[...window.paintpipe.frame.pixelCol], [...window.paintpipe.frame.pixelRow]]")
    for number, name in enumerate(layer.camera_names):
        (image,) = [image for image in catalog.images("scene-0103", 0, 1) if image.camera == name]
        seen = project_points(points, camera_view(image), "default")
        own = arrays["camera"][seen.index] == number
        assert np.array_equal(np.array(pixels).T[seen.index[own]], np.column_stack([seen.col, seen.row])[own])
    assert (np.array(pixels)[0] == NO_PIXEL).sum() == (arrays["camera"] < 0).sum()
    assert arrays["flags"][row] & Flag.VISIBLE
    page.wait_for_selector("#pixel-image[width='800']")
    page.keyboard.press("Escape")
    assert page.locator("#point").is_hidden()
    opened.check()


def test_a_drag_turns_and_selects_nothing_and_keys_do_the_rest(scene: Path, open_page: Open) -> None:
    page = ready(open_page(scene))
    place = "window.paintpipe.stage.camera.position.toArray()"
    views = [page.evaluate(place)]
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(600, 430, steps=4)
    page.mouse.up()
    views.append(page.evaluate(place))
    assert page.locator("#point").is_hidden()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowUp", "+", "t", "r"):
        page.keyboard.press(key)
        views.append(page.evaluate(place))
    assert views[-1] == pytest.approx(views[0], abs=1e-6)
    assert len({tuple(np.round(view, 6)) for view in views[:-1]}) == len(views) - 1
    page.keyboard.press("u")
    assert page.evaluate("window.paintpipe.shown") < page.evaluate("window.paintpipe.frame.count")
    page.keyboard.press("2")
    assert page.inner_text("#legend-name") == "Cameras"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()


def test_a_phone_sees_it_without_scrolling(scene: Path, open_page: Open) -> None:
    options = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    opened = open_page(scene, **options)
    page = ready(opened)
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [360, 740]
    assert page.locator("#panel").get_attribute("open") is None
    point = page.evaluate(VISIBLE_POINT.replace("380", "60").replace("680", "300"))
    page.touchscreen.tap(point[2], point[3])
    assert page.locator("#point").is_visible()
    opened.check()


def test_without_webgl_it_says_what_to_do(scene: Path, open_page: Open, browser: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(scene.as_uri())
    page.wait_for_selector("#message:visible")
    assert "no WebGL 2" in page.inner_text("#message")
    assert "hardware acceleration" in page.inner_text("#message")
    context.close()


def test_names_run_no_script(hostile: Path, open_page: Open) -> None:
    path = hostile / "scene.html"
    succeed("view", "-w", hostile, "--3d", "--out", path)
    opened = open_page(path)
    opened.page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    page = ready(opened)
    opened.check()
    assert FRAME in page.inner_text("#title")
    page.keyboard.press("2")
    assert CAMERA in page.inner_text("#legend")
    assert page.evaluate("window.paintpipe.frame.boxes[0].name") == CATEGORY
    assert page.locator("script").count() == 3
    assert page.locator("#legend script, #legend img").count() == 0
