"""What the detector is to say of a frame, how far it is from that, and boxes back from what it says."""

import torch
from model import REGRESSED, Grid
from torch import Tensor


def heat_and_boxes(boxes: Tensor, kinds: Tensor, classes: int, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """(K, S, S) heat map, (n, 8) boxes and their (n,) cells, of the n boxes inside the grid.

    Around each centre the heat falls off as a Gaussian of a cell and a half.

    Args:
        boxes: (N, 7) x, y, z of the centre, l, w, h in metres, heading in rad.
        kinds: (N,) class of each.
        classes: K.
        grid: where.
    """
    cell = ((boxes[:, :2] + grid.half_m) / grid.cell_m).floor().long()
    inside = ((cell >= 0) & (cell < grid.cells)).all(dim=1)
    boxes, kinds, cell = boxes[inside], kinds[inside], cell[inside]
    heat = torch.zeros(classes, grid.cells, grid.cells)
    at = torch.arange(grid.cells)
    for (col, row), kind in zip(cell.tolist(), kinds.tolist(), strict=True):
        squared = (at[:, None] - row) ** 2 + (at[None, :] - col) ** 2
        heat[kind] = torch.maximum(heat[kind], (-squared / (2 * 1.5**2)).exp())
    return heat, encode(boxes, cell, grid), cell[:, 1] * grid.cells + cell[:, 0]


def encode(boxes: Tensor, cell: Tensor, grid: Grid) -> Tensor:
    """(n, 8) what is regressed of (n, 7) boxes whose centres lie in these cells."""
    within = (boxes[:, :2] + grid.half_m) / grid.cell_m - cell - 0.5
    heading = torch.stack([boxes[:, 6].sin(), boxes[:, 6].cos()], dim=1)
    return torch.cat([within, boxes[:, 2:3], boxes[:, 3:6].log(), heading], dim=1)


def decode(heat: Tensor, said: Tensor, grid: Grid, most: int = 100) -> tuple[Tensor, Tensor, Tensor]:
    """(n, 7) boxes, (n,) classes and (n,) scores of the strongest local peaks of one frame's (K, S, S) logits."""
    scores = heat.sigmoid()
    peaks = scores * (torch.nn.functional.max_pool2d(scores, 3, 1, 1) == scores)
    score, place = peaks.flatten().topk(min(most, peaks.numel()))
    kind, at = place // grid.cells**2, place % grid.cells**2
    row, col = at // grid.cells, at % grid.cells
    values = said.view(REGRESSED, -1)[:, at].T
    centre = (torch.stack([col, row], dim=1) + 0.5 + values[:, :2]) * grid.cell_m - grid.half_m
    heading = torch.atan2(values[:, 6:7], values[:, 7:8])
    return torch.cat([centre, values[:, 2:3], values[:, 3:6].clamp(-3, 3).exp(), heading], dim=1), kind, score


def loss(heat: Tensor, said: Tensor, wanted_heat: Tensor, boxes: list[Tensor], cells: list[Tensor]) -> Tensor:
    """Focal loss on the heat map (Law and Deng, CornerNet, arXiv 1808.01244, equation 1) and L1 on the boxes."""
    log_there, log_absent = torch.nn.functional.logsigmoid(heat), torch.nn.functional.logsigmoid(-heat)
    share = heat.sigmoid()
    centre = wanted_heat == 1.0
    hits = (1 - share) ** 2 * log_there * centre
    misses = (1 - wanted_heat) ** 4 * share**2 * log_absent * ~centre
    focal = -(hits.sum() + misses.sum()) / max(1, int(centre.sum()))
    flat = said.flatten(2)
    found = torch.cat([flat[number][:, cell].T for number, cell in enumerate(cells)])
    return focal + 0.25 * (found - torch.cat(boxes)).abs().sum() / max(1, len(found))
