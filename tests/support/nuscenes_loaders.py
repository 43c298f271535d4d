"""The published loaders of CenterPoint and BEVFusion, written again from their rules with numpy alone.

They read an export's folder and the dataset beside it as the detectors do, and share no code with paintpipe.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np


class NuScenesFiles:
    """The folder that a detector is given as `data/…`: an export, and the dataset's own files beside it."""

    def __init__(self, dataset: Path, export: Path, prefix: str) -> None:
        self.dataset, self.export, self.prefix = dataset, export, prefix

    def find(self, path: str) -> Path:
        """The file of a path in an info."""
        assert path.startswith(self.prefix), path
        inside = path[len(self.prefix) :]
        return self.export / inside if (self.export / inside).exists() else self.dataset / inside

    def pickle(self, name: str) -> Any:
        """An info file, by the ordinary unpickler."""
        return pickle.loads((self.export / name).read_bytes())

    def raw(self, path: str) -> np.ndarray:
        """(N, 5) float32 of a sweep as published."""
        return np.fromfile(self.find(path), dtype=np.float32).reshape(-1, 5)


def centerpoint_file(files: NuScenesFiles, path: str, form: str) -> np.ndarray:
    """`read_file`: (N, 14) with painted=True, (N + M, 15) with virtual=True."""
    *above, folder, name = path.split("/")
    if form == "painted":
        table = np.load(files.find("/".join([*above, "painted_" + folder, name + ".npy"])))
        assert table.dtype == np.float32
        return table[:, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]]
    points = files.raw(path)[:, :4]
    npy = files.find("/".join([*above, folder + "_VIRTUAL", name + ".pkl.npy"])).read_bytes()
    item = np.load(io.BytesIO(npy), allow_pickle=True).item()
    real = item["real_points"][:, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]]
    parts = [
        np.concatenate([points, np.ones([len(points), 11])], axis=1),
        np.concatenate([real, np.zeros([len(real), 1])], axis=1),
        np.concatenate([item["virtual_points"], -np.ones([len(item["virtual_points"]), 1])], axis=1),
    ]
    return np.concatenate(parts, axis=0).astype(np.float32)


def centerpoint_keyframe(files: NuScenesFiles, info: dict[str, Any], form: str, num_sweeps: int = 10) -> np.ndarray:
    """`LoadPointCloudFromFile`: the keyframe and `num_sweeps` - 1 sweeps, the lag in the last column."""
    assert num_sweeps - 1 <= len(info["sweeps"])
    points = [centerpoint_file(files, info["lidar_path"], form)]
    times = [np.zeros((len(points[0]), 1))]
    for sweep in info["sweeps"][: num_sweeps - 1]:
        moved = _without_close(centerpoint_file(files, sweep["lidar_path"], form)).copy()
        if sweep["transform_matrix"] is not None:
            homogeneous = np.vstack([moved[:, :3].T, np.ones(len(moved))])
            moved[:, :3] = sweep["transform_matrix"].dot(homogeneous)[:3].T
        points.append(moved)
        times.append(sweep["time_lag"] * np.ones((len(moved), 1)))
    return np.hstack([np.concatenate(points), np.concatenate(times).astype(np.float32)])


def bevfusion_file(files: NuScenesFiles, path: str) -> np.ndarray:
    """`load_augmented_point_cloud` with pointpainting and all beams: (N, 16)."""
    points = files.raw(path)
    *above, split, folder, name = path.split("/")
    npy = files.find("/".join([*above, "virtual_points", split, folder + "_VIRTUAL", name + ".pkl.npy"])).read_bytes()
    item = np.load(io.BytesIO(npy), allow_pickle=True).item()
    real = item["real_points"]
    table = np.concatenate([points, np.ones([len(points), real.shape[1] - points.shape[1] + 1])], axis=1)
    if len(item["real_points_indice"]) > 0:
        table[item["real_points_indice"]] = np.concatenate([real, np.zeros([len(real), 1])], axis=1)
    return table


def bevfusion_keyframe(files: NuScenesFiles, info: dict[str, Any], num_sweeps: int) -> np.ndarray:
    """`LoadPointsFromMultiSweeps` in test mode: (N, 16) float32, the lag in column 4."""
    own = bevfusion_file(files, info["lidar_path"])
    own[:, 4] = 0
    parts = [own]
    if not info["sweeps"]:
        parts += [_without_close(own)] * num_sweeps
    for sweep in info["sweeps"][:num_sweeps]:
        moved = _without_close(bevfusion_file(files, sweep["data_path"])).copy()
        moved[:, :3] = moved[:, :3] @ sweep["sensor2lidar_rotation"].T
        moved[:, :3] += sweep["sensor2lidar_translation"]
        moved[:, 4] = info["timestamp"] / 1e6 - sweep["timestamp"] / 1e6
        parts.append(moved)
    return np.concatenate(parts).astype(np.float32)


def _without_close(points: np.ndarray, radius: float = 1.0) -> np.ndarray:
    close = np.logical_and(np.abs(points[:, 0]) < radius, np.abs(points[:, 1]) < radius)
    return points[~close]
