"""`paintpipe view --3d`: a painted frame as a page to turn around, point by point."""

import math
from pathlib import Path

from paintpipe.pipeline.publish import publish_file
from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.catalog import FrameRow, ImageRow
from paintpipe.schemas.painted import Flag
from paintpipe.stages.taxonomies.load import box_classes
from paintpipe.stages.view.canvas import resize, scaled_height
from paintpipe.stages.view.encode import encode_jpeg
from paintpipe.stages.view.scene3d.page import scene_page
from paintpipe.stages.view.scene3d.scene import Scene, SceneImage, scene_json
from paintpipe.workflows.frame_io import camera_view
from paintpipe.workflows.layers import frame_arrays
from paintpipe.workflows.pictures import FramePictures, PictureSource

_WIDEST_PX = 960
"""An image on the page: wide enough to find a pixel in, and 100 kB or so."""


def write_scene(source: PictureSource, place: tuple[str, int], path: Path) -> Path:
    """Write the page of (sequence, frame index); returns where it is.

    Raises:
        InputFileError: the points can't be read.
        StoreError: the page can't be written.
    """
    frame = source.frame(*place)
    page = scene_page(scene_json(_scene(source, frame)))
    publish_file(path, page.encode("utf-8", "replace"))
    return path


def _scene(source: PictureSource, frame: FramePictures) -> Scene:
    row, layer = frame.row, source.layer
    arrays = frame_arrays(source.opened, layer, row)
    return Scene(
        title=f"{row.sequence} / {row.frame_id}",
        facts=_facts(source, frame, arrays["flags"]),
        points=frame.points,
        features=row.point_features,
        scores=arrays["scores"],
        label=arrays["label"],
        camera=arrays["camera"],
        flags=arrays["flags"],
        taxonomy=layer.taxonomy,
        cameras=layer.camera_names,
        images=[_image(image, pixels) for image, pixels in frame.images],
        projection=layer.table.attributes["projection"],
        boxes=frame.boxes,
        box_classes=box_classes(layer.taxonomy.name),
        forward_rad=_forward_rad(row),
    )


def _facts(source: PictureSource, frame: FramePictures, flags: UInt8) -> list[tuple[str, str]]:
    """What the page says of the frame as a whole."""
    info = source.catalog.info
    painted = int((frame.label != 255).sum())
    return [
        ("dataset", f"{info.dataset} {info.version}".strip()),
        ("layer", source.layer.name),
        ("points", f"{len(frame.label):,}"),
        ("painted", f"{painted:,}"),
        ("in view", f"{int(((flags & Flag.VISIBLE) != 0).sum()):,}"),
    ]


def _image(row: ImageRow, pixels: UInt8) -> SceneImage:
    width_px = min(_WIDEST_PX, row.width_px)
    small = resize(pixels, width_px, scaled_height(pixels, width_px))
    return SceneImage(camera_view(row), encode_jpeg(small, 80))


def _forward_rad(row: FrameRow) -> float:
    """Where the vehicle's +x lies in the LiDAR frame; the LiDAR's own +x where that is unknown."""
    ego_SE3_lidar = row.ego_SE3_lidar
    return 0.0 if ego_SE3_lidar is None else math.atan2(ego_SE3_lidar[0, 1], ego_SE3_lidar[0, 0])
