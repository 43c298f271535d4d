"""What a frame gives to the export: its cloud, the sweeps that no other keyframe writes, its objects."""

from dataclasses import dataclass

from paintpipe.schemas.arrays import Float32, Float64, Int64
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSweep
from paintpipe.stages.export.detection import object_name
from paintpipe.stages.export.gt_database import bottom_center_m, rows_in_boxes
from paintpipe.stages.export.mmdet3d.boxes import upright_boxes
from paintpipe.stages.export.mmdet3d.layout import TRAINED, sample_path, scene_table


@dataclass(frozen=True)
class ObjectPoints:
    """One object of the database.

    Attributes:
        path: of its file.
        rows: of `Objects.table` that lie in its box.
        bottom_m: (3,) what they are relative to.
    """

    path: str
    rows: Int64
    bottom_m: Float64


@dataclass(frozen=True)
class Objects:
    """A frame's objects.

    Attributes:
        table: (N, W) float32, the frame's points, with its sweeps on nuScenes.
        counts: rows in each box of the frame.
        items: the objects of trained classes that hold points.
    """

    table: Float32
    counts: list[int]
    items: list[ObjectPoints]


def own_sweeps(frame: ExportFrame) -> list[ExportSweep]:
    """The sweeps that this keyframe writes: back to the keyframe before it, which writes itself and those before."""
    own = []
    for sweep in frame.sweeps:
        if sweep.row.is_keyframe:
            break
        own.append(sweep)
    return own


def frame_objects(frame: ExportFrame, own: Float32, facts: ExportFacts) -> Objects:
    """The objects of a frame, whose `frame_table` is `own`, by the loader's boxes."""
    dataset, table = facts.info.dataset, scene_table(frame, own, facts)
    boxes = upright_boxes(frame.boxes, frame.images, dataset)
    found = rows_in_boxes(table, boxes)
    items = []
    for number, (box, rows) in enumerate(zip(boxes, found, strict=True)):
        name = object_name(box, dataset)
        if len(rows) and name in TRAINED[dataset]:
            items.append(ObjectPoints(sample_path(frame.row, dataset, name, number), rows, bottom_center_m(box)))
    return Objects(table, [len(rows) for rows in found], items)
