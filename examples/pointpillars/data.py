"""Frames of a painted workspace in memory, and batches of them, turned and mirrored at random."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from model import Grid
from targets import heat_and_boxes
from torch import Tensor

import paintpipe

CLASSES = ("car", "pedestrian", "bicycle")
"""Of nuscenes-det11; a person who rides is labelled with the bicycle, as nuScenes does."""


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        sequence: it belongs to.
        points: (N, 4) x, y, z in metres, intensity on [0, 1].
        scores: (N, C) painted scores.
        boxes: (M, 7) x, y, z, length, width, height in metres, heading in rad.
        kinds: (M,) index into CLASSES.
    """

    sequence: str
    points: Tensor
    scores: Tensor
    boxes: Tensor
    kinds: Tensor


def read_frames(workspace: str, layer: str | None, grid: Grid, beams: int = 1) -> list[Frame]:
    """Every painted keyframe, without the points outside the grid and with every `beams`-th beam of the LiDAR alone."""
    painted = paintpipe.PaintedDataset(
        workspace, layer, taxonomy="nuscenes-det11", classes=(*CLASSES, "background"), keyframes_only=True
    )
    numbers = {painted.taxonomy.index(name): number for number, name in enumerate(CLASSES)}
    ring = painted.features.index("ring")
    return [_frame(item, numbers, grid, item["points"][:, ring] % beams == 0) for item in painted]


def _frame(item: dict, numbers: dict[int | None, int], grid: Grid, kept: Tensor) -> Frame:
    points = item["points"][:, :4] / torch.tensor([1.0, 1.0, 1.0, 255.0])
    near = kept & (points[:, :2].abs() < grid.half_m).all(dim=1)
    wanted = torch.tensor([label in numbers for label in item["box_labels"].tolist()], dtype=torch.bool)
    kinds = torch.tensor([numbers[label] for label in item["box_labels"][wanted].tolist()], dtype=torch.long)
    return Frame(item["sequence"], points[near], item["scores"][near], item["boxes"][wanted], kinds)


@dataclass(frozen=True)
class Batch:
    """Points of all frames one after the other, and what is to be said of each frame; see `heat_and_boxes`."""

    points: Tensor
    frame: Tensor
    heat: Tensor
    boxes: list[Tensor]
    cells: list[Tensor]


def batch_of(frames: Sequence[Frame], grid: Grid, *, painted: bool) -> Batch:
    """A batch, with the scores as further columns of the points or without."""
    rows = [torch.cat([each.points, each.scores], dim=1) if painted else each.points for each in frames]
    wanted = [heat_and_boxes(each.boxes, each.kinds, len(CLASSES), grid) for each in frames]
    number = torch.repeat_interleave(torch.arange(len(frames)), torch.tensor([len(each) for each in rows]))
    heat, boxes, cells = zip(*wanted, strict=True)
    return Batch(torch.cat(rows), number, torch.stack(heat), list(boxes), list(cells))


def batches(frames: Sequence[Frame], size: int, draw: torch.Generator) -> Iterator[list[Frame]]:
    """All frames once, in a random order, each turned and mirrored; what does not fill a batch is left out."""
    order = torch.randperm(len(frames), generator=draw).tolist()
    for start in range(0, len(order) - size + 1, size):
        yield [moved(frames[number], draw) for number in order[start : start + size]]


def moved(frame: Frame, draw: torch.Generator) -> Frame:
    """The frame turned about the LiDAR by any angle, and mirrored every other time."""
    angle = 2 * math.pi * torch.rand((), generator=draw).item()
    mirror = -1.0 if torch.rand((), generator=draw).item() < 0.5 else 1.0
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin], [sin, cos]]) @ torch.diag(torch.tensor([1.0, mirror]))
    points, boxes = frame.points.clone(), frame.boxes.clone()
    points[:, :2] = points[:, :2] @ turn.T
    boxes[:, :2] = boxes[:, :2] @ turn.T
    boxes[:, 6] = mirror * boxes[:, 6] + angle
    return replace(frame, points=points, boxes=boxes)
