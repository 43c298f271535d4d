"""How much of the network's own rate the engine reaches, from decoded frames in memory.

    python benchmarks/random_bisenetv2.py bisenetv2.safetensors
    python benchmarks/gpu_engine.py bisenetv2.safetensors --device cuda:0 --precision fp16

`network alone` runs BiSeNetV2 over one batch that lies on the device, again and again, with nothing beside it. `engine`
takes decoded images and points in memory to painted frames as a worker of `paintpipe paint` does, several shards at
once: images to the device, normalised, through the network, sampled at the points that the camera sees, soft-max,
scores back. Both run the same network in the same precision and batches. Asked for on a GPU: 70 %.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from paintpipe.pipeline.events import Bus
from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.catalog import FrameRow, ImageRow
from paintpipe.schemas.settings import PaintSettings, SegmentSettings
from paintpipe.stages.segment.prepare import network_input, plan_input
from paintpipe.stages.segment.registry import find_card
from paintpipe.stages.segment.segmenter import load_segmenter
from paintpipe.workflows.choose_painter import PainterChoice, network
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.paint_frames import FrameJob, PaintPlan, paint_by_pixels
from paintpipe.workflows.painters import NetworkPainter

MODEL, CAMERA, CLASSES = "bisenetv2-cityscapes", "image_2", 19
_AUTOCAST = {"fp32": None, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Scene:
    """What frames are made of: image (height, width) in pixels and points a sweep, KITTI's unless said otherwise."""

    size_px: tuple[int, int] = (375, 1242)
    points: int = 120_000

    @property
    def K(self) -> np.ndarray:
        """(3, 3) intrinsics of a camera with KITTI's field of view."""
        height, width = self.size_px
        return np.array([[0.58 * width, 0.0, width / 2], [0.0, 0.58 * width, height / 2], [0.0, 0.0, 1.0]])


@dataclass
class Memory(FrameFiles):
    """Files that are decoded already; one random image and one random sweep stand for all."""

    image_rgb: UInt8 = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    sweep: Float32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def points(self, row: FrameRow) -> Float32 | None:
        """The sweep."""
        return self.sweep

    def image(self, row: ImageRow, *_hints: Any, **_more: Any) -> UInt8 | None:
        """The image, at full size."""
        return self.image_rgb


def memory(scene: Scene) -> Memory:
    """A third of the directions that a turning LiDAR looks in are in front, and a camera sees half of those."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*scene.size_px, 3), dtype=np.uint8)
    azimuth, height = rng.uniform(-np.pi, np.pi, scene.points), rng.uniform(-2.0, 1.0, scene.points)
    distance = rng.uniform(4.0, 60.0, scene.points)
    sweep = np.stack([distance * np.cos(azimuth), distance * np.sin(azimuth), height, rng.random(scene.points)], axis=1)
    return Memory(_NoRoot(), image_rgb=image, sweep=sweep.astype(np.float32))


class _NoRoot:
    """Nothing is read."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def jobs(scene: Scene, count: int) -> list[FrameJob]:
    """Frames with one camera each, at the LiDAR's place, looking along x."""
    lidar_to_camera = np.array(
        [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    )
    found = []
    for index in range(count):
        key = ("memory", index, f"{index:06d}")
        frame = FrameRow(*key, f"{index}.bin", scene.points, ("x", "y", "z", "intensity"))
        image = ImageRow(
            *key, CAMERA, f"{index}.png", scene.size_px[1], scene.size_px[0], scene.K, lidar_to_camera,
            scene.K @ lidar_to_camera[:3],
        )  # fmt: skip
        found.append(FrameJob(frame, (image,), ()))
    return found


def rate(work: Callable[[], int], seconds: float) -> float:
    """Frames a second: `work` again and again, after one time that does not count."""
    work()
    begin, frames = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        frames += work()
    return frames / (time.perf_counter() - begin)


def alone_per_s(weights: Path, settings: SegmentSettings, scene: Scene, seconds: float) -> float:
    """The network's own rate."""
    card = find_card(MODEL)
    segmenter = load_segmenter(card, weights, CLASSES, settings)
    images = [memory(scene).image_rgb] * settings.batch_size
    batch = network_input(card, images, plan_input(card, scene.size_px), settings.device)
    batch = batch.contiguous(memory_format=torch.channels_last)
    cuda, dtype = settings.device.startswith("cuda"), _AUTOCAST[settings.precision]

    def work() -> int:
        with (
            torch.inference_mode(),
            torch.autocast(settings.device.partition(":")[0], dtype, enabled=dtype is not None),
        ):
            for _ in range(8):
                segmenter.network.forward(batch)
        if cuda:
            torch.cuda.synchronize(settings.device)
        return 8 * settings.batch_size

    torch.set_num_threads(settings.threads)
    return rate(work, seconds)


def engine_per_s(painter: NetworkPainter, scene: Scene, shards: int, frames: int, seconds: float) -> float:
    """Frames a second of several shards at once."""
    plan = PaintPlan(PaintSettings(cameras=(CAMERA,)), (CAMERA,), CLASSES)
    files, shard = memory(scene), jobs(scene, frames)

    def paint(_: int) -> int:
        return sum(frame is not None for _, frame in paint_by_pixels(shard, painter, plan, files, Bus()))

    with ThreadPoolExecutor(shards) as pool:
        return rate(lambda: sum(pool.map(paint, range(2 * shards))), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--precision", choices=sorted(_AUTOCAST), default="fp16")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shards", type=int, default=4, help="under way at once")
    parser.add_argument("--frames", type=int, default=16, help="of a shard")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--size", default="1242x375", help="of the images, WIDTHxHEIGHT")
    parser.add_argument("--points", type=int, default=120_000)
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    scene = Scene((height, width), given.points)
    settings = SegmentSettings(given.device, given.precision, given.batch_size, threads=given.threads)
    alone = alone_per_s(given.weights, settings, scene, given.seconds)
    painter = network(PainterChoice(MODEL, given.weights, segment=settings))
    engine = engine_per_s(painter, scene, given.shards, given.frames, given.seconds)
    name = torch.cuda.get_device_name(given.device) if given.device.startswith("cuda") else "CPU"
    print(f"{MODEL}, {given.size}, {given.precision}, batches of {given.batch_size}, {name}\n")
    print("| | frames/s |\n| --- | ---: |")
    print(f"| network alone | {alone:.1f} |\n| engine, decoded frames in memory | {engine:.1f} |")
    print(f"\nengine / network: {engine / alone:.2f}")


if __name__ == "__main__":
    main()
