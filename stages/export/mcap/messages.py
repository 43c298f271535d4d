"""The messages of a frame, in the well-known schemas of Foxglove."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from paintpipe.schemas.catalog import ImageRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.mcap.cloud import pack
from paintpipe.stages.export.mcap.placement import LIDAR, Placement, camera_frame, placements
from paintpipe.stages.export.mcap.values import rotation, stamp, vector
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation

CLOUD, TRANSFORMS = "/lidar", "/tf"
_MAGIC = {b"\xff\xd8\xff": "jpeg", b"\x89PN": "png"}


def image_topic(camera: str) -> str:
    """Topic of a camera's pictures."""
    return f"/camera/{camera}/image"


def calibration_topic(camera: str) -> str:
    """Topic of a camera's calibration."""
    return f"/camera/{camera}/calibration"


def cloud_message(frame: ExportFrame, facts: ExportFacts, with_scores: bool, time_ns: int) -> Any:
    """foxglove.PointCloud of all points."""
    from foxglove.messages import PackedElementField, PointCloud, Pose, Quaternion, Vector3

    records = pack(frame, facts, with_scores)
    kinds = numeric_types()
    fields: Mapping[str, Any] = records.dtype.fields or {}
    return PointCloud(
        timestamp=stamp(time_ns),
        frame_id=LIDAR,
        pose=Pose(position=Vector3(), orientation=Quaternion(w=1.0)),
        point_stride=records.dtype.itemsize,
        fields=[
            PackedElementField(name=name, offset=int(fields[name][1]), type=kinds[fields[name][0].str.lstrip("<|")])
            for name in records.dtype.names or ()
        ],
        data=records.tobytes(),
    )


def image_message(image: ImageRow, data: bytes, time_ns: int) -> Any:
    """foxglove.CompressedImage with the file's own bytes; raises ExportError unless they are JPEG or PNG."""
    from foxglove.messages import CompressedImage

    name = image_format(data)
    if name is None:
        raise ExportError(
            "neither JPEG nor PNG", where=image.image_path, todo="leave images out: --option images=false"
        )
    return CompressedImage(timestamp=stamp(time_ns), frame_id=camera_frame(image.camera), data=data, format=name)


def image_format(data: bytes) -> str | None:
    """`jpeg` or `png`, by the first bytes; None for anything else."""
    return _MAGIC.get(data[:3])


def calibration_message(image: ImageRow, time_ns: int) -> Any:
    """foxglove.CameraCalibration of a rectified pinhole camera."""
    from foxglove.messages import CameraCalibration

    K = [float(value) for value in image.K.reshape(-1)]
    return CameraCalibration(
        timestamp=stamp(time_ns),
        frame_id=camera_frame(image.camera),
        width=image.width_px,
        height=image.height_px,
        K=K,
        R=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        P=[*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0],
    )


def transforms_message(frame: ExportFrame, time_ns: int) -> Any:
    """foxglove.FrameTransforms: where the LiDAR and the cameras are."""
    from foxglove.messages import FrameTransforms

    return FrameTransforms(transforms=[_transform(place, time_ns) for place in placements(frame)])


@cache
def numeric_types() -> dict[str, Any]:
    """Foxglove's number types by the name that numpy gives them."""
    from foxglove.messages import PackedElementFieldNumericType as Numeric

    return {"f4": Numeric.Float32, "u1": Numeric.Uint8, "i1": Numeric.Int8}


def _transform(place: Placement, time_ns: int) -> Any:
    from foxglove.messages import FrameTransform

    matrix = place.parent_SE3_child
    return FrameTransform(
        timestamp=stamp(time_ns),
        parent_frame_id=place.parent,
        child_frame_id=place.child,
        translation=vector(matrix[:3, 3]),
        rotation=rotation(quaternion_from_rotation(matrix[:3, :3])),
    )
