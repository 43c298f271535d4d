"""Time and peak memory of planning a run over a million frames.

Generates a catalog of nuScenes' shape (six images a frame, few boxes) in a temporary folder, then measures, each in a
process of its own: opening it and all that `paint` does before its first task; and every task made and pickled, with
nothing written.

    python benchmarks/plan_million.py                               # 1,000,000 frames in 25,000 sequences
    python benchmarks/plan_million.py --frames 40000 --sequences 1000

The generated catalog takes about 2.7 GB and is deleted at the end unless `--folder` names where to keep it.
"""

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.row_writer import RowWriter
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import POINTS_TARGET, layer_target
from paintpipe.pipeline.tables import write_json
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import DatasetInfo
from paintpipe.schemas.settings import PaintSettings
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.catalog_files import TABLES, info_json, table_path
from paintpipe.workflows.choose_painter import PainterChoice, choose_painter
from paintpipe.workflows.paint_inputs import PaintInputs, layer_description, paint_plan
from paintpipe.workflows.paint_tasks import Groups, shard_tasks, waiting_shards
from paintpipe.workflows.stores import OpenStore, open_store

CAMERAS = ("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT", "CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT")
BATCH = 20_000
POINTS = 34_688
FRAME_US = 500_000


def strings(values: Iterator[str]) -> pa.Array:
    return pa.array(list(values), pa.string())


def matrices(values: np.ndarray[Any, Any]) -> pa.Array:
    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(len(values), -1)
    offsets = np.arange(len(flat) + 1, dtype=np.int32) * flat.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat.reshape(-1)))


def table(name: str, columns: dict[str, pa.Array], count: int) -> pa.Table:
    schema = TABLES[name]
    known = [columns.get(field.name, pa.nulls(count, field.type)) for field in schema]
    return pa.Table.from_arrays(known, schema=schema)


def token(kind: str, number: int) -> str:
    return f"{(ord(kind) << 64 | number) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}"


def batch_tables(start: int, stop: int, frames_a_sequence: int, rng: np.random.Generator) -> dict[str, pa.Table]:
    """The rows of frames `start` to `stop`, counted over the whole catalog."""
    frames, count = np.arange(start, stop), stop - start
    names = [f"scene-{frame // frames_a_sequence:05d}" for frame in frames.tolist()]
    tokens = [token("f", frame) for frame in frames.tolist()]
    index = (frames % frames_a_sequence).astype(np.int32)
    poses = matrices(rng.normal(size=(count, 16)))
    shared = {"sequence": strings(iter(names)), "index": pa.array(index), "frame_id": strings(iter(tokens))}
    sweeps = (f"samples/LIDAR_TOP/n015-2018-07-24__LIDAR_TOP__{frame:016d}.pcd.bin" for frame in frames.tolist())
    frame_columns = shared | {
        "timestamp_us": pa.array(1_532_402_927_000_000 + frames * FRAME_US),
        "is_keyframe": pa.array([True] * count),
        "points_path": strings(sweeps),
        "points_format": pa.array(["float32"] * count),
        "num_points": pa.array(rng.integers(POINTS - 400, POINTS, count)),
        "point_features": pa.array([["x", "y", "z", "intensity", "ring"]] * count),
        "ego_SE3_lidar": poses,
        "global_SE3_ego": poses,
        "global_SE3_lidar": poses,
        "previous_sweeps": pa.array([[]] * count, pa.list_(pa.string())),
    }
    few = frames % 10 == 0
    boxed = pa.array(np.flatnonzero(few))
    box_columns = {name: column.take(boxed) for name, column in shared.items()} | {
        "class_name": pa.array(["vehicle.car"] * len(boxed)),
        "center_m": matrices(rng.normal(size=(len(boxed), 3))),
        "size_lwh_m": matrices(rng.uniform(1, 5, (len(boxed), 3))),
        "yaw_rad": pa.array(rng.uniform(-3, 3, len(boxed))),
    }
    return {
        "frames": table("frames", frame_columns, count),
        "images": image_table(shared, start, count, poses, rng),
        "boxes": table("boxes", box_columns, len(boxed)),
    }


def image_table(
    shared: dict[str, pa.Array], start: int, count: int, poses: pa.Array, rng: np.random.Generator
) -> pa.Table:
    size, of_frame = count * len(CAMERAS), pa.array(np.repeat(np.arange(count), len(CAMERAS)))
    numbers = range(start * len(CAMERAS), start * len(CAMERAS) + size)
    intrinsics = np.tile(np.random.default_rng(0).normal(size=(len(CAMERAS), 9)), (count, 1))
    paths = (
        f"samples/{camera}/n015-2018-07-24-11-22-45+0800__{camera}__{number:016d}.jpg"
        for number in numbers
        for camera in [CAMERAS[number % len(CAMERAS)]]
    )
    columns = {name: column.take(of_frame) for name, column in shared.items()} | {
        "camera": pa.array(CAMERAS * count),
        "token": strings(token("i", number) for number in numbers),
        "image_path": strings(paths),
        "width_px": pa.array(np.full(size, 1600, np.int32)),
        "height_px": pa.array(np.full(size, 900, np.int32)),
        "timestamp_us": pa.array(np.arange(size)),
        "dt_us": pa.array(rng.integers(-50_000, 50_000, size)),
        "K": matrices(intrinsics),
        "camera_SE3_lidar": matrices(rng.normal(size=(size, 16))),
        "global_SE3_ego": poses.take(of_frame),
        "image_from_lidar": matrices(rng.normal(size=(size, 12))),
    }
    return table("images", columns, size)


def write_catalog(folder: Path, frames: int, sequences: int) -> None:
    """A workspace's catalog of `sequences` sequences of one length."""
    rng, each = np.random.default_rng(0), -(-frames // sequences)
    folder.mkdir(parents=True)
    counts = {"sequences": -(-frames // each), "points": 0, "rejected": 0}
    writers = {name: RowWriter(table_path(folder, name), schema) for name, schema in TABLES.items()}
    for start in range(0, frames, BATCH):
        for name, rows in batch_tables(start, min(start + BATCH, frames), each, rng).items():
            writers[name].add(rows)
            if name == "frames":
                counts["points"] += int(np.asarray(rows.column("num_points")).sum())
    for name, writer in writers.items():
        with writer:
            counts[name] = writer.num_rows
    info = DatasetInfo("nuscenes", "generated", str(folder.parent), None, "nuscenes-det11", False, counts, "")
    write_json(folder / "dataset.json", info_json(info))


def planned(workspace: Workspace) -> tuple[Catalog, OpenStore, list[Shard], Groups, PaintInputs, dict[str, float]]:
    """All that `paint` does before its first task."""
    spent, start = {}, time.perf_counter()
    catalog = open_catalog(workspace.catalog)
    spent["open"] = time.perf_counter() - start
    painter = choose_painter(PainterChoice(oracle=True), catalog.info)
    plan = paint_plan(catalog, painter, PaintSettings())
    opened = open_store(workspace)
    inputs = PaintInputs(catalog, painter.root, painter, plan)
    shards = plan_shards(catalog.frame_counts(), opened.store.frames_per_shard)
    groups = Groups(opened, catalog, layer_description("oracle", painter, plan), True, False)
    groups.settle(list(dict.fromkeys(shard.sequence for shard in shards)))
    return catalog, opened, shards, groups, inputs, spent


def measure_plan(folder: Path) -> dict[str, Any]:
    start = time.perf_counter()
    catalog, opened, shards, groups, inputs, spent = planned(Workspace(folder))
    targets = (POINTS_TARGET, layer_target("oracle"))
    waiting = waiting_shards(opened, targets, shards, inputs, overwrite=False, quiet=True)
    costs = list(catalog.shard_costs(waiting))
    spent["plan"] = time.perf_counter() - start - spent["open"]
    next(shard_tasks(waiting, catalog, groups, catalog.camera_names()))
    spent["first task"] = time.perf_counter() - start - spent["open"] - spent["plan"]
    return {"shards": len(shards), "waiting": len(waiting), "images": sum(cost.images for cost in costs), **spent}


class NoGroups(Groups):
    """Creates nothing: what a sequence's groups cost on disk is no part of making tasks."""

    def create(self, sequence: str) -> None:
        """See the class."""


def measure_tasks(folder: Path) -> dict[str, Any]:
    catalog, opened, shards, groups, inputs, _ = planned(Workspace(folder))
    waiting = waiting_shards(opened, (layer_target("oracle"),), shards, inputs, overwrite=False, quiet=True)
    nothing = NoGroups(**{item.name: getattr(groups, item.name) for item in fields(groups) if item.init})
    start, start_cpu = time.perf_counter(), time.process_time()
    sizes = [len(pickle.dumps(task)) for task in shard_tasks(waiting, catalog, nothing, catalog.camera_names())]
    spent, spent_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    mean, most = sum(sizes) / len(sizes) / 1000, max(sizes) / 1000
    figures = {"all tasks": spent, "CPU ms a task": 1000 * spent_cpu / len(sizes)}
    return figures | {"mean kB": mean, "largest kB": most}


MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {"plan": measure_plan, "tasks": measure_tasks}


def alone(measure: str, folder: Path) -> dict[str, Any]:
    """One measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", measure, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--sequences", type=int, default=25_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", choices=list(MEASURES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        found = MEASURES[given.measure](given.folder)
        print(json.dumps(found | {"peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "catalog").exists():
            start = time.perf_counter()
            write_catalog(folder / "catalog", given.frames, given.sequences)
            size = sum(path.stat().st_size for path in (folder / "catalog").iterdir())
            print(f"generated {size / 1e9:.2f} GB in {time.perf_counter() - start:.0f} s")
        for measure in MEASURES:
            figures = alone(measure, folder)
            print(f"{measure}: " + ", ".join(f"{name} {round(value, 2):,}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
