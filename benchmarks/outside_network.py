"""How much of the wall time of painting is not in the network.

    python benchmarks/outside_network.py KITTI WEIGHTS         # KITTI: the folder that holds training/

Paints real KITTI frames with ESPNetv2 s2.0 on the CPU through the workflow that `paintpipe paint` runs: read, decode,
network, project, sample, encode, write with fsync, mark. The wall time is the run report's; starting Python and loading
the weights are not in it, and compiling (numba) happens in a first round that is not counted. `in the network` is the
time in which a thread runs the network (two never do), from image to scores; what is left is outside. As a check on
that, `network alone` runs it over the same decoded images in the same process with nothing beside it.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest import mock

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.pixels import CameraImage, PixelScores
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.ingest.images import decode_image
from paintpipe.stages.segment.prepare import SizePx
from paintpipe.stages.segment.segmenter import Segmenter
from paintpipe.workflows.choose_painter import PainterChoice, network
from paintpipe.workflows.ingest import IngestRequest, ingest
from paintpipe.workflows.paint import PaintRequest, paint
from paintpipe.workflows.painters import NetworkPainter

ALONE = "network alone"
EXECUTORS = {"serial, 1 worker": ("serial", 1), "threads, 2 workers": ("threads", 2)}
PREDICT = Segmenter.predict


def copied_frames(kitti: Path, folder: Path, frames: int) -> None:
    """The real frames over and over, under new numbers, until there are enough for several shards."""
    names = sorted(path.stem for path in (kitti / "training/velodyne").glob("*.bin"))
    for kind, suffix in (("velodyne", "bin"), ("image_2", "png"), ("calib", "txt")):
        (folder / "training" / kind).mkdir(parents=True)
        for index in range(frames):
            source = kitti / "training" / kind / f"{names[index % len(names)]}.{suffix}"
            shutil.copyfile(source, folder / "training" / kind / f"{index:06d}.{suffix}")


def decoded(dataset: Path) -> list[CameraImage]:
    root = LocalRoot(dataset)
    paths = [f"training/image_2/{name}" for name in root.list_dir("training/image_2")]
    images = [decode_image((dataset / path).read_bytes(), path) for path in paths]
    return [CameraImage(rgb, (rgb.shape[0], rgb.shape[1])) for rgb in images]


def network_alone_s(painter: NetworkPainter, images: list[CameraImage]) -> float:
    """In a thread that is not the main one, as the workers of the thread executor are."""

    def run() -> float:
        start = time.perf_counter()
        for image in images:
            painter.pixels([image])
        return time.perf_counter() - start

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def painted_s(request: PaintRequest, ingested: Path) -> tuple[float, float]:
    """Wall seconds of painting a fresh workspace, and of them those in the network."""
    spent = []

    def timed(self: Segmenter, images: Sequence[UInt8], image_px: SizePx | None = None) -> list[PixelScores]:
        start = time.perf_counter()
        try:
            return PREDICT(self, images, image_px)
        finally:
            spent.append(time.perf_counter() - start)

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Segmenter, "predict", timed):
        workspace = Path(shutil.copytree(ingested, Path(folder) / "workspace"))
        wall_s = paint(replace(request, workspace=workspace)).report["wall_s"]
    return wall_s, sum(spent)


def measure(arguments: argparse.Namespace, dataset: Path, ingested: Path) -> list[dict[str, tuple[float, float]]]:
    """A round each: run → (wall, in the network) in seconds a frame."""
    settings = SegmentSettings(threads=arguments.threads)
    request = PaintRequest(ingested, arguments.model, arguments.weights, segment=settings, quiet=True)
    painter = network(PainterChoice(arguments.model, arguments.weights, segment=settings))
    images = decoded(dataset)
    rounds = []
    for _ in range(arguments.rounds + 1):
        alone_s = network_alone_s(painter, images)
        found = {ALONE: (alone_s, alone_s)}
        for name, (executor, workers) in EXECUTORS.items():
            found[name] = painted_s(replace(request, executor=executor, workers=workers), ingested)
        rounds.append({name: (wall / len(images), inside / len(images)) for name, (wall, inside) in found.items()})
    return rounds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kitti", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--model", default="espnetv2-s2.0-cityscapes")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset, ingested = Path(folder) / "kitti", Path(folder) / "ingested"
        copied_frames(arguments.kitti, dataset, arguments.frames)
        ingest(IngestRequest("kitti", str(dataset), ingested, quiet=True))
        rounds = measure(arguments, dataset, ingested)
    print(f"{arguments.model}, {arguments.frames} frames, median of {arguments.rounds} rounds (least, most)\n")
    print("| run | s/frame | in the network, s/frame | outside |")
    print("| --- | ---: | ---: | ---: |")
    for name in rounds[0]:
        wall_s, inside_s = (median(each[name][at] for each in rounds) for at in (0, 1))
        outside = sorted(1 - each[name][1] / each[name][0] for each in rounds)
        share = "–" if name == ALONE else f"{median(outside):.1%} ({outside[0]:.1%}, {outside[-1]:.1%})"
        print(f"| {name} | {wall_s:.3f} | {inside_s:.3f} | {share} |")


if __name__ == "__main__":
    main()
