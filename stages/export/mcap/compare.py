"""Decoded messages against the frame that they should tell of."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float64
from paintpipe.schemas.catalog import ImageRow
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.schemas.geometry import invert_se3, se3_from_quaternion
from paintpipe.schemas.painted import Flag
from paintpipe.stages.export.mcap.cloud import COLOURS, feature_names, score_names
from paintpipe.stages.export.mcap.placement import EGO, GLOBAL, LIDAR, camera_frame
from paintpipe.stages.export.mcap.scene import box_colour, box_quaternion_wxyz, solid_boxes

_NUMPY = {1: "u1", 2: "i1", 7: "<u4"}
"""foxglove.PackedElementField.NumericType; a float32 as its bits."""
_TRANSFORM_TOLERANCE = 1e-5
"""Published rotations are rounded to about six digits, and a quaternion can only hold one that is exact."""


def cloud_faults(found: Mapping[str, Any], frame: ExportFrame, facts: ExportFacts, with_scores: bool) -> Iterator[str]:
    """Every field of every point, bit for bit."""
    records = _records(found)
    if len(records) != len(frame.points):
        yield f"{len(records)} points, expected {len(frame.points)}"
        return
    expected = _expected(frame, facts, with_scores)
    if set(records.dtype.names or ()) != set(expected):
        yield f"fields {', '.join(records.dtype.names or ())}, expected {', '.join(sorted(expected))}"
        return
    for name, values in expected.items():
        wrong = int(np.count_nonzero(records[name] != _bits(values)))
        if wrong:
            yield f"{wrong} of {len(values)} values of {name} are not those of the layer"


def _expected(frame: ExportFrame, facts: ExportFacts, with_scores: bool) -> dict[str, AnyArray]:
    """(N,) values by field name, as the frame has them."""
    painted, score = np.flatnonzero(frame.flags & Flag.PAINTED), np.zeros(len(frame.points), dtype=np.float32)
    score[painted] = frame.scores[painted].max(axis=1, initial=0.0)
    expected: dict[str, AnyArray] = {"label": frame.label, "camera": frame.camera, "flags": frame.flags}
    expected |= dict(zip(("x", "y", "z", *feature_names(facts.features)), frame.points.T, strict=True))
    expected["score"] = score
    if with_scores:
        expected |= dict(zip(score_names(facts.channels), frame.scores.T, strict=True))
    colours = [channel[frame.label] for channel in facts.taxonomy.palette().T]
    opaque = np.full(len(frame.label), 255, dtype=np.uint8)
    return expected | dict(zip(COLOURS, [*colours, opaque], strict=True))


def transform_faults(found: Mapping[str, Any], frame: ExportFrame) -> Iterator[str]:
    """Where the LiDAR is in the world, and each camera as seen from the LiDAR."""
    places = {item["child_frame_id"]: (item["parent_frame_id"], _matrix(item)) for item in found["transforms"]}
    if frame.row.global_SE3_lidar is not None:
        between = (EGO,) if EGO in places else ()
        yield from _chain_faults(places, (LIDAR, *between, GLOBAL), frame.row.global_SE3_lidar)
    for image in frame.images:
        child = camera_frame(image.camera)
        yield from _chain_faults(places, (child, LIDAR), invert_se3(image.camera_SE3_lidar))


def calibration_faults(found: Mapping[str, Any], image: ImageRow) -> Iterator[str]:
    """Size and matrices."""
    if (found.get("width"), found.get("height")) != (image.width_px, image.height_px):
        yield f"{found.get('width')}x{found.get('height')} px, expected {image.width_px}x{image.height_px}"
    if found["K"] != image.K.reshape(-1).tolist():
        yield "K is not the camera's"
    if len(found["P"]) != 12 or np.reshape(found["P"], (3, 4))[:, :3].tolist() != image.K.tolist():
        yield "P does not hold K"


def box_faults(found: Mapping[str, Any], frame: ExportFrame, facts: ExportFacts) -> Iterator[str]:
    """Place, size, rotation and colour of each box."""
    boxes, entities = solid_boxes(frame), found["entities"]
    if len(entities) != len(boxes):
        yield f"{len(entities)} boxes, expected {len(boxes)}"
        return
    for box, entity in zip(boxes, entities, strict=True):
        (cube,) = entity["cubes"]
        colour = [round(255 * cube["color"].get(part, 0.0)) for part in "rgb"]
        same = (
            np.array_equal(_vector(cube["pose"].get("position", {})), box.center_m)
            and np.array_equal(_vector(cube.get("size", {})), box.size_lwh_m)
            and np.array_equal(_wxyz(cube["pose"].get("orientation", {})), box_quaternion_wxyz(box))
            and colour == list(box_colour(box, facts))
        )
        if not same:
            yield f"box {entity.get('id')!r} is not the catalog's"


def _records(found: Mapping[str, Any]) -> AnyArray:
    """(N,) records by the fields that the message itself names."""
    fields = found["fields"]
    layout = np.dtype(
        {
            "names": [item["name"] for item in fields],
            "formats": [_NUMPY.get(item.get("type", 0), "V1") for item in fields],
            "offsets": [item.get("offset", 0) for item in fields],
            "itemsize": found.get("point_stride", 0),
        }
    )
    return np.frombuffer(found.get("data", b""), dtype=layout)


def _bits(values: AnyArray) -> AnyArray:
    """(N,) the same bits as `_records` has them: a NaN equals itself, and 0 does not equal -0."""
    return values.view(np.uint32) if values.dtype == np.float32 else values


def _chain_faults(places: Mapping[str, Any], chain: tuple[str, ...], expected: Float64) -> Iterator[str]:
    """The product along a chain of frames, child first, against the catalog's matrix."""
    matrix = np.eye(4)
    for child, parent in pairwise(chain):
        if places.get(child, ("", None))[0] != parent:
            yield f"{child} does not hang below {parent}"
            return
        matrix = places[child][1] @ matrix
    if not np.allclose(matrix, expected, rtol=1e-9, atol=_TRANSFORM_TOLERANCE):
        yield f"{chain[-1]}_SE3_{chain[0]} is not the catalog's"


def _matrix(item: Mapping[str, Any]) -> Float64:
    wxyz = _wxyz(item.get("rotation", {}))
    return se3_from_quaternion(wxyz.tolist(), _vector(item.get("translation", {})).tolist())


def _vector(item: Mapping[str, float]) -> Float64:
    """Protobuf leaves out zeros."""
    return np.array([item.get(part, 0.0) for part in "xyz"])


def _wxyz(item: Mapping[str, float]) -> Float64:
    return np.array([item.get(part, 0.0) for part in "wxyz"])
