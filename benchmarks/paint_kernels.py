"""Painting's loops against the float64 numpy way, in one run on one core.

    python benchmarks/paint_kernels.py                      # a generated sweep of KITTI's size
    python benchmarks/paint_kernels.py KITTI/training 000001

Times are this thread's processor time, best and median of many rounds: other load on the machine counts for less. The
numpy way is what painting scripts do: homogeneous matrix product, divide, mask, index, all in float64.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: its matrix product must not use other cores

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, UInt8
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.painted import Flag
from paintpipe.schemas.pixels import PixelLabels, PixelScores
from paintpipe.schemas.settings import Edges, Occlusion, PaintSettings
from paintpipe.stages.paint.edges import depth_edges
from paintpipe.stages.paint.frame import paint_frame
from paintpipe.stages.paint.occlusion import focal_px, occluded
from paintpipe.stages.paint.overlap import merge_views
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.paint.sample import hard_labels, sample_scores
from paintpipe.stages.paint.scan_lines import line_spacing_rad
from paintpipe.stages.paint.smooth import smooth
from paintpipe.stages.paint.views import CameraSample, ProjectedView

NUM_CLASSES = 20
STRIDE_PX = 8


def numpy_hard_labels(points: Float32, view: CameraView, labels: UInt8) -> tuple[UInt8, Float64]:
    homogeneous = np.hstack([points[:, :3].astype(np.float64), np.ones((len(points), 1))])
    pixel = homogeneous @ view.image_from_lidar.T
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = pixel[:, :2] / pixel[:, 2:]
    u, v = uv[:, 0], uv[:, 1]
    mask = (pixel[:, 2] > 0) & (u >= 0) & (u < view.width_px) & (v >= 0) & (v < view.height_px)
    cell = np.floor(uv[mask]).astype(np.int64)
    return labels[cell[:, 1], cell[:, 0]], np.flatnonzero(mask)


def our_hard_labels(points: Float32, view: CameraView, labels: PixelLabels) -> UInt8:
    return hard_labels(labels, project_points(points, view))


def milliseconds(function: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Best and median of many rounds; `function` runs on this thread alone."""
    function()
    spent = []
    for _ in range(repeats):
        start = time.thread_time()
        function()
        spent.append(time.thread_time() - start)
    return 1e3 * min(spent), 1e3 * median(spent)


def generated_frame(seed: int = 0) -> tuple[Float32, CameraView]:
    """64 beams of 1890 points over ground and walls, 121k points, seen by a camera like KITTI's."""
    rng = np.random.default_rng(seed)
    azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, 1890), np.radians(np.linspace(-24.8, 2.0, 64)))
    wall_m = 25 + 15 * np.sin(5 * azimuth) + rng.normal(0, 0.05, azimuth.shape)
    distance_m = np.where(elevation < -0.01, np.minimum(wall_m, 1.73 / np.maximum(-np.sin(elevation), 1e-3)), wall_m)
    xy_m = distance_m * np.cos(elevation)
    columns = (xy_m * np.cos(azimuth), xy_m * np.sin(azimuth), distance_m * np.sin(elevation), rng.random(xy_m.shape))
    points = np.stack([column.ravel() for column in columns], axis=1).astype(np.float32)
    K = np.array([[721.5, 0.0, 609.6], [0.0, 721.5, 172.9], [0.0, 0.0, 1.0]])
    camera_SE3_lidar = np.array([[0.0, -1.0, 0.0, 0.06], [0.0, 0.0, -1.0, -0.08], [1.0, 0.0, 0.0, -0.27]])
    return points, CameraView("image_2", 1242, 375, K @ camera_SE3_lidar)


def kitti_frame(training: Path, frame: str) -> tuple[Float32, CameraView]:
    calib = {}
    for line in (training / "calib" / f"{frame}.txt").read_text().splitlines():
        key, _, numbers = line.partition(":")
        calib[key] = np.array(numbers.split(), dtype=np.float64)
    rectify, Tr = np.eye(4), np.eye(4)
    rectify[:3, :3], Tr[:3] = calib["R0_rect"].reshape(3, 3), calib["Tr_velo_to_cam"].reshape(3, 4)
    head = (training / "image_2" / f"{frame}.png").read_bytes()[16:24]
    width_px, height_px = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
    points = np.fromfile(training / "velodyne" / f"{frame}.bin", np.float32).reshape(-1, 4)
    return points, CameraView("image_2", width_px, height_px, calib["P2"].reshape(3, 4) @ rectify @ Tr)


def measure(points: Float32, view: CameraView, repeats: int) -> list[tuple[str, tuple[float, float]]]:
    rng = np.random.default_rng(0)
    labels = PixelLabels(rng.integers(0, NUM_CLASSES, (view.height_px, view.width_px), np.uint8), NUM_CLASSES)
    grid = (NUM_CLASSES, view.height_px // STRIDE_PX, view.width_px // STRIDE_PX)
    logits = rng.normal(0.0, 5.0, grid).astype(np.float32)
    scores = PixelScores(logits, "logits", True, (view.height_px, view.width_px))
    projected = project_points(points, view)
    found, index = numpy_hard_labels(points, view, labels.values)
    assert np.array_equal(projected.index, index)
    assert np.array_equal(hard_labels(labels, projected), found)
    sampled = CameraSample(
        ProjectedView(0, view.camera, projected, depth_edges(projected)), *sample_scores(scores, projected)
    )
    names, spacing_rad = (view.camera,), line_spacing_rad(points)
    hidden = occluded(projected, focal_px(view.image_from_lidar), spacing_rad)
    marked = replace(sampled, view=replace(sampled.view, occluded=hidden))
    painted = merge_views(len(points), NUM_CLASSES, [marked], PaintSettings(), "0")

    def whole(occlusion: Occlusion, edges: Edges) -> Callable[[], object]:
        settings = PaintSettings(occlusion=occlusion, edges=edges)
        return lambda: paint_frame(points, [view], {view.camera: scores}, names, NUM_CLASSES, settings, "0")

    def smoothed() -> object:
        return smooth(points, replace(painted, scores=painted.scores.copy(), label=painted.label.copy()))

    jobs: list[tuple[str, Callable[[], object]]] = [
        ("numpy float64: project + hard label", lambda: numpy_hard_labels(points, view, labels.values)),
        ("project + hard label", lambda: our_hard_labels(points, view, labels)),
        ("project", lambda: project_points(points, view)),
        ("hard label", lambda: hard_labels(labels, projected)),
        (f"soft scores, {NUM_CLASSES} classes, stride {STRIDE_PX}", lambda: sample_scores(scores, projected)),
        ("depth edges", lambda: depth_edges(projected)),
        ("scan-line spacing", lambda: line_spacing_rad(points)),
        ("occlusion", lambda: occluded(projected, focal_px(view.image_from_lidar), spacing_rad)),
        ("merge and float16", lambda: merge_views(len(points), NUM_CLASSES, [sampled], PaintSettings(), "0")),
        ("smoothing", smoothed),
        ("whole frame, --occlusion off", whole("off", "flag")),
        ("whole frame (--occlusion flag --edges flag)", whole("flag", "flag")),
        ("whole frame, --occlusion clear", whole("clear", "flag")),
        ("whole frame, --edges smooth", whole("flag", "smooth")),
    ]
    doubtful = int((painted.flags & (Flag.OCCLUDED | Flag.DEPTH_EDGE) != 0).sum())
    print(f"{len(points)} points, {len(projected)} in view, {doubtful} of them doubtful, {repeats} runs")
    return [(name, milliseconds(job, repeats)) for name, job in jobs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path, nargs="?", help="KITTI object's training folder")
    parser.add_argument("frame", nargs="?", default="000000")
    parser.add_argument("--repeats", type=int, default=50)
    chosen = parser.parse_args()
    points, view = kitti_frame(chosen.training, chosen.frame) if chosen.training else generated_frame()
    rows = measure(points, view, chosen.repeats)
    times_ms = dict(rows)
    print(f"{'':44}{'best, ms':>10}{'median':>10}")
    for name, (best_ms, median_ms) in rows:
        print(f"{name:44}{best_ms:10.3f}{median_ms:10.3f}")
    ratio = times_ms["numpy float64: project + hard label"][0] / times_ms["project + hard label"][0]
    soft_ms = next(best_ms for name, (best_ms, _) in rows if name.startswith("soft"))
    print(f"project + hard label: {ratio:.1f} times as fast as numpy (at least 10 asked)")
    print(f"soft scores: {soft_ms:.2f} ms (at most 4 asked)")


if __name__ == "__main__":
    main()
