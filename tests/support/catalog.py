"""Catalogs of made-up rows: nothing on disk, every value told by its frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.tables import write_json
from paintpipe.schemas.catalog import (
    BoxRow,
    DatasetInfo,
    FrameRow,
    ImageRow,
    RejectedRow,
    SequenceRows,
    rows_to_table,
)
from paintpipe.workflows.catalog_files import TABLES, info_json
from paintpipe.workflows.catalog_writer import CatalogWriter

CAMERAS = ("CAM_BACK", "CAM_FRONT")


def make_rows(sequence: str, frames: int, boxes_every: int = 3) -> SequenceRows:
    """`frames` frames with two images each; every third has as many boxes as its index says, to 4."""
    rng = np.random.default_rng(frames)
    rows = SequenceRows(rejected=[RejectedRow(f"{sequence}/broken.bin", "points", "not a sweep")])
    for index in range(frames):
        frame = f"{sequence}-{index:06d}"
        pose = rng.normal(size=(4, 4)) if index % 5 else None
        rows.frames.append(
            FrameRow(sequence, index, frame, f"sweeps/{frame}.bin", 100 + index, ("x", "y"), global_SE3_lidar=pose)
        )
        for camera in CAMERAS:
            # Two frames in a row take the same image, as slow cameras have it.
            path, matrix = f"images/{camera}/{sequence}-{index // 2:06d}.png", rng.normal(size=(3, 4))
            image = ImageRow(
                sequence, index, frame, camera, path, 60, 20, matrix[:, :3], np.eye(4), matrix, f"t{index}"
            )
            rows.images.append(image)
        for number in range(index % 5 if index % boxes_every == 0 else 0):
            centre = rng.normal(size=3)
            rows.boxes.append(BoxRow(sequence, index, frame, "car", centre, np.ones(3), 0.1 * number))
    return rows


def make_info(**overrides: object) -> DatasetInfo:
    """What `dataset.json` says of such a catalog; counts are the caller's."""
    counts = dict.fromkeys(("frames", "images", "boxes", "rejected", "points", "sequences"), 0)
    facts = {
        "dataset": "custom",
        "version": "",
        "root": "/nowhere",
        "labels_taxonomy": None,
        "boxes_taxonomy": None,
        "synthetic": False,
        "counts": counts,
        "digest": "",
    }
    return DatasetInfo(**{**facts, **overrides})  # type: ignore[arg-type]


def make_tables(**frames: int) -> dict[str, pa.Table]:
    """The tables of sequences by name, each with so many frames."""
    every = [make_rows(name, count) for name, count in frames.items()]
    return {
        name: rows_to_table([row for rows in every for row in getattr(rows, name)], schema)
        for name, schema in TABLES.items()
    }


def write_catalog(folder: Path, **frames: int) -> DatasetInfo:
    """The same as a catalog on disk, as ingest writes it."""
    with CatalogWriter(folder) as writer:
        for name, count in frames.items():
            writer.add(make_rows(name, count))
    info = replace(make_info(), counts=writer.counts)
    write_json(folder / "dataset.json", info_json(info))
    return info
