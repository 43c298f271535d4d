"""A painted frame as the 3-D page carries it: rounded, packed, ready for JSON."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32, Int8, UInt8, UInt16
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.painted import Flag
from paintpipe.schemas.settings import Projection
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.paint.boxes import box_R_lidar
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.view.scene3d.pack import packed
from paintpipe.stages.view.style import MUTED, css_colors

NOWHERE = -32768
"""x of a point that is not finite or too far away: it keeps its row, and is never drawn."""
FARTHEST_M = 1000.0
"""Along an axis. No LiDAR measures so far: one stray value must not take the resolution of all other points."""
NO_PIXEL = 65535
"""Column of a point whose camera does not show it."""
TOP = 3
"""Classes with scores that a click tells."""
_LARGEST = 32767
_FINEST_M = 0.001
_INTENSITIES = ("intensity", "reflectance", "r", "i")


@dataclass(frozen=True)
class SceneImage:
    """A camera's image.

    Attributes:
        view: its camera's name and size, and how points reach it.
        jpeg: bytes of a JPEG file of any size.
    """

    view: CameraView
    jpeg: bytes


@dataclass(frozen=True)
class Scene:
    """One painted frame.

    Attributes:
        title: of the page.
        facts: (what, value) pairs for the panel.
        points: (N, F) float32, x y z first.
        features: names of the F columns.
        scores: (N, C).
        label: (N,) uint8, 255 where unpainted.
        camera: (N,) int8 index into `cameras`, -1 where none.
        flags: (N,) uint8.
        taxonomy: of the classes.
        cameras: names.
        images: those that could be read.
        projection: the preset that the layer was painted with.
        boxes: of the frame.
        box_classes: box category → classes that are right inside it, the first of which gives its colour.
        forward_rad: direction of travel in the LiDAR frame, about +z from +x.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    points: Float32
    features: Sequence[str]
    scores: AnyArray
    label: UInt8
    camera: Int8
    flags: UInt8
    taxonomy: Taxonomy
    cameras: Sequence[str]
    images: Sequence[SceneImage] = ()
    projection: Projection = "default"
    boxes: Sequence[BoxRow] = ()
    box_classes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    forward_rad: float = 0.0


def scene_json(scene: Scene) -> dict[str, Any]:
    """The frame as web/frame.js reads it."""
    xyz, scale_m = _rounded(scene.points)
    best, shares = _top_scores(scene.scores, scene.label)
    col, row = _pixels(scene)
    colors = css_colors(scene.taxonomy)
    return {
        "title": scene.title,
        "facts": [list(fact) for fact in scene.facts],
        "count": len(scene.points),
        "scale_m": scale_m,
        "x": packed(xyz[:, 0]),
        "y": packed(xyz[:, 1]),
        "z": packed(xyz[:, 2]),
        "label": packed(scene.label),
        "camera": packed(scene.camera),
        "flags": packed(scene.flags),
        "pixel_col": packed(col),
        "pixel_row": packed(row),
        "top_class": [packed(best[:, rank]) for rank in range(best.shape[1])],
        "top_score": [packed(shares[:, rank]) for rank in range(best.shape[1])],
        "intensity": _intensity(scene.points, scene.features),
        "classes": [{"name": name, "color": colors[name]} for name in scene.taxonomy.classes],
        "cameras": list(scene.cameras),
        "flag_bits": [{"name": str(flag.name).lower().replace("_", " "), "bit": int(flag)} for flag in Flag],
        "images": [_image(image) for image in scene.images],
        "boxes": [_box(box, scene, colors) for box in scene.boxes if _drawable(box)],
        "forward_rad": scene.forward_rad,
    }


def _rounded(points: Float32) -> tuple[AnyArray, float]:
    """(N, 3) int16 and the metres of a step, such that the farthest point that is drawn just fits."""
    xyz = points[:, :3].astype(np.float64)
    drawn = (np.abs(xyz) <= FARTHEST_M).all(axis=1)  # NaN is not
    reach_m = float(np.abs(xyz[drawn]).max()) if drawn.any() else 0.0
    scale_m = max(_FINEST_M, reach_m / _LARGEST)
    steps = np.full(xyz.shape, 0, dtype=np.int16)
    steps[drawn] = np.rint(xyz[drawn] / scale_m).astype(np.int16)
    steps[~drawn, 0] = NOWHERE
    return steps, scale_m


def _top_scores(scores: AnyArray, label: UInt8) -> tuple[UInt8, UInt8]:
    """(N, K) classes by falling score and (N, K) scores in 255ths, K up to three; 0 where unpainted."""
    count = min(TOP, scores.shape[1])
    best = np.argsort(-scores.astype(np.float32), axis=1, kind="stable")[:, :count].astype(np.uint8)
    shares = np.rint(np.take_along_axis(scores.astype(np.float32), best.astype(np.int64), axis=1) * 255.0)
    painted = (label != 255)[:, None]
    return np.where(painted, best, 0).astype(np.uint8), np.where(painted, np.clip(shares, 0, 255), 0).astype(np.uint8)


def _pixels(scene: Scene) -> tuple[UInt16, UInt16]:
    """(N,) column and row of each point's pixel on the image of its camera, `NO_PIXEL` and 0 where there is none.

    Of the points as they are: the browser has rounded ones, which a pixel's border may lie beside.
    """
    col, row = np.full(len(scene.points), NO_PIXEL, np.uint16), np.zeros(len(scene.points), np.uint16)
    views = {image.view.camera: image.view for image in scene.images}
    for number, camera in enumerate(scene.cameras):
        if camera in views:
            seen = project_points(scene.points, views[camera], scene.projection)
            own = scene.camera[seen.index] == number
            col[seen.index[own]], row[seen.index[own]] = seen.col[own], seen.row[own]
    return col, row


def _intensity(points: Float32, features: Sequence[str]) -> str | None:
    """(N,) the LiDAR's intensity from 0 to its 98th percentile in 255 steps; None where points have none."""
    place = next((number for number, name in enumerate(features) if name.lower() in _INTENSITIES), None)
    if place is None or not len(points):
        return None
    values = np.nan_to_num(points[:, place].astype(np.float64), posinf=0.0, neginf=0.0)
    most = float(np.percentile(values, 98)) or 1.0
    return packed(np.clip(np.rint(values / most * 255.0), 0, 255).astype(np.uint8))


def _image(image: SceneImage) -> dict[str, Any]:
    return {
        "camera": image.view.camera,
        "jpeg": base64.b64encode(image.jpeg).decode("ascii"),
        "width_px": image.view.width_px,
        "height_px": image.view.height_px,
        "depth_from_lidar": [float(value) for value in image.view.image_from_lidar[2]],
    }


def _drawable(box: BoxRow) -> bool:
    values = np.concatenate([box.center_m, box.size_lwh_m])
    return bool(np.isfinite(values).all() and (np.asarray(box.size_lwh_m) > 0).all())


def _box(box: BoxRow, scene: Scene, colors: Mapping[str, str]) -> dict[str, Any]:
    """Its eight corners (bottom then top, each from front left about), its name and its colour."""
    index = next(iter(scene.box_classes.get(box.class_name, ())), scene.taxonomy.index(box.class_name))
    around = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    unit = np.vstack([np.column_stack([around, np.full(4, side)]) for side in (-1, 1)])
    corners = (unit * np.asarray(box.size_lwh_m) / 2.0) @ box_R_lidar(box) + np.asarray(box.center_m)
    color = "#{:02x}{:02x}{:02x}".format(*MUTED) if index is None else colors[scene.taxonomy.classes[index]]
    return {"name": box.class_name, "color": color, "corners_m": np.round(corners, 3).reshape(-1).tolist()}
