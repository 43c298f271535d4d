"""One sheet for a frame: its cameras with segmentation, with points, and the bird's-eye view, under one legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.view.canvas import column, framed, resize, row, scaled_height, with_caption
from paintpipe.stages.view.legend import legend
from paintpipe.stages.view.style import BACKGROUND, MARGIN_PX, MUTED, TEXT
from paintpipe.stages.view.text import fit, font

_TITLE_PX = 24
_SUBTITLE_PX = 16
_GAP_PX = 8
_LEAST_PX = 480
_WIDE_PX = 1100
_NARROW_PX = 440
_PLACES = ("CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT", "CAM_BACK", "CAM_BACK_RIGHT")


@dataclass(frozen=True)
class CameraPanel:
    """One camera's pictures, each (H, W, 3) uint8 RGB; `segmented` is None where the painter labels no pixels."""

    camera: str
    points: UInt8
    segmented: UInt8 | None = None


def frame_sheet(
    panels: Sequence[CameraPanel],
    birds_eye: UInt8,
    title: str,
    taxonomy: Taxonomy,
    present: Sequence[int],
    subtitle: str = "",
) -> UInt8:
    """(H, W, 3) uint8 RGB: title, cameras on the left, bird's-eye view on the right, legend below.

    One or two cameras stand below each other; three or more in rows of three, nuScenes' six as they sit on the car.

    Args:
        panels: the cameras; may be empty.
        birds_eye: square RGB, drawn as large as the cameras are high; scaled where it is not of that size.
        title: of the frame.
        taxonomy: for the legend.
        present: labels that occur on the sheet (`legend.present_labels`).
        subtitle: a second, smaller line.
    """
    cameras = _cameras(panels)
    body = birds_eye
    if cameras is not None:
        side_px = max(cameras.shape[0], _LEAST_PX)
        view = with_caption(resize(birds_eye, side_px, side_px), "bird's-eye view")
        body = row([cameras, view], _GAP_PX)
    key = legend(taxonomy, present, body.shape[1])
    return framed(column([_header(title, subtitle, body.shape[1]), body, key], MARGIN_PX), MARGIN_PX)


def sheet_birds_eye_px(sizes_px: Sequence[tuple[int, int]], *, segmented: bool = True) -> int:
    """The side in pixels at which a sheet of cameras of these (height, width) shows the bird's-eye view."""
    blank = [np.zeros((height_px, width_px, 3), dtype=np.uint8) for height_px, width_px in sizes_px]
    cameras = _cameras([CameraPanel("", image, image if segmented else None) for image in blank])
    return 900 if cameras is None else max(cameras.shape[0], _LEAST_PX)


def mosaic(images: Sequence[UInt8], cameras: Sequence[str], width_px: int) -> UInt8:
    """(H, about width_px, 3) uint8 RGB: images in rows of three (nuScenes' six as they sit on the car), captioned.

    One or two images stand below each other. The images of one row need not be of one shape.
    """
    ordered = sorted(zip(cameras, images, strict=True), key=lambda pair: _place(pair[0]))
    columns = 1 if len(ordered) < 3 else 3
    each_px = (width_px - _GAP_PX * (columns - 1)) // columns
    tiles = [with_caption(resize(image, each_px, scaled_height(image, each_px)), name) for name, image in ordered]
    rows = [row(tiles[start : start + columns], _GAP_PX) for start in range(0, len(tiles), columns)]
    return column(rows, _GAP_PX)


def _place(camera: str) -> int:
    """Where a camera stands; Python's sort is stable, so unknown ones keep their order."""
    return _PLACES.index(camera) if camera in _PLACES else len(_PLACES)


def _cameras(panels: Sequence[CameraPanel]) -> UInt8 | None:
    if not panels:
        return None
    width_px = _WIDE_PX if len(panels) < 3 else 3 * _NARROW_PX + 2 * _GAP_PX
    names = [f"{panel.camera} · points" for panel in panels]
    points = [panel.points for panel in panels]
    pictures = [(panel.camera, panel.segmented) for panel in panels if panel.segmented is not None]
    if len(panels) < 3:
        shown = [image for _, image in pictures] + points
        names = [f"{camera} · segmentation" for camera, _ in pictures] + names
        tiles = [resize(image, width_px, scaled_height(image, width_px)) for image in shown]
        return column([with_caption(tile, name) for tile, name in zip(tiles, names, strict=True)], _GAP_PX)
    blocks = (
        [mosaic([image for _, image in pictures], [camera for camera, _ in pictures], width_px)] if pictures else []
    )
    return column([*blocks, mosaic(points, [panel.camera for panel in panels], width_px)], 2 * _GAP_PX)


def _header(title: str, subtitle: str, width_px: int) -> UInt8:
    from PIL import Image, ImageDraw

    height_px = _TITLE_PX + 8 + (_SUBTITLE_PX + 8 if subtitle else 0)
    strip = Image.new("RGB", (width_px, height_px), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    draw.text((0, 0), fit(title, _TITLE_PX, width_px, bold=True), TEXT, font(_TITLE_PX, bold=True))
    draw.text((0, _TITLE_PX + 10), fit(subtitle, _SUBTITLE_PX, width_px), MUTED, font(_SUBTITLE_PX))
    return np.array(strip, dtype=np.uint8)
