"""First half of `make test-mmdet3d`: paint, export, and write down what the store says, for the other half to compare.

Run by paintpipe's own environment: `python tests/mmdet3d/make_exports.py FOLDER`. The synthetic scene is always made,
the real frames where PAINTPIPE_REAL_DATA names their folder. What is written down comes from the store and the catalog
by other code than the export's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import paintpipe
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_nuscenes
from paintpipe.stages.taxonomies.apply import map_scores
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.catalog import open_catalog

COMMAND = Path(sys.executable).parent / "paintpipe"
TAXONOMIES = {"kitti": "kitti-det4", "nuscenes": "nuscenes-det11"}


def run(*words: object) -> None:
    """Run the installed command."""
    subprocess.run([str(COMMAND), *map(str, words)], check=True)


def main(folder: Path) -> None:
    """Make every export below `folder`."""
    real = os.environ.get("PAINTPIPE_REAL_DATA")
    scene = folder / "synthetic"
    if not (scene / "v1.0-trainval").exists():
        write_nuscenes(scene, SynthSettings(seed=4, sequences=("scene-0061",), keyframes=3, image_size_px=(56, 104)))
    make(folder / "nuscenes-synthetic", "nuscenes", scene, "--from-masks", scene / "masks", sweeps=True)
    if real is not None:
        make(folder / "kitti-real", "kitti", Path(real) / "kitti", "--model", "street-tiny")
        make(folder / "nuscenes-real", "nuscenes", Path(real) / "nuscenes", "--model", "street-tiny")


def make(folder: Path, dataset: str, root: Path, *painter: object, sweeps: bool = False) -> None:
    """One workspace, its export and its reference; what is there stays."""
    workspace = folder / "workspace"
    if not (workspace / "catalog").exists():
        run("ingest", dataset, root, "-w", workspace, *(["--sweeps"] if sweeps else []))
    run("paint", "-w", workspace, *painter)
    run("export", "-w", workspace, "--to", "mmdet3d", "--out", folder / "export", "--overwrite")
    write_reference(folder, workspace, dataset)


def write_reference(folder: Path, workspace: Path, dataset: str) -> None:
    """`reference.npz` with points and scores by file name, `reference.json` with poses, boxes and times."""
    store, catalog = paintpipe.open_painted(workspace), open_catalog(workspace / "catalog")
    arrays, facts = {}, {"dataset": dataset, "frames": []}
    for sequence in store.sequences:
        rows = catalog.frames(sequence, 0, len(store.sequence(sequence)))
        for view, row in zip(store.sequence(sequence), rows, strict=True):
            layer = view.layer(store.layers(sequence)[0])
            mapping = load_mapping(layer.attributes["taxonomy"], TAXONOMIES[dataset])
            name = f"{row.frame_id}.bin" if dataset == "kitti" else Path(row.points_path).name
            arrays[f"{name}/points"], arrays[f"{name}/scores"] = (
                view.points,
                map_scores(layer.scores, view.points, mapping),
            )
            earlier = rows[max(0, row.index - 10) : row.index][::-1]
            facts["frames"].append(
                {
                    "name": name,
                    "keyframe": row.is_keyframe,
                    "sweeps": [
                        {
                            "name": Path(sweep.points_path).name,
                            "lag_s": (row.timestamp_us - sweep.timestamp_us) * 1e-6,
                            "frame_SE3_sweep": (invert_se3(row.global_SE3_lidar) @ sweep.global_SE3_lidar).tolist(),
                        }
                        for sweep in (earlier if dataset == "nuscenes" else [])
                    ],
                    "boxes": [
                        {
                            "class": box.class_name,
                            "center_m": box.center_m.tolist(),
                            "size_lwh_m": box.size_lwh_m.tolist(),
                            "yaw_rad": box.yaw_rad,
                        }
                        for box in catalog.boxes(sequence, row.index, row.index + 1)
                    ],
                }
            )
    np.savez(folder / "reference.npz", **arrays)
    (folder / "reference.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
