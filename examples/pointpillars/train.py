"""Does paint help a detector? The same one is trained with and without it, on the same frames and seeds.

    python examples/pointpillars/train.py WORKSPACE [--epochs 6] [--seeds 0 1 2]

The workspace holds nuScenes or a synthetic dataset in its layout, painted; README.md beside this file has the commands.
The last quarter of the sequences is kept for the test. Prints a Markdown table of average precision by class.
"""

import argparse
import statistics
import sys
import time

import torch
from data import CLASSES, Frame, batch_of, batches, read_frames
from model import Detector, Grid
from score import Found, mean_over_distances
from targets import decode, loss

BATCH = 4
RATE = 3e-3


def train(frames: list[Frame], grid: Grid, seed: int, epochs: int, *, painted: bool) -> Detector:
    """A detector trained on these frames; the seed settles its beginning, the order and the turns."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    net = Detector(len(CLASSES), frames[0].scores.shape[1] if painted else 0, grid)
    steps = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(steps, RATE, epochs * (len(frames) // BATCH))
    for epoch in range(epochs):
        losses = [
            _step(net, batch_of(some, grid, painted=painted), steps, rates) for some in batches(frames, BATCH, draw)
        ]
        print(f"seed {seed}, epoch {epoch + 1}: loss {statistics.mean(losses):.3f}", file=sys.stderr, flush=True)
    return net.eval()


def _step(net: Detector, batch, steps, rates) -> float:
    heat, said = net(batch.points, batch.frame, len(batch.heat))
    value = loss(heat, said, batch.heat, batch.boxes, batch.cells)
    steps.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
    steps.step()
    rates.step()
    return value.item()


@torch.inference_mode()
def judge(net: Detector, frames: list[Frame], grid: Grid, *, painted: bool) -> dict[str, float]:
    """Average precision of each class, in percent."""
    found: dict[str, list[Found]] = {name: [] for name in CLASSES}
    for frame in frames:
        batch = batch_of([frame], grid, painted=painted)
        heat, said = net(batch.points, batch.frame, 1)
        boxes, kind, score = decode(heat[0], said[0], grid)
        inside = (frame.boxes[:, :2].abs() < grid.half_m).all(dim=1)
        for number, name in enumerate(CLASSES):
            mine, true = kind == number, inside & (frame.kinds == number)
            centres, truth = boxes[mine, :2].double().numpy(), frame.boxes[true, :2].double().numpy()
            found[name].append(Found(centres, score[mine].double().numpy(), truth))
    return {name: 100 * mean_over_distances(each) for name, each in found.items()}


def split(frames: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Frames to train on, and those of the last quarter of the sequences."""
    names = list(dict.fromkeys(frame.sequence for frame in frames))
    test = set(names[len(names) - max(1, len(names) // 4) :])
    return [each for each in frames if each.sequence not in test], [each for each in frames if each.sequence in test]


def table(results: dict[bool, list[dict[str, float]]]) -> str:
    """The mean over the seeds, and each seed behind it."""
    lines = ["| points | " + " | ".join(CLASSES) + " |", "| --- |" + " ---: |" * len(CLASSES)]
    for painted, runs in results.items():
        cells = []
        for name in CLASSES:
            values = [run[name] for run in runs]
            cells.append(f"{statistics.mean(values):.1f} ({', '.join(f'{value:.1f}' for value in values)})")
        lines.append(f"| {'painted' if painted else 'as they are'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace")
    parser.add_argument("--layer", help="default: the one painted last")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--every-beam", type=int, default=1, metavar="N", help="keep every N-th beam of the LiDAR")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    grid, begin = Grid(), time.monotonic()
    frames, kept = split(read_frames(arguments.workspace, arguments.layer, grid, arguments.every_beam))
    if len(frames) < BATCH:
        parser.error(f"{arguments.workspace} leaves {len(frames)} frames to train on; paint more sequences")
    results: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    for seed in arguments.seeds:
        for painted, runs in results.items():
            net = train(frames, grid, seed, arguments.epochs, painted=painted)
            runs.append(judge(net, kept, grid, painted=painted))
            print(f"seed {seed}, {'painted' if painted else 'as they are'}: {runs[-1]}", file=sys.stderr, flush=True)
    print(table(results))
    minutes = (time.monotonic() - begin) / 60
    boxes = sum(len(frame.boxes) for frame in kept)
    print(f"\n{len(frames)} frames to train on, {len(kept)} with {boxes:,} boxes to test; {minutes:.0f} minutes")


if __name__ == "__main__":
    main()
