"""Reading a ground-truth database back: each object's points put back into its box, and the list of all objects."""

from collections.abc import Iterator, Sequence

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export import pickles
from paintpipe.stages.export.gt_database import strays
from paintpipe.stages.export.nuscenes_objects import Objects, Sample
from paintpipe.stages.export.target import ReadFile, size_of


def object_faults(objects: Objects, read: ReadFile) -> Iterator[str]:
    """A keyframe's objects as the samplers read and place them, against their rows.

    Args:
        objects: what the store says of them.
        read: of the export.
    """
    width = objects.table.shape[1]
    found, expected = list[Float32](), list[slice]()
    begin, samples = 0, list[Sample]()
    for sample in objects.samples:
        rows = slice(begin, begin := begin + sample.num_points)
        try:
            content = read(sample.path)
        except FileNotFoundError:
            yield f"{sample.path} is absent"
            continue
        if len(content) != 4 * width * sample.num_points:
            yield f"{sample.path}: {len(content)} bytes, expected {sample.num_points} rows of {width} float32"
            continue
        samples.append(sample)
        found.append(np.frombuffer(content, dtype="<f4").reshape(-1, width))
        expected.append(rows)
    yield from _others(samples, found, expected, objects)


def _others(
    samples: Sequence[Sample], found: Sequence[Float32], expected: Sequence[slice], objects: Objects
) -> Iterator[str]:
    """The samples that hold other points than those in the box."""
    if not samples:
        return
    rows = np.concatenate([np.arange(part.start, part.stop) for part in expected])
    all_there = len(rows) == len(objects.table)
    table, origins_m = objects.table, objects.origins_m
    if not all_there:
        table, origins_m = table[rows], origins_m[rows]
    stray = strays(np.concatenate(found, dtype=np.float32), table, origins_m)
    begins = np.cumsum([0, *(len(part) for part in found[:-1])])
    for sample, is_other in zip(samples, np.logical_or.reduceat(stray, begins), strict=True):
        if is_other:
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
        if "difficulty" not in info:
            yield f"{path}, {sample.path}: no difficulty, by which the samplers filter"
        if (info["name"], info["num_points_in_gt"]) != (sample.name, sample.num_points):
            yield f"{path}, {sample.path}: {info['name']} of {info['num_points_in_gt']} points"
        if info["box3d_lidar"].tobytes() != np.ascontiguousarray(box, dtype=np.float32).tobytes():
            yield f"{path}, {sample.path}: another box than the catalog's"
        if size_of(read, sample.path) != row_bytes * sample.num_points:
            yield f"{path}, {sample.path}: another number of points than its file"
