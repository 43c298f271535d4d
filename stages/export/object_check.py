"""Reading a ground-truth database back: each object's points put back into its box, and the list of all objects."""

from collections.abc import Iterator, Sequence

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export import pickles
from paintpipe.stages.export.gt_database import compare, rows_in_boxes
from paintpipe.stages.export.nuscenes_objects import Sample
from paintpipe.stages.export.target import ReadFile


def object_faults(samples: Sequence[Sample], boxes: Sequence[BoxRow], table: Float32, read: ReadFile) -> Iterator[str]:
    """A keyframe's objects as the samplers read and place them, against the rows of its table in each box.

    Args:
        samples: of the keyframe.
        boxes: of its info.
        table: (N, W) float32 that the objects were cut from.
        read: of the export.
    """
    rows = rows_in_boxes(table, boxes)
    for sample in samples:
        try:
            content = read(sample.path)
        except FileNotFoundError:
            yield f"{sample.path} is absent"
            continue
        if len(content) != 4 * table.shape[1] * sample.num_points:
            yield f"{sample.path}: {len(content)} bytes, expected {sample.num_points} rows of {table.shape[1]} float32"
            continue
        found = np.frombuffer(content, dtype="<f4").reshape(-1, table.shape[1]).astype(np.float32)
        if compare(found, table[rows[sample.number]], boxes[sample.number].center_m) is None:
            yield f"{sample.path}: other points than those in the box"


def db_infos_faults(
    path: str, samples: Sequence[Sample], boxes: Sequence[Float32], row_bytes: int, read: ReadFile
) -> Iterator[str]:
    """The pickle that lists the database, against the objects that frames said they have.

    Args:
        path: of the pickle.
        samples: of all frames, in order.
        boxes: of each sample, float32 as its info has it.
        row_bytes: of a point in an object's file.
        read: of the export.
    """
    yield from guarded(path, _listed_faults(path, samples, boxes, row_bytes, read))


def guarded(path: str, faults: Iterator[str]) -> Iterator[str]:
    """The faults, and one more where the file is so damaged that looking for them stumbles, as its loader would.

    Args:
        path: of the file that is read back.
        faults: which read and compare it.
    """
    try:
        yield from faults
    except FileNotFoundError as error:
        yield f"{error.args[0]} is absent"
    except ExportError as error:
        yield f"{path}: {error}"
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        yield f"{path}: not what the loader reads ({type(error).__name__}: {error})"


def _listed_faults(
    path: str, samples: Sequence[Sample], boxes: Sequence[Float32], row_bytes: int, read: ReadFile
) -> Iterator[str]:
    infos = pickles.loads(read(path))
    listed = {info["path"]: info for found in infos.values() for info in found}
    if listed.keys() != {sample.path for sample in samples}:
        yield f"{path}: {len(listed)} objects, expected {len(samples)}"
        return
    if len({info["group_id"] for info in listed.values()}) != len(listed):
        yield f"{path}: objects share a group"
    for sample, box in zip(samples, boxes, strict=True):
        info = listed[sample.path]
        if (info["name"], info["num_points_in_gt"]) != (sample.name, sample.num_points):
            yield f"{path}, {sample.path}: {info['name']} of {info['num_points_in_gt']} points"
        if info["box3d_lidar"].tobytes() != np.ascontiguousarray(box, dtype=np.float32).tobytes():
            yield f"{path}, {sample.path}: another box than the catalog's"
        if len(read(sample.path)) != row_bytes * sample.num_points:
            yield f"{path}, {sample.path}: another number of points than its file"
