"""Milliseconds an image of each backend, and how far each is from eager PyTorch.

    python benchmarks/backends.py --threads 2 [--espnetv2 WEIGHTS] [--image FILE]

Networks: BiSeNetV2 at 1248x384 and ESPNetv2 s2.0 at 1216x352 (the published weights where given, else seeded random
ones), and street-tiny at 640x192. Rounds of all backends follow each other in one process, so that a busy machine is
busy for all; the figure is the median of the rounds. `load` is what a run pays once for a size: export or tracing, and
compiling. A Markdown table is printed.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.settings import Backend, SegmentSettings
from paintpipe.stages.segment.agreement import check_image, difference
from paintpipe.stages.segment.architectures import load_network
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.espnetv2 import ESPNetv2
from paintpipe.stages.segment.network import LoadRequest
from paintpipe.stages.segment.registry import find_card, find_weights
from paintpipe.stages.segment.segmenter import Segmenter, load_segmenter

BACKENDS: tuple[Backend, ...] = ("torch", "onnxruntime", "openvino")
EAGER = "eager PyTorch"


@dataclass(frozen=True)
class Case:
    """A network at one input size."""

    title: str
    model: str
    weights: Path
    classes: int
    input_px: tuple[int, int]


def seeded(module: torch.nn.Module, path: Path) -> Path:
    """The module's weights drawn anew from a seed, with norms near 1, as a state dict."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in module.state_dict().items():
        drawn = torch.randn(value.shape, generator=generator)
        if name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
            state[name] = 1 + 0.1 * drawn.abs()
        elif value.ndim <= 1:
            state[name] = (0.1 * drawn).to(value.dtype)
        else:
            state[name] = drawn / value[0].numel() ** 0.5
    torch.save(state, path)
    return path


def cases(folder: Path, espnetv2: Path | None) -> list[Case]:
    tiny = find_card("street-tiny")
    bisenet = seeded(BiSeNetV2(19), folder / "bisenetv2.pth")
    espnet = espnetv2 or seeded(ESPNetv2(2.0, 20), folder / "espnetv2.pth")
    return [
        Case("BiSeNetV2", "bisenetv2-cityscapes", bisenet, 19, (384, 1248)),
        Case("ESPNetv2 s2.0", "espnetv2-s2.0-cityscapes", espnet, 20, (352, 1216)),
        Case("street-tiny", "street-tiny", find_weights("street-tiny", tiny), 10, (192, 640)),
    ]


def eager(case: Case, settings: SegmentSettings) -> Segmenter:
    """The network as it was trained: no folding, no other engine."""
    request = LoadRequest(case.classes, threads=settings.threads)
    return Segmenter(load_network(find_card(case.model), case.weights, request), settings, case.classes)


def timed_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def measure(case: Case, image: UInt8, threads: int, rounds: int) -> list[str]:
    """The rows of the table for one network."""
    settings = SegmentSettings(input_size_px=case.input_px, threads=threads)
    runs, load_ms = {EAGER: eager(case, settings)}, {EAGER: 0.0}
    for backend in BACKENDS:
        start = time.perf_counter()
        wanted = SegmentSettings(input_size_px=case.input_px, threads=threads, backend=backend)
        size = (image.shape[0], image.shape[1])
        card = find_card(case.model)
        runs[backend] = load_segmenter(card, case.weights, case.classes, wanted, image_px=size)
        load_ms[backend] = (time.perf_counter() - start) * 1e3
    scores = {name: torch.from_numpy(run.predict([image])[0].values)[None] for name, run in runs.items()}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            spent[name].append(timed_ms(lambda run=run: run.predict([image])))
    rows = []
    for name in runs:
        labels, apart = difference(scores[EAGER], scores[name], "logits")
        ms, first = median(spent[name]), median(spent[EAGER])
        agreement = "– | –" if name == EAGER else f"{labels:.4%} | {apart:.1e}"
        rows.append(
            f"| {case.title} {case.input_px[1]}x{case.input_px[0]} | {name} | {ms:.0f} | {first / ms:.2f} | "
            f"{load_ms[name] / 1e3:.1f} | {agreement} |"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--espnetv2", type=Path, help="published weights of ESPNetv2 s2.0")
    parser.add_argument("--image", type=Path, help="a photograph; a drawn scene otherwise")
    arguments = parser.parse_args()
    image = check_image((375, 1242))
    if arguments.image:
        image = np.ascontiguousarray(cv2.imread(str(arguments.image))[:, :, ::-1])
    print(f"{arguments.threads} threads, median of {arguments.rounds} rounds\n")
    print("| network | backend | ms/image | times as fast | load s | labels agree | largest score difference |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    with TemporaryDirectory() as folder:
        for case in cases(Path(folder), arguments.espnetv2):
            print("\n".join(measure(case, image, arguments.threads, arguments.rounds)), flush=True)


if __name__ == "__main__":
    main()
