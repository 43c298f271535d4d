"""The plain loop that paintpipe is compared with: painting as the scripts that people copy around do it.

    paintpipe bench --compare

One frame after the other, each step after the last: read the points, read and decode the image with OpenCV, normalise
it in numpy, run the network (eager PyTorch, NCHW, as it is), resize the logits to the image's size, soft-max over all
its pixels, project all points in numpy, look up the scores of those in the image, save the points with their scores as
one .npy file. Nothing is checked, synced or resumed. `paintpipe bench --compare` gives it the network with its weights,
the files and the calibration, none of which is in the clock, and runs it beside a run of its own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch


@dataclass(frozen=True)
class Frame:
    """A sweep of `num_features` float32 columns, and (image file, 3 × 4 matrix from LiDAR to pixels) of its cameras."""

    points: Path
    num_features: int
    cameras: tuple[tuple[Path, np.ndarray], ...]


@dataclass(frozen=True)
class Net:
    """A torch module and what its input and output look like.

    Attributes:
        module: (1, 3, h, w) float32 → (1, C, h', w') logits.
        mean, std: of each channel, after `scale`.
        bgr: channels as OpenCV reads them.
        size_px: (height, width) of the input for an image's (height, width).
        align_corners: of the resize back.
        kept: channels that count.
    """

    module: torch.nn.Module
    mean: np.ndarray
    std: np.ndarray
    scale: float
    bgr: bool
    size_px: Callable[[tuple[int, int]], tuple[int, int]]
    align_corners: bool
    kept: list[int]
    device: str = "cpu"


def paint_all(frames: Sequence[Frame], net: Net, folder: Path) -> float:
    """Seconds that the loop takes."""
    begin = time.perf_counter()
    for number, frame in enumerate(frames):
        points = np.fromfile(frame.points, dtype=np.float32).reshape(-1, frame.num_features)
        scores = np.zeros((len(points), len(net.kept)), dtype=np.float32)
        for path, matrix in frame.cameras:
            image = cv2.imread(str(path))
            paint(points, scores, segment(image, net), matrix)
        painted = np.concatenate([points[:, :4], scores], axis=1)
        np.save(folder / f"{number:06d}.npy", painted)
    return time.perf_counter() - begin


def segment(image: np.ndarray, net: Net) -> np.ndarray:
    """(H, W, C) probabilities of every pixel of a (H, W, 3) BGR image."""
    height, width = image.shape[:2]
    if not net.bgr:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    rows, columns = net.size_px((height, width))
    image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    image = (image.astype(np.float32) * net.scale - net.mean) / net.std
    batch = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)[None]).to(net.device)
    with torch.no_grad():
        logits = net.module(batch)[:, net.kept]
        logits = torch.nn.functional.interpolate(
            logits, size=(height, width), mode="bilinear", align_corners=net.align_corners
        )
        probabilities = torch.softmax(logits, dim=1)
    return probabilities[0].permute(1, 2, 0).cpu().numpy()


def paint(points: np.ndarray, scores: np.ndarray, pixels: np.ndarray, matrix: np.ndarray) -> None:
    """Write the scores of those points that the camera sees."""
    homogeneous = np.concatenate([points[:, :3], np.ones((len(points), 1))], axis=1)
    projected = homogeneous @ matrix.T
    depth = projected[:, 2]
    front = depth > 0
    u, v = np.full(len(points), -1), np.full(len(points), -1)
    u[front] = np.floor(projected[front, 0] / depth[front])
    v[front] = np.floor(projected[front, 1] / depth[front])
    seen = front & (u >= 0) & (u < pixels.shape[1]) & (v >= 0) & (v < pixels.shape[0])
    scores[seen] = pixels[v[seen], u[seen]]
